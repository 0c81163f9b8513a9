//! Tokens that people and operators show: found by their hash alone, in their account alone.

use std::sync::Arc;

use parlance_domain::{AccountId, MemberId, OperatorId, TokenId};
use tokio::sync::Barrier;

use super::given::{Log, Seed, at, fresh_id};
use crate::{Store, StoreError, StoredToken, TOKENS_PER_MEMBER_MAX, TokenHash, TokenKind};

pub(super) fn hash() -> TokenHash {
    let mut seed = Seed(fresh_id().as_u64_pair().0);
    let mut bytes = [0; 32];
    bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&seed.next().to_be_bytes()));
    TokenHash(bytes)
}

pub(super) fn token(member: MemberId, kind: TokenKind) -> StoredToken {
    StoredToken {
        id: TokenId::new(fresh_id()),
        kind,
        member,
        name: None,
        scopes: String::new(),
        created_at: at(5),
        expires_at: None,
        last_used_at: None,
    }
}

pub async fn a_token_is_found_by_its_hash_in_its_account(store: impl Store + Clone) {
    let (account, other) = (Log::new(&store).account, Log::new(&store).account);
    let member = MemberId::new(fresh_id());
    let (api, invitation) = (hash(), hash());
    let plain = token(member, TokenKind::Api);
    let full = StoredToken {
        name: Some(vec![0, 255]),
        scopes: "read settings".to_owned(),
        expires_at: Some(at(9)),
        last_used_at: Some(at(7)),
        ..token(member, TokenKind::Invitation)
    };
    store.put_token(account, api, plain.clone()).await.expect("a token is stored");
    store.put_token(account, invitation, full.clone()).await.expect("a token is stored");
    assert_eq!(store.find_token(account, api).await, Ok(Some(plain.clone())));
    assert_eq!(store.find_token(account, invitation).await, Ok(Some(full.clone())));
    let mut both = store.find_tokens(account, vec![invitation, hash(), api]).await.expect("they are found");
    both.sort_by_key(|(hash, _)| *hash == invitation);
    assert_eq!(both, [(api, plain.clone()), (invitation, full)]);
    assert_eq!(store.find_tokens(other, vec![invitation, api]).await, Ok(vec![]));
    assert_eq!(store.find_token(other, api).await, Ok(None));
    assert_eq!(store.find_token(account, hash()).await, Ok(None));
    let again = store.put_token(account, api, token(MemberId::new(fresh_id()), TokenKind::Api)).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
    assert_eq!(store.find_token(account, api).await, Ok(Some(plain.clone())));
    // Its id is one token's in the account, and may be another's elsewhere.
    let same_id = StoredToken { id: plain.id, ..token(member, TokenKind::Api) };
    let again = store.put_token(account, hash(), same_id.clone()).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
    store.put_token(other, hash(), same_id).await.expect("a token is stored");
}

pub async fn a_member_s_tokens_of_a_kind_are_removed_together_and_once(store: impl Store + Clone) {
    let (account, other) = (Log::new(&store).account, Log::new(&store).account);
    let (member, neighbour) = (MemberId::new(fresh_id()), MemberId::new(fresh_id()));
    let mut kept = Vec::new();
    for (account, member, kind) in [
        (account, neighbour, TokenKind::Api),
        (account, member, TokenKind::Invitation),
        (other, member, TokenKind::Api),
    ] {
        let hash = hash();
        store.put_token(account, hash, token(member, kind)).await.expect("a token is stored");
        kept.push((account, hash));
    }
    let removed = [hash(), hash()];
    for hash in removed {
        store.put_token(account, hash, token(member, TokenKind::Api)).await.expect("a token is stored");
    }
    let remove = || store.remove_tokens(account, member, TokenKind::Api, None);
    let (one, two) = tokio::join!(remove(), remove());
    let mut counts = [one.expect("tokens are removed"), two.expect("tokens are removed")];
    counts.sort_unstable();
    assert_eq!(counts, [0, 2], "exactly one is told of them");
    for hash in removed {
        assert_eq!(store.find_token(account, hash).await, Ok(None));
    }
    for (account, hash) in kept {
        assert!(store.find_token(account, hash).await.expect("tokens can be looked for").is_some());
    }
}

