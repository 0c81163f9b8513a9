//! Taking a webhook delivery: authentic, then parsed, then one command for each thing told, in the delivery's
//! order. What cannot be taken is kept, alone, so that it costs its neighbours nothing.

use std::{collections::HashMap, sync::Arc};

use parlance_domain::{
    AccountId, ChannelId, Command, CommandId, ConnectionId, CorrelationId, Personal, Refusal,
    channel::Channel,
    connection::{ChannelKind, Connection, ConnectionSecrets},
    delivery::{DeliveryCommand, DeliveryContent, DeliveryError, KeptBecause},
};
use parlance_domain::{Actor, SystemReason};
use parlance_store::{Store, StoreError};
use subtle::ConstantTimeEq as _;

use super::{
    Alone, NotAuthentic, Part, Provider, Providers, SignedRequest, Told,
    address::named_by,
    commands::{Asked, asked},
};
use crate::{
    Parlance,
    clock::Clock,
    command::{Ask, CommandError, CommandPath, Receipt},
    entropy::Entropy,
    keys::{AccountRing, Keyring},
    measures,
};

/// How long a kept delivery is kept: a month is enough to notice, and no archive of what customers wrote.
const KEPT_FOR_MICROS: i64 = 30 * 24 * 3_600 * 1_000_000;

/// Why a delivery is not answered with success. Nothing of it is lost that the provider sends again.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("there is no such webhook address")]
    UnknownAddress,
    #[error(transparent)]
    NotAuthentic(#[from] NotAuthentic),
    /// Authentic, not to be understood, and too large to be kept.
    #[error("the delivery cannot be understood and is too large to be kept")]
    TooLarge,
    /// There was no room in time. What was recorded is recognised when it is sent again.
    #[error("too many deliveries are waiting")]
    Busy,
    /// The store does not take it at the moment, or it is not known whether it did.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The connection that a webhook address names.
pub struct Addressed {
    pub account: AccountId,
    pub connection: ConnectionId,
    pub kind: ChannelKind,
    ring: Arc<AccountRing>,
    secrets: ConnectionSecrets,
}

/// What became of a delivery's parts; all of them are durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub recorded: usize,
    pub duplicates: usize,
    /// True things that change nothing, as a receipt for what was deleted.
    pub without_effect: usize,
    pub kept: usize,
}

/// Takes what providers send.
pub struct Ingestion<S> {
    store: S,
    keyring: Arc<Keyring>,
    commands: CommandPath<S>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    providers: Providers,
}

impl<S: Store + Clone> Ingestion<S> {
    pub fn new(parlance: &Parlance<S>, providers: Providers) -> Self {
        Self {
            store: parlance.store.clone(),
            keyring: Arc::clone(&parlance.keyring),
            commands: parlance.commands.clone(),
            clock: Arc::clone(&parlance.clock),
            entropy: parlance.entropy.clone(),
            providers,
        }
    }
    /// Finds the connection that a webhook address's token names.
    pub async fn addressed(&self, token: &str) -> Result<Addressed, WebhookError> {
        let (account, connection) = named_by(token).ok_or(WebhookError::UnknownAddress)?;
        let ring = self.keyring.account(&self.store, account).await?.ok_or(WebhookError::UnknownAddress)?;
        let state = self.commands.peek::<Connection>(account, connection.uuid()).await?;
        let (Some(kind), Personal::Open(secrets)) = (state.kind, &state.secrets) else {
            return Err(WebhookError::UnknownAddress);
        };
        if !bool::from(secrets.webhook_token.as_bytes().ct_eq(token.as_bytes())) {
            return Err(WebhookError::UnknownAddress);
        }
        Ok(Addressed { account, connection, kind, ring, secrets: (**secrets).clone() })
    }

    /// The provider that speaks at this address.
    pub fn provider(&self, addressed: &Addressed) -> &dyn Provider {
        self.providers.of(addressed.kind)
    }

    /// Whether a handshake's verify token is the connection's (Meta; no other provider shakes hands).
    pub fn shakes_hands(&self, addressed: &Addressed, verify_token: &str) -> bool {
        let known = addressed.secrets.verify_token.as_deref().filter(|known| !known.is_empty());
        known.is_some_and(|known| known.as_bytes().ct_eq(verify_token.as_bytes()).into())
    }

