//! Pages of read models: rows, checkpoint and parked streams together, by compare-and-set.

use parlance_domain::{AccountId, Position};
use parlance_projections::{Change, Table, inbox::MEMBERS};

use super::{
    given::{Log, conversation, fresh_id},
    rows::{all_rows, row},
};
use crate::{
    Checkpoint, FIRST_GENERATION, Generation, PageWrite, ParkedStream, ProjectionState, Store, StoreError,
};

pub(super) const PROJECTION: &str = "contract";

pub(super) fn checkpoint(position: u64) -> Checkpoint {
    Checkpoint { position: Position::new(position), taken: position, version: 3 }
}

pub(super) fn page(account: AccountId, from: u64, to: u64, changes: Vec<Change>) -> PageWrite {
    PageWrite {
        account,
        generation: FIRST_GENERATION,
        projection: PROJECTION,
        fence: None,
        from: (from > 0).then(|| checkpoint(from)),
        to: checkpoint(to),
        changes,
        parked: Vec::new(),
    }
}

fn member() -> Change {
    Change::Put { table: MEMBERS.id, row: row(&MEMBERS, vec![fresh_id().into()], 1) }
}

async fn stored(store: &impl Store, account: AccountId) -> Option<Checkpoint> {
    store.checkpoint(account, PROJECTION, FIRST_GENERATION).await.expect("a checkpoint can be read")
}

pub async fn a_page_moves_the_checkpoint(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    assert_eq!(stored(&store, account).await, None);
    assert_eq!(store.checkpoints(account).await, Ok(vec![]));
    store.write_pages(vec![page(account, 0, 5, vec![member()])]).await.expect("the first page is taken");
    assert_eq!(stored(&store, account).await, Some(checkpoint(5)));
    store.write_pages(vec![page(account, 5, 9, vec![member()])]).await.expect("the next page is taken");
    assert_eq!(stored(&store, account).await, Some(checkpoint(9)));
    assert_eq!(all_rows(&store, account, FIRST_GENERATION, &MEMBERS).await.len(), 2);
    store.write_pages(vec![]).await.expect("nothing to write is nothing to refuse");
}

pub async fn a_page_from_another_checkpoint_is_a_conflict(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let wrong = |from: Option<Checkpoint>| PageWrite { from, ..page(account, 0, 9, vec![member()]) };
    let conflicts = async |page| {
        let answer = store.write_pages(vec![page]).await;
        assert!(matches!(answer, Err(StoreError::Conflict(_))), "{answer:?}");
    };
    conflicts(wrong(Some(checkpoint(5)))).await;
    assert_eq!(stored(&store, account).await, None);
    store.write_pages(vec![page(account, 0, 5, vec![])]).await.expect("the first page is taken");
    for from in [
        None,
        Some(checkpoint(4)),
        Some(Checkpoint { taken: 4, ..checkpoint(5) }),
        Some(Checkpoint { version: 4, ..checkpoint(5) }),
    ] {
        conflicts(wrong(from)).await;
    }
    assert_eq!(stored(&store, account).await, Some(checkpoint(5)));
    assert_eq!(all_rows(&store, account, FIRST_GENERATION, &MEMBERS).await, Vec::<Vec<_>>::new());
}

