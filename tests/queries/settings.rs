//! What the settings show: the account, members, channels, connections, and operators' dead letters.

use parlance_app::front::FrontError;
use parlance_domain::{
    Actor, Command, ConnectionId, DeliveryId, MemberId, OperatorId,
    account::Language,
    channel::{ChannelCommand, Visibility},
    connection::{ChannelKind, ConnectionCommand, ConnectionSecrets},
    delivery::{DeliveryCommand, DeliveryContent, Fate, KeptBecause, SkippedBecause},
    member::{MemberCommand, Standing},
    permissions::Action,
};
use parlance_tests::{START, Team, TestApp};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_and_its_kinds_of_channel_are_told() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    let view = queries.account(team.asker(team.admin)).await.unwrap();
    assert_eq!((view.name.as_deref(), view.language), (Some("Példa Kft."), Language::Hu));
    assert_eq!(view.time_zone, "Europe/Budapest");
    let kinds = vec![(ChannelKind::Messenger, true), (ChannelKind::WhatsappTwilio, false)];
    assert_eq!(queries.channel_kinds(), kinds);
    assert_eq!(queries.epoch(team.account).await, Ok(0));
    team.settled().await;
    let receipt = team.receive("a", "mid.1", "?").await.unwrap();
    assert_eq!(queries.shown(team.account, receipt.position()).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_in_pages_and_removed_ones_only_by_id() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    let mut present = vec![team.admin];
    for number in 0..7 {
        present.push(team.member(&format!("tag{number}@example.hu")).await);
    }
    let gone = present.remove(3);
    team.by(team.admin, Command::Member(gone, MemberCommand::Remove)).await.unwrap();
    team.availability(present[2], false).await.unwrap();
    present.sort();
    team.settled().await;
    let by = team.asker(present[0]);
    let (mut found, mut more) = (Vec::new(), true);
    while more {
        let after = found.last().map(|view: &parlance_app::front::MemberView| view.id);
        let page = queries.members(by, after, 3).await.unwrap();
        more = page.more;
        found.extend(page.items);
    }
    assert_eq!(found.iter().map(|view| view.id).collect::<Vec<_>>(), present);
    assert!(found.iter().all(|view| view.standing == Standing::Active && view.email.is_some()));
    assert_eq!(found.iter().filter(|view| !view.available).count(), 1);
    assert_eq!(found.iter().filter(|view| view.settings_access).count(), 1);
    let wanted = vec![gone, team.admin, MemberId::default(), gone];
    let by_id = queries.members_by_id(by, wanted).await.unwrap();
    assert_eq!(by_id.len(), 2);
    let gone = by_id.iter().find(|view| view.id == gone).unwrap();
    assert_eq!((gone.standing, gone.email.as_deref()), (Standing::Removed, Some("tag2@example.hu")));
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_shown_to_whoever_uses_or_manages_them() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let private = team.connect("page-2", Visibility::Private).await;
    let rename = |name: &str| ChannelCommand::Rename { name: parlance_domain::Name::new(name).unwrap() };
    team.by(team.admin, Command::Channel(team.channel, rename("Ősz"))).await.unwrap();
    team.by(team.admin, Command::Channel(private, rename("nyár"))).await.unwrap();
    team.settled().await;
    let all = queries.channels(team.asker(team.admin)).await.unwrap();
    assert_eq!(all.iter().map(|view| view.id).collect::<Vec<_>>(), [private, team.channel], "by name");
    assert_eq!(all[1].provider_id.as_deref(), Some("page-1"));
    let may =
        [Action::ManageChannels, Action::GovernChannel, Action::UseConversation, Action::DeleteConversation];
    assert_eq!(all[0].may, may);
    let mine = queries.channels(team.asker(béla)).await.unwrap();
    assert_eq!(mine.iter().map(|view| view.id).collect::<Vec<_>>(), [team.channel]);
    assert_eq!((mine[0].name.as_deref(), mine[0].provider_id.as_deref()), (Some("Ősz"), None));
    assert_eq!(mine[0].may, [Action::UseConversation]);
    // Whoever manages channels sees one that is another's alone, without its conversations.
    let grant = MemberCommand::SetPermissions { settings_access: true };
    team.by(team.admin, Command::Member(béla, grant)).await.unwrap();
    let mine = queries.channels(team.asker(béla)).await.unwrap();
    assert_eq!(mine[0].may, [Action::ManageChannels]);
    assert_eq!(mine[0].visibility, Visibility::Private);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_show_what_has_to_be_copied_to_whoever_manages_channels() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let (queries, béla) = (app.queries(), team.member("bela@example.hu").await);
    let twilio = ConnectionId::new(Uuid::from_u128(0xC1));
    let secrets = |token: &str, previous: Option<&str>| ConnectionSecrets {
        webhook_token: token.to_owned(),
        signing: "new".to_owned(),
        signing_previous: previous.map(str::to_owned),
        verify_token: previous.map(|_| "verify".to_owned()),
        access: None,
    };
    let add = ConnectionCommand::Add { kind: ChannelKind::WhatsappTwilio, secrets: secrets("wh2", None) };
    team.by(team.admin, Command::Connection(twilio, add)).await.unwrap();
    app.clock.advance(5);
    let rotate =
        ConnectionCommand::RotateSecrets { secrets: secrets("token", Some("secret")), instead_of: None };
    team.by(team.admin, Command::Connection(team.connection, rotate)).await.unwrap();
    team.settled().await;
    let views = queries.connections(team.asker(team.admin)).await.unwrap();
    let urls: Vec<_> = views.iter().map(|view| view.webhook_url.as_str()).collect();
    let base = "https://inbox.example.hu/webhooks";
    assert_eq!(urls, [format!("{base}/token"), format!("{base}/wh2#rc=5&rp=all")]);
    assert_eq!((views[0].channels.clone(), views[1].channels.clone()), (vec![team.channel], vec![]));
    assert_eq!((views[0].rotated_at, views[1].rotated_at), (Some(START.plus_micros(5)), None));
    assert_eq!((views[0].previous_accepted, views[1].previous_accepted), (true, false));
    assert_eq!(views[0].verify_token.as_deref(), Some("verify"));
    assert_eq!(queries.connections(team.asker(béla)).await.err(), Some(FrontError::NotPermitted));
    assert_eq!(queries.connections(team.asker(MemberId::default())).await.err(), Some(FrontError::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_newest_first_with_their_fate() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    let operator = OperatorId::COMMAND_LINE;
    let delivery = |number: u128| DeliveryId::new(Uuid::from_u128(0xD0 + number));
    let ask = async |number, order| {
        let command = Command::Delivery(delivery(number), order);
        app.ask(team.account, Actor::Operator(operator), command).await.unwrap();
    };
    for number in 0..5 {
        let content = DeliveryContent { content_type: "text/plain".to_owned(), body: vec![1; 10] };
        let because = KeptBecause::UnknownKind;
        let expires_at = START.plus_micros(9);
        ask(number, DeliveryCommand::Keep { connection: team.connection, because, expires_at, content })
            .await;
    }
    ask(1, DeliveryCommand::Skip { because: SkippedBecause::Judged }).await;
    team.settled().await;
    let first = queries.dead_letters(operator, team.account, None, 3).await.unwrap();
    let ids =
        |items: &[parlance_app::front::DeadLetterView]| items.iter().map(|view| view.id).collect::<Vec<_>>();
    assert_eq!((ids(&first.items), first.more), ([4, 3, 2].map(delivery).to_vec(), true));
    let before = first.items.last().map(|view| view.position);
    let rest = queries.dead_letters(operator, team.account, before, 3).await.unwrap();
    assert_eq!((ids(&rest.items), rest.more), ([1, 0].map(delivery).to_vec(), false));
    assert_eq!((rest.items[0].fate, rest.items[1].fate), (Fate::Skipped, Fate::Kept));
    assert_eq!((rest.items[1].bytes, rest.items[1].expires_at), (10, START.plus_micros(9)));
}
