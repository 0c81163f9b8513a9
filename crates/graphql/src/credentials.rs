//! A member's sessions and API tokens, and how they are made and ended: by whoever is signed in, for themselves.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use parlance_app::sign_in::{ApiTokenView, NewApiToken, SessionView};
use parlance_domain::{Name, TokenId};

use crate::{
    errors::{ErrorCode, Refused, UserError, Wrong},
    members::Viewer,
    scalars::{DateTime, id},
    signing_in::{signed_in, told},
};

/// What an API token may be used for. None of them covers passwords, sessions and API tokens: those are for who
/// signed in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "parlance_app::front::TokenScope")]
pub enum TokenScope {
    /// See what the member sees.
    Read,
    /// Change conversations: assign, close, delete, mark as seen.
    Conversations,
    /// Change settings: the account's, the channels', the members', and the member's own availability.
    Settings,
}

/// A place where a member is signed in.
#[derive(SimpleObject)]
#[graphql(name = "Session")]
pub struct SignedInSession {
    /// The session's id: `tok_` and 32 hexadecimal digits. It lets nobody in.
    id: ID,
    /// When the member signed in.
    created_at: DateTime,
    /// When it was used last, to within ten minutes.
    last_used_at: DateTime,
    /// When it ends, if it is not used before then.
    ends_at: DateTime,
    /// Whether it is the session that asks.
    current: bool,
}

impl From<SessionView> for SignedInSession {
    fn from(view: SessionView) -> Self {
        Self {
            id: view.id.to_string().into(),
            created_at: view.created_at.into(),
            last_used_at: view.last_used_at.into(),
            ends_at: view.ends_at.into(),
            current: view.current,
        }
    }
}

/// A member's token for a program of theirs. The token itself is not kept, and was shown once.
#[derive(SimpleObject)]
pub struct ApiToken {
    /// The API token's id: `tok_` and 32 hexadecimal digits. It lets nobody in.
    id: ID,
    /// What the member calls it. Null for one that was made with an invitation or at the command line.
    name: Option<String>,
    /// What it may be used for.
    scopes: Vec<TokenScope>,
    /// When it was made.
    created_at: DateTime,
    /// Until when it can be used. Null if it can be until it is revoked.
    expires_at: Option<DateTime>,
    /// When it was used last, to within ten minutes. Null if it never was.
    last_used_at: Option<DateTime>,
}

impl From<ApiTokenView> for ApiToken {
    fn from(view: ApiTokenView) -> Self {
        Self {
            id: view.id.to_string().into(),
            name: view.name,
            scopes: view.scopes.iter().map(Into::into).collect(),
            created_at: view.created_at.into(),
            expires_at: view.expires_at.map(Into::into),
            last_used_at: view.last_used_at.map(Into::into),
        }
    }
}

/// Which session to end.
#[derive(InputObject)]
pub struct EndSessionInput {
    /// The session's id.
    id: ID,
}

/// What API token to make.
#[derive(InputObject)]
pub struct CreateApiTokenInput {
    /// What to call it: 1 to 200 characters.
    name: String,
    /// What it may be used for; at least one.
    scopes: Vec<TokenScope>,
    /// Until when it can be used. Left out, or null: until it is revoked.
    expires_at: Option<DateTime>,
}

/// Which API token to revoke.
#[derive(InputObject)]
pub struct RevokeApiTokenInput {
    /// The API token's id.
    id: ID,
}

/// What came of `endSession`.
#[derive(SimpleObject)]
pub struct EndSessionPayload {
    /// The member who asked. Null if it was refused.
    viewer: Option<Viewer>,
    /// Why it was refused. Empty if it was done.
    errors: Vec<UserError>,
}

/// What came of `createApiToken`.
#[derive(SimpleObject)]
pub struct CreateApiTokenPayload {
    /// The API token as it is listed from now on. Null if it was refused.
    api_token: Option<ApiToken>,
    /// The token's text, to be sent as `Authorization: Bearer …`. It is shown here and never again. Null if it was
    /// refused.
    token: Option<String>,
    /// Why it was refused. Empty if it was done.
    errors: Vec<UserError>,
}

/// What came of `revokeApiToken`.
#[derive(SimpleObject)]
pub struct RevokeApiTokenPayload {
    /// The member who asked. Null if it was refused.
    viewer: Option<Viewer>,
    /// Why it was refused. Empty if it was done.
    errors: Vec<UserError>,
}

/// The field concerned, where only the code tells.
fn placed(wrong: Wrong) -> Wrong {
    let field = match wrong.code {
        ErrorCode::NotFound => Some("id"),
        ErrorCode::Empty => Some("scopes"),
        ErrorCode::AlreadyPast => Some("expiresAt"),
        _ => None,
    };
    Wrong { field: wrong.field.or(field), ..wrong }
}

#[derive(Default)]
pub struct CredentialsMutation;

#[Object]
impl CredentialsMutation {
    /// Ends one of the sessions of the member who asks; its sockets are closed.
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: EndSessionInput,
    ) -> Result<Option<EndSessionPayload>> {
        let (scope, by, credential) = signed_in(ctx).await?;
        let front = scope.front().clone();
        let attempt = async {
            let session: TokenId = id(&input.id, "id")?;
            Ok::<_, Refused>(front.end_session(by, credential, session).await?)
        };
        let (viewer, errors) = told(scope, attempt.await, placed).await?.into_parts(credential);
        Ok(Some(EndSessionPayload { viewer, errors }))
    }

    /// Makes an API token for a program of the member who asks, limited to some scopes. A member has at most 64.
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What API token.")] input: CreateApiTokenInput,
    ) -> Result<Option<CreateApiTokenPayload>> {
        let (scope, by, credential) = signed_in(ctx).await?;
        let front = scope.front().clone();
        let attempt = async {
            let name = Name::new(&input.name).map_err(|error| Wrong::text(error, "name"))?;
            let scopes = input.scopes.into_iter().map(Into::into).collect();
            let expires_at = input.expires_at.map(Into::into);
            let wanted = NewApiToken { name, scopes, expires_at };
            Ok::<_, Refused>(front.create_api_token(by, credential, wanted).await?)
        };
        Ok(Some(match told(scope, attempt.await, placed).await?.done {
            Ok((view, text)) => {
                let (api_token, token) = (Some(view.into()), Some(text));
                CreateApiTokenPayload { api_token, token, errors: Vec::new() }
            }
            Err(errors) => CreateApiTokenPayload { api_token: None, token: None, errors },
        }))
    }

    /// Revokes one of the API tokens of the member who asks; its sockets are closed.
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which API token.")] input: RevokeApiTokenInput,
    ) -> Result<Option<RevokeApiTokenPayload>> {
        let (scope, by, credential) = signed_in(ctx).await?;
        let front = scope.front().clone();
        let attempt = async {
            let token: TokenId = id(&input.id, "id")?;
            Ok::<_, Refused>(front.revoke_api_token(by, credential, token).await?)
        };
        let (viewer, errors) = told(scope, attempt.await, placed).await?.into_parts(credential);
        Ok(Some(RevokeApiTokenPayload { viewer, errors }))
    }
}
