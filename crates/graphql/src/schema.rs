//! The whole schema, and how a request is run on it.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{
    MergedObject, Request, Response, ServerError,
    parser::types::{DocumentOperations, OperationType},
};
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use parlance_app::front::SharedFront;

use crate::{
    account::{AccountMutation, AccountQuery},
    channel_changes::ChannelsMutation,
    channels::ChannelsQuery,
    completion::{Asked, Types},
    connections::{ConnectionsMutation, ConnectionsQuery},
    conversation_changes::ConversationsMutation,
    conversations::ConversationsQuery,
    credentials::CredentialsMutation,
    dead_letters::DeadLettersQuery,
    limits::{self, COMPLEXITY_MAX, DIRECTIVES_MAX, NESTING_MAX},
    member_changes::MembersMutation,
    members::MembersQuery,
    node::NodeQuery,
    sections::SectionsQuery,
    session::Session,
    signing_in::SigningInMutation,
    subscriptions::Subscription,
    visitor::Visitor,
};

/// What there is to see. What does not exist, or is not the asking member's to see, is null. An error has a
/// `code` in its `extensions`: one of `ErrorCode`; or `BEHIND` or `UNAVAILABLE` (try again), `OUTCOME_UNKNOWN`
/// (look before you try again) or `INTERNAL`, with a `traceId` for the operator; or `BAD_REQUEST` or
/// `QUERY_TOO_LARGE`, where the request itself is at fault.
#[derive(MergedObject, Default)]
pub struct Query(
    MembersQuery,
    AccountQuery,
    SectionsQuery,
    ConversationsQuery,
    NodeQuery,
    ChannelsQuery,
    ConnectionsQuery,
    DeadLettersQuery,
);

/// What there is to do. A refusal stands in the payload's `errors`. Asking for what is so already changes nothing
/// and is no error. A fault of the installation is an error of the request, as with queries.
#[derive(MergedObject, Default)]
pub struct Mutation(
    AccountMutation,
    ChannelsMutation,
    ConnectionsMutation,
    SigningInMutation,
    CredentialsMutation,
    MembersMutation,
    ConversationsMutation,
);

/// The code of a request that is not written as the schema wants it, or is too complex.
const BAD_REQUEST: &str = "BAD_REQUEST";

type Inner = async_graphql::Schema<Query, Mutation, Subscription>;

/// The schema over a front. Clones share it.
#[derive(Clone)]
pub struct Schema {
    inner: Inner,
    front: SharedFront,
    introspection: bool,
    types: Arc<Types>,
}

/// Names are not suggested: where the schema cannot be asked for, they would tell it all the same.
fn inner() -> Inner {
    Inner::build(Query::default(), Mutation::default(), Subscription)
        .disable_suggestions()
        .limit_complexity(COMPLEXITY_MAX)
        .limit_directives(DIRECTIVES_MAX)
        .limit_recursive_depth(NESTING_MAX)
        .finish()
}

/// The schema over a front.
pub fn schema(front: SharedFront) -> Schema {
    let inner = inner();
    let types = Arc::new(Types::of(&inner.sdl()));
    Schema { inner, front, introspection: true, types }
}

/// Of documents by their ids, whether each could be run; else the id of one that could not, and why.
pub(crate) async fn validate(documents: &BTreeMap<String, String>) -> Result<(), (String, String)> {
    /// The validation comes before the choice of an operation: of a valid document it is all that is wrong.
    const NO_OPERATION: &str = "__parlance_validates";
    let inner = inner();
    for (id, document) in documents {
        let mut request = Request::new(document).operation_name(NO_OPERATION).only_introspection();
        let errors = match check(&mut request, true) {
            Err(error) => vec![error],
            Ok(()) => inner.execute(request).await.errors,
        };
        let wrong = errors.into_iter().find(|error| !error.message.ends_with(&format!("{NO_OPERATION}\"")));
        if let Some(error) = wrong {
            return Err((id.clone(), error.message));
        }
    }
    Ok(())
}

/// The schema's text, as `schema.graphql` has it.
pub fn sdl() -> String {
    inner().sdl()
}

impl Schema {
    /// The same, asked for nothing of itself.
    #[must_use]
    pub fn without_introspection(self) -> Self {
        Self { introspection: false, ..self }
    }