pub async fn pages_are_written_together_or_not_at_all(store: impl Store + Clone) {
    let (one, two) = (Log::new(&store).account, Log::new(&store).account);
    let parked = ParkedStream {
        projection: PROJECTION.to_owned(),
        stream: conversation(),
        position: Position::new(2),
        events: 1,
        reason: "no".to_owned(),
    };
    let first = PageWrite { parked: vec![parked], ..page(one, 0, 2, vec![member()]) };
    let pages = vec![first.clone(), page(one, 2, 4, vec![member()]), page(two, 7, 8, vec![member()])];
    let answer = store.write_pages(pages).await;
    assert!(matches!(answer, Err(StoreError::Conflict(_))), "{answer:?}");
    assert_eq!(stored(&store, one).await, None);
    assert_eq!(all_rows(&store, one, FIRST_GENERATION, &MEMBERS).await, Vec::<Vec<_>>::new());
    assert_eq!(store.parked_streams(one, FIRST_GENERATION, None).await, Ok(vec![]));
    let pages = vec![first, page(one, 2, 4, vec![member()]), page(two, 0, 8, vec![member()])];
    store.write_pages(pages).await.expect("a page may go on from the one before it");
    assert_eq!(
        (stored(&store, one).await, stored(&store, two).await),
        (Some(checkpoint(4)), Some(checkpoint(8)))
    );
    assert_eq!(all_rows(&store, one, FIRST_GENERATION, &MEMBERS).await.len(), 2);
}

pub async fn generations_have_rows_and_checkpoints_of_their_own(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let next = Generation(2);
    let beside =
        |projection| PageWrite { generation: next, projection, ..page(account, 0, 3, vec![member()]) };
    store.write_pages(vec![page(account, 0, 5, vec![member(), member()])]).await.expect("the page is taken");
    store.write_pages(vec![beside(PROJECTION), beside("another")]).await.expect("the pages are taken");
    let state = |projection: &str, generation, position| ProjectionState {
        projection: projection.to_owned(),
        generation,
        checkpoint: checkpoint(position),
    };
    let expected =
        vec![state("another", next, 3), state(PROJECTION, FIRST_GENERATION, 5), state(PROJECTION, next, 3)];
    let mut states = store.checkpoints(account).await.expect("checkpoints can be listed");
    states.sort_by_key(|state| (state.projection.clone(), state.generation));
    assert_eq!(states, expected);
    assert_eq!(all_rows(&store, account, FIRST_GENERATION, &MEMBERS).await.len(), 2);
    assert_eq!(all_rows(&store, account, next, &MEMBERS).await.len(), 2);
}

pub async fn a_parked_stream_counts_up(store: impl Store + Clone) {
    let account = Log::new(&store).account;
    let parked = |stream, position, events| ParkedStream {
        projection: PROJECTION.to_owned(),
        stream,
        position: Position::new(position),
        events,
        reason: "the payload does not have its shape".to_owned(),
    };
    let (a, b) = (conversation(), conversation());
    let write = async |from, to, parked| {
        let page = PageWrite { parked, ..page(account, from, to, vec![]) };
        store.write_pages(vec![page]).await.expect("the page is taken");
    };
    write(0, 4, vec![parked(a, 4, 1)]).await;
    write(4, 8, vec![parked(b, 6, 2), parked(a, 4, 3)]).await;
    let all = store.parked_streams(account, FIRST_GENERATION, None).await;
    assert_eq!(all, Ok(vec![parked(a, 4, 3), parked(b, 6, 2)]));
    assert_eq!(store.parked_streams(account, FIRST_GENERATION, Some(PROJECTION)).await, all);
    assert_eq!(store.parked_streams(account, FIRST_GENERATION, Some("another")).await, Ok(vec![]));
    assert_eq!(store.parked_streams(account, Generation(2), None).await, Ok(vec![]));
    assert_eq!(store.parked_streams(Log::new(&store).account, FIRST_GENERATION, None).await, Ok(vec![]));
}

static TABLES_OF_IT: &[&Table] = &[&MEMBERS];

/// More than an adapter removes in one step.
const MANY: usize = 4_500;

