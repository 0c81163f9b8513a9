//! What a copy of a store is made by: events as they are, and the rows that are no events and cannot be folded from
//! them: keys, tokens, passwords, checkpoints of policies. Read models, snapshots and leases stay behind: they are made
//! again.

use std::future::Future;

use parlance_domain::{AccountId, RecordedEvent};
use parlance_projections::{Column, Row, RowKey};

use crate::StoreError;

/// Rows that one question or one write holds at most.
pub const COPIED_ROWS_MAX: usize = 5_000;

/// A table whose rows are copied. Its primary key is the account, where it has accounts' data, and the key columns.
#[derive(Debug)]
pub struct CopiedTable {
    pub name: &'static str,
    /// Whether it holds accounts' data.
    pub of_accounts: bool,
    pub key: &'static [Column],
    pub columns: &'static [Column],
}

/// The tables of an account.
pub const ACCOUNT_TABLES: [&CopiedTable; 6] = [
    &CopiedTable {
        name: "account_keys",
        of_accounts: true,
        key: &[],
        columns: &[Column::bytes("account_key"), Column::bytes("id_key")],
    },
    &CopiedTable {
        name: "data_keys",
        of_accounts: true,
        key: &[Column::bytes("key_id")],
        columns: &[Column::int("destroyed"), Column::bytes("wrapped")],
    },
    &CopiedTable {
        name: "erasures_pending",
        of_accounts: true,
        key: &[Column::bytes("key_id")],
        columns: &[Column::int("recorded_at")],
    },
    &CopiedTable {
        name: "policy_checkpoints",
        of_accounts: true,
        key: &[Column::text("policy")],
        columns: &[Column::int("position")],
    },
    &CopiedTable {
        name: "tokens",
        of_accounts: true,
        key: &[Column::bytes("token_hash")],
        columns: &[
            Column::bytes("token_id"),
            Column::text("kind"),
            Column::bytes("member_id"),
            Column::bytes("name"),
            Column::text("scopes"),
            Column::int("created_at"),
            Column::int("expires_at"),
            Column::int("last_used_at"),
        ],
    },
    &CopiedTable {
        name: "passwords",
        of_accounts: true,
        key: &[Column::bytes("member_id")],
        columns: &[
            Column::int("recipe"),
            Column::bytes("salt"),
            Column::bytes("verifier"),
            Column::int("set_at"),
        ],
    },
];

/// The installation's own. The key check is the last: without it a store with accounts does not open, so a copy that
/// was broken off is not taken for a whole one.
pub const INSTALLATION_TABLES: [&CopiedTable; 4] = [
    &CopiedTable {
        name: "operator_tokens",
        of_accounts: false,
        key: &[Column::bytes("token_hash")],
        columns: &[Column::bytes("operator_id"), Column::int("created_at")],
    },
    &CopiedTable {
        name: "sign_in_directory",
        of_accounts: false,
        key: &[Column::bytes("email_hash"), Column::bytes("account_id")],
        columns: &[Column::bytes("member_id")],
    },
    &CopiedTable {
        name: "sign_in_key",
        of_accounts: false,
        key: &[Column::int("only")],
        columns: &[Column::bytes("wrapped")],
    },
    &CopiedTable {
        name: "installation",
        of_accounts: false,
        key: &[Column::int("only")],
        columns: &[Column::bytes("key_check")],
    },
];

/// Copying in and out. Nobody else may write to either store meanwhile.
pub trait Transfer: Send + Sync + 'static {
    /// Rows in key order after `after`, at most `limit` (and [`COPIED_ROWS_MAX`]): key columns first. `account` is
    /// given for accounts' tables, and for no other.
    fn copied_rows(
        &self,
        table: &'static CopiedTable,
        account: Option<AccountId>,
        after: Option<RowKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// Writes rows whose keys are not there yet; one that is there stays as it is. `Refused` beyond
    /// [`COPIED_ROWS_MAX`] rows.
    fn copy_rows(
        &self,
        table: &'static CopiedTable,
        account: Option<AccountId>,
        rows: Vec<Row>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes one account's events as they are, right behind the end of its log, whose epoch becomes `epoch`; all or
    /// nothing. `Conflict` where they do not follow; `Refused` beyond [`crate::PAGE_MAX`] events.
    fn copy_events(
        &self,
        account: AccountId,
        events: Vec<RecordedEvent>,
        epoch: u32,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
