//! Tokens' hashes. They are written through the writer, so what was answered is durable.

use std::sync::{Arc, Mutex};

use parlance_domain::{AccountId, MemberId, OperatorId, Timestamp, TokenId};
use parlance_projections::Value;
use parlance_store::{
    RefusedBecause, StoreError, StoredPassword, StoredToken, TOKENS_PER_MEMBER_MAX, TokenHash, TokenKind,
    Tokens,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::{
    SqliteStore,
    error::{corrupt, failed},
    named::names,
    sign_ins, sql,
};

impl SqliteStore {
    /// Runs `work` in a transaction of the writer's; gives what it found.
    pub(crate) async fn written<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let found = Arc::new(Mutex::new(None));
        let told = Arc::clone(&found);
        self.writer
            .write(move |connection| {
                let value = work(connection)?;
                *told.lock().expect("no panic while locked") = Some(value);
                Ok(())
            })
            .await?;
        let value = found.lock().expect("no panic while locked").take();
        Ok(value.expect("what was written was worked out first"))
    }
}

impl Tokens for SqliteStore {
    async fn put_token(
        &self,
        account: AccountId,
        hash: TokenHash,
        token: StoredToken,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                let there: u32 = connection
                    .prepare_cached(
                        "SELECT count(*) FROM tokens WHERE account_id = ?1 AND member_id = ?2 AND kind = ?3",
                    )
                    .and_then(|mut statement| {
                        let bound = params![account.bytes(), token.member.bytes(), token.kind.as_str()];
                        statement.query_row(bound, |row| row.get(0))
                    })
                    .map_err(|error| failed(&error))?;
                if there as usize >= TOKENS_PER_MEMBER_MAX {
                    let limit = TOKENS_PER_MEMBER_MAX;
                    return Err(StoreError::Refused(RefusedBecause::TooMany { limit }));
                }
                insert(connection, account, hash, &token).map_err(|error| failed(&error))
            })
            .await
    }

    async fn put_token_for_oldest(
        &self,
        account: AccountId,
        hash: TokenHash,
        token: StoredToken,
        most: usize,
    ) -> Result<Vec<TokenHash>, StoreError> {
        let others = sql::signed(most.min(TOKENS_PER_MEMBER_MAX).saturating_sub(1) as u64);
        self.written(move |connection| {
            let bound = params![account.bytes(), token.member.bytes(), token.kind.as_str(), others];
            let removed = connection
                .prepare_cached(
                    "DELETE FROM tokens WHERE account_id = ?1 AND token_hash IN (
                         SELECT token_hash FROM tokens
                         WHERE account_id = ?1 AND member_id = ?2 AND kind = ?3
                         ORDER BY max(created_at, coalesce(last_used_at, created_at)) DESC, token_hash
                         LIMIT -1 OFFSET ?4)
                     RETURNING token_hash",
                )
                .and_then(|mut statement| {
                    statement.query_map(bound, |row| Ok(TokenHash(row.get(0)?)))?.collect()
                })
                .map_err(|error| failed(&error))?;
            insert(connection, account, hash, &token).map_err(|error| failed(&error))?;
            Ok(removed)
        })
        .await
    }

    async fn find_token(
        &self,
        account: AccountId,
        hash: TokenHash,
    ) -> Result<Option<StoredToken>, StoreError> {
        self.readers
            .read(move |connection| {
                let found = connection
                    .prepare_cached(
                        "SELECT token_hash, token_id, kind, member_id, name, scopes, created_at, expires_at,
                                last_used_at
                         FROM tokens WHERE account_id = ?1 AND token_hash = ?2",
                    )
                    .and_then(|mut statement| {
                        statement.query_row(params![account.bytes(), hash.0], stored).optional()
                    })
                    .map_err(|error| failed(&error))?;
                Ok(found.map(known).transpose()?.map(|(_, token)| token))
            })
            .await
    }

    async fn find_tokens(
        &self,
        account: AccountId,
        hashes: Vec<TokenHash>,
    ) -> Result<Vec<(TokenHash, StoredToken)>, StoreError> {
        let wanted = names(&hashes, |hash| Value::Bytes(hash.0.to_vec()))?;
        self.readers
            .read(move |connection| {
                let found: Vec<_> = connection
                    .prepare_cached(
                        "SELECT found.token_hash, found.token_id, found.kind, found.member_id, found.name,
                                found.scopes, found.created_at, found.expires_at, found.last_used_at
                         FROM json_each(?2) AS wanted CROSS JOIN tokens AS found
                           ON found.account_id = ?1 AND found.token_hash = unhex(wanted.value)",
                    )
                    .and_then(|mut statement| {
                        statement.query_map(params![account.bytes(), wanted], stored)?.collect()
                    })
                    .map_err(|error| failed(&error))?;
                found.into_iter().map(known).collect()
            })
            .await
    }

    async fn list_tokens(
        &self,
        account: AccountId,
        member: MemberId,
        kind: TokenKind,
    ) -> Result<Vec<(TokenHash, StoredToken)>, StoreError> {
        self.readers
            .read(move |connection| {
                let most = sql::signed(TOKENS_PER_MEMBER_MAX as u64);
                let bound = params![account.bytes(), member.bytes(), kind.as_str(), most];
                let found: Vec<_> = connection
                    .prepare_cached(
                        "SELECT token_hash, token_id, kind, member_id, name, scopes, created_at, expires_at,
                                last_used_at
                         FROM tokens WHERE account_id = ?1 AND member_id = ?2 AND kind = ?3
                         ORDER BY created_at, token_id LIMIT ?4",
                    )
                    .and_then(|mut statement| statement.query_map(bound, stored)?.collect())
                    .map_err(|error| failed(&error))?;
                found.into_iter().map(known).collect()
            })
            .await
    }

    async fn touch_tokens(
        &self,
        account: AccountId,
        hashes: Vec<TokenHash>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let wanted = names(&hashes, |hash| Value::Bytes(hash.0.to_vec()))?;
        self.writer
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "UPDATE tokens SET last_used_at = ?3
                         WHERE account_id = ?1
                           AND token_hash IN (SELECT unhex(value) FROM json_each(?2))
                           AND (last_used_at IS NULL OR last_used_at < ?3)",
                    )
                    .and_then(|mut statement| {
                        statement.execute(params![account.bytes(), wanted, at.micros()])
                    })
                    .map_err(|error| failed(&error))?;
                Ok(())
            })
            .await
    }

    async fn remove_token(
        &self,
        account: AccountId,
        member: MemberId,
        kind: TokenKind,
        id: TokenId,
    ) -> Result<Option<TokenHash>, StoreError> {
        self.written(move |connection| {
            let bound = params![account.bytes(), member.bytes(), kind.as_str(), id.bytes()];
            connection
                .prepare_cached(
                    "DELETE FROM tokens
                     WHERE account_id = ?1 AND member_id = ?2 AND kind = ?3 AND token_id = ?4
                     RETURNING token_hash",
                )
                .and_then(|mut statement| {
                    // Read to its end: a statement that is left before has not deleted anything for sure.
                    statement.query_map(bound, |row| Ok(TokenHash(row.get(0)?)))?.collect()
                })
                .map(|removed: Vec<_>| removed.into_iter().next())
                .map_err(|error| failed(&error))
        })
        .await
    }

    async fn remove_tokens(
        &self,
        account: AccountId,
        member: MemberId,
        kind: TokenKind,
        but: Option<TokenHash>,
    ) -> Result<usize, StoreError> {
        self.written(move |connection| {
            remove_all(connection, account, member, kind, but).map_err(|error| failed(&error))
        })
        .await
    }

    async fn exchange_token(
        &self,
        account: AccountId,
        given: TokenHash,
        hash: TokenHash,
        token: StoredToken,
        password: Option<StoredPassword>,
    ) -> Result<bool, StoreError> {
        self.written(move |connection| {
            let exchange = || {
                let given = remove_one(connection, account, given)?;
                if given {
                    remove_all(connection, account, token.member, token.kind, None)?;
                    insert(connection, account, hash, &token)?;
                    if let Some(password) = &password {
                        sign_ins::put_password(connection, account, token.member, password)?;
                    }
                }
                Ok(given)
            };
            exchange().map_err(|error| failed(&error))
        })
        .await
    }

    async fn put_operator_token(
        &self,
        hash: TokenHash,
        operator: OperatorId,
        created_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "INSERT INTO operator_tokens (token_hash, operator_id, created_at) VALUES (?1, ?2, ?3)",
                    )
                    .and_then(|mut statement| {
                        statement.execute(params![hash.0, operator.bytes(), created_at.micros()])
                    })
                    .map_err(|error| failed(&error))?;
                Ok(())
            })
            .await
    }

    async fn find_operator_token(&self, hash: TokenHash) -> Result<Option<OperatorId>, StoreError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached("SELECT operator_id FROM operator_tokens WHERE token_hash = ?1")
                    .and_then(|mut statement| {
                        statement
                            .query_row([hash.0], |row| Ok(OperatorId::from_bytes(row.get(0)?)))
                            .optional()
                    })
                    .map_err(|error| failed(&error))
            })
            .await
    }
}

