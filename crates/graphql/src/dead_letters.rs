//! Kept deliveries, for operators: what they were, never what they held.

use async_graphql::{Context, Enum, ID, Object, Result};
use parlance_app::front::{DeadLetterView, FrontError, Towards};
use parlance_domain::{AccountId, delivery::Fate};

use crate::{
    cursor::List,
    errors::Refused,
    paging::{connection, items, limit, page, place},
    scalars::{DateTime, Position, count, id},
    session::Session,
};

/// Why a delivery was kept.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "parlance_domain::delivery::KeptBecause")]
pub enum DeadLetterReason {
    /// It is not in the format that the provider documents.
    Unparsable,
    /// It tells of a kind of event that Parlance does not know.
    UnknownKind,
    /// Its page or number is no connected channel.
    UnknownChannel,
    /// The rules refused what it says.
    Refused,
}

/// What became of a kept delivery.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterFate {
    /// Waits to be replayed or skipped.
    Kept,
    /// Was replayed: what it says is recorded.
    Replayed,
    /// Was given up, by an operator or because its time was over. Its content is gone.
    Skipped,
}

#[derive(Clone)]
pub struct DeadLetter {
    view: DeadLetterView,
    epoch: u32,
}

/// A delivery of a provider that was authentic but could not be turned into messages, and was kept.
#[Object]
impl DeadLetter {
    /// The delivery's id: `dlv_` and 32 hexadecimal digits.
    async fn id(&self) -> ID {
        self.view.id.to_string().into()
    }

    /// The id of the account it came for.
    async fn account_id(&self) -> ID {
        self.view.account.to_string().into()
    }

    /// The id of the connection it came through.
    async fn connection_id(&self) -> ID {
        self.view.connection.to_string().into()
    }

    /// Why it was kept.
    async fn because(&self) -> DeadLetterReason {
        self.view.because.into()
    }

    /// What became of it.
    async fn fate(&self) -> DeadLetterFate {
        match self.view.fate {
            Fate::Unknown | Fate::Kept => DeadLetterFate::Kept,
            Fate::Replayed => DeadLetterFate::Replayed,
            Fate::Skipped => DeadLetterFate::Skipped,
        }
    }

    /// How long its body is, in bytes.
    async fn bytes(&self) -> i32 {
        count(self.view.bytes)
    }

    /// When it was kept.
    async fn kept_at(&self) -> DateTime {
        self.view.kept_at.into()
    }

    /// When its retention ends: until then it is kept, unless it is replayed or given up before.
    async fn expires_at(&self) -> DateTime {
        self.view.expires_at.into()
    }

    /// Its place in the account's history.
    async fn position(&self) -> Position {
        Position { epoch: self.epoch, position: self.view.position }
    }
}

connection! {
    /// A page of an account's kept deliveries, newest first.
    DeadLetterConnection, DeadLetterEdge, DeadLetter
}

#[derive(Default)]
pub struct DeadLettersQuery;

#[Object]
impl DeadLettersQuery {
    /// Deliveries that were kept for an account because they could not be understood, newest first, without their
    /// content. For operators of the installation. Null if there is no such account.
    #[graphql(complexity = "items(first, None) * child_complexity + 1")]
    async fn dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account's id.")] account: ID,
        #[graphql(desc = "How many: 1 to 100, or 25 if left out.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
    ) -> Result<Option<DeadLetterConnection>> {
        let session = Session::of(ctx);
        let by = Session::operator(ctx)?;
        let front = &session.front;
        let attempt = async {
            let account: AccountId = id(&account, "account")?;
            let limit = limit(first, "first")?;
            let list = List::DeadLetters(account);
            let epoch = front.epoch(account).await?;
            let from = place(after.as_deref(), list, epoch, "after")?;
            let found = match front.dead_letters(by, account, from, limit).await {
                Err(FrontError::NotFound) => return Ok(None),
                answer => answer?,
            };
            let letter = |view| DeadLetter { view, epoch };
            let page = page(found, Towards::Newer, from.is_some(), list, epoch, |view| view.position, letter);
            Ok::<_, Refused>(Some(page.into()))
        };
        attempt.await.map_err(|refused| session.error(refused))
    }
}
