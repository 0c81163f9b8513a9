//! Where following begins, how it goes on, and when it is too late.

use parlance_app::front::{FrontError, InboxChange};
use parlance_domain::{Command, ConversationId, Position, channel::Visibility, member::MemberCommand};
use parlance_tests::{Team, TestApp};

use super::{head, ids, next, told, up_to_now};

/// Positions that concern nobody but as availability: `count` of them.
async fn availabilities(team: &Team<'_>, count: usize) {
    const AT_ONCE: usize = 2_000;
    let all: Vec<_> = (0..count).map(|n| team.availability_asking(team.admin, n % 2 == 1)).collect();
    for some in all.chunks(AT_ONCE) {
        for answer in team.app.parlance.commands.submit_all(some.to_vec()).await {
            answer.expect("the availability is set");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_change_comes_at_once() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    team.settled().await;
    let head = head(&team).await;
    let asker = team.asker(team.admin);
    for after in [None, Some(head)] {
        let first = told(&mut queries.inbox_changes(asker, after)).await;
        let empty = InboxChange {
            position: head,
            conversations: vec![],
            gone: vec![],
            channels_gone: vec![],
            channels_to_load: vec![],
            members: vec![],
            channels: vec![],
        };
        assert_eq!(first, empty);
    }
    let missed = told(&mut queries.inbox_changes(asker, Some(Position::new(head.number() - 1)))).await;
    assert_eq!((ids(&missed), missed.position), (vec![team.conversation("a")], head));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_comes_in_pieces_without_a_gap_and_then_what_is_new() {
    const CONTACTS: usize = 60;
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    let before = head(&team).await;
    for n in 0..CONTACTS {
        team.receive(&format!("contact {n}"), &format!("mid.{n}"), "Halló?").await.unwrap();
    }
    team.settled().await;
    let missed = head(&team).await;
    let mut following = queries.inbox_changes(team.asker(team.admin), Some(before));
    let (mut at, mut all): (Position, Vec<ConversationId>) = (before, vec![]);
    while at < missed {
        let change = told(&mut following).await;
        assert!(change.position > at && change.conversations.len() <= InboxChange::ITEMS_MAX);
        at = change.position;
        all.extend(ids(&change));
    }
    assert_eq!((at, all.len()), (missed, CONTACTS), "each once");
    team.receive("contact 0", "mid.new", "Itt vagy?").await.unwrap();
    assert_eq!(ids(&told(&mut following).await), [team.conversation("contact 0")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_more_than_ten_thousand_positions_behind_loads_anew() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, asker) = (app.queries(), team.asker(team.admin));
    let mut slow = queries.inbox_changes(asker, None);
    let at = told(&mut slow).await.position;
    let missing = at.number() + InboxChange::BEHIND_MAX - head(&team).await.number();
    availabilities(&team, usize::try_from(missing).unwrap()).await;
    team.settled().await;
    assert_eq!(head(&team).await.number() - at.number(), InboxChange::BEHIND_MAX);
    let mut just = queries.inbox_changes(asker, Some(at));
    let mut last = at;
    while last < head(&team).await {
        let change = told(&mut just).await;
        assert!(change.position > last);
        last = change.position;
    }
    team.availability(team.admin, false).await.unwrap();
    team.settled().await;
    assert_eq!(told(&mut just).await.position, head(&team).await);
    assert_eq!(next(&mut slow).await, Some(Err(FrontError::Reload)), "never skipped in silence");
    assert_eq!(next(&mut slow).await, None);
    let mut late = queries.inbox_changes(asker, Some(at));
    assert_eq!(next(&mut late).await, Some(Err(FrontError::Reload)));
    let ahead = Position::new(head(&team).await.number() + 1);
    let mut early = queries.inbox_changes(asker, Some(ahead));
    assert_eq!(next(&mut early).await, Some(Err(FrontError::Reload)), "it is none of this log");
    let mut watching = queries.conversation_changes(asker, team.conversation("a"), Some(ahead));
    assert_eq!(next(&mut watching).await, Some(Err(FrontError::Reload)));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_nothing_for_long_is_told_the_position() {
    const QUIET: u64 = 1_000;
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let private = team.connect("page-2", Visibility::Private).await;
    team.settled().await;
    let mut following = queries.inbox_changes(team.asker(béla), None);
    let begin = told(&mut following).await.position;
    let mut asks = Vec::new();
    for n in 0..QUIET {
        let mut incoming = team.incoming("a", &format!("mid.{n}"), "Csak neked");
        incoming.channel = private;
        let conversation = team.ring.ids.conversation(private, "a");
        let receive = parlance_domain::conversation::ConversationCommand::Receive(incoming);
        let by = parlance_domain::Actor::Contact(conversation);
        asks.push(app.asking(team.account, by, vec![Command::Conversation(conversation, receive)]));
    }
    for answer in app.parlance.commands.submit_all(asks).await {
        answer.unwrap();
    }
    let quiet = told(&mut following).await;
    assert!(quiet.position.number() - begin.number() >= QUIET);
    assert_eq!((ids(&quiet), quiet.channels.len(), quiet.members.len()), (vec![], 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_not_shown_yet_is_waited_for() {
    let app = TestApp::still().await;
    let team = Team::create(&app).await;
    let (queries, asker) = (app.queries(), team.asker(team.admin));
    let store = &app.parlance.store;
    app.parlance.projections.catch_up(store, team.account).await.unwrap();
    let mut following = queries.inbox_changes(asker, None);
    let begin = told(&mut following).await.position;
    team.receive("a", "mid.1", "Halló?").await.unwrap();
    let recorded = head(&team).await;
    let mut waiting = queries.inbox_changes(asker, Some(recorded));
    assert!(futures_util::poll!(futures_util::StreamExt::next(&mut following)).is_pending());
    let (first, ()) = tokio::join!(told(&mut waiting), async {
        app.parlance.projections.catch_up(store, team.account).await.unwrap();
    });
    assert_eq!((first.position, ids(&first)), (recorded, vec![]));
    let change = told(&mut following).await;
    assert_eq!((change.position > begin, ids(&change)), (true, vec![team.conversation("a")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_comes_to_the_same_from_wherever_it_is_gone_on_with() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let begin = head(&team).await.number();
    for n in 0..12 {
        let contact = ["a", "b", "c"][n % 3];
        team.receive(contact, &format!("mid.{n}"), "Halló?").await.unwrap();
        if n % 5 == 4 {
            let delete = parlance_domain::conversation::ConversationCommand::Delete;
            team.act(team.admin, contact, delete).await.unwrap();
        }
    }
    let set = MemberCommand::SetPermissions { settings_access: true };
    team.by(team.admin, Command::Member(béla, set)).await.unwrap();
    let whole = super::since(&queries, &team, béla, Position::new(begin)).await;
    let end = head(&team).await.number();
    for after in begin..end {
        let mut following = queries.inbox_changes(team.asker(béla), Some(Position::new(after)));
        let part = up_to_now(&team, &mut following).await;
        for row in &part.conversations {
            assert!(whole.conversations.contains(row), "from {after}");
        }
        assert!(part.gone.iter().all(|id| whole.gone.contains(id)), "from {after}");
    }
}

/// The statements that one message costs so many followers. Nothing else runs.
async fn cost(followers: usize) -> u64 {
    let app = TestApp::still().await;
    let team = Team::create(&app).await;
    let (queries, store) = (app.queries(), &app.parlance.store);
    let catch_up = async || {
        app.parlance.projections.catch_up(store, team.account).await.expect("everything folds");
    };
    catch_up().await;
    let asker = team.asker(team.admin);
    let mut all: Vec<_> = (0..followers).map(|_| queries.inbox_changes(asker, None)).collect();
    for following in &mut all {
        told(following).await;
    }
    let mut statements = 0;
    // The first one also reads what is kept from then on.
    for mid in ["mid.1", "mid.2"] {
        team.receive("a", mid, "Halló?").await.expect("the message is taken");
        catch_up().await;
        let before = store.statements_run();
        for following in &mut all {
            assert_eq!(ids(&told(following).await), [team.conversation("a")]);
        }
        statements = store.statements_run() - before;
    }
    statements
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_read_once_however_many_are_told_of_it() {
    let one = cost(1).await;
    assert!(one > 0);
    assert_eq!(cost(40).await, one);
}
