//! From one store to another: every account's events as they are, compared byte by byte once they have arrived, and
//! the rows that are no events. It goes on where it was broken off. Nobody else may use either store meanwhile.

use parlance_domain::{AccountId, Position, RecordedEvent};
use parlance_projections::{Row, RowKey};
use parlance_store::{
    ACCOUNT_TABLES, COPIED_ROWS_MAX, CopiedTable, EventLog as _, Head, INSTALLATION_TABLES, Keys as _,
    Leases as _, PAGE_MAX, StoreError, Transfer as _, canonical,
};

use crate::AnyStore;

/// Accounts looked up at once.
const ACCOUNTS_PAGE: usize = 1_000;

/// How far a copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub accounts: usize,
    pub accounts_done: usize,
    /// Events there are to copy, and those that have arrived and were compared.
    pub events: u64,
    pub events_done: u64,
}

/// Why a copy ends before it is whole. What has arrived stays, and the next try goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0} servers still work on the {1} store: stop them first")]
    InUse(usize, &'static str),
    #[error("the store to copy from has no key check: it was never opened, or is itself an unfinished copy")]
    NotWhole,
    #[error(
        "the store to copy to belongs to another installation: its master key is another one's. Copy into an empty one"
    )]
    AnotherInstallation,
    #[error(
        "the store to copy to has accounts that the other one does not have, as {0}. Copy into an empty one"
    )]
    NotEmpty(AccountId),
    #[error(
        "the log of {account} differs at position {position}: the store to copy to was written to by others"
    )]
    Differs { account: AccountId, position: Position },
    #[error("the log of {0} was written to meanwhile: stop whoever uses the store that is copied")]
    Moved(AccountId),
    #[error("the table {0} differs: the store to copy to was written to by others")]
    TableDiffers(&'static str),
}

/// Copies everything from one store to another, and compares it. `told` hears how far it is, after every page.
pub async fn copy(
    from: &AnyStore,
    to: &AnyStore,
    mut told: impl FnMut(Progress),
) -> Result<Progress, CopyError> {
    in_nobody_s_use(from, to).await?;
    let check = from.key_check().await?.ok_or(CopyError::NotWhole)?;
    let theirs = to.key_check().await?;
    if theirs.as_ref().is_some_and(|theirs| *theirs != check) {
        return Err(CopyError::AnotherInstallation);
    }
    // A whole copy is compared and never written to: it may have been served since.
    let way = Way { from, to, compare_only: theirs.is_some() };
    let accounts = accounts(from).await?;
    if let Some(stranger) = self::accounts(to).await?.into_iter().find(|account| !accounts.contains(account))
    {
        return Err(CopyError::NotEmpty(stranger));
    }
    let mut progress = Progress { accounts: accounts.len(), ..Progress::default() };
    let mut heads = Vec::with_capacity(accounts.len());
    for account in accounts {
        let head = from.head(account).await?;
        progress.events += head.position.number();
        heads.push((account, head));
    }
    for (account, head) in &heads {
        for table in ACCOUNT_TABLES {
            way.table(table, Some(*account)).await?;
        }
        let arrived = |arrived| {
            progress.events_done += arrived;
            told(progress);
        };
        way.events(*account, *head, arrived).await?;
        progress.accounts_done += 1;
        told(progress);
    }
    // What was recorded meanwhile may have keys that were not there when the keys were copied.
    in_nobody_s_use(from, to).await?;
    for (account, head) in heads {
        if from.head(account).await? != head {
            return Err(CopyError::Moved(account));
        }
    }
    for table in INSTALLATION_TABLES {
        way.table(table, None).await?;
    }
    Ok(progress)
}

async fn in_nobody_s_use(from: &AnyStore, to: &AnyStore) -> Result<(), CopyError> {
    for (store, which) in [(from, "first"), (to, "second")] {
        let mut holders: Vec<_> =
            store.holdings().await?.into_iter().filter_map(|holding| holding.server).collect();
        holders.sort_unstable();
        holders.dedup();
        if !holders.is_empty() {
            return Err(CopyError::InUse(holders.len(), which));
        }
    }
    Ok(())
}

async fn accounts(store: &AnyStore) -> Result<Vec<AccountId>, StoreError> {
    let mut all: Vec<AccountId> = Vec::new();
    loop {
        let page = store.accounts(all.last().copied(), ACCOUNTS_PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// From where to where.
struct Way<'a> {
    from: &'a AnyStore,
    to: &'a AnyStore,
    compare_only: bool,
}

impl Way<'_> {
    /// Brings what is missing, then compares all of it: what had arrived before, too.
    async fn events(
        &self,
        account: AccountId,
        head: Head,
        mut arrived: impl FnMut(u64),
    ) -> Result<(), CopyError> {
        let there = self.to.head(account).await?.position;
        if there > head.position {
            return Err(CopyError::Differs { account, position: head.position.next() });
        }
        let mut position = Position::START;
        while position < head.position {
            let page = self.from.read(account, position, PAGE_MAX).await?;
            let Some(last) = page.last().map(|event| event.position) else {
                return Err(StoreError::Corrupt(format!("the log of {account} ends before its head")).into());
            };
            let missing: Vec<_> = page.iter().filter(|event| event.position > there).cloned().collect();
            if !missing.is_empty() && !self.compare_only {
                self.to.copy_events(account, missing, head.epoch).await?;
            }
            self.compare(account, &page).await?;
            arrived(page.len() as u64);
            position = last;
        }
        Ok(())
    }

    /// Reads back what should have arrived.
    async fn compare(&self, account: AccountId, page: &[RecordedEvent]) -> Result<(), CopyError> {
        let mut left = page;
        while let Some(first) = left.first() {
            let after = Position::new(first.position.number() - 1);
            let found = self.to.read(account, after, left.len()).await?;
            let differs = || CopyError::Differs { account, position: first.position };
            if found.is_empty() || found.len() > left.len() {
                return Err(differs());
            }
            for (wanted, found) in left.iter().zip(&found) {
                if canonical::encode(wanted) != canonical::encode(found) {
                    return Err(CopyError::Differs { account, position: wanted.position });
                }
            }
            left = &left[found.len()..];
        }
        Ok(())
    }

    async fn table(&self, table: &'static CopiedTable, account: Option<AccountId>) -> Result<(), CopyError> {
        let mut after: Option<RowKey> = None;
        loop {
            let page = self.from.copied_rows(table, account, after.clone(), COPIED_ROWS_MAX).await?;
            if !page.is_empty() && !self.compare_only {
                self.to.copy_rows(table, account, page.clone()).await?;
            }
            // Read back from the same place: the same rows, and none besides.
            let found: Vec<Row> = self.to.copied_rows(table, account, after, COPIED_ROWS_MAX).await?;
            if found != page {
                return Err(CopyError::TableDiffers(table.name));
            }
            match page.last() {
                Some(row) => after = Some(row[..table.key.len()].to_vec()),
                None => return Ok(()),
            }
        }
    }
}