    /// Takes a delivery. Answered when all of it is durable.
    pub async fn take(
        &self,
        addressed: &Addressed,
        request: &SignedRequest<'_>,
    ) -> Result<Taken, WebhookError> {
        let provider = self.provider(addressed);
        provider.verify(&addressed.secrets, request)?;
        let now = self.clock.now();
        let delivery = Delivery {
            addressed,
            correlation: CorrelationId::new(self.entropy.id(now)),
            content_type: request.content_type,
        };
        let mut pages = HashMap::new();
        let mut asks = Vec::new();
        let mut asking = Vec::new();
        let mut keeping = Vec::new();
        for Part { told, alone } in provider.parse(request.content_type, request.body) {
            match self.judge(&delivery, &mut pages, told).await? {
                Ok(Asked { by, command }) => {
                    asks.push(self.ask(&delivery, by, command));
                    asking.push(alone);
                }
                Err(because) => keeping.push((because, alone)),
            }
        }
        let mut taken = Taken::default();
        for (answer, alone) in self.commands.submit_all(asks).await.into_iter().zip(asking) {
            match answer {
                Ok(Receipt::Recorded { .. }) => taken.recorded += 1,
                Ok(Receipt::Duplicate { .. }) => taken.duplicates += 1,
                Ok(Receipt::Unchanged { .. }) => taken.without_effect += 1,
                Err(CommandError::Refused(_) | CommandError::Store(StoreError::Refused(_))) => {
                    keeping.push((KeptBecause::Refused, alone));
                }
                Err(error) => return Err(not_taken(error)),
            }
        }
        let kind = addressed.kind.code();
        metrics::counter!(measures::TOLD, "kind" => kind, "outcome" => "recorded")
            .increment(taken.recorded as u64);
        metrics::counter!(measures::TOLD, "kind" => kind, "outcome" => "duplicate")
            .increment(taken.duplicates as u64);
        taken.kept = self.keep(&delivery, keeping).await?;
        Ok(taken)
    }

    /// What is to be asked for something told, or why it has to be kept.
    async fn judge(
        &self,
        delivery: &Delivery<'_>,
        pages: &mut HashMap<String, Option<ChannelId>>,
        told: Result<Told, KeptBecause>,
    ) -> Result<Result<Asked, KeptBecause>, StoreError> {
        let told = match told {
            Ok(told) => told,
            Err(because) => return Ok(Err(because)),
        };
        let channel = match pages.get(&told.page) {
            Some(known) => *known,
            None => {
                let found = self.channel(delivery, &told.page).await?;
                pages.insert(told.page.clone(), found);
                found
            }
        };
        Ok(match channel {
            Some(channel) => Ok(asked(&delivery.addressed.ring.ids, channel, told)),
            None => Err(KeptBecause::UnknownChannel),
        })
    }

    /// The connected channel of a page or number, if it is one under this very connection.
    async fn channel(&self, delivery: &Delivery<'_>, page: &str) -> Result<Option<ChannelId>, StoreError> {
        let Addressed { account, connection, kind, .. } = delivery.addressed;
        let id = delivery.addressed.ring.ids.channel(*kind, page);
        let state = self.commands.peek::<Channel>(*account, id.uuid()).await?;
        let ours = state.connection == Some(*connection) && state.takes_messages();
        Ok(ours.then_some(id))
    }

    fn ask(&self, delivery: &Delivery<'_>, by: Actor, command: Command) -> Ask {
        Ask {
            account: delivery.addressed.account,
            id: CommandId::new(self.entropy.id(self.clock.now())),
            correlation: delivery.correlation,
            by,
            commands: vec![command],
            create_account: None,
        }
    }

    /// Keeps parts that cannot be taken. The same part has the same id, so that a repeated delivery keeps it once.
    async fn keep(
        &self,
        delivery: &Delivery<'_>,
        parts: Vec<(KeptBecause, Alone<'_>)>,
    ) -> Result<usize, WebhookError> {
        let expires_at = self.clock.now().plus_micros(KEPT_FOR_MICROS);
        let mut asks = Vec::with_capacity(parts.len());
        let mut reasons = Vec::with_capacity(parts.len());
        for (because, alone) in parts {
            let body = alone.body();
            let id = delivery.addressed.ring.ids.delivery(delivery.addressed.connection, &body);
            let content = DeliveryContent { content_type: delivery.content_type.to_owned(), body };
            let connection = delivery.addressed.connection;
            let keep = DeliveryCommand::Keep { connection, because, expires_at, content };
            let by = Actor::System(SystemReason::Ingestion);
            asks.push(self.ask(delivery, by, Command::Delivery(id, keep)));
            reasons.push(because);
        }
        let kept = asks.len();
        for (answer, because) in self.commands.submit_all(asks).await.into_iter().zip(reasons) {
            match answer {
                Ok(_) => {
                    let reason = because.code();
                    metrics::counter!(measures::KEPT, "because" => reason).increment(1);
                    tracing::warn!(
                        account = %delivery.addressed.account,
                        connection = %delivery.addressed.connection,
                        because = reason,
                        "a delivery was kept; see `parlance deadletters list`"
                    );
                }
                Err(CommandError::Refused(Refusal::Delivery(DeliveryError::AlreadyKept))) => {}
                Err(
                    CommandError::Refused(Refusal::Delivery(DeliveryError::TooLarge))
                    | CommandError::Store(StoreError::Refused(_)),
                ) => return Err(WebhookError::TooLarge),
                Err(error) => return Err(not_taken(error)),
            }
        }
        Ok(kept)
    }
}

/// What a delivery's parts have in common.
struct Delivery<'a> {
    addressed: &'a Addressed,
    correlation: CorrelationId,
    content_type: &'a str,
}

fn not_taken(error: CommandError) -> WebhookError {
    match error {
        CommandError::Busy | CommandError::Contended => WebhookError::Busy,
        CommandError::NoSuchAccount => WebhookError::UnknownAddress,
        CommandError::Store(error) => WebhookError::Store(error),
        // Only a kept delivery's own refusals come here, and those that matter were looked at.
        CommandError::Refused(refusal) => {
            WebhookError::Store(StoreError::Corrupt(format!("a delivery cannot be kept: {refusal}")))
        }
    }
}