pub async fn a_token_is_exchanged_once_and_for_all(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let (member, neighbour) = (MemberId::new(fresh_id()), MemberId::new(fresh_id()));
    let (invitation, newer, old, others) = (hash(), hash(), hash(), hash());
    for (hash, member, kind) in [
        (invitation, member, TokenKind::Invitation),
        (newer, member, TokenKind::Invitation),
        (old, member, TokenKind::Api),
        (others, neighbour, TokenKind::Api),
    ] {
        store.put_token(account, hash, token(member, kind)).await.expect("a token is stored");
    }
    let (one, two) = (hash(), hash());
    let exchange = |new| store.exchange_token(account, invitation, new, token(member, TokenKind::Api), None);
    let (first, second) = tokio::join!(exchange(one), exchange(two));
    let exchanged = [first.expect("an exchange is answered"), second.expect("an exchange is answered")];
    assert_eq!(exchanged.iter().filter(|told| **told).count(), 1, "exactly one is told");
    let (won, lost) = if exchanged[0] { (one, two) } else { (two, one) };
    for (hash, there) in
        [(won, true), (lost, false), (invitation, false), (old, false), (newer, true), (others, true)]
    {
        let found = store.find_token(account, hash).await.expect("tokens can be looked for");
        assert_eq!(found.is_some(), there, "{hash:?}");
    }
    // One whose new token cannot be stored changes nothing.
    let refused = store.exchange_token(account, newer, others, token(member, TokenKind::Api), None).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    assert!(store.find_token(account, newer).await.expect("tokens can be looked for").is_some());
    assert!(store.find_token(account, won).await.expect("tokens can be looked for").is_some());
}

pub async fn a_member_has_a_bounded_number_of_tokens(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let member = MemberId::new(fresh_id());
    let put = |member, kind| store.put_token(account, hash(), token(member, kind));
    for _ in 0..TOKENS_PER_MEMBER_MAX {
        put(member, TokenKind::Api).await.expect("a token is stored");
    }
    let refused = put(member, TokenKind::Api).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    put(member, TokenKind::Invitation).await.expect("another kind has a bound of its own");
    put(MemberId::new(fresh_id()), TokenKind::Api).await.expect("and so has another member");
    assert_eq!(store.remove_tokens(account, member, TokenKind::Api, None).await, Ok(TOKENS_PER_MEMBER_MAX));
    put(member, TokenKind::Api).await.expect("there is room again");
}

pub async fn an_operator_s_token_is_found_by_its_hash(store: impl Store + Clone) {
    let (hash, other, operator) = (hash(), hash(), OperatorId::new(fresh_id()));
    store.put_operator_token(hash, operator, at(1)).await.expect("a token is stored");
    assert_eq!(store.find_operator_token(hash).await, Ok(Some(operator)));
    assert_eq!(store.find_operator_token(other).await, Ok(None));
    let again = store.put_operator_token(hash, OperatorId::new(fresh_id()), at(2)).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
    assert_eq!(store.find_operator_token(hash).await, Ok(Some(operator)));
    assert_eq!(store.find_token(Log::new(&store).account, hash).await, Ok(None), "no member's");
}

/// Servers that ask for the same at once.
const MANY: usize = 24;

/// Waits for the others, behind a question that opens whatever connection is needed: nobody comes late by that.
async fn together(store: &impl Store, account: AccountId, others: &Barrier) {
    store.find_token(account, hash()).await.expect("tokens can be looked for");
    others.wait().await;
}

