//! What a newer release wrote, read by this one.

use parlance_domain::{AccountId, CommandId, Position};
use parlance_store::{EventLog as _, Outcome};
use tokio_postgres::NoTls;

use crate::support::{
    self,
    log::{Random, batch, seed, streams},
};

#[tokio::test]
async fn a_touched_stream_of_an_unknown_type_is_passed_over() {
    let Some(database) = support::database().await else { return };
    let store = support::store(&database).await;
    let mut random = Random(seed());
    let account = AccountId::new(random.id());
    let [one, two, ..] = &streams(account)[..] else { panic!("there are several") };
    for (stream, version) in [(*one, 0), (*two, 0), (*one, 1)] {
        let batch = batch(account, stream, version, 1, CommandId::new(random.id()));
        assert!(matches!(store.append(batch).await, Ok(Outcome::Appended(_))));
    }
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("it answers");
    tokio::spawn(connection);
    let rename = "UPDATE events SET stream_type = 'novelty' WHERE position = 2";
    assert_eq!(client.execute(rename, &[]).await.expect("it is there"), 1);
    let touched = store.touched(account, Position::START, 10).await.expect("it can be asked");
    let told: Vec<_> = touched.iter().map(|touched| (touched.position.number(), touched.stream)).collect();
    assert_eq!(told, [(1, *one), (3, *one)]);
}
