//! Keys: made and destroyed with the batch that says so, or not at all.

use parlance_domain::{AccountId, KeyId};

use super::given::{Log, Write, at, conversation, event, key_id, token, with_token};
use crate::{AccountKeys, Erasure, KeyOp, NAMED_MAX, NewEvent, Store, StoreError, StoredKey};

async fn key<S: Store + Clone>(log: &Log<S>, key: KeyId) -> StoredKey {
    log.store.data_key(log.account, key).await.expect("a key can be read")
}

fn wrapped(byte: u8) -> Vec<u8> {
    vec![byte; 73]
}

/// The account's own; other cases' may lie beside them.
async fn pending(store: &impl Store, account: AccountId) -> Vec<Erasure> {
    let mut all = store.pending_erasures(usize::MAX).await.expect("erasures can be listed");
    all.retain(|erasure| erasure.account == account);
    all
}

pub async fn an_account_s_keys_are_made_once(store: impl Store + Clone) {
    let log = Log::new(&store);
    assert_eq!(store.account_keys(log.account).await, Ok(None));
    let keys = AccountKeys { account_key: wrapped(1), id_key: vec![] };
    let stream = conversation();
    log.append(log.batch().write(stream, 0, 1).key(KeyOp::CreateAccount(keys.clone()))).await;
    assert_eq!(store.account_keys(log.account).await, Ok(Some(keys.clone())));
    let others = AccountKeys { account_key: wrapped(2), id_key: wrapped(3) };
    log.refused(log.batch().write(stream, 1, 1).key(KeyOp::CreateAccount(others))).await;
    log.holds(1).await;
    assert_eq!(store.account_keys(log.account).await, Ok(Some(keys)));
}

pub async fn a_data_key_is_absent_then_wrapped_then_destroyed(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (stream, id) = (conversation(), key_id());
    assert_eq!(key(&log, id).await, StoredKey::Absent);
    let create = KeyOp::Create { key: id, wrapped: wrapped(1) };
    log.append(log.batch().write(stream, 0, 1).key(create.clone())).await;
    assert_eq!(key(&log, id).await, StoredKey::Wrapped(wrapped(1)));
    log.append(log.batch().write(stream, 1, 1).key(KeyOp::Destroy { key: id })).await;
    assert_eq!(key(&log, id).await, StoredKey::Destroyed);
    // It never comes back.
    log.refused(log.batch().write(stream, 2, 1).key(create)).await;
    assert_eq!(key(&log, id).await, StoredKey::Destroyed);
    log.holds(2).await;
}

pub async fn many_data_keys_are_answered_in_the_order_they_are_asked_for(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (stream, one, two, absent) = (conversation(), key_id(), key_id(), key_id());
    let create = |key, byte| KeyOp::Create { key, wrapped: wrapped(byte) };
    log.append(log.batch().write(stream, 0, 1).key(create(one, 1)).key(create(two, 2))).await;
    log.append(log.batch().write(stream, 1, 1).key(KeyOp::Destroy { key: two })).await;
    let many = async |account, keys| store.data_keys(account, keys).await;
    let (here, gone) = (StoredKey::Wrapped(wrapped(1)), StoredKey::Destroyed);
    let expected = vec![gone, StoredKey::Absent, here.clone(), here];
    assert_eq!(many(log.account, vec![two, absent, one, one]).await, Ok(expected));
    assert_eq!(many(log.account, vec![]).await, Ok(vec![]));
    assert_eq!(many(Log::new(&store).account, vec![one]).await, Ok(vec![StoredKey::Absent]));
    let refused = many(log.account, vec![one; NAMED_MAX + 1]).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
}

pub async fn a_key_that_exists_is_not_made_again(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (stream, old, new) = (conversation(), key_id(), key_id());
    log.append(log.batch().key(KeyOp::Create { key: old, wrapped: wrapped(1) })).await;
    let batch = log.batch().write(stream, 0, 2).key(KeyOp::Create { key: new, wrapped: wrapped(2) });
    log.refused(batch.key(KeyOp::Create { key: old, wrapped: wrapped(3) })).await;
    log.holds(0).await;
    assert_eq!(key(&log, old).await, StoredKey::Wrapped(wrapped(1)));
    assert_eq!(key(&log, new).await, StoredKey::Absent);
}

