//! A database is made by `migrate` and by nothing else.

use parlance_private_postgres::Server;
use parlance_store::StoreError;
use parlance_store_postgres::{PostgresOptions, PostgresStore};
use tokio_postgres::NoTls;

async fn why_not(url: &str) -> String {
    match PostgresStore::connect(url, PostgresOptions::default()).await.map(|_| ()) {
        Err(StoreError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_who_migrate_at_once_are_no_harm_to_each_other() {
    let Some(server) = Server::shared() else { return };
    let database = server.empty_database().await;
    assert!(why_not(&database.url).await.contains("parlance migrate"));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let url = database.url.clone();
            tokio::spawn(async move { PostgresStore::migrate(&url).await })
        })
        .collect();
    let mut from_nothing = 0;
    for task in tasks {
        let migrated = task.await.expect("no task panics").expect("everybody is told that it is migrated");
        assert!(migrated.to > 0);
        from_nothing += usize::from(migrated.from == 0);
    }
    assert_eq!(from_nothing, 1, "one did it");
    PostgresStore::connect(&database.url, PostgresOptions::default()).await.map(|_| ()).expect("it is there");
}

#[tokio::test]
async fn an_older_database_is_refused_and_a_newer_one_is_not() {
    let Some(server) = Server::shared() else { return };
    let database = server.empty_database().await;
    let newest = PostgresStore::migrate(&database.url).await.expect("it is migrated").to;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("it answers");
    tokio::spawn(connection);
    let history = "refinery_schema_history";
    let newer =
        format!("INSERT INTO {history} SELECT 999, 'of_tomorrow', applied_on, '1' FROM {history} LIMIT 1");
    client.batch_execute(&newer).await.expect("a history can be written");
    PostgresStore::connect(&database.url, PostgresOptions::default())
        .await
        .map(|_| ())
        .expect("a newer one will do");
    let again = PostgresStore::migrate(&database.url).await.expect("there is nothing to do");
    assert_eq!((again.from, again.to), (999, 999));
    let older = format!("DELETE FROM {history} WHERE version >= {newest}");
    client.batch_execute(&older).await.expect("a history can be written");
    let why = why_not(&database.url).await;
    assert!(why.contains("parlance migrate") && why.contains(&newest.to_string()), "{why}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_out_of_reach() {
    let Some(server) = Server::shared() else { return };
    let why = why_not("postgres://parlance@127.0.0.1:1/nothing").await;
    assert!(why.contains("cannot be reached"), "{why}");
    let why = why_not(&server.url("no_such_database")).await;
    assert!(why.contains("no_such_database") && why.contains("3D000"), "{why}");
}
