//! Wrapped keys and pending erasures.

use parlance_domain::{AccountId, KeyId, Timestamp};
use parlance_projections::Value;
use parlance_store::{AccountKeys, Erasure, Keys, StoreError, StoredKey};
use rusqlite::{OptionalExtension as _, params};

use crate::{SqliteStore, error::failed, named::names};

impl Keys for SqliteStore {
    async fn account_keys(&self, account: AccountId) -> Result<Option<AccountKeys>, StoreError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached("SELECT account_key, id_key FROM account_keys WHERE account_id = ?1")
                    .and_then(|mut statement| {
                        statement
                            .query_row([account.bytes()], |row| {
                                Ok(AccountKeys { account_key: row.get(0)?, id_key: row.get(1)? })
                            })
                            .optional()
                    })
                    .map_err(|error| failed(&error))
            })
            .await
    }

    async fn data_key(&self, account: AccountId, key: KeyId) -> Result<StoredKey, StoreError> {
        self.readers
            .read(move |connection| {
                let stored = connection
                    .prepare_cached(
                        "SELECT destroyed, wrapped FROM data_keys WHERE account_id = ?1 AND key_id = ?2",
                    )
                    .and_then(|mut statement| {
                        statement
                            .query_row(params![account.bytes(), key.bytes()], |row| {
                                Ok(if row.get::<_, i64>(0)? == 0 {
                                    StoredKey::Wrapped(row.get(1)?)
                                } else {
                                    StoredKey::Destroyed
                                })
                            })
                            .optional()
                    })
                    .map_err(|error| failed(&error))?;
                Ok(stored.unwrap_or(StoredKey::Absent))
            })
            .await
    }

    async fn data_keys(&self, account: AccountId, keys: Vec<KeyId>) -> Result<Vec<StoredKey>, StoreError> {
        let wanted = names(&keys, |key| Value::from(key.uuid()))?;
        self.readers
            .read(move |connection| {
                let find = || {
                    connection
                        .prepare_cached(
                            "SELECT found.destroyed, found.wrapped FROM json_each(?2) AS wanted
                             LEFT JOIN data_keys AS found
                               ON found.account_id = ?1 AND found.key_id = unhex(wanted.value)
                             ORDER BY wanted.key",
                        )?
                        .query_map(params![account.bytes(), wanted], |row| {
                            Ok(match row.get::<_, Option<i64>>(0)? {
                                None => StoredKey::Absent,
                                Some(0) => StoredKey::Wrapped(row.get(1)?),
                                Some(_) => StoredKey::Destroyed,
                            })
                        })?
                        .collect::<rusqlite::Result<Vec<_>>>()
                };
                find().map_err(|error| failed(&error))
            })
            .await
    }

    async fn pending_erasures(&self, limit: usize) -> Result<Vec<Erasure>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .read(move |connection| {
                let find = || {
                    connection
                        .prepare_cached(
                            "SELECT account_id, key_id, recorded_at FROM erasures_pending LIMIT ?1",
                        )?
                        .query_map([limit], |row| {
                            Ok(Erasure {
                                account: AccountId::from_bytes(row.get(0)?),
                                key: KeyId::from_bytes(row.get(1)?),
                                recorded_at: Timestamp::from_micros(row.get(2)?),
                            })
                        })?
                        .collect::<rusqlite::Result<Vec<_>>>()
                };
                find().map_err(|error| failed(&error))
            })
            .await
    }

    async fn confirm_erasures(&self, erasures: Vec<Erasure>) -> Result<(), StoreError> {
        self.writer
            .write_behind_empty_log(move |connection| {
                for erasure in erasures {
                    connection
                        .prepare_cached("DELETE FROM erasures_pending WHERE account_id = ?1 AND key_id = ?2")
                        .and_then(|mut statement| {
                            statement.execute(params![erasure.account.bytes(), erasure.key.bytes()])
                        })
                        .map_err(|error| failed(&error))?;
                }
                Ok(())
            })
            .await
    }

    async fn key_check(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached("SELECT key_check FROM installation")
                    .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
                    .map_err(|error| failed(&error))
            })
            .await
    }

    async fn set_key_check(&self, sealed: Vec<u8>) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                connection
                    .prepare_cached("INSERT INTO installation (only, key_check) VALUES (1, ?1)")
                    .and_then(|mut statement| statement.execute([sealed]))
                    .map_err(|error| failed(&error))?;
                Ok(())
            })
            .await
    }
}
