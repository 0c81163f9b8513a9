//! One type for whichever adapter is in use: every call goes straight to it.

use std::time::Duration;

use parlance_domain::{
    AccountId, CommandId, ConversationId, DedupeToken, KeyId, MemberId, OperatorId, Position, RecordedEvent,
    StreamRef, Timestamp, TokenId,
};
use parlance_projections::{Row, RowKey, Table, Touch};
use parlance_store::{
    AccountKeys, Batch, Beat, Bucket, Checkpoint, CopiedTable, EmailHash, Erasure, EventLog, Fence,
    Generation, Head, Hint, Hints, Holding, Keys, Leases, Loaded, Outcome, PageWrite, Pages, ParkedStream,
    Place, ProjectionState, ReadModels, ServerId, Sessions, SignIns, StoreError, StoredKey, StoredPassword,
    StoredToken, ThreadOrder, TokenHash, TokenKind, Tokens, Touched, Transfer, Wanted,
};
use parlance_store_postgres::PostgresStore;
use parlance_store_sqlite::SqliteStore;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

/// The embedded store, or PostgreSQL. Clones share what is behind.
#[derive(Clone)]
pub enum AnyStore {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

impl From<SqliteStore> for AnyStore {
    fn from(store: SqliteStore) -> Self {
        Self::Sqlite(store)
    }
}

impl From<PostgresStore> for AnyStore {
    fn from(store: PostgresStore) -> Self {
        Self::Postgres(store)
    }
}

impl AnyStore {
    /// The embedded store, if it is that.
    pub fn sqlite(&self) -> Option<&SqliteStore> {
        match self {
            Self::Sqlite(store) => Some(store),
            Self::Postgres(_) => None,
        }
    }

    /// Waits until all hints so far are told to other servers: for a process that ends at once.
    pub async fn hints_told(&self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(store) => store.hints_told().await,
        }
    }

    /// How often the store was asked so far, to compare two ways of asking: on the embedded store the statements that its
    /// readers ran, where it was opened to count them; on PostgreSQL the pieces of work with a connection.
    pub fn statements_run(&self) -> u64 {
        match self {
            Self::Sqlite(store) => store.statements_run(),
            Self::Postgres(store) => store.worked(),
        }
    }
}

/// A port's methods, each handed on as it is.
macro_rules! hand_on {
    ($port:ident { $(async $name:ident($($arg:ident: $kind:ty),*) -> $answer:ty;)* }
     $($(plain $plain:ident($($given:ident: $given_kind:ty),*) -> $told:ty;)+)?) => {
        impl $port for AnyStore {
            $(async fn $name(&self, $($arg: $kind),*) -> Result<$answer, StoreError> {
                match self {
                    Self::Sqlite(store) => store.$name($($arg),*).await,
                    Self::Postgres(store) => store.$name($($arg),*).await,
                }
            })*
            $($(fn $plain(&self, $($given: $given_kind),*) -> $told {
                match self {
                    Self::Sqlite(store) => store.$plain($($given),*),
                    Self::Postgres(store) => store.$plain($($given),*),
                }
            })+)?
        }
    };
}

hand_on! { EventLog {
    async append(batch: Batch) -> Outcome;
    async head(account: AccountId) -> Head;
    async read(account: AccountId, after: Position, limit: usize) -> Vec<RecordedEvent>;
    async read_stream(account: AccountId, stream: StreamRef, after: u64, limit: usize) -> Vec<RecordedEvent>;
    async load(account: AccountId, stream: StreamRef, shape: u32) -> Loaded;
    async load_many(account: AccountId, streams: Vec<StreamRef>, shape: u32) -> Vec<Loaded>;
    async caused_by(account: AccountId, command: CommandId, after: Position) -> Vec<Position>;
    async position_of(account: AccountId, token: DedupeToken) -> Option<Position>;
    async accounts(after: Option<AccountId>, limit: usize) -> Vec<AccountId>;
    async heads(after: Option<AccountId>, limit: usize) -> Vec<(AccountId, Position)>;
    async touched(account: AccountId, after: Position, limit: usize) -> Vec<Touched>;
} plain appended() -> watch::Receiver<u64>; }

hand_on! { Keys {
    async account_keys(account: AccountId) -> Option<AccountKeys>;
    async data_key(account: AccountId, key: KeyId) -> StoredKey;
    async data_keys(account: AccountId, keys: Vec<KeyId>) -> Vec<StoredKey>;
    async pending_erasures(limit: usize) -> Vec<Erasure>;
    async confirm_erasures(erasures: Vec<Erasure>) -> ();
    async key_check() -> Option<Vec<u8>>;
    async set_key_check(sealed: Vec<u8>) -> ();
} }