pub async fn a_generation_is_dropped_without_its_neighbours(store: impl Store + Clone) {
    let (account, other) = (Log::new(&store).account, Log::new(&store).account);
    let next = Generation(2);
    let parked = ParkedStream {
        projection: PROJECTION.to_owned(),
        stream: conversation(),
        position: Position::new(1),
        events: 1,
        reason: String::new(),
    };
    let full = |account, generation, rows| PageWrite {
        generation,
        parked: vec![parked.clone()],
        ..page(account, 0, 5, (0..rows).map(|_| member()).collect())
    };
    let pages =
        vec![full(account, FIRST_GENERATION, MANY), full(account, next, 3), full(other, FIRST_GENERATION, 2)];
    store.write_pages(pages).await.expect("the pages are taken");
    let beside = PageWrite { projection: "another", ..page(account, 0, 5, vec![]) };
    store.write_pages(vec![beside]).await.expect("the page is taken");
    store
        .drop_generation(account, PROJECTION, TABLES_OF_IT, FIRST_GENERATION)
        .await
        .expect("it can be dropped");
    assert_eq!(stored(&store, account).await, None);
    assert_eq!(all_rows(&store, account, FIRST_GENERATION, &MEMBERS).await, Vec::<Vec<_>>::new());
    assert_eq!(store.parked_streams(account, FIRST_GENERATION, None).await, Ok(vec![]));
    assert_eq!(store.checkpoints(account).await.expect("checkpoints can be listed").len(), 2);
    assert_eq!(all_rows(&store, account, next, &MEMBERS).await.len(), 3);
    assert_eq!(store.parked_streams(account, next, None).await, Ok(vec![parked]));
    assert_eq!(stored(&store, other).await, Some(checkpoint(5)));
    assert_eq!(all_rows(&store, other, FIRST_GENERATION, &MEMBERS).await.len(), 2);
    store
        .drop_generation(account, PROJECTION, TABLES_OF_IT, FIRST_GENERATION)
        .await
        .expect("twice is no harm");
}

pub async fn a_policy_s_checkpoint_is_its_own(store: impl Store + Clone) {
    let (account, other) = (Log::new(&store).account, Log::new(&store).account);
    let read = async |account, policy| store.policy_checkpoint(account, policy).await;
    assert_eq!(read(account, "one").await, Ok(Position::START));
    for position in [4, 9] {
        let set = store.set_policy_checkpoint(account, "one", Position::new(position), None).await;
        set.expect("a policy's checkpoint can be set");
        assert_eq!(read(account, "one").await, Ok(Position::new(position)));
    }
    store.set_policy_checkpoint(account, "one", Position::new(7), None).await.expect("earlier is no harm");
    assert_eq!(read(account, "one").await, Ok(Position::new(9)), "it never moves back");
    assert_eq!(read(account, "two").await, Ok(Position::START));
    assert_eq!(read(other, "one").await, Ok(Position::START));
    assert_eq!(store.checkpoints(account).await, Ok(vec![]), "policies belong to no generation");
}

pub async fn of_many_who_write_from_one_checkpoint_one_writes(store: impl Store + Clone) {
    const TASKS: usize = 12;
    const PAGES: u64 = 6;
    let (one, two) = (Log::new(&store).account, Log::new(&store).account);
    for number in 0..PAGES {
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let store = store.clone();
                let page = |account| page(account, number, number + 1, vec![member(), member()]);
                // Both accounts in one transaction, whichever comes first.
                let pages = if task % 2 == 0 { [page(one), page(two)] } else { [page(two), page(one)] };
                tokio::spawn(async move { store.write_pages(pages.into()).await })
            })
            .collect();
        let mut written = 0;
        for task in tasks {
            match task.await.expect("no task panics") {
                Ok(()) => written += 1,
                Err(StoreError::Conflict(_)) => {}
                Err(error) => panic!("a page was not written: {error}"),
            }
        }
        assert_eq!(written, 1, "exactly one writes from {number}");
        for account in [one, two] {
            assert_eq!(stored(&store, account).await, Some(checkpoint(number + 1)));
            let rows = all_rows(&store, account, FIRST_GENERATION, &MEMBERS).await.len();
            assert_eq!(u64::try_from(rows), Ok(2 * (number + 1)), "and nothing of the others is left");
        }
    }
}
