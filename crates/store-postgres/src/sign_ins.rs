//! Passwords, the directory of e-mail addresses, and the sign-in key. A password changes under the same lock as its
//! member's tokens (`tokens`).

use parlance_domain::{AccountId, MemberId, Timestamp};
use parlance_store::{EmailHash, MEMBERSHIPS_MAX, Sessions, SignIns, StoreError, StoredPassword, TokenKind};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    PostgresStore,
    connection::IfLost,
    error::{Failure, corrupt},
    pipeline::{Call, Open, read},
    tokens::{hold, remove_all, removed},
};

impl SignIns for PostgresStore {
    async fn set_password(
        &self,
        account: AccountId,
        member: MemberId,
        password: StoredPassword,
        instead_of: Option<StoredPassword>,
        sessions: Sessions,
    ) -> Result<bool, StoreError> {
        let (password, instead_of) = (&password, instead_of.as_ref());
        self.run(IfLost::Unknown, |connection| async move {
            let open = Open::new(&connection);
            open.write(Some("BEGIN"), &hold(account, member)).await?;
            if instead_of.is_some() {
                let found = open.read(None, &[get_password(account, member)], None).await?;
                let there = found.iter().flatten().next().map(stored).transpose()?;
                if there.as_ref() != instead_of {
                    return Ok(false);
                }
            }
            let mut calls = vec![put_password(account, member, password)];
            if let Sessions::End { but } = sessions {
                calls.push(remove_all(account, member, TokenKind::Session, but));
            }
            open.write(None, &calls).await?;
            open.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn password(
        &self,
        account: AccountId,
        member: MemberId,
    ) -> Result<Option<StoredPassword>, StoreError> {
        self.read_with(|connection| async move {
            let found = read(&connection, &[get_password(account, member)]).await?;
            found.iter().flatten().next().map(stored).transpose()
        })
        .await
    }

    async fn forget_member(
        &self,
        account: AccountId,
        member: MemberId,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        // What is forgotten twice is forgotten.
        self.run(IfLost::Again, |connection| async move {
            let open = Open::new(&connection);
            open.write(Some("BEGIN"), &hold(account, member)).await?;
            let forget =
                |text| Call::new(text).with(account.uuid()).with(member.uuid()).with(before.micros());
            let calls = [
                forget("DELETE FROM passwords WHERE account_id = $1 AND member_id = $2 AND set_at < $3"),
                forget(FORGET_TOKENS),
            ];
            open.write(None, &calls).await?;
            open.commit().await
        })
        .await
    }

    async fn enter_membership(
        &self,
        email: EmailHash,
        account: AccountId,
        member: MemberId,
    ) -> Result<(), StoreError> {
        self.run(IfLost::Again, |connection| async move {
            let call = Call::new(
                "INSERT INTO sign_in_directory (email_hash, account_id, member_id) VALUES ($1, $2, $3)
                 ON CONFLICT (email_hash, account_id) DO UPDATE SET member_id = excluded.member_id",
            );
            let call = call.with(email.0.to_vec()).with(account.uuid()).with(member.uuid());
            read(&connection, &[call]).await.map(|_| ())
        })
        .await
    }

    async fn memberships(&self, email: EmailHash) -> Result<Vec<(AccountId, MemberId)>, StoreError> {
        self.read_with(|connection| async move {
            let call = Call::new(
                "SELECT account_id, member_id FROM sign_in_directory WHERE email_hash = $1
                 ORDER BY account_id LIMIT $2",
            );
            let most = i64::try_from(MEMBERSHIPS_MAX).unwrap_or(i64::MAX);
            let found = read(&connection, &[call.with(email.0.to_vec()).with(most)]).await?;
            let entry = |row: &Row| {
                Ok((AccountId::new(row.try_get::<_, Uuid>(0)?), MemberId::new(row.try_get::<_, Uuid>(1)?)))
            };
            found.iter().flatten().map(entry).collect()
        })
        .await
    }

    async fn sign_in_key(&self, new: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let new = new.as_slice();
        // Whoever comes second waits for the first, and the look after that is a new statement.
        self.run(IfLost::Again, |connection| async move {
            let calls = [
                Call::new(
                    "INSERT INTO sign_in_key (\"only\", wrapped) VALUES (1, $1) ON CONFLICT DO NOTHING",
                )
                .with(new),
                Call::new("SELECT wrapped FROM sign_in_key"),
            ];
            let answers = read(&connection, &calls).await?;
            let row = answers.iter().flatten().next().ok_or_else(|| corrupt("the sign-in key is gone"))?;
            Ok(row.try_get(0)?)
        })
        .await
    }
}

pub(crate) const FORGET_TOKENS: &str = removed!(
    "SELECT token_hash FROM tokens
     WHERE account_id = $1 AND member_id = $2 AND kind IN ('api', 'session') AND created_at < $3"
);

fn get_password(account: AccountId, member: MemberId) -> Call<'static> {
    let call = Call::new(
        "SELECT recipe, salt, verifier, set_at FROM passwords WHERE account_id = $1 AND member_id = $2",
    );
    call.with(account.uuid()).with(member.uuid())
}

fn stored(row: &Row) -> Result<StoredPassword, Failure> {
    let other = || corrupt("a password of another shape");
    let (recipe, salt, verifier): (i64, &[u8], &[u8]) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(StoredPassword {
        recipe: u32::try_from(recipe).map_err(|_| other())?,
        salt: salt.try_into().map_err(|_| other())?,
        verifier: verifier.try_into().map_err(|_| other())?,
        set_at: Timestamp::from_micros(row.try_get(3)?),
    })
}

pub(crate) fn put_password(account: AccountId, member: MemberId, password: &StoredPassword) -> Call<'_> {
    let call = Call::new(
        "INSERT INTO passwords (account_id, member_id, recipe, salt, verifier, set_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, member_id) DO UPDATE SET
             recipe = excluded.recipe, salt = excluded.salt, verifier = excluded.verifier,
             set_at = excluded.set_at",
    );
    call.with(account.uuid())
        .with(member.uuid())
        .with(i64::from(password.recipe))
        .with(password.salt.as_slice())
        .with(password.verifier.as_slice())
        .with(password.set_at.micros())
}
