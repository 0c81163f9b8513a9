//! A server that is asked to end while webhooks arrive: what it answers is true, and it ends in bounded time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parlance_tests::{
    PATIENCE,
    served::{Wire, head},
};
use tokio::sync::{Mutex, Notify};

use super::{ledger::check, mailbag::Mailbag, office};

/// Requests under way at any time.
const SENDERS: usize = 64;
/// What is under way has 15 s, and the store some more.
const END_WAIT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_end_answers_what_is_under_way() {
    for (answers, endless) in [(1, false), (40, false), (300, true)] {
        let mut office = office().await;
        let bag = Arc::new(Mutex::new(Mailbag::new(&office, 20_260_101)));
        let answered = Arc::new(Notify::new());
        let address = office.served.address;
        // One that says nothing, or whose body never ends, must not keep it.
        let mut silent = Wire::open(address).await.unwrap();
        if endless {
            let request = office.page().sign("{}").with_header("Content-Length", "9");
            silent.say(&head(office.messenger.path(), &request)).await.unwrap();
        }
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                let (bag, answered) = (Arc::clone(&bag), Arc::clone(&answered));
                tokio::spawn(async move {
                    while let Ok(mut wire) = Wire::open(address).await {
                        let (index, request) = bag.lock().await.next();
                        let Ok(said) = wire.ask(&request).await else { return };
                        assert_eq!(said.status, 200, "{}", said.body);
                        bag.lock().await.acknowledged(index);
                        answered.notify_one();
                    }
                })
            })
            .collect();
        for _ in 0..answers {
            tokio::time::timeout(PATIENCE, answered.notified()).await.expect("it answers");
        }
        let began = Instant::now();
        assert!(office.served.end(), "it ends well");
        let took = began.elapsed();
        assert!(took < END_WAIT, "it took {took:?} to end");
        for sender in senders {
            sender.await.unwrap();
        }
        assert!(silent.ends(PATIENCE).await);
        let counted = check(&office, &*bag.lock().await).await;
        println!("ended in {took:?} after {answers} answers: {counted}");
    }
}
