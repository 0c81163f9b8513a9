//! Sessions among the tokens, passwords, the directory, the sign-in key.

use parlance_domain::{MemberId, TokenId};

use super::{
    bearers::{hash, token},
    given::{Log, Seed, at, fresh_id},
};
use crate::{
    EmailHash, MEMBERSHIPS_MAX, NAMED_MAX, Sessions, Store, StoreError, StoredPassword, StoredToken,
    TOKENS_PER_MEMBER_MAX, TokenHash, TokenKind,
};

fn password(micros: i64) -> StoredPassword {
    let mut seed = Seed(fresh_id().as_u64_pair().0);
    let mut verifier = [0; 32];
    verifier.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&seed.next().to_be_bytes()));
    StoredPassword { recipe: 3, salt: fresh_id().into_bytes(), verifier, set_at: at(micros) }
}

fn email() -> EmailHash {
    EmailHash(hash().0)
}

pub async fn the_token_unused_longest_makes_room_for_a_new_one(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let (member, neighbour) = (MemberId::new(fresh_id()), MemberId::new(fresh_id()));
    let session = |micros, used: Option<i64>| StoredToken {
        created_at: at(micros),
        last_used_at: used.map(at),
        ..token(member, TokenKind::Session)
    };
    let (oldest, used_again, newest) = (hash(), hash(), hash());
    for (hash, token) in
        [(used_again, session(1, Some(30))), (oldest, session(2, Some(10))), (newest, session(20, None))]
    {
        let gone = store.put_token_for_oldest(account, hash, token, 3).await;
        assert_eq!(gone, Ok(vec![]), "there is room");
    }
    let mut others = Vec::new();
    for (member, kind) in [(neighbour, TokenKind::Session), (member, TokenKind::Api)] {
        others.push(hash());
        let put = store.put_token(account, others[others.len() - 1], token(member, kind)).await;
        put.expect("a token is stored");
    }
    let (fourth, fifth) = (hash(), hash());
    let gone = store.put_token_for_oldest(account, fourth, session(40, None), 3).await;
    assert_eq!(gone, Ok(vec![oldest]), "made later than another, but unused for longer");
    let gone = store.put_token_for_oldest(account, fifth, session(41, None), 3).await;
    assert_eq!(gone, Ok(vec![newest]));
    let listed = store.list_tokens(account, member, TokenKind::Session).await.expect("they are listed");
    assert_eq!(listed.iter().map(|(hash, _)| *hash).collect::<Vec<_>>(), [used_again, fourth, fifth]);
    for hash in others {
        assert!(store.find_token(account, hash).await.expect("tokens can be looked for").is_some());
    }
}

pub async fn a_use_is_written_down_and_never_taken_back(store: impl Store + Clone) {
    let (account, member) = (Log::new(&store).account, MemberId::new(fresh_id()));
    let (used, other) = (hash(), hash());
    for hash in [used, other] {
        store.put_token(account, hash, token(member, TokenKind::Api)).await.expect("a token is stored");
    }
    for (time, expected) in [(8, 8), (20, 20), (9, 20)] {
        store.touch_tokens(account, vec![hash(), used], at(time)).await.expect("it is written down");
        let found = store.find_token(account, used).await.expect("tokens can be looked for");
        assert_eq!(found.expect("the token").last_used_at, Some(at(expected)));
    }
    let other = store.find_token(account, other).await.expect("tokens can be looked for");
    assert_eq!(other.expect("the token").last_used_at, None);
    let many = vec![used; NAMED_MAX + 1];
    let refused = store.touch_tokens(account, many.clone(), at(1)).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    let refused = store.find_tokens(account, many).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "too many to look for");
}

pub async fn one_token_is_removed_by_its_id_by_its_member_once(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let (member, neighbour) = (MemberId::new(fresh_id()), MemberId::new(fresh_id()));
    let mut tokens: Vec<(TokenHash, TokenId)> = Vec::new();
    for (member, kind) in
        [(member, TokenKind::Api), (member, TokenKind::Session), (neighbour, TokenKind::Api)]
    {
        let (hash, token) = (hash(), token(member, kind));
        tokens.push((hash, token.id));
        store.put_token(account, hash, token).await.expect("a token is stored");
    }
    let remove = |id| store.remove_token(account, member, TokenKind::Api, id);
    let unknown = TokenId::new(fresh_id());
    for (id, why) in [(tokens[1].1, "a session"), (tokens[2].1, "another member's"), (unknown, "none")] {
        assert_eq!(remove(id).await, Ok(None), "{why}");
    }
    let (one, two) = tokio::join!(remove(tokens[0].1), remove(tokens[0].1));
    let mut told = [one.expect("it is removed"), two.expect("it is removed")];
    told.sort_unstable();
    assert_eq!(told, [None, Some(tokens[0].0)], "exactly one is told");
    for (place, (hash, _)) in tokens.into_iter().enumerate() {
        let found = store.find_token(account, hash).await.expect("tokens can be looked for");
        assert_eq!(found.is_some(), place > 0);
    }
}

