//! What a provider told is recorded once.

use parlance_domain::Position;

use super::given::{Log, Write as _, conversation, event, token, with_token};
use crate::{Rejection, Store};

pub async fn a_known_token_is_rejected_with_its_first_position(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (a, b, token) = (conversation(), conversation(), token());
    log.append(log.batch().write(b, 0, 4)).await;
    log.append(log.batch().guard(a, 0).event(with_token(event(a, 1), token))).await;
    for version in 4..7 {
        let again = log.batch().write(b, version, 1).guard(a, 1).event(with_token(event(a, 2), token));
        let rejection = log.rejected(again).await;
        assert_eq!(rejection, Rejection { stale: vec![], known: vec![(token, Position::new(5))] });
        log.append(log.batch().write(b, version, 1)).await;
    }
    log.holds(8).await;
}

pub async fn all_known_tokens_of_a_batch_are_told(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (stream, first, second, new) = (conversation(), token(), token(), token());
    let batch = log.batch().guard(stream, 0).event(with_token(event(stream, 1), first));
    log.append(batch.event(with_token(event(stream, 2), second))).await;
    let batch = log.batch().guard(stream, 2).event(with_token(event(stream, 3), new));
    let batch = batch.event(with_token(event(stream, 4), second)).event(event(stream, 5));
    let rejection = log.rejected(batch.event(with_token(event(stream, 6), first))).await;
    assert_eq!(rejection.stale, []);
    assert_eq!(rejection.known, [(second, Position::new(2)), (first, Position::new(1))]);
    log.holds(2).await;
    // The new one was not recorded either.
    log.append(log.batch().guard(stream, 2).event(with_token(event(stream, 3), new))).await;
    log.holds(3).await;
}

pub async fn a_token_twice_in_one_batch_is_refused(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (a, b, twice) = (conversation(), conversation(), token());
    let batch = log.batch().guard(a, 0).guard(b, 0).event(with_token(event(a, 1), twice));
    log.refused(batch.event(event(b, 1)).event(with_token(event(b, 2), twice))).await;
    log.holds(0).await;
    log.append(log.batch().guard(a, 0).event(with_token(event(a, 1), twice))).await;
    log.holds(1).await;
}

pub async fn events_without_a_token_never_meet(store: impl Store + Clone) {
    let log = Log::new(&store);
    log.append(log.batch().write(conversation(), 0, 20)).await;
    log.append(log.batch().write(conversation(), 0, 20)).await;
    log.holds(40).await;
}
