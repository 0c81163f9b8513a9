//! Connections: what a provider's application needs to be told, and the rotation of its secret.

use async_graphql::{Context, ID, InputObject, Object, Result};
use parlance_app::front::ConnectionView;
use parlance_domain::ConnectionId;

use crate::{
    channels::{Channel, ChannelKind},
    errors::{ErrorCode, Wrong},
    paging::LISTED,
    payload::{Outcome, Shown, payload},
    scalars::{DateTime, Position, id},
    session::Scope,
};

#[derive(Clone)]
pub struct ProviderApplication {
    scope: Scope,
    view: ConnectionView,
}

/// A connection: one application at a provider (a Meta app, a Twilio account) under which channels are
/// connected. Shown to members with account settings access only. It has what must be copied to the provider;
/// the secrets that came from there are never shown.
#[Object]
impl ProviderApplication {
    /// The connection's id: `conn_` and 32 hexadecimal digits.
    pub(crate) async fn id(&self) -> ID {
        self.view.id.to_string().into()
    }

    /// Which provider's product it is for.
    async fn kind(&self) -> ChannelKind {
        self.view.kind.into()
    }

    /// The address to which the provider shall send what happens. Copy it to the provider as a whole, and keep
    /// it secret: whoever has it can knock here, although what they send is refused without a signature.
    async fn webhook_url(&self) -> &str {
        &self.view.webhook_url
    }

    /// What Meta asks for beside the address, as "verify token". Null where the provider asks for none.
    async fn verify_token(&self) -> Option<&str> {
        self.view.verify_token.as_deref()
    }

    /// When the connection was added.
    async fn added_at(&self) -> DateTime {
        self.view.added_at.into()
    }

    /// When the signing secret was replaced the last time. Null if never.
    async fn rotated_at(&self) -> Option<DateTime> {
        self.view.rotated_at.map(Into::into)
    }

    /// Whether what is signed with the secret before the present one is still accepted.
    async fn previous_secret_accepted(&self) -> bool {
        self.view.previous_accepted
    }

    /// The channels connected under it.
    #[graphql(complexity = "LISTED * child_complexity + 1")]
    async fn channels(&self) -> Result<Vec<Channel>> {
        Channel::some(&self.scope, &self.view.channels).await
    }
}

impl Shown for ProviderApplication {
    type Key = ConnectionId;

    async fn load(scope: &Scope, key: ConnectionId) -> Result<Option<Self>> {
        Ok(scope.look_up(key).await?.map(|view| Self { scope: scope.clone(), view }))
    }
}

#[derive(Default)]
pub struct ConnectionsQuery;

#[Object]
impl ConnectionsQuery {
    /// The account's connections: applications at providers. For members with account settings access.
    #[graphql(complexity = "LISTED * child_complexity + 1")]
    async fn connections(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Answer only once this position is shown.")] at_least: Option<Position>,
    ) -> Result<Option<Vec<ProviderApplication>>> {
        let scope = Scope::at_least(ctx, at_least).await?;
        let found = scope.answer(scope.front().connections(scope.by()).await).await?;
        let object = |view| ProviderApplication { scope: scope.clone(), view };
        Ok(Some(found.into_iter().map(object).collect()))
    }
}

/// A connection's new signing secret.
#[derive(InputObject)]
pub struct RotateSecretsInput {
    /// The connection's id.
    connection: ID,
    /// The new signing secret, as the provider shows it: Meta's app secret, or Twilio's auth token.
    signing_secret: String,
}

payload! {
    /// What came of `rotateSecrets`.
    RotateSecretsPayload {
        /// The connection as it is now.
        connection: ProviderApplication
    }
}

#[derive(Default)]
pub struct ConnectionsMutation;

#[Object]
impl ConnectionsMutation {
    /// Replaces a connection's signing secret after it was replaced at the provider. What is signed with the one
    /// before is accepted until the next rotation, so that nothing is lost in between. For members with account settings access.
    async fn rotate_secrets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which connection, and its new secret.")] input: RotateSecretsInput,
    ) -> Result<Option<RotateSecretsPayload>> {
        let scope = Scope::of(ctx).await?;
        let (by, front) = (scope.by(), scope.front().clone());
        let attempt = async move {
            let connection: ConnectionId = id(&input.connection, "connection")?;
            let signing = input.signing_secret.trim().to_owned();
            if signing.is_empty() {
                return Err(Wrong::in_field(ErrorCode::SigningSecretMissing, "signingSecret").into());
            }
            let rotated = front.rotate_secrets(by, connection, signing).await?;
            Ok((rotated.value, rotated.position))
        };
        Outcome::of(scope, "connection", attempt).await.map(RotateSecretsPayload).map(Some)
    }
}
