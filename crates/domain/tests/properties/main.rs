//! Whatever anybody asks in whatever order, some things always hold. The world is in `world`, what is asked
//! in `steps`; here is what must hold.

mod steps;
mod world;

use std::collections::BTreeSet;

use parlance_domain::{
    Actor, ChannelId, Command, ConversationId, Event, MemberId, Personal, StoredEvent, SystemReason,
    Timestamp,
    account::Account,
    catalogue,
    channel::{Channel, ChannelEvent, Health, InstallerCause},
    conversation::{
        Assignment, Conversation, ConversationCommand, ConversationEvent, Phase, ReopenCause, UnassignCause,
    },
    member::Member,
    permissions::has_access,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use steps::{MINUTE_MICROS, START, Step, account, beginning, release, steps};
use world::{Happened, World};

/// Enough to meet every event many times, in a few seconds.
const CASES: u32 = 256;
const ACCESS_LOST: Actor = Actor::System(SystemReason::AccessLost);

fn config() -> ProptestConfig {
    ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() }
}

fn begun() -> World {
    let mut world = World { now: START, ..World::default() };
    for (by, command) in beginning() {
        world.run(&command, by).expect("the beginning is allowed");
        members_hold(&world);
    }
    world
}

/// One step, with everything that must hold after it.
fn step(world: &mut World, (by, command): &Step) -> Vec<Happened> {
    let before = world.clone();
    world.now = world.now.plus_micros(MINUTE_MICROS);
    let asked = world.run(command, *by);
    let mut again = world.clone();
    match &asked {
        Ok(happened) => {
            conversations_hold(&before, world, *by, happened);
            channel_events_hold(&before, *by, happened);
            if let Command::Conversation(_, order) = command
                && by.member().is_some()
                && !matches!(order, ConversationCommand::Release { .. })
            {
                let repeated = again.run(command, *by).expect("asking again is no error");
                assert!(repeated.is_empty(), "asking for what already holds makes no event");
            }
        }
        Err(refusal) => assert_eq!(&again.run(command, *by).expect_err("still refused"), refusal),
    }
    members_hold(world);
    channels_hold(world);
    asked.unwrap_or_default()
}

/// The account knows exactly the active members with settings access, and there is always one.
fn members_hold(world: &World) {
    let members = world.members.states.iter();
    let with_access: BTreeSet<_> = members
        .filter(|(_, member)| member.is_active() && member.settings_access)
        .map(|(id, _)| MemberId::new(*id))
        .collect();
    let known = &world.state::<Account>(account()).with_settings_access;
    assert_eq!(known, &with_access);
    let joined = world.members.states.values().any(|member| member.is_active());
    assert!(!joined || !known.is_empty(), "somebody can always change the settings");
}

/// A channel has exactly one installer, who is active; that member's stream says so, and nobody else's.
fn channels_hold(world: &World) {
    for (id, channel) in &world.channels.states {
        assert_eq!(channel.installer.is_some(), channel.health != Health::Absent);
        let id = ChannelId::new(*id);
        for (member_id, member) in &world.members.states {
            let installer = channel.installer == Some(MemberId::new(*member_id));
            assert_eq!(member.installations.contains(&id), installer, "{id} {member:?}");
            assert!(!installer || member.is_active(), "an installer is here");
        }
    }
}

/// Only the installer with settings access governs a channel, and it changes hands from the one who had it.
fn channel_events_hold(before: &World, by: Actor, happened: &[Happened]) {
    use ChannelEvent as E;
    for happened in happened {
        let Event::Channel(event) = &happened.event else { continue };
        let channel = before.state::<Channel>(happened.stream);
        if matches!(event, E::ChannelBroken(_) | E::ChannelRestored(_)) {
            assert!(matches!(by, Actor::System(_)), "{event:?} is reported");
            continue;
        }
        let member = by.member().expect("a member changes a channel");
        let manages = before.state::<Member>(member).settings_access;
        assert!(manages, "{event:?} needs settings access");
        let installer = channel.installer == Some(member);
        match event {
            E::VisibilityChanged(_) | E::RetentionChanged(_) => assert!(installer, "{event:?}"),
            E::InstallerChanged(e) => {
                assert_eq!(Some(e.previous), channel.installer);
                assert_ne!(e.previous, e.installer);
                let reconnected = e.cause == InstallerCause::Reconnected && e.installer == member;
                assert_ne!(reconnected, installer, "handed over by the installer, or taken by reconnecting");
            }
            _ => {}
        }
    }
}