hand_on! { ReadModels {
    async checkpoint(account: AccountId, projection: &'static str, generation: Generation) -> Option<Checkpoint>;
    async checkpoints(account: AccountId) -> Vec<ProjectionState>;
    async load_rows(account: AccountId, generation: Generation, touches: Vec<Touch>) -> Vec<(Touch, Vec<Row>)>;
    async write_pages(pages: Vec<PageWrite>) -> ();
    async scan_rows(account: AccountId, generation: Generation, table: &'static Table, after: Option<RowKey>,
                    limit: usize) -> Vec<Row>;
    async parked_streams(account: AccountId, generation: Generation, projection: Option<&'static str>)
        -> Vec<ParkedStream>;
    async drop_generation(account: AccountId, projection: &'static str, tables: &'static [&'static Table],
                          generation: Generation) -> ();
    async held_conversations(account: AccountId, generation: Generation, assignee: Uuid, channel: Option<Uuid>,
                             after: Option<Uuid>, limit: usize) -> Vec<Uuid>;
    async policy_checkpoint(account: AccountId, policy: &'static str) -> Position;
    async set_policy_checkpoint(account: AccountId, policy: &'static str, position: Position,
                                fence: Option<Fence>) -> ();
} }

hand_on! { Tokens {
    async put_token(account: AccountId, hash: TokenHash, token: StoredToken) -> ();
    async put_token_for_oldest(account: AccountId, hash: TokenHash, token: StoredToken, most: usize)
        -> Vec<TokenHash>;
    async find_token(account: AccountId, hash: TokenHash) -> Option<StoredToken>;
    async find_tokens(account: AccountId, hashes: Vec<TokenHash>) -> Vec<(TokenHash, StoredToken)>;
    async list_tokens(account: AccountId, member: MemberId, kind: TokenKind) -> Vec<(TokenHash, StoredToken)>;
    async touch_tokens(account: AccountId, hashes: Vec<TokenHash>, at: Timestamp) -> ();
    async remove_token(account: AccountId, member: MemberId, kind: TokenKind, id: TokenId) -> Option<TokenHash>;
    async remove_tokens(account: AccountId, member: MemberId, kind: TokenKind, but: Option<TokenHash>) -> usize;
    async exchange_token(account: AccountId, given: TokenHash, hash: TokenHash, token: StoredToken,
                         password: Option<StoredPassword>) -> bool;
    async put_operator_token(hash: TokenHash, operator: OperatorId, created_at: Timestamp) -> ();
    async find_operator_token(hash: TokenHash) -> Option<OperatorId>;
} }

hand_on! { SignIns {
    async set_password(account: AccountId, member: MemberId, password: StoredPassword,
                       instead_of: Option<StoredPassword>, sessions: Sessions) -> bool;
    async password(account: AccountId, member: MemberId) -> Option<StoredPassword>;
    async forget_member(account: AccountId, member: MemberId, before: Timestamp) -> ();
    async enter_membership(email: EmailHash, account: AccountId, member: MemberId) -> ();
    async memberships(email: EmailHash) -> Vec<(AccountId, MemberId)>;
    async sign_in_key(new: Vec<u8>) -> Vec<u8>;
} }

hand_on! { Leases {
    async beat(server: ServerId, ttl: Duration) -> Beat;
    async leave(server: ServerId) -> ();
    async holdings() -> Vec<Holding>;
} }

hand_on! { Transfer {
    async copied_rows(table: &'static CopiedTable, account: Option<AccountId>, after: Option<RowKey>, limit: usize)
        -> Vec<Row>;
    async copy_rows(table: &'static CopiedTable, account: Option<AccountId>, rows: Vec<Row>) -> ();
    async copy_events(account: AccountId, events: Vec<RecordedEvent>, epoch: u32) -> ();
} }

hand_on! { Hints {}
    plain is_shared() -> bool;
    plain tell(hint: Hint) -> ();
    plain told() -> broadcast::Receiver<Hint>;
}

impl Pages for AnyStore {
    async fn find_rows(
        &self,
        account: AccountId,
        generation: Generation,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        match self {
            Self::Sqlite(store) => store.find_rows(account, generation, wanted).await,
            Self::Postgres(store) => store.find_rows(account, generation, wanted).await,
        }
    }

    async fn section_page(
        &self,
        account: AccountId,
        generation: Generation,
        buckets: Vec<Bucket>,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(store) => store.section_page(account, generation, buckets, after, limit).await,
            Self::Postgres(store) => store.section_page(account, generation, buckets, after, limit).await,
        }
    }

    async fn chosen_section_page(
        &self,
        account: AccountId,
        generation: Generation,
        wanted: Vec<Wanted>,
        choose: impl FnOnce(&[Vec<Row>]) -> Result<Vec<Bucket>, StoreError> + Send + 'static,
        after: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<Vec<Row>>, Vec<Row>), StoreError> {
        match self {
            Self::Sqlite(store) => {
                store.chosen_section_page(account, generation, wanted, choose, after, limit).await
            }
            Self::Postgres(store) => {
                store.chosen_section_page(account, generation, wanted, choose, after, limit).await
            }
        }
    }

    async fn thread_pages(
        &self,
        account: AccountId,
        generation: Generation,
        conversations: Vec<ConversationId>,
        order: ThreadOrder,
        beyond: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        match self {
            Self::Sqlite(store) => {
                store.thread_pages(account, generation, conversations, order, beyond, limit).await
            }
            Self::Postgres(store) => {
                store.thread_pages(account, generation, conversations, order, beyond, limit).await
            }
        }
    }

    async fn present_members(
        &self,
        account: AccountId,
        generation: Generation,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(store) => store.present_members(account, generation, after, limit).await,
            Self::Postgres(store) => store.present_members(account, generation, after, limit).await,
        }
    }

    async fn deliveries_page(
        &self,
        account: AccountId,
        generation: Generation,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(store) => store.deliveries_page(account, generation, before, limit).await,
            Self::Postgres(store) => store.deliveries_page(account, generation, before, limit).await,
        }
    }
}