pub async fn a_destroyed_key_is_pending_until_it_is_confirmed(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (stream, one, two) = (conversation(), key_id(), key_id());
    let batch = log.batch().write(stream, 0, 1).key(KeyOp::Create { key: one, wrapped: wrapped(1) });
    log.append(batch.key(KeyOp::Create { key: two, wrapped: wrapped(2) })).await;
    assert_eq!(pending(&store, log.account).await, []);
    let mut batch = log.batch().write(stream, 1, 1).key(KeyOp::Destroy { key: one });
    batch.events[0].recorded_at = at(50);
    log.append(batch).await;
    let first = Erasure { account: log.account, key: one, recorded_at: at(50) };
    assert_eq!(pending(&store, log.account).await, [first]);
    // Its time is the log's, not what was passed in.
    log.append(log.batch().write(stream, 2, 1).key(KeyOp::Destroy { key: two })).await;
    let second = Erasure { key: two, ..first };
    let mut both = pending(&store, log.account).await;
    both.sort_by_key(|erasure| erasure.key != one);
    assert_eq!(both, [first, second]);
    assert_eq!(store.pending_erasures(0).await, Ok(vec![]));
    store.confirm_erasures(vec![first]).await.expect("an erasure can be confirmed");
    assert_eq!(pending(&store, log.account).await, [second]);
    store.confirm_erasures(vec![first, second]).await.expect("confirming twice does no harm");
    assert_eq!(pending(&store, log.account).await, []);
    // Destroyed once more it is no new erasure.
    log.append(log.batch().write(stream, 3, 1).key(KeyOp::Destroy { key: one })).await;
    assert_eq!(pending(&store, log.account).await, []);
}

pub async fn destroying_an_absent_key_is_no_erasure(store: impl Store + Clone) {
    let log = Log::new(&store);
    let id = key_id();
    log.append(log.batch().write(conversation(), 0, 1).key(KeyOp::Destroy { key: id })).await;
    log.holds(1).await;
    assert_eq!(pending(&store, log.account).await, []);
    assert_eq!(key(&log, id).await, StoredKey::Absent);
}

pub async fn a_key_made_and_destroyed_in_one_batch_is_destroyed(store: impl Store + Clone) {
    let log = Log::new(&store);
    let id = key_id();
    let batch = log.batch().write(conversation(), 0, 1);
    let batch = batch.key(KeyOp::Create { key: id, wrapped: wrapped(1) });
    log.append(batch.key(KeyOp::Destroy { key: id }).key(KeyOp::Destroy { key: id })).await;
    assert_eq!(key(&log, id).await, StoredKey::Destroyed);
    assert_eq!(pending(&store, log.account).await.len(), 1);
}

pub async fn keys_of_a_batch_that_was_not_recorded_are_as_before(store: impl Store + Clone) {
    let log = Log::new(&store);
    let (stream, old, new, token) = (conversation(), key_id(), key_id(), token());
    let batch = log.batch().guard(stream, 0).event(with_token(event(stream, 1), token));
    log.append(batch.key(KeyOp::Create { key: old, wrapped: wrapped(1) })).await;
    let keys = AccountKeys { account_key: wrapped(4), id_key: wrapped(5) };
    let ops = [
        KeyOp::CreateAccount(keys),
        KeyOp::Create { key: new, wrapped: wrapped(2) },
        KeyOp::Destroy { key: old },
    ];
    let with_keys = |batch: crate::Batch| ops.iter().cloned().fold(batch, Write::key);
    log.rejected(with_keys(log.batch().write(stream, 0, 1))).await;
    let known = log.batch().guard(stream, 1).event(with_token(event(stream, 2), token));
    log.rejected(with_keys(known)).await;
    let malformed = NewEvent { version: 9, ..event(stream, 2) };
    log.refused(with_keys(log.batch().guard(stream, 1).event(malformed))).await;
    let twice = with_keys(log.batch().write(stream, 1, 1));
    log.refused(twice.key(KeyOp::Create { key: new, wrapped: wrapped(6) })).await;
    log.holds(1).await;
    assert_eq!(key(&log, old).await, StoredKey::Wrapped(wrapped(1)));
    assert_eq!(key(&log, new).await, StoredKey::Absent);
    assert_eq!(store.account_keys(log.account).await, Ok(None));
    assert_eq!(pending(&store, log.account).await, []);
}

/// The one case that looks at the installation: it may have a check already.
pub async fn the_key_check_is_set_once(store: impl Store + Clone) {
    let check = store.key_check().await.expect("the check can be read");
    let check = match check {
        Some(check) => check,
        None => {
            store.set_key_check(wrapped(1)).await.expect("the first check is taken");
            wrapped(1)
        }
    };
    let again = store.set_key_check(wrapped(2)).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
    assert_eq!(store.key_check().await, Ok(Some(check)));
}
