//! Copying: what comes out goes in, as it is, once.

use parlance_domain::{AccountId, MemberId, OperatorId, Position};
use parlance_projections::{Row, RowKey, Value};

use super::given::{Log, Write as _, at, conversation, event, fresh_id, key_id, token, with_token};
use crate::{
    ACCOUNT_TABLES, AccountKeys, CopiedTable, INSTALLATION_TABLES, KeyOp, NewEvent, Store, StoreError,
    StoredKey, StoredToken, TokenHash, TokenKind, canonical,
};

/// All rows, read in pages of two.
async fn all(store: &impl Store, table: &'static CopiedTable, account: Option<AccountId>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let after: Option<RowKey> = rows.last().map(|row| row[..table.key.len()].to_vec());
        let page = store.copied_rows(table, account, after, 2).await.expect("rows can be read");
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    let keys: Vec<_> = rows.iter().map(|row| &row[..table.key.len()]).collect();
    assert!(keys.is_sorted_by(|a, b| a < b), "{}: in key order, each once", table.name);
    rows
}

pub async fn events_are_copied_as_they_are(store: impl Store + Clone) {
    let (from, to) = (Log::new(&store), Log::new(&store));
    let (one, two) = (conversation(), conversation());
    let odd = NewEvent {
        sealed: Some(vec![0, 1, 255]),
        key: Some(key_id()),
        recorded_at: at(5),
        ..with_token(event(one, 3), token())
    };
    from.append(from.batch().write(one, 0, 2).write(two, 0, 1).event(odd)).await;
    from.append(from.batch().write(two, 1, 2)).await;
    let events: Vec<_> = from
        .all()
        .await
        .into_iter()
        .map(|mut event| {
            event.account = to.account;
            event
        })
        .collect();
    let copy = async |events: &[_], epoch| store.copy_events(to.account, events.to_vec(), epoch).await;
    let refused = copy(&events[1..], 7).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "a gap: {refused:?}");
    to.holds(0).await;
    copy(&events[..2], 7).await.expect("a beginning");
    copy(&events[2..], 7).await.expect("the rest");
    let refused = copy(&events[2..], 7).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "twice: {refused:?}");
    let copied = to.all().await;
    assert!(copied.iter().map(canonical::encode).eq(events.iter().map(canonical::encode)), "byte for byte");
    assert_eq!((to.head().await.epoch, to.head().await.recorded_at), (7, at(5)));
    let more = to.append(to.batch().write(one, 3, 1)).await;
    assert_eq!(more.first, Position::new(7), "the log goes on behind them");
    let known =
        to.rejected(to.batch().guard(two, 3).event(NewEvent { dedupe: events[3].dedupe, ..event(two, 4) }));
    assert_eq!(known.await.known.len(), 1, "tokens are known");
}

pub async fn rows_are_copied_once(store: impl Store + Clone) {
    let (from, to) = (Log::new(&store), Log::new(&store));
    let stream = conversation();
    let keys = [key_id(), key_id(), key_id()];
    let account_keys = AccountKeys { account_key: vec![1; 40], id_key: vec![2; 40] };
    let mut batch = from.batch().write(stream, 0, 1).key(KeyOp::CreateAccount(account_keys.clone()));
    for key in keys {
        batch = batch.key(KeyOp::Create { key, wrapped: vec![9; 72] });
    }
    from.append(batch).await;
    from.append(from.batch().write(stream, 1, 1).key(KeyOp::Destroy { key: keys[0] })).await;
    store.set_policy_checkpoint(from.account, "one", Position::new(2), None).await.expect("it is set");
    let member = MemberId::new(fresh_id());
    for (kind, name) in [(TokenKind::Api, Some(vec![3, 4])), (TokenKind::Session, None)] {
        let token = StoredToken {
            id: parlance_domain::TokenId::new(fresh_id()),
            kind,
            member,
            name,
            scopes: "read".to_owned(),
            created_at: at(1),
            expires_at: (kind == TokenKind::Session).then(|| at(9)),
            last_used_at: None,
        };
        let hash = TokenHash([u8::from(kind == TokenKind::Api) + 1; 32]);
        store.put_token(from.account, hash, token).await.expect("a token is put");
    }
    for table in ACCOUNT_TABLES {
        let rows = all(&store, table, Some(from.account)).await;
        let expected = match table.name {
            "data_keys" => 3,
            "tokens" => 2,
            "passwords" => 0,
            _ => 1,
        };
        assert_eq!(rows.len(), expected, "{}", table.name);
        for _ in 0..2 {
            store.copy_rows(table, Some(to.account), rows.clone()).await.expect("rows are taken, and again");
        }
        assert_eq!(all(&store, table, Some(to.account)).await, rows, "{}", table.name);
    }
    assert_eq!(store.account_keys(to.account).await, Ok(Some(account_keys)));
    assert_eq!(store.data_key(to.account, keys[0]).await, Ok(StoredKey::Destroyed));
    assert_eq!(store.data_key(to.account, keys[1]).await, Ok(StoredKey::Wrapped(vec![9; 72])));
    assert_eq!(store.list_tokens(to.account, member, TokenKind::Api).await.map(|tokens| tokens.len()), Ok(1));
    let other = vec![keys[1].uuid().into(), Value::Int(0), vec![0; 72].into()];
    store.copy_rows(ACCOUNT_TABLES[1], Some(to.account), vec![other]).await.expect("it is passed over");
    assert_eq!(
        store.data_key(to.account, keys[1]).await,
        Ok(StoredKey::Wrapped(vec![9; 72])),
        "never changed"
    );
}

pub async fn the_installation_s_rows_come_out_and_go_in(store: impl Store + Clone) {
    let hash =
        TokenHash([fresh_id().into_bytes(), fresh_id().into_bytes()].concat().try_into().expect("32 bytes"));
    let operator = OperatorId::new(fresh_id());
    store.put_operator_token(hash, operator, at(3)).await.expect("a token is put");
    for table in INSTALLATION_TABLES {
        let rows = all(&store, table, None).await;
        store.copy_rows(table, None, rows.clone()).await.expect("what is there is passed over");
        assert_eq!(all(&store, table, None).await, rows, "{}", table.name);
    }
    let row = vec![Value::Bytes(vec![7; 32]), operator.uuid().into(), Value::Int(5)];
    store.copy_rows(INSTALLATION_TABLES[0], None, vec![row]).await.expect("a row is taken");
    assert_eq!(store.find_operator_token(TokenHash([7; 32])).await, Ok(Some(operator)));
}
