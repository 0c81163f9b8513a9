//! Who may ask for what: every query, mutation and subscription, and what it needs. This is the specification's
//! table of rights as the API has it; what an `Action` takes of a member is in `parlance_domain::permissions`.
//!
//! No resolver has a [`Scope`](crate::session::Scope) or an operator's id but by this table, and an operation that is
//! missing here is refused. Where an action is permitted channel by channel, the channel is judged by the queries and
//! by the commands' rules, which know it; here it takes an active member.

use parlance_app::front::{Credential, CredentialKind, TokenScope};
use parlance_domain::permissions::Action;

use crate::errors::ErrorCode;

/// What an operation needs of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Open to everybody; it looks for itself at what it is given.
    Nothing,
    /// A member who may do this, signed in or by a token with this scope.
    Member(Action, TokenScope),
    /// A member who has signed in: how they do is never changed by a token.
    SignedIn,
    /// An operator of the installation.
    Operator,
}

/// Whether an operation changes anything: a refusal of one that does stands in its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Query,
    Mutation,
}

const fn see(operation: &'static str, action: Action) -> (&'static str, Kind, Needs) {
    (operation, Kind::Query, Needs::Member(action, TokenScope::Read))
}

const fn converse(operation: &'static str, action: Action) -> (&'static str, Kind, Needs) {
    (operation, Kind::Mutation, Needs::Member(action, TokenScope::Conversations))
}

/// How the member signs in.
const fn sign(operation: &'static str) -> (&'static str, Kind, Needs) {
    (operation, Kind::Mutation, Needs::SignedIn)
}

const fn settle(operation: &'static str, action: Action) -> (&'static str, Kind, Needs) {
    (operation, Kind::Mutation, Needs::Member(action, TokenScope::Settings))
}

/// The table. Names are unique across queries, mutations and subscriptions.
const OPERATIONS: &[(&str, Kind, Needs)] = &[
    see("viewer", Action::OwnSettings),
    see("account", Action::SeeAccount),
    see("members", Action::SeeAccount),
    see("channels", Action::SeeAccount),
    see("node", Action::SeeAccount),
    see("sections", Action::UseConversation),
    see("conversations", Action::UseConversation),
    see("conversation", Action::UseConversation),
    see("inboxChanged", Action::UseConversation),
    see("conversationChanged", Action::UseConversation),
    see("connections", Action::ManageChannels),
    see("channelKinds", Action::SeeAccount),
    ("deadLetters", Kind::Query, Needs::Operator),
    ("acceptInvitation", Kind::Mutation, Needs::Nothing),
    ("signIn", Kind::Mutation, Needs::Nothing),
    // A browser may also forget a session that is none any more.
    ("signOut", Kind::Mutation, Needs::Nothing),
    sign("changePassword"),
    sign("endSession"),
    sign("createApiToken"),
    sign("revokeApiToken"),
    settle("updateAccount", Action::ManageAccount),
    settle("inviteMember", Action::ManageAccount),
    settle("setMemberPermissions", Action::ManageAccount),
    settle("removeMember", Action::ManageAccount),
    settle("setAvailability", Action::OwnSettings),
    settle("connectChannel", Action::ManageChannels),
    settle("renameChannel", Action::ManageChannels),
    settle("setReopenRule", Action::ManageChannels),
    settle("disconnectChannel", Action::ManageChannels),
    settle("rotateSecrets", Action::ManageChannels),
    settle("setChannelVisibility", Action::GovernChannel),
    settle("handOverChannel", Action::GovernChannel),
    converse("assignConversation", Action::UseConversation),
    converse("unassignConversation", Action::UseConversation),
    converse("closeConversation", Action::UseConversation),
    converse("reopenConversation", Action::UseConversation),
    converse("markConversationSeen", Action::UseConversation),
    converse("deleteConversation", Action::DeleteConversation),
];

