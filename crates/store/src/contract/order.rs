//! Recorded time never goes back.

use parlance_domain::Timestamp;

use super::given::{Log, Seed, Write as _, at, conversation, event};
use crate::{NewEvent, Store};

/// Appends events that pass in `micros`, and checks that the answer, the rows and the head tell the same.
async fn append_at<S: Store + Clone>(log: &Log<S>, micros: &[i64]) -> Vec<Timestamp> {
    let stream = conversation();
    let mut batch = log.batch().guard(stream, 0);
    for (version, micros) in (1..).zip(micros) {
        batch = batch.event(NewEvent { recorded_at: at(*micros), ..event(stream, version) });
    }
    let before = log.head().await;
    let appended = log.append(batch).await;
    let mut time = appended.not_before;
    let lifted: Vec<_> = micros
        .iter()
        .map(|micros| {
            time = time.max(at(*micros));
            time
        })
        .collect();
    let rows = log.read(appended.first.number() - 1, usize::MAX).await;
    let times: Vec<_> = rows.iter().map(|row| row.recorded_at).collect();
    assert_eq!(times, lifted, "rows are lifted to `not_before` and to the row before");
    assert!(times.iter().all(|time| *time >= before.recorded_at), "no time is before the log's last");
    assert!(times.iter().all(|time| *time >= appended.not_before));
    assert_eq!(times.last(), Some(&appended.recorded_at));
    assert_eq!(log.head().await.recorded_at, appended.recorded_at);
    times
}

pub async fn times_pass_as_they_are_while_they_rise(store: impl Store + Clone) {
    let log = Log::new(&store);
    assert_eq!(append_at(&log, &[0, 0, 5]).await, [at(0), at(0), at(5)]);
    assert_eq!(append_at(&log, &[5, 6]).await, [at(5), at(6)]);
}

pub async fn an_earlier_time_is_lifted(store: impl Store + Clone) {
    let log = Log::new(&store);
    append_at(&log, &[100]).await;
    assert_eq!(append_at(&log, &[40]).await, [at(100)]);
    assert_eq!(append_at(&log, &[50, 200, 150, 201]).await, [at(100), at(200), at(200), at(201)]);
    assert_eq!(append_at(&log, &[-1_000_000]).await, [at(201)]);
}

pub async fn a_time_far_ahead_keeps_the_rest_behind_it(store: impl Store + Clone) {
    let log = Log::new(&store);
    let ahead = 1_000_000_000_000_000;
    append_at(&log, &[0, ahead, 1]).await;
    assert_eq!(append_at(&log, &[2, ahead + 1]).await, [at(ahead), at(ahead + 1)]);
}

pub async fn times_of_any_order_come_out_sorted(store: impl Store + Clone) {
    let log = Log::new(&store);
    let begin = super::given::fresh_id().as_u64_pair().0;
    println!("seed {begin}");
    let mut seed = Seed(begin);
    for _ in 0..20 {
        let count = 1 + seed.below(12);
        let micros: Vec<_> =
            (0..count).map(|_| i64::try_from(seed.below(500)).expect("a small number") - 250).collect();
        append_at(&log, &micros).await;
    }
    let times: Vec<_> = log.all().await.iter().map(|row| row.recorded_at).collect();
    assert!(times.is_sorted(), "{times:?}");
}

pub async fn another_account_s_clock_is_its_own(store: impl Store + Clone) {
    let (ahead, behind) = (Log::new(&store), Log::new(&store));
    append_at(&ahead, &[1_000_000]).await;
    assert_eq!(append_at(&behind, &[3]).await, [at(3)]);
}
