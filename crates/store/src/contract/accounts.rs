//! Accounts know nothing of each other.

use parlance_domain::{AccountId, Position};

use super::given::{Log, Write as _, conversation, event, key_id, token, with_token};
use crate::{AccountKeys, KeyOp, Store, StoredKey};

pub async fn accounts_may_hold_the_same_streams_tokens_and_keys(store: impl Store + Clone) {
    let (one, two) = (Log::new(&store), Log::new(&store));
    let (stream, token, key) = (conversation(), token(), key_id());
    for (number, log) in [(1, &one), (2, &two)] {
        let batch = log.batch().guard(stream, 0).event(with_token(event(stream, 1), token));
        let keys = AccountKeys { account_key: vec![number], id_key: vec![number, number] };
        let batch = batch.key(KeyOp::CreateAccount(keys)).key(KeyOp::Create { key, wrapped: vec![number] });
        let appended = log.append(batch.snapshot(stream, 1, 1, &[number])).await;
        assert_eq!((appended.first, appended.last), (Position::new(1), Position::new(1)));
    }
    // Each knows its own token, at its own position.
    let three = Log::new(&store);
    three.append(three.batch().write(conversation(), 0, 4)).await;
    let told = |log: &Log<_>| log.batch().guard(stream, 0).event(with_token(event(stream, 1), token));
    three.append(told(&three)).await;
    for (log, position) in [(&one, 1), (&two, 1), (&three, 5)] {
        let rejection = log.rejected(told(log)).await;
        assert_eq!(rejection.known, [(token, Position::new(position))]);
    }
    one.append(one.batch().write(stream, 1, 1).key(KeyOp::Destroy { key })).await;
    one.holds(2).await;
    two.holds(1).await;
    assert!(two.all().await.iter().all(|row| row.account == two.account));
    assert_eq!(store.data_key(one.account, key).await, Ok(StoredKey::Destroyed));
    assert_eq!(store.data_key(two.account, key).await, Ok(StoredKey::Wrapped(vec![2])));
    let keys = store.account_keys(two.account).await.expect("keys can be read");
    assert_eq!(keys, Some(AccountKeys { account_key: vec![2], id_key: vec![2, 2] }));
    let loaded = store.load(two.account, stream, 1).await.expect("a stream can be loaded");
    assert_eq!(loaded.snapshot.map(|snapshot| snapshot.state), Some(vec![2]));
}

pub async fn accounts_are_listed_in_pages(store: impl Store + Clone) {
    let mut ours = Vec::new();
    for _ in 0..7 {
        let log = Log::new(&store);
        log.append(log.batch().write(conversation(), 0, 1)).await;
        ours.push(log.account);
    }
    ours.sort();
    let mut listed: Vec<AccountId> = Vec::new();
    loop {
        let page = store.accounts(listed.last().copied(), 2).await.expect("accounts can be listed");
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    assert!(listed.is_sorted_by(|a, b| a < b), "in id order, each once");
    listed.retain(|account| ours.contains(account));
    assert_eq!(listed, ours);
    assert_eq!(store.accounts(None, 0).await, Ok(vec![]));
}

pub async fn heads_are_listed_beside_their_accounts(store: impl Store + Clone) {
    let mut ours = Vec::new();
    for count in 1..=5 {
        let log = Log::new(&store);
        log.append(log.batch().write(conversation(), 0, count)).await;
        ours.push((log.account, Position::new(count)));
    }
    ours.sort();
    let mut listed: Vec<(AccountId, Position)> = Vec::new();
    loop {
        let after = listed.last().map(|(account, _)| *account);
        let page = store.heads(after, 2).await.expect("heads can be listed");
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    assert!(listed.is_sorted_by(|a, b| a.0 < b.0), "in id order, each once");
    listed.retain(|(account, _)| ours.iter().any(|(ours, _)| ours == account));
    assert_eq!(listed, ours);
}