pub async fn all_tokens_but_one_are_removed(store: impl Store + Clone) {
    let (account, member) = (Log::new(&store).account, MemberId::new(fresh_id()));
    let mut hashes = Vec::new();
    for _ in 0..TOKENS_PER_MEMBER_MAX {
        hashes.push(hash());
        let put = store.put_token(account, hashes[hashes.len() - 1], token(member, TokenKind::Session));
        put.await.expect("a token is stored");
    }
    let listed = store.list_tokens(account, member, TokenKind::Session).await.expect("they are listed");
    assert_eq!(listed.len(), TOKENS_PER_MEMBER_MAX);
    let remove = |but| store.remove_tokens(account, member, TokenKind::Session, but);
    assert_eq!(remove(Some(hashes[7])).await, Ok(TOKENS_PER_MEMBER_MAX - 1));
    let listed = store.list_tokens(account, member, TokenKind::Session).await.expect("they are listed");
    assert_eq!(listed.iter().map(|(hash, _)| *hash).collect::<Vec<_>>(), [hashes[7]]);
    assert_eq!(remove(Some(hash())).await, Ok(1), "one that is not there keeps nothing");
}

pub async fn a_password_is_set_and_its_sessions_end_with_it(store: impl Store + Clone) {
    let (account, other) = (Log::new(&store).account, Log::new(&store).account);
    let member = MemberId::new(fresh_id());
    let (first, second) = (password(1), password(2));
    assert_eq!(store.password(account, member).await, Ok(None));
    let (kept, ended, api) = (hash(), hash(), hash());
    for (hash, kind) in [(kept, TokenKind::Session), (ended, TokenKind::Session), (api, TokenKind::Api)] {
        store.put_token(account, hash, token(member, kind)).await.expect("a token is stored");
    }
    let set = |password: &StoredPassword, instead: Option<&StoredPassword>, sessions| {
        store.set_password(account, member, password.clone(), instead.cloned(), sessions)
    };
    assert_eq!(set(&first, Some(&second), Sessions::End { but: None }).await, Ok(false), "there is none");
    assert_eq!(store.password(account, member).await, Ok(None));
    assert_eq!(set(&first, None, Sessions::Keep).await, Ok(true));
    assert_eq!(store.password(account, member).await, Ok(Some(first.clone())));
    assert_eq!(store.password(other, member).await, Ok(None), "elsewhere it is nobody's");
    assert!(store.find_token(account, ended).await.expect("tokens can be looked for").is_some());
    let (one, two) = (password(3), password(4));
    let sessions = Sessions::End { but: Some(kept) };
    let (a, b) = tokio::join!(set(&one, Some(&first), sessions), set(&two, Some(&first), sessions));
    let (a, b) = (a.expect("it is answered"), b.expect("it is answered"));
    assert!(a ^ b, "exactly one takes the place of the first");
    assert_eq!(store.password(account, member).await, Ok(Some(if a { one } else { two })));
    for (hash, there) in [(kept, true), (ended, false), (api, true)] {
        let found = store.find_token(account, hash).await.expect("tokens can be looked for");
        assert_eq!(found.is_some(), there);
    }
}

pub async fn an_invitation_is_exchanged_together_with_the_password(store: impl Store + Clone) {
    let (account, member) = (Log::new(&store).account, MemberId::new(fresh_id()));
    let (invitation, one, two) = (hash(), hash(), hash());
    store.put_token(account, invitation, token(member, TokenKind::Invitation)).await.expect("stored");
    let (first, second) = (password(1), password(2));
    let exchange = |hash, password: &StoredPassword| {
        let token = token(member, TokenKind::Session);
        store.exchange_token(account, invitation, hash, token, Some(password.clone()))
    };
    let (a, b) = tokio::join!(exchange(one, &first), exchange(two, &second));
    let (a, b) = (a.expect("it is answered"), b.expect("it is answered"));
    assert!(a ^ b, "exactly one is told");
    let (won, kept) = if a { (one, first) } else { (two, second) };
    assert_eq!(store.password(account, member).await, Ok(Some(kept)));
    assert!(store.find_token(account, won).await.expect("tokens can be looked for").is_some());
}

