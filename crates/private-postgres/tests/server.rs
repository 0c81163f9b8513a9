//! A private server starts, answers, is restarted, and leaves nothing behind.

use std::path::Path;

use parlance_private_postgres::{Options, Server, Stop};
use tokio_postgres::NoTls;

async fn one(url: &str) -> i32 {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    client.query_one("SELECT 1", &[]).await.expect("it can be asked").get(0)
}

#[tokio::test]
async fn a_server_is_made_restarted_and_gone() {
    if Server::shared().is_none() {
        return;
    }
    let server = Server::start(&Options { tcp: true, ..Options::default() }).expect("a server starts");
    let folder = server.folder().to_owned();
    let database = server.empty_database().await;
    assert_eq!(one(&database.url).await, 1);
    assert_eq!(one(&server.tcp_url(&database.name).expect("it has a port")).await, 1);
    server.restart(Stop::Immediate).expect("it starts again");
    assert_eq!(one(&database.url).await, 1);
    let pid = std::fs::read_to_string(folder.join("data/postmaster.pid")).expect("it has a pid");
    let pid = pid.lines().next().expect("a line").to_owned();
    drop((database, server));
    assert!(!folder.exists(), "the folder is gone");
    // Nobody may have taken note of its end yet; then nothing but its number is left.
    let command = std::fs::read(Path::new("/proc").join(pid).join("cmdline")).unwrap_or_default();
    assert!(command.is_empty(), "the process is gone: {}", String::from_utf8_lossy(&command));
}

#[tokio::test]
async fn databases_are_made_after_templates() {
    let Some(server) = Server::shared() else { return };
    let template = server.empty_database().await;
    let (client, connection) = tokio_postgres::connect(&template.url, NoTls).await.expect("it answers");
    let ended = tokio::spawn(connection);
    client.batch_execute("CREATE TABLE t AS SELECT 7 AS n").await.expect("a table");
    drop(client);
    let _ = ended.await;
    let copy = server.database_like(&template.name).await;
    let (client, connection) = tokio_postgres::connect(&copy.url, NoTls).await.expect("it answers");
    tokio::spawn(connection);
    let n: i32 = client.query_one("SELECT n FROM t", &[]).await.expect("the table is there").get(0);
    assert_eq!(n, 7);
}