/// What an operation is and needs; `None`: the table does not know it.
pub(crate) fn operation(name: &str) -> Option<(Kind, Needs)> {
    OPERATIONS.iter().find(|(known, ..)| *known == name).map(|(_, kind, needs)| (*kind, *needs))
}

/// Whether a credential may be used for what is needed.
pub(crate) fn covers(credential: &Credential, needs: Needs) -> Result<(), ErrorCode> {
    match (credential.kind, needs) {
        (_, Needs::Nothing) | (CredentialKind::Session, Needs::Member(..) | Needs::SignedIn) => Ok(()),
        (CredentialKind::ApiToken, Needs::SignedIn) => Err(ErrorCode::SessionRequired),
        (CredentialKind::ApiToken, Needs::Member(_, scope)) if credential.scopes.has(scope) => Ok(()),
        (CredentialKind::ApiToken, Needs::Member(..)) => Err(ErrorCode::ScopeMissing),
        (_, Needs::Operator) => Err(ErrorCode::OperatorsOnly),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_graphql::parser::{
        parse_schema,
        types::{TypeKind, TypeSystemDefinition},
    };
    use parlance_app::front::{TokenHash, TokenScopes};

    use super::*;

    /// The names of a root type's fields, as the schema's text has them.
    fn fields(of: &str) -> BTreeSet<String> {
        let document = parse_schema(crate::sdl()).expect("our own schema is one");
        let mut found = BTreeSet::new();
        for definition in document.definitions {
            if let TypeSystemDefinition::Type(definition) = definition
                && definition.node.name.node == of
                && let TypeKind::Object(object) = definition.node.kind
            {
                found.extend(object.fields.iter().map(|field| field.node.name.node.to_string()));
            }
        }
        found
    }

    #[test]
    fn the_table_has_every_operation_of_the_schema_and_no_other() {
        let named = |wanted: Kind| -> BTreeSet<String> {
            let of_kind = OPERATIONS.iter().filter(|(_, kind, _)| *kind == wanted);
            of_kind.map(|(name, ..)| (*name).to_owned()).collect()
        };
        let (mut seen, done) = (fields("Query"), fields("Mutation"));
        seen.extend(fields("Subscription"));
        assert!(!seen.is_empty() && !done.is_empty());
        assert_eq!(named(Kind::Query), seen);
        assert_eq!(named(Kind::Mutation), done);
        assert_eq!(OPERATIONS.len(), seen.len() + done.len(), "a name stands twice");
    }

    #[test]
    fn a_token_is_good_for_its_scopes_and_never_for_how_its_member_signs_in() {
        let token = |scopes: &[TokenScope]| Credential {
            hash: TokenHash([0; 32]),
            kind: CredentialKind::ApiToken,
            scopes: scopes.iter().copied().collect(),
        };
        let needs = |scope| Needs::Member(Action::OwnSettings, scope);
        for scope in TokenScope::ALL {
            let others: Vec<_> = TokenScope::ALL.into_iter().filter(|other| *other != scope).collect();
            assert_eq!(covers(&token(&[scope]), needs(scope)), Ok(()));
            assert_eq!(covers(&token(&others), needs(scope)), Err(ErrorCode::ScopeMissing));
            assert_eq!(covers(&token(&[]), needs(scope)), Err(ErrorCode::ScopeMissing));
        }
        assert_eq!(covers(&token(&TokenScope::ALL), Needs::SignedIn), Err(ErrorCode::SessionRequired));
        assert_eq!(covers(&token(&TokenScope::ALL), Needs::Operator), Err(ErrorCode::OperatorsOnly));
        assert_eq!(covers(&token(&[]), Needs::Nothing), Ok(()));
        let session =
            Credential { kind: CredentialKind::Session, scopes: TokenScopes::default(), ..token(&[]) };
        assert_eq!(covers(&session, Needs::SignedIn), Ok(()));
        assert_eq!(covers(&session, needs(TokenScope::Settings)), Ok(()));
        assert_eq!(covers(&session, Needs::Operator), Err(ErrorCode::OperatorsOnly));
    }
}