    /// Runs a query or mutation. Must be called inside a tokio runtime: look-ups are gathered on it.
    pub async fn execute(&self, mut request: Request, visitor: Visitor) -> Response {
        let response = match check(&mut request, self.introspection) {
            Err(error) => Response::from_errors(vec![error]),
            Ok(()) => {
                let asked = Asked::of(&request);
                let mut response = self.inner.execute(request.data(self.session(visitor))).await;
                self.types.complete(&mut response, &asked);
                response
            }
        };
        with_codes(response)
    }

    /// Runs any operation: one answer for a query or mutation, any number for a subscription. Must be polled
    /// inside a tokio runtime.
    pub fn stream(&self, mut request: Request, visitor: Visitor) -> BoxStream<'static, Response> {
        match check(&mut request, self.introspection) {
            Err(error) => stream::iter([with_codes(Response::from_errors(vec![error]))]).boxed(),
            Ok(()) => {
                let (asked, types) = (Asked::of(&request), Arc::clone(&self.types));
                let request = request.data(self.session(visitor));
                let completed = move |mut response| {
                    types.complete(&mut response, &asked);
                    with_codes(response)
                };
                self.inner.execute_stream(request).map(completed).boxed()
            }
        }
    }

    /// What kind of operation a request asks for; `None`: its document does not tell, and running it will say why.
    pub(crate) fn operation(&self, request: &mut Request) -> Option<OperationType> {
        limits::check_text(&request.query).ok()?;
        let name = request.operation_name.clone();
        match (&request.parsed_query().ok()?.operations, name) {
            (DocumentOperations::Single(operation), _) => Some(operation.node.ty),
            (DocumentOperations::Multiple(all), Some(name)) => Some(all.get(name.as_str())?.node.ty),
            (DocumentOperations::Multiple(all), None) => {
                let mut all = all.values();
                all.next().filter(|_| all.next().is_none()).map(|operation| operation.node.ty)
            }
        }
    }

    pub fn front(&self) -> &SharedFront {
        &self.front
    }

    fn session(&self, visitor: Visitor) -> Session {
        Session::new(self.front.clone(), visitor)
    }
}

/// What must not reach the parser or the validation.
fn check(request: &mut Request, introspection: bool) -> Result<(), ServerError> {
    limits::check_text(&request.query)?;
    limits::check_variables(&request.variables)?;
    limits::check(request.parsed_query()?, introspection)
}

/// What async-graphql says by itself is about the request's text: every error has a code.
fn with_codes(mut response: Response) -> Response {
    for error in response.errors.iter_mut().filter(|error| error.extensions.is_none()) {
        error.extensions.get_or_insert_default().set("code", BAD_REQUEST);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::sdl;

    #[test]
    fn schema_graphql_is_what_the_code_says() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema.graphql");
        if std::env::var_os("PARLANCE_WRITE_SCHEMA").is_some() {
            std::fs::write(file, sdl()).unwrap();
        }
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            committed == sdl(),
            "schema.graphql is stale: run `PARLANCE_WRITE_SCHEMA=1 cargo test -p parlance-graphql schema`"
        );
    }

    /// Introspection's own directives and scalars have the words of the GraphQL specification.
    #[test]
    fn everything_in_the_schema_has_a_description() {
        let sdl = sdl();
        let lines: Vec<_> = sdl.lines().map(str::trim).collect();
        let mut undescribed = Vec::new();
        let mut inside_of_a_description = false;
        for (n, line) in lines.iter().enumerate() {
            if *line == "\"\"\"" {
                inside_of_a_description = !inside_of_a_description;
                continue;
            }
            let is_text = inside_of_a_description || line.starts_with('"');
            let is_a_thing = !is_text
                && !line.is_empty()
                && !["}", ")", "schema", "query:", "mutation:", "subscription:", "directive"]
                    .iter()
                    .any(|end| line.starts_with(end));
            let described = n > 0 && lines[n - 1].ends_with('"');
            if is_a_thing && !described {
                undescribed.push(*line);
            }
        }
        assert!(undescribed.is_empty(), "without a description: {undescribed:#?}");
    }
}