fn reaches(world: &World, member: MemberId, conversation: &Conversation) -> bool {
    conversation.channel.is_some_and(|channel| {
        has_access(member, &world.state::<Member>(member), &world.state::<Channel>(channel))
    })
}

fn conversations_hold(before: &World, after: &World, by: Actor, happened: &[Happened]) {
    for id in after.conversations.states.keys().map(|id| ConversationId::new(*id)) {
        let (old, new) = (before.state::<Conversation>(id), after.state::<Conversation>(id));
        let of_this = happened.iter().filter(|happened| happened.stream == id.into());
        let events: Vec<_> = of_this
            .map(|happened| match &happened.event {
                Event::Conversation(event) => (happened.by, event),
                other => panic!("{other:?} in a conversation's stream"),
            })
            .collect();
        for (stamped, event) in &events {
            event_holds(before, &old, by, *stamped, event);
            if let ConversationEvent::Assigned(e) = event {
                let assignment = Assignment { assignee: e.assignee, by, at: after.now };
                assert_eq!(new.assignment, Some(assignment), "who, by whom and when");
            }
        }
        life_holds(&old, &new, &events.iter().map(|(_, event)| *event).collect::<Vec<_>>());
        assert!(new.last_contact_at <= Some(after.now), "a stamp from the future is no time");
    }
}

/// What an event says, against the world in which it was decided.
fn event_holds(before: &World, old: &Conversation, by: Actor, stamped: Actor, event: &ConversationEvent) {
    use ConversationEvent as E;
    let automatic = match event {
        E::Unassigned(e) => match e.cause {
            UnassignCause::Member => None,
            UnassignCause::ReopenRule => Some(SystemReason::ReopenRule),
            UnassignCause::AssigneeRemoved | UnassignCause::AccessLost => Some(SystemReason::AccessLost),
        },
        _ => None,
    };
    assert_eq!(stamped, automatic.map_or(by, Actor::System), "{event:?}");
    if let E::Unassigned(e) = event {
        assert_eq!(old.assignee(), Some(e.previous));
        let lost = matches!(e.cause, UnassignCause::AssigneeRemoved | UnassignCause::AccessLost);
        // A member may take it from whomever; the system only from those who lost access, or by the rule.
        assert!(
            e.cause == UnassignCause::Member || lost != reaches(before, e.previous, old),
            "{event:?} is without cause"
        );
    }
    if let E::Assigned(e) = event {
        let assignee = before.state::<Member>(e.assignee);
        assert!(assignee.available, "nobody assigns to an unavailable member");
        assert!(reaches(before, e.assignee, old), "nobody assigns to a member without access");
        assert_eq!(e.previous, old.assignee());
        assert_ne!(e.previous, Some(e.assignee));
    }
    if let Some(member) = by.member() {
        assert!(old.is_visible(), "{event:?}: members change only what is there");
        assert!(reaches(before, member, old), "{event:?}: and what they have access to");
        match event {
            E::Assigned(_) | E::Unassigned(_) => {}
            E::Closed(_) => assert_eq!(old.phase, Phase::Open),
            E::Reopened(e) => assert_eq!((old.phase, e.cause), (Phase::Closed, ReopenCause::Member)),
            E::Deleted(_) => {
                let channel = before.state::<Channel>(old.channel.expect("visible ones have a channel"));
                assert_eq!(channel.installer, Some(member), "only the installer deletes");
            }
            other => panic!("{other:?} is no member's"),
        }
    } else {
        let provider = matches!(by, Actor::Contact(_) | Actor::System(_));
        assert!(provider, "{event:?}: an operator touches no conversation");
        assert!(!matches!(event, E::Assigned(_) | E::Closed(_) | E::Deleted(_)), "{event:?} is a member's");
    }
}

