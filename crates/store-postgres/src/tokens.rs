//! Tokens' hashes. Whoever adds or removes a member's tokens locks that member's row of `credential_holders` first, then
//! tokens in the order of their hashes; whoever writes down a use locks tokens in that order. So no two wait for each
//! other, and what counts tokens counts them when nobody else changes them.

use parlance_domain::{AccountId, MemberId, OperatorId, Timestamp, TokenId};
use parlance_store::{
    RefusedBecause, StoreError, StoredPassword, StoredToken, TOKENS_PER_MEMBER_MAX, TokenHash, TokenKind,
    Tokens,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    PostgresStore,
    connection::IfLost,
    error::{Failure, corrupt},
    pipeline::{Call, Open, read},
    rows::check_named,
    sign_ins::put_password,
};

impl Tokens for PostgresStore {
    async fn put_token(
        &self,
        account: AccountId,
        hash: TokenHash,
        token: StoredToken,
    ) -> Result<(), StoreError> {
        let (hash, token) = (&hash, &token);
        self.run(IfLost::Unknown, |connection| async move {
            let open = Open::new(&connection);
            open.write(Some("BEGIN"), &hold(account, token.member)).await?;
            let count = Call::new(
                "SELECT count(*) FROM tokens WHERE account_id = $1 AND member_id = $2 AND kind = $3",
            );
            let count = count.with(account.uuid()).with(token.member.uuid()).with(token.kind.as_str());
            let there: i64 = match open.read(None, &[count], None).await?.iter().flatten().next() {
                Some(row) => row.try_get(0)?,
                None => 0,
            };
            let limit = TOKENS_PER_MEMBER_MAX;
            if usize::try_from(there).is_ok_and(|there| there >= limit) {
                return Err(StoreError::Refused(RefusedBecause::TooMany { limit }).into());
            }
            open.write(None, &[insert(account, hash, token)]).await?;
            open.commit().await
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
        let others = i64::try_from(most.min(TOKENS_PER_MEMBER_MAX).saturating_sub(1)).unwrap_or(0);
        let (hash, token) = (&hash, &token);
        self.run(IfLost::Unknown, |connection| async move {
            let open = Open::new(&connection);
            open.write(Some("BEGIN"), &hold(account, token.member)).await?;
            // Locked first, in their order, and judged after: a use may be written down meanwhile.
            let member = |text| {
                Call::new(text).with(account.uuid()).with(token.member.uuid()).with(token.kind.as_str())
            };
            let calls = [member(LOCK_ALL), member(REMOVE_OLDEST).with(others)];
            let removed = open.read(None, &calls, None).await?;
            let removed = removed.get(1).into_iter().flatten().map(|row| token_hash(row, 0));
            let removed = removed.collect::<Result<_, _>>()?;
            open.write(None, &[insert(account, hash, token)]).await?;
            open.commit().await?;
            Ok(removed)
        })
        .await
    }

    async fn find_token(
        &self,
        account: AccountId,
        hash: TokenHash,
    ) -> Result<Option<StoredToken>, StoreError> {
        let found = self.find_tokens(account, vec![hash]).await?;
        Ok(found.into_iter().next().map(|(_, token)| token))
    }

    async fn find_tokens(
        &self,
        account: AccountId,
        hashes: Vec<TokenHash>,
    ) -> Result<Vec<(TokenHash, StoredToken)>, StoreError> {
        check_named(hashes.len())?;
        let hashes = &hashes;
        self.read_with(|connection| async move {
            let call = Call::new(FIND_TOKENS).with(account.uuid()).with(named(hashes));
            read(&connection, &[call]).await?.iter().flatten().map(stored).collect()
        })
        .await
    }

    async fn list_tokens(
        &self,
        account: AccountId,
        member: MemberId,
        kind: TokenKind,
    ) -> Result<Vec<(TokenHash, StoredToken)>, StoreError> {
        self.read_with(|connection| async move {
            let call = Call::new(LIST_TOKENS).with(account.uuid()).with(member.uuid()).with(kind.as_str());
            let call = call.with(i64::try_from(TOKENS_PER_MEMBER_MAX).unwrap_or(i64::MAX));
            read(&connection, &[call]).await?.iter().flatten().map(stored).collect()
        })
        .await
    }

    async fn touch_tokens(
        &self,
        account: AccountId,
        hashes: Vec<TokenHash>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        check_named(hashes.len())?;
        let hashes = &hashes;
        // Never back, so twice is once.
        self.run(IfLost::Again, |connection| async move {
            let call = Call::new(TOUCH_TOKENS).with(account.uuid()).with(named(hashes));
            read(&connection, &[call.with(at.micros())]).await.map(|_| ())
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
        // One row: whoever comes second waits for it and finds it gone.
        self.run(IfLost::Unknown, |connection| async move {
            let call = Call::new(
                "DELETE FROM tokens WHERE account_id = $1 AND member_id = $2 AND kind = $3 AND token_id = $4
                 RETURNING token_hash",
            );
            let call = call.with(account.uuid()).with(member.uuid()).with(kind.as_str()).with(id.uuid());
            let removed = read(&connection, &[call]).await?;
            removed.iter().flatten().next().map(|row| token_hash(row, 0)).transpose()
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
        self.run(IfLost::Unknown, |connection| async move {
            let open = Open::new(&connection);
            open.write(Some("BEGIN"), &hold(account, member)).await?;
            let removed = open.write(None, &[remove_all(account, member, kind, but)]).await?;
            open.commit().await?;
            Ok(removed.first().and_then(|count| usize::try_from(*count).ok()).unwrap_or_default())
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
        let (given, hash, token, password) = (&given, &hash, &token, password.as_ref());
        self.run(IfLost::Unknown, |connection| async move {
            let open = Open::new(&connection);
            open.write(Some("BEGIN"), &hold(account, token.member)).await?;
            let lock = Call::new(LOCK_ALL_AND_GIVEN)
                .with(account.uuid())
                .with(token.member.uuid())
                .with(token.kind.as_str());
            let take = Call::new("DELETE FROM tokens WHERE account_id = $1 AND token_hash = $2");
            let take = take.with(account.uuid()).with(given.0.as_slice());
            let taken = open.write(None, &[lock.with(given.0.as_slice()), take]).await?;
            if taken.get(1) != Some(&1) {
                return Ok(false);
            }
            let mut calls =
                vec![remove_all(account, token.member, token.kind, None), insert(account, hash, token)];
            calls.extend(password.map(|password| put_password(account, token.member, password)));
            open.write(None, &calls).await?;
            open.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn put_operator_token(
        &self,
        hash: TokenHash,
        operator: OperatorId,
        created_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(IfLost::Unknown, |connection| async move {
            let call = Call::new(
                "INSERT INTO operator_tokens (token_hash, operator_id, created_at) VALUES ($1, $2, $3)",
            );
            let call = call.with(hash.0.to_vec()).with(operator.uuid()).with(created_at.micros());
            read(&connection, &[call]).await.map(|_| ())
        })
        .await
    }

    async fn find_operator_token(&self, hash: TokenHash) -> Result<Option<OperatorId>, StoreError> {
        self.read_with(|connection| async move {
            let call = Call::new("SELECT operator_id FROM operator_tokens WHERE token_hash = $1");
            let found = read(&connection, &[call.with(hash.0.to_vec())]).await?;
            let Some(row) = found.iter().flatten().next() else { return Ok(None) };
            Ok(Some(OperatorId::new(row.try_get(0)?)))
        })
        .await
    }
}

pub(crate) const FIND_TOKENS: &str = "SELECT found.* FROM unnest($2::bytea[]) AS wanted (token_hash)
     CROSS JOIN LATERAL (
         SELECT token_hash, token_id, kind, member_id, name, scopes, created_at, expires_at, last_used_at
         FROM tokens AS one WHERE one.account_id = $1 AND one.token_hash = wanted.token_hash OFFSET 0) AS found";

pub(crate) const LIST_TOKENS: &str =
    "SELECT token_hash, token_id, kind, member_id, name, scopes, created_at, expires_at, last_used_at
     FROM tokens WHERE account_id = $1 AND member_id = $2 AND kind = $3 ORDER BY created_at, token_id LIMIT $4";

/// Locks the tokens that a statement names, in the order of their hashes, each by its key. They are named apart: whoever
/// asks for the order at once is given the account's whole index, which has it.
macro_rules! locked {
    ($named:literal) => {
        concat!(
            "SELECT one.token_hash FROM (SELECT token_hash FROM (",
            $named,
            " OFFSET 0) AS named ORDER BY token_hash OFFSET 0) AS in_order
             CROSS JOIN LATERAL (
                 SELECT token_hash FROM tokens
                 WHERE account_id = $1 AND token_hash = in_order.token_hash FOR UPDATE) AS one"
        )
    };
}
pub(crate) use locked;

/// Removes the tokens that a statement names, locked first.
macro_rules! removed {
    ($named:literal) => {
        concat!(
            "WITH gone AS MATERIALIZED (",
            $crate::tokens::locked!($named),
            ") DELETE FROM tokens WHERE account_id = $1 AND token_hash = ANY (ARRAY(SELECT token_hash FROM gone))"
        )
    };
}
pub(crate) use removed;

pub(crate) const LOCK_ALL: &str =
    locked!("SELECT token_hash FROM tokens WHERE account_id = $1 AND member_id = $2 AND kind = $3");

pub(crate) const LOCK_ALL_AND_GIVEN: &str = locked!(
    "SELECT token_hash FROM tokens WHERE account_id = $1 AND member_id = $2 AND kind = $3
     UNION SELECT token_hash FROM tokens WHERE account_id = $1 AND token_hash = $4"
);

pub(crate) const REMOVE_OLDEST: &str = "DELETE FROM tokens WHERE account_id = $1 AND token_hash = ANY (ARRAY(
         SELECT token_hash FROM tokens WHERE account_id = $1 AND member_id = $2 AND kind = $3
         ORDER BY greatest(created_at, coalesce(last_used_at, created_at)) DESC, token_hash OFFSET $4))
     RETURNING token_hash";

pub(crate) const REMOVE_ALL: &str = removed!(
    "SELECT token_hash FROM tokens
     WHERE account_id = $1 AND member_id = $2 AND kind = $3 AND token_hash IS DISTINCT FROM $4"
);

pub(crate) const TOUCH_TOKENS: &str = concat!(
    "WITH used AS MATERIALIZED (",
    locked!("SELECT token_hash FROM unnest($2::bytea[]) AS given (token_hash)"),
    ") UPDATE tokens SET last_used_at = $3
     WHERE account_id = $1 AND token_hash = ANY (ARRAY(SELECT token_hash FROM used))
       AND (last_used_at IS NULL OR last_used_at < $3)"
);

/// Locks a member's tokens and password against everybody else who would change them.
pub(crate) fn hold(account: AccountId, member: MemberId) -> [Call<'static>; 1] {
    let call = Call::new(
        "INSERT INTO credential_holders (account_id, member_id) VALUES ($1, $2)
         ON CONFLICT (account_id, member_id) DO UPDATE SET member_id = excluded.member_id",
    );
    [call.with(account.uuid()).with(member.uuid())]
}

/// Locked in their order before they go.
pub(crate) fn remove_all(
    account: AccountId,
    member: MemberId,
    kind: TokenKind,
    but: Option<TokenHash>,
) -> Call<'static> {
    let call = Call::new(REMOVE_ALL);
    let call = call.with(account.uuid()).with(member.uuid()).with(kind.as_str());
    call.with(but.map(|but| but.0.to_vec()))
}

fn insert<'a>(account: AccountId, hash: &'a TokenHash, token: &'a StoredToken) -> Call<'a> {
    Call::new(
        "INSERT INTO tokens (account_id, token_hash, token_id, kind, member_id, name, scopes, created_at,
                             expires_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .with(account.uuid())
    .with(hash.0.as_slice())
    .with(token.id.uuid())
    .with(token.kind.as_str())
    .with(token.member.uuid())
    .with(token.name.as_deref())
    .with(token.scopes.as_str())
    .with(token.created_at.micros())
    .with(token.expires_at.map(Timestamp::micros))
    .with(token.last_used_at.map(Timestamp::micros))
}

fn named(hashes: &[TokenHash]) -> Vec<&[u8]> {
    hashes.iter().map(|hash| hash.0.as_slice()).collect()
}

fn token_hash(row: &Row, place: usize) -> Result<TokenHash, Failure> {
    let bytes: &[u8] = row.try_get(place)?;
    Ok(TokenHash(bytes.try_into().map_err(|_| corrupt("a token's hash of another length"))?))
}

fn stored(row: &Row) -> Result<(TokenHash, StoredToken), Failure> {
    let kind: &str = row.try_get(2)?;
    let kind = TokenKind::ALL.into_iter().find(|known| known.as_str() == kind);
    let moment = |place| row.try_get::<_, Option<i64>>(place).map(|at| at.map(Timestamp::from_micros));
    let token = StoredToken {
        id: TokenId::new(row.try_get::<_, Uuid>(1)?),
        kind: kind.ok_or_else(|| corrupt("a token of unknown kind"))?,
        member: MemberId::new(row.try_get::<_, Uuid>(3)?),
        name: row.try_get(4)?,
        scopes: row.try_get(5)?,
        created_at: Timestamp::from_micros(row.try_get(6)?),
        expires_at: moment(7)?,
        last_used_at: moment(8)?,
    };
    Ok((token_hash(row, 0)?, token))
}