pub async fn what_a_removed_member_had_is_forgotten_and_nothing_newer(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let (member, again, neighbour) =
        (MemberId::new(fresh_id()), MemberId::new(fresh_id()), MemberId::new(fresh_id()));
    let mut tokens = Vec::new();
    for (member, kind, micros, kept) in [
        (member, TokenKind::Api, 5, false),
        (member, TokenKind::Session, 5, false),
        (member, TokenKind::Invitation, 5, true),
        (member, TokenKind::Session, 10, true),
        (neighbour, TokenKind::Session, 5, true),
    ] {
        let hash = hash();
        let token = StoredToken { created_at: at(micros), ..token(member, kind) };
        store.put_token(account, hash, token).await.expect("a token is stored");
        tokens.push((hash, kept));
    }
    for (member, micros) in [(member, 9), (again, 10), (neighbour, 9)] {
        let set = store.set_password(account, member, password(micros), None, Sessions::Keep).await;
        assert_eq!(set, Ok(true));
    }
    for member in [member, again, member] {
        store.forget_member(account, member, at(10)).await.expect("it is forgotten");
    }
    for (hash, kept) in tokens {
        let found = store.find_token(account, hash).await.expect("tokens can be looked for");
        assert_eq!(found.is_some(), kept);
    }
    for (member, kept) in [(member, false), (again, true), (neighbour, true)] {
        let found = store.password(account, member).await.expect("passwords can be looked for");
        assert_eq!(found.is_some(), kept);
    }
}

pub async fn the_directory_tells_the_memberships_of_an_address(store: impl Store + Clone) {
    let (eva, other) = (email(), email());
    let mut expected = Vec::new();
    for _ in 0..MEMBERSHIPS_MAX + 1 {
        let entry = (parlance_domain::AccountId::new(fresh_id()), MemberId::new(fresh_id()));
        for _ in 0..2 {
            store.enter_membership(eva, entry.0, entry.1).await.expect("it is entered, once");
        }
        expected.push(entry);
    }
    store.enter_membership(other, expected[0].0, expected[1].1).await.expect("it is entered");
    expected.sort_unstable();
    expected.truncate(MEMBERSHIPS_MAX);
    assert_eq!(store.memberships(eva).await, Ok(expected));
    assert_eq!(store.memberships(other).await.map(|found| found.len()), Ok(1));
    assert_eq!(store.memberships(email()).await, Ok(vec![]));
}

pub async fn the_sign_in_key_is_the_first_that_came(store: impl Store + Clone) {
    let (one, two) = tokio::join!(store.sign_in_key(vec![1; 40]), store.sign_in_key(vec![2; 40]));
    let (one, two) = (one.expect("a key"), two.expect("a key"));
    assert_eq!(one, two, "all are told the same");
    assert_eq!(store.sign_in_key(vec![3; 40]).await, Ok(one));
}

pub async fn of_many_who_change_a_password_one_takes_its_place(store: impl Store + Clone) {
    const TASKS: i64 = 24;
    let (account, member) = (Log::new(&store).account, MemberId::new(fresh_id()));
    let first = password(0);
    let set = store.set_password(account, member, first.clone(), None, Sessions::Keep).await;
    assert_eq!(set, Ok(true));
    let tasks: Vec<_> = (1..=TASKS)
        .map(|number| {
            let (store, first, next) = (store.clone(), first.clone(), password(number));
            tokio::spawn(async move {
                let (session, sessions) = (token(member, TokenKind::Session), Sessions::End { but: None });
                store.put_token_for_oldest(account, hash(), session, 8).await.expect("a token is stored");
                let set = store.set_password(account, member, next.clone(), Some(first), sessions).await;
                (next, set.expect("it is answered"))
            })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        let (password, set) = task.await.expect("no task panics");
        won.extend(set.then_some(password));
    }
    assert_eq!(won.len(), 1, "exactly one takes the place of the first");
    assert_eq!(store.password(account, member).await, Ok(won.pop()));
}