/// A row as it is stored: its kind is still a name.
type Stored = (String, TokenHash, StoredToken);

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let moment = |place| row.get::<_, Option<i64>>(place).map(|at| at.map(Timestamp::from_micros));
    let token = StoredToken {
        id: TokenId::from_bytes(row.get(1)?),
        kind: TokenKind::Api,
        member: MemberId::from_bytes(row.get(3)?),
        name: row.get(4)?,
        scopes: row.get(5)?,
        created_at: Timestamp::from_micros(row.get(6)?),
        expires_at: moment(7)?,
        last_used_at: moment(8)?,
    };
    Ok((row.get(2)?, TokenHash(row.get(0)?), token))
}

fn known((kind, hash, token): Stored) -> Result<(TokenHash, StoredToken), StoreError> {
    let kind = TokenKind::ALL.into_iter().find(|known| known.as_str() == kind);
    let kind = kind.ok_or_else(|| corrupt("a token of unknown kind"))?;
    Ok((hash, StoredToken { kind, ..token }))
}

fn insert(
    connection: &Connection,
    account: AccountId,
    hash: TokenHash,
    token: &StoredToken,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO tokens (account_id, token_hash, token_id, kind, member_id, name, scopes, created_at,
                                 expires_at, last_used_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            account.bytes(),
            hash.0,
            token.id.bytes(),
            token.kind.as_str(),
            token.member.bytes(),
            token.name,
            token.scopes,
            token.created_at.micros(),
            token.expires_at.map(Timestamp::micros),
            token.last_used_at.map(Timestamp::micros),
        ])
        .map(|_| ())
}

fn remove_one(connection: &Connection, account: AccountId, hash: TokenHash) -> rusqlite::Result<bool> {
    let mut statement =
        connection.prepare_cached("DELETE FROM tokens WHERE account_id = ?1 AND token_hash = ?2")?;
    Ok(statement.execute(params![account.bytes(), hash.0])? > 0)
}

pub(crate) fn remove_all(
    connection: &Connection,
    account: AccountId,
    member: MemberId,
    kind: TokenKind,
    but: Option<TokenHash>,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM tokens
             WHERE account_id = ?1 AND member_id = ?2 AND kind = ?3 AND token_hash IS NOT ?4",
        )?
        .execute(params![account.bytes(), member.bytes(), kind.as_str(), but.map(|but| but.0)])
}
