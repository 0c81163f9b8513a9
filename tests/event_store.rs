//! The log as a cqrs-es `EventStore`: its framework runs Parlance's aggregates over it, and meets conflicts as
//! its own error.

use std::{collections::HashMap, sync::Arc};

use cqrs_es::{AggregateContext as _, AggregateError, CqrsFramework, EventStore};
use parlance_app::AccountEventStore;
use parlance_domain::{
    Actor, CommandId, CorrelationId, Issued, Name, Surroundings,
    channel::{Channel, ChannelCommand, ChannelError},
    member::{Member, MemberCommand, MemberError},
};
use parlance_stores::AnyStore;
use parlance_tests::{Checker, START, Team, TestApp};
use uuid::Uuid;

fn bridge(team: &Team<'_>) -> AccountEventStore<AnyStore> {
    AccountEventStore {
        store: team.app.parlance.store.clone(),
        keyring: Arc::clone(&team.app.parlance.keyring),
        account: team.account,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cqrs_es_runs_a_member_over_the_log() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let member = team.member("eva@example.hu").await;
    let id = member.uuid().simple().to_string();
    let framework: CqrsFramework<Member, _> =
        CqrsFramework::new(bridge(&team), Vec::new(), Surroundings::default());
    let issued = |order| Issued { on: member.uuid(), at: START, by: Actor::Member(member), order };
    let (cause, correlation) = (CommandId::new(Uuid::from_u128(1)), CorrelationId::new(Uuid::from_u128(2)));
    let metadata = HashMap::from([
        ("causation_id".to_owned(), cause.to_string()),
        ("correlation_id".to_owned(), correlation.to_string()),
    ]);
    let away = issued(MemberCommand::SetAvailability { available: false });
    framework.execute_with_metadata(&id, away, metadata).await.unwrap();
    let renamed = issued(MemberCommand::ChangeProfile { name: Name::new("Szűcs Éva").unwrap() });
    framework.execute(&id, renamed).await.unwrap();
    let refused = framework.execute(&id, issued(MemberCommand::Remove)).await;
    assert!(matches!(refused, Err(AggregateError::UserError(MemberError::NotPermitted))), "{refused:?}");

    let log = app.log(team.account).await;
    Checker::check(&log);
    let [.., changed, profile] = log.as_slice() else { panic!("two events more") };
    assert_eq!((changed.event_type.as_str(), changed.version), ("AvailabilityChanged", 3));
    assert_eq!(
        (changed.causation, changed.correlation, changed.actor),
        (cause, correlation, Actor::Member(member))
    );
    assert_eq!(profile.event_type, "MemberProfileChanged");
    assert!(profile.sealed.is_some(), "the bridge seals what is personal");
    let loaded: Member =
        EventStore::<Member>::load_aggregate(&bridge(&team), &id).await.unwrap().aggregate().clone();
    assert!(!loaded.available);
    assert_eq!(loaded.profile.value().unwrap().name, Name::new("Szűcs Éva").unwrap());
    // The running command path goes on from there.
    team.availability(member, true).await.unwrap();
    Checker::check(&app.log(team.account).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn cqrs_es_meets_a_conflict_as_its_own_error() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let store = bridge(&team);
    let id = team.channel.uuid().simple().to_string();
    let early = EventStore::<Channel>::load_aggregate(&store, &id).await.unwrap();
    let rename = |name| Issued {
        on: team.channel.uuid(),
        at: START,
        by: Actor::Member(team.admin),
        order: ChannelCommand::Rename { name: Name::new(name).unwrap() },
    };
    // Services that know the admin, as the command path would have looked them up.
    let admin_id = team.admin.uuid().simple().to_string();
    let mut admin = EventStore::<Member>::load_aggregate(&store, &admin_id).await.unwrap();
    let around = Surroundings {
        members: vec![(team.admin, Arc::new(admin.aggregate().clone()))],
        ..Surroundings::default()
    };
    let nobody: CqrsFramework<Channel, _> =
        CqrsFramework::new(bridge(&team), Vec::new(), Surroundings::default());
    let refused = nobody.execute(&id, rename("Nem lehet")).await;
    assert!(matches!(refused, Err(AggregateError::UserError(ChannelError::NotFound))), "{refused:?}");
    let framework: CqrsFramework<Channel, _> = CqrsFramework::new(bridge(&team), Vec::new(), around);
    framework.execute(&id, rename("Új név")).await.unwrap();

    let events: Vec<_> = EventStore::<Channel>::load_events(&store, &id).await.unwrap();
    let renamed = events.last().unwrap();
    assert_eq!(renamed.sequence, 2);
    let before = app.log(team.account).await;
    let stale = store.commit(vec![renamed.payload.clone()], early, HashMap::new()).await;
    assert!(matches!(stale, Err(AggregateError::AggregateConflict)), "{:?}", stale.err());
    assert_eq!(app.log(team.account).await, before, "nothing was recorded");
}
