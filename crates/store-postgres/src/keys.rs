//! Wrapped keys and pending erasures.

use parlance_domain::{AccountId, KeyId, Timestamp};
use parlance_store::{AccountKeys, Erasure, Keys, NAMED_MAX, RefusedBecause, StoreError, StoredKey};
use uuid::Uuid;

use crate::{
    PostgresStore,
    connection::{Connection, IfLost},
    error::Failure,
    log::collect,
    numbers::rows,
};

pub(crate) const ACCOUNT_KEYS: &str = "SELECT account_key, id_key FROM account_keys WHERE account_id = $1";

pub(crate) const DATA_KEYS: &str = "\
    SELECT found.destroyed, found.wrapped FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted(key_id, place)
    LEFT JOIN LATERAL (SELECT destroyed, wrapped FROM data_keys
                       WHERE account_id = $1 AND key_id = wanted.key_id OFFSET 0) AS found ON true
    ORDER BY wanted.place";

/// Operators' and the start's: across accounts, and short.
const PENDING: &str = "\
    SELECT account_id, key_id, recorded_at FROM erasures_pending WHERE NOT listed
    ORDER BY account_id, key_id LIMIT $1";

/// Pending erasures that are listed at once, whatever is asked.
const PENDING_MAX: usize = 100_000;

impl Keys for PostgresStore {
    async fn account_keys(&self, account: AccountId) -> Result<Option<AccountKeys>, StoreError> {
        self.read_with(move |connection| async move { account_keys(&connection, account).await }).await
    }

    async fn data_key(&self, account: AccountId, key: KeyId) -> Result<StoredKey, StoreError> {
        let found = self.data_keys(account, vec![key]).await?;
        Ok(found.into_iter().next().unwrap_or(StoredKey::Absent))
    }

    async fn data_keys(&self, account: AccountId, keys: Vec<KeyId>) -> Result<Vec<StoredKey>, StoreError> {
        if keys.len() > NAMED_MAX {
            return Err(StoreError::Refused(RefusedBecause::TooMany { limit: NAMED_MAX }));
        }
        let keys: Vec<_> = keys.into_iter().map(KeyId::uuid).collect();
        let keys = &keys;
        self.read_with(move |connection| async move { data_keys(&connection, account, keys).await }).await
    }

    async fn pending_erasures(&self, limit: usize) -> Result<Vec<Erasure>, StoreError> {
        let limit = rows(limit, PENDING_MAX);
        self.read_with(move |connection| async move {
            collect(&connection, PENDING, &[&limit], |row| {
                Ok(Erasure {
                    account: AccountId::new(row.try_get(0)?),
                    key: KeyId::new(row.try_get(1)?),
                    recorded_at: Timestamp::from_micros(row.try_get(2)?),
                })
            })
            .await
        })
        .await
    }

    async fn confirm_erasures(&self, erasures: Vec<Erasure>) -> Result<(), StoreError> {
        self.erase(&erasures).await
    }

    async fn key_check(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.read_with(move |connection| async move {
            let row = connection.query_opt("SELECT key_check FROM installation", &[]).await?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        })
        .await
    }

    async fn set_key_check(&self, sealed: Vec<u8>) -> Result<(), StoreError> {
        let sealed = &sealed;
        self.run(IfLost::Unknown, move |connection| async move {
            let text = r#"INSERT INTO installation ("only", key_check) VALUES (1, $1)"#;
            connection.execute(text, &[sealed]).await?;
            Ok(())
        })
        .await
    }
}

pub(crate) async fn account_keys(
    connection: &Connection,
    account: AccountId,
) -> Result<Option<AccountKeys>, Failure> {
    let statement = connection.prepare_cached(ACCOUNT_KEYS).await?;
    let Some(row) = connection.query_opt(&statement, &[&account.uuid()]).await? else { return Ok(None) };
    Ok(Some(AccountKeys { account_key: row.try_get(0)?, id_key: row.try_get(1)? }))
}

/// In the order of the ids.
pub(crate) async fn data_keys(
    connection: &Connection,
    account: AccountId,
    keys: &[Uuid],
) -> Result<Vec<StoredKey>, Failure> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    collect(connection, DATA_KEYS, &[&account.uuid(), &keys], |row| {
        Ok(match row.try_get(0)? {
            None => StoredKey::Absent,
            Some(false) => StoredKey::Wrapped(row.try_get(1)?),
            Some(true) => StoredKey::Destroyed,
        })
    })
    .await
}