pub async fn many_who_store_tokens_at_once_keep_the_bound(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let member = MemberId::new(fresh_id());
    for _ in MANY / 2..TOKENS_PER_MEMBER_MAX {
        store.put_token(account, hash(), token(member, TokenKind::Api)).await.expect("a token is stored");
    }
    let others = Arc::new(Barrier::new(MANY));
    let tasks: Vec<_> = (0..MANY)
        .map(|_| {
            let (store, others) = (store.clone(), others.clone());
            tokio::spawn(async move {
                together(&store, account, &others).await;
                store.put_token(account, hash(), token(member, TokenKind::Api)).await
            })
        })
        .collect();
    let (mut stored, mut refused) = (0, 0);
    for task in tasks {
        match task.await.expect("no task panics") {
            Ok(()) => stored += 1,
            Err(StoreError::Refused(_)) => refused += 1,
            Err(error) => panic!("a token was not stored: {error}"),
        }
    }
    assert_eq!((stored, refused), (MANY / 2, MANY - MANY / 2), "as many as there was room for");
    let listed = store.list_tokens(account, member, TokenKind::Api).await.expect("they are listed");
    assert_eq!(listed.len(), TOKENS_PER_MEMBER_MAX);
}

pub async fn many_who_make_room_at_once_keep_the_bound(store: impl Store + Clone) {
    const MOST: usize = 5;
    let account = Log::new(&store).account;
    let member = MemberId::new(fresh_id());
    let others = Arc::new(Barrier::new(MANY));
    let tasks: Vec<_> = (0..MANY)
        .map(|_| {
            let (store, others) = (store.clone(), others.clone());
            tokio::spawn(async move {
                together(&store, account, &others).await;
                let (hash, session) = (hash(), token(member, TokenKind::Session));
                let gone = store.put_token_for_oldest(account, hash, session, MOST).await;
                // Uses are written down meanwhile.
                store.touch_tokens(account, vec![hash], at(6)).await.expect("it is written down");
                (hash, gone.expect("a token is stored"))
            })
        })
        .collect();
    let (mut stored, mut gone) = (Vec::new(), Vec::new());
    for task in tasks {
        let (hash, of_it) = task.await.expect("no task panics");
        stored.push(hash);
        gone.extend(of_it);
    }
    let listed = store.list_tokens(account, member, TokenKind::Session).await.expect("they are listed");
    assert_eq!(listed.len(), MOST);
    gone.extend(listed.into_iter().map(|(hash, _)| hash));
    gone.sort_unstable();
    stored.sort_unstable();
    assert_eq!(gone, stored, "each is there or was told to be gone, once");
}

pub async fn of_many_who_exchange_or_remove_a_token_one_is_told(store: impl Store + Clone) {
    const ROUNDS: usize = 6;
    let account = Log::new(&store).account;
    let member = MemberId::new(fresh_id());
    for _ in 0..ROUNDS {
        let (invitation, stored) = (hash(), token(member, TokenKind::Invitation));
        let id = stored.id;
        store.put_token(account, invitation, stored).await.expect("a token is stored");
        let tasks: Vec<_> = (0..MANY)
            .map(|task| {
                let store = store.clone();
                let session = token(member, TokenKind::Session);
                tokio::spawn(async move {
                    match task % 3 {
                        0 => {
                            let removed =
                                store.remove_token(account, member, TokenKind::Invitation, id).await;
                            removed.map(|removed| usize::from(removed.is_some()))
                        }
                        1 => store.remove_tokens(account, member, TokenKind::Invitation, None).await,
                        _ => {
                            let told = store.exchange_token(account, invitation, hash(), session, None).await;
                            told.map(usize::from)
                        }
                    }
                })
            })
            .collect();
        let mut told = 0;
        for task in tasks {
            told += task.await.expect("no task panics").expect("it is answered");
        }
        assert_eq!(told, 1, "exactly one is told of it");
        assert_eq!(store.find_token(account, invitation).await, Ok(None));
    }
}
