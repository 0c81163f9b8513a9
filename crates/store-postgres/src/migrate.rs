//! Migrations, embedded; the same numbers and names as on every store.

use std::time::Duration;

use parlance_store::StoreError;
use refinery::Runner;
use tokio_postgres::{Client, error::SqlState};

use crate::{
    connection::{Tries, connect, settled},
    error::cannot_connect,
    url::Address,
};

mod embedded {
    refinery::embed_migrations!("../../migrations/postgres");
}

/// A migration of a large database takes its time; there is no end by the clock but a bound all the same.
const MIGRATING_MAX: Duration = Duration::from_secs(6 * 3_600);
/// A look at the history.
const LOOKING_MAX: Duration = Duration::from_secs(10);

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The number of the newest migration that was there; 0: an empty database.
    pub from: i32,
    /// The number of the newest that is there now. Higher than this binary's own when a newer one was there before.
    pub to: i32,
}

fn runner() -> Runner {
    embedded::migrations::runner()
}

fn newest() -> i32 {
    runner().get_migrations().iter().map(refinery::Migration::version).max().unwrap_or_default()
}

/// That the database has all that this binary needs. A newer one is fine: migrations only ever add.
pub(crate) async fn check(address: &Address) -> Result<(), StoreError> {
    let client = connect(address, &settled(address.config.clone(), LOOKING_MAX, "on")).await?;
    let there = version(&client).await?;
    if there >= newest() {
        return Ok(());
    }
    Err(StoreError::Unavailable(match there {
        0 => "the database is empty: run `parlance migrate`".to_owned(),
        _ => {
            format!("the database is at version {there} and this needs {}: run `parlance migrate`", newest())
        }
    }))
}

/// [`version`], by a connection of its own.
pub(crate) async fn version_at(address: &Address) -> Result<i32, StoreError> {
    version(&connect(address, &settled(address.config.clone(), LOOKING_MAX, "on")).await?).await
}

/// The newest migration that is there; 0: none.
async fn version(client: &Client) -> Result<i32, StoreError> {
    match client.query_one("SELECT max(version) FROM refinery_schema_history", &[]).await {
        Ok(row) => Ok(row.get::<_, Option<i32>>(0).unwrap_or_default()),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(0),
        Err(error) => Err(failed(&error)),
    }
}

pub(crate) async fn run(address: &Address) -> Result<Migrated, StoreError> {
    let config = settled(address.config.clone(), MIGRATING_MAX, "on");
    let mut turn = connect(address, &config).await?;
    // It waits in a transaction, on purpose, for as long as the migrations take.
    turn.batch_execute("SET idle_in_transaction_session_timeout = 0")
        .await
        .map_err(|error| failed(&error))?;
    make_turns(&turn).await?;
    let waiting = turn.transaction().await.map_err(|error| failed(&error))?;
    waiting
        .batch_execute("LOCK TABLE migrating IN ACCESS EXCLUSIVE MODE")
        .await
        .map_err(|error| failed(&error))?;
    let mut client = connect(address, &config).await?;
    let from = version(&client).await?;
    if from < newest() {
        runner()
            .run_async(&mut client)
            .await
            .map_err(|error| StoreError::Unavailable(format!("migrating the database: {error}")))?;
    }
    let to = version(&client).await?;
    waiting.commit().await.map_err(|error| failed(&error))?;
    Ok(Migrated { from, to })
}

/// The table whose lock is the turn. Two who make it at once meet in PostgreSQL's own catalogue.
async fn make_turns(client: &Client) -> Result<(), StoreError> {
    let mut tries = Tries::within(LOOKING_MAX);
    loop {
        let made = client.batch_execute("CREATE TABLE IF NOT EXISTS migrating (nothing integer)").await;
        let Err(error) = made else { return Ok(()) };
        let met = [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
        if !(error.code().is_some_and(|code| met.contains(code)) && tries.again().await) {
            return Err(failed(&error));
        }
    }
}

fn failed(error: &tokio_postgres::Error) -> StoreError {
    StoreError::Unavailable(cannot_connect(error))
}

#[cfg(test)]
mod tests {
    use parlance_domain::AccountId;
    use parlance_private_postgres::Server;
    use parlance_store::{StoreError, TokenHash, TokenKind, Tokens as _};
    use refinery::Target;
    use uuid::Uuid;

    use super::*;
    use crate::{PostgresOptions, PostgresStore};

    #[tokio::test]
    async fn tokens_from_before_they_had_ids_are_kept() {
        let Some(server) = Server::shared() else { return };
        let database = server.empty_database().await;
        let address = Address::parse(&database.url).unwrap();
        let mut client =
            connect(&address, &settled(address.config.clone(), LOOKING_MAX, "on")).await.unwrap();
        runner().set_target(Target::Version(4)).run_async(&mut client).await.unwrap();
        let early = PostgresStore::connect(&database.url, PostgresOptions::default()).await;
        assert!(
            matches!(early.err(), Some(StoreError::Unavailable(why)) if why.contains("parlance migrate"))
        );
        let (account, member) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for (hash, kind, expires_at) in
            [(1_u8, "api", None), (2, "invitation", Some(9_i64)), (3, "api", None)]
        {
            let text = "INSERT INTO tokens (account_id, token_hash, kind, member_id, created_at, expires_at)
                        VALUES ($1, $2, $3, $4, 5, $5)";
            let hash = [hash; 32].to_vec();
            client.execute(text, &[&account, &hash, &kind, &member, &expires_at]).await.unwrap();
        }
        let migrated = PostgresStore::migrate(&database.url).await;
        assert_eq!(migrated, Ok(Migrated { from: 4, to: newest() }));
        let store = PostgresStore::connect(&database.url, PostgresOptions::default()).await.unwrap();
        let find = async |hash: u8| {
            let found = store.find_token(AccountId::new(account), TokenHash([hash; 32])).await;
            found.unwrap().expect("the token is kept")
        };
        let (api, invitation, other) = (find(1).await, find(2).await, find(3).await);
        assert_eq!((api.kind, api.member.uuid(), api.created_at.micros()), (TokenKind::Api, member, 5));
        assert_eq!(
            (api.scopes.as_str(), api.expires_at, api.name),
            ("read conversations settings", None, None)
        );
        assert_eq!((invitation.kind, invitation.scopes.as_str()), (TokenKind::Invitation, ""));
        assert_eq!(invitation.expires_at.map(parlance_domain::Timestamp::micros), Some(9));
        assert!(api.id != other.id && other.last_used_at.is_none(), "each has an id of its own");
        // Once more is no harm.
        let again = PostgresStore::migrate(&database.url).await;
        assert_eq!(again, Ok(Migrated { from: newest(), to: newest() }));
    }
}
