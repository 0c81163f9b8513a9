//! Passwords, the directory of e-mail addresses, and the sign-in key.

use parlance_domain::{AccountId, MemberId, Timestamp};
use parlance_store::{EmailHash, MEMBERSHIPS_MAX, Sessions, SignIns, StoreError, StoredPassword, TokenKind};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{SqliteStore, error::failed, sql, tokens};

impl SignIns for SqliteStore {
    async fn set_password(
        &self,
        account: AccountId,
        member: MemberId,
        password: StoredPassword,
        instead_of: Option<StoredPassword>,
        sessions: Sessions,
    ) -> Result<bool, StoreError> {
        self.written(move |connection| {
            let set = || {
                if instead_of.is_some() && get_password(connection, account, member)? != instead_of {
                    return Ok(false);
                }
                put_password(connection, account, member, &password)?;
                if let Sessions::End { but } = sessions {
                    tokens::remove_all(connection, account, member, TokenKind::Session, but)?;
                }
                Ok(true)
            };
            set().map_err(|error| failed(&error))
        })
        .await
    }

    async fn password(
        &self,
        account: AccountId,
        member: MemberId,
    ) -> Result<Option<StoredPassword>, StoreError> {
        self.readers
            .read(move |connection| get_password(connection, account, member).map_err(|error| failed(&error)))
            .await
    }

    async fn forget_member(
        &self,
        account: AccountId,
        member: MemberId,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                let bound = params![account.bytes(), member.bytes(), before.micros()];
                let forget = || {
                    connection
                        .prepare_cached(
                            "DELETE FROM passwords WHERE account_id = ?1 AND member_id = ?2 AND set_at < ?3",
                        )?
                        .execute(bound)?;
                    connection
                        .prepare_cached(
                            "DELETE FROM tokens
                             WHERE account_id = ?1 AND member_id = ?2 AND kind IN ('api', 'session')
                               AND created_at < ?3",
                        )?
                        .execute(bound)
                };
                forget().map(|_| ()).map_err(|error| failed(&error))
            })
            .await
    }

    async fn enter_membership(
        &self,
        email: EmailHash,
        account: AccountId,
        member: MemberId,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "INSERT INTO sign_in_directory (email_hash, account_id, member_id) VALUES (?1, ?2, ?3)
                         ON CONFLICT (email_hash, account_id) DO UPDATE SET member_id = excluded.member_id",
                    )
                    .and_then(|mut statement| {
                        statement.execute(params![email.0, account.bytes(), member.bytes()])
                    })
                    .map_err(|error| failed(&error))?;
                Ok(())
            })
            .await
    }

    async fn memberships(&self, email: EmailHash) -> Result<Vec<(AccountId, MemberId)>, StoreError> {
        self.readers
            .read(move |connection| {
                let most = sql::signed(MEMBERSHIPS_MAX as u64);
                connection
                    .prepare_cached(
                        "SELECT account_id, member_id FROM sign_in_directory WHERE email_hash = ?1
                         ORDER BY account_id LIMIT ?2",
                    )
                    .and_then(|mut statement| {
                        let found = statement.query_map(params![email.0, most], |row| {
                            Ok((AccountId::from_bytes(row.get(0)?), MemberId::from_bytes(row.get(1)?)))
                        })?;
                        found.collect()
                    })
                    .map_err(|error| failed(&error))
            })
            .await
    }

    async fn sign_in_key(&self, new: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        self.written(move |connection| {
            let keep = || {
                connection
                    .prepare_cached(
                        "INSERT INTO sign_in_key (only, wrapped) VALUES (1, ?1) ON CONFLICT DO NOTHING",
                    )?
                    .execute([new])?;
                connection.prepare_cached("SELECT wrapped FROM sign_in_key")?.query_row([], |row| row.get(0))
            };
            keep().map_err(|error| failed(&error))
        })
        .await
    }
}

fn get_password(
    connection: &Connection,
    account: AccountId,
    member: MemberId,
) -> rusqlite::Result<Option<StoredPassword>> {
    connection
        .prepare_cached(
            "SELECT recipe, salt, verifier, set_at FROM passwords WHERE account_id = ?1 AND member_id = ?2",
        )?
        .query_row(params![account.bytes(), member.bytes()], |row| {
            Ok(StoredPassword {
                recipe: row.get(0)?,
                salt: row.get(1)?,
                verifier: row.get(2)?,
                set_at: Timestamp::from_micros(row.get(3)?),
            })
        })
        .optional()
}

pub(crate) fn put_password(
    connection: &Connection,
    account: AccountId,
    member: MemberId,
    password: &StoredPassword,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO passwords (account_id, member_id, recipe, salt, verifier, set_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (account_id, member_id) DO UPDATE SET
                 recipe = excluded.recipe, salt = excluded.salt, verifier = excluded.verifier,
                 set_at = excluded.set_at",
        )?
        .execute(params![
            account.bytes(),
            member.bytes(),
            password.recipe,
            password.salt,
            password.verifier,
            password.set_at.micros()
        ])
        .map(|_| ())
}
