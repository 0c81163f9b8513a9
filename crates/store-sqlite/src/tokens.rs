//! Tokens' hashes. They are written through the writer, so what was answered is durable.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use parlance_domain::{AccountId, MemberId, OperatorId, Timestamp};
use parlance_store::{
    RefusedBecause, StoreError, StoredToken, TOKENS_PER_MEMBER_MAX, TokenHash, TokenKind, Tokens,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    SqliteStore,
    error::{corrupt, failed},
};

impl Tokens for SqliteStore {
    async fn put_token(
        &self,
        account: AccountId,
        hash: TokenHash,
        token: StoredToken,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                let (id, member, kind) = (account.bytes(), token.member.bytes(), token.kind.as_str());
                let there: u32 = connection
                    .prepare_cached(
                        "SELECT count(*) FROM tokens WHERE account_id = ?1 AND member_id = ?2 AND kind = ?3",
                    )
                    .and_then(|mut statement| {
                        statement.query_row(params![id, member, kind], |row| row.get(0))
                    })
                    .map_err(|error| failed(&error))?;
                if there as usize >= TOKENS_PER_MEMBER_MAX {
                    let limit = TOKENS_PER_MEMBER_MAX;
                    return Err(StoreError::Refused(RefusedBecause::TooMany { limit }));
                }
                insert(connection, account, hash, token).map_err(|error| failed(&error))
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
                        "SELECT kind, member_id, created_at, expires_at FROM tokens
                         WHERE account_id = ?1 AND token_hash = ?2",
                    )
                    .and_then(|mut statement| {
                        statement
                            .query_row(params![account.bytes(), hash.0], |row| {
                                let expires_at: Option<i64> = row.get(3)?;
                                let token = StoredToken {
                                    kind: TokenKind::Api,
                                    member: MemberId::from_bytes(row.get(1)?),
                                    created_at: Timestamp::from_micros(row.get(2)?),
                                    expires_at: expires_at.map(Timestamp::from_micros),
                                };
                                Ok((row.get::<_, String>(0)?, token))
                            })
                            .optional()
                    })
                    .map_err(|error| failed(&error))?;
                let Some((kind, token)) = found else { return Ok(None) };
                let kind = TokenKind::ALL.into_iter().find(|known| known.as_str() == kind);
                let kind = kind.ok_or_else(|| corrupt("a token of unknown kind"))?;
                Ok(Some(StoredToken { kind, ..token }))
            })
            .await
    }

    async fn remove_tokens(
        &self,
        account: AccountId,
        member: MemberId,
        kind: TokenKind,
    ) -> Result<usize, StoreError> {
        let removed = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&removed);
        self.writer
            .write(move |connection| {
                let count = remove_all(connection, account, member, kind).map_err(|error| failed(&error))?;
                counted.store(count, Ordering::Release);
                Ok(())
            })
            .await?;
        Ok(removed.load(Ordering::Acquire))
    }

    async fn exchange_token(
        &self,
        account: AccountId,
        given: TokenHash,
        hash: TokenHash,
        token: StoredToken,
    ) -> Result<bool, StoreError> {
        let exchanged = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&exchanged);
        self.writer
            .write(move |connection| {
                let given = remove_one(connection, account, given).map_err(|error| failed(&error))?;
                if given {
                    remove_all(connection, account, token.member, token.kind)
                        .and_then(|_| insert(connection, account, hash, token))
                        .map_err(|error| failed(&error))?;
                }
                told.store(given, Ordering::Release);
                Ok(())
            })
            .await?;
        Ok(exchanged.load(Ordering::Acquire))
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

fn insert(
    connection: &Connection,
    account: AccountId,
    hash: TokenHash,
    token: StoredToken,
) -> rusqlite::Result<()> {
    let expires = token.expires_at.map(Timestamp::micros);
    connection
        .prepare_cached(
            "INSERT INTO tokens (account_id, token_hash, kind, member_id, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            account.bytes(),
            hash.0,
            token.kind.as_str(),
            token.member.bytes(),
            token.created_at.micros(),
            expires
        ])
        .map(|_| ())
}

fn remove_one(connection: &Connection, account: AccountId, hash: TokenHash) -> rusqlite::Result<bool> {
    let mut statement =
        connection.prepare_cached("DELETE FROM tokens WHERE account_id = ?1 AND token_hash = ?2")?;
    Ok(statement.execute(params![account.bytes(), hash.0])? > 0)
}

fn remove_all(
    connection: &Connection,
    account: AccountId,
    member: MemberId,
    kind: TokenKind,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("DELETE FROM tokens WHERE account_id = ?1 AND member_id = ?2 AND kind = ?3")?
        .execute(params![account.bytes(), member.bytes(), kind.as_str()])
}