/// From one state to the next, by these events.
fn life_holds(old: &Conversation, new: &Conversation, events: &[&ConversationEvent]) {
    use ConversationEvent as E;
    let count = |wanted: fn(&E) -> bool| events.iter().filter(|event| wanted(event)).count();
    let messages = count(|event| matches!(event, E::MessageReceived(_) | E::MessageEchoed(_)));
    let expected = match old.phase {
        _ if count(|event| matches!(event, E::Deleted(_))) > 0 => Phase::Deleted,
        _ if count(|event| matches!(event, E::Closed(_))) > 0 => Phase::Closed,
        _ if count(|event| matches!(event, E::Reopened(_))) > 0 => Phase::Open,
        Phase::NotBegun | Phase::Deleted if messages > 0 => Phase::Open,
        same => same,
    };
    assert_eq!(new.phase, expected);
    assert!(old.channel.is_none() || new.channel == old.channel, "a conversation stays with its channel");
    let grown = new.incarnation - old.incarnation;
    let may_grow = match old.phase {
        Phase::NotBegun => u32::from(old.incarnation == 0),
        Phase::Deleted => 1,
        Phase::Open | Phase::Closed => 0,
    };
    assert!(grown <= may_grow, "{} to {} while {:?}", old.incarnation, new.incarnation, old.phase);
    if !new.is_visible() {
        assert_eq!(new.assignment, None);
        assert_eq!((new.thread_version, new.last_contact_at), (0, None));
    }
    if new.phase == Phase::Deleted {
        assert_eq!(new.profile, Personal::Erased);
        assert!(new.deleted_at.is_some());
    }
    let told = count(|event| matches!(event, E::Assigned(_) | E::Unassigned(_) | E::Deleted(_)));
    assert!(told > 0 || new.assignment == old.assignment, "an assignment changes by an event");
}

/// A conversation's whole log: each life is over with its deletion, and the state counts the last one.
fn histories_hold(world: &World) {
    use ConversationEvent as E;
    for (id, events) in &world.conversations.events {
        let (mut incarnation, mut messages, mut last_contact) = (1, 0, None::<Timestamp>);
        for stamped in events {
            match &stamped.event {
                E::MessageSkipped(e) => assert!(e.incarnation < incarnation || messages > 0),
                E::Deleted(e) => {
                    assert_eq!(e.incarnation, incarnation);
                    (incarnation, messages, last_contact) = (incarnation + 1, 0, None);
                }
                event => {
                    assert_eq!(event.facts().key_number(), incarnation, "{event:?}");
                    messages += u64::from(matches!(event, E::MessageReceived(_) | E::MessageEchoed(_)));
                    if let E::MessageReceived(e) = event {
                        let at = e.provider_at.map_or(stamped.at, |at| at.min(stamped.at));
                        last_contact = last_contact.max(Some(at));
                    }
                }
            }
        }
        let state = &world.conversations.states[id];
        assert_eq!((state.thread_version, state.last_contact_at), (messages, last_contact));
    }
}

/// After the system has released what is to be released, every assignee has access.
fn releases_suffice(world: &mut World) {
    let ids: Vec<_> = world.conversations.states.keys().map(|id| ConversationId::new(*id)).collect();
    for id in ids {
        if let Some(assignee) = world.state::<Conversation>(id).assignee() {
            step(world, &release(ACCESS_LOST, assignee, id));
        }
        let conversation = world.state::<Conversation>(id);
        assert!(conversation.assignee().is_none_or(|assignee| reaches(world, assignee, &conversation)));
    }
}

fn live(steps: &[Step]) -> BTreeSet<&'static str> {
    let mut world = begun();
    let mut met = BTreeSet::new();
    for asked in steps {
        met.extend(step(&mut world, asked).iter().map(|happened| happened.event.event_type()));
    }
    releases_suffice(&mut world);
    histories_hold(&world);
    world.assert_replays();
    met
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_is_asked_the_rules_hold(steps in steps()) {
        live(&steps);
    }
}

#[test]
fn the_random_steps_meet_every_event() {
    let mut met: BTreeSet<_> = ["AccountCreated", "ConnectionAdded"].into();
    let mut runner = TestRunner::deterministic();
    for _ in 0..CASES {
        let asked = steps().new_tree(&mut runner).expect("a list of steps").current();
        met.extend(live(&asked));
    }
    let known: BTreeSet<_> = catalogue().into_iter().map(|(_, name, _)| name).collect();
    assert_eq!(met, known);
}
