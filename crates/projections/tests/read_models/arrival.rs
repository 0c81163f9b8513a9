//! Where the provider tells time, a late or shuffled arrival ends in the same thread as an ordered one.

use parlance_domain::{
    Actor, Command, DedupeToken, Timestamp,
    conversation::{
        ConversationCommand as Order, EditedContent, Incoming, MessageContent, MessageKind, ReactionContent,
        Source,
    },
};
use parlance_projections::{
    Projector,
    inbox::{self, InboxRow},
    thread::{self, Amendment, ThreadRow},
};
use proptest::{collection::vec, prelude::*};

use crate::support::{
    asking::{self, Asked, MINUTE_MICROS, START, Step},
    config,
    driver::{Driver, Knowing, Tables, decoded},
    log::Log,
};

#[derive(Clone, Copy, Debug)]
enum What {
    Message,
    Postback,
    Echo,
    Edit,
    Reaction,
    Withdrawal,
}

/// Something of a message, and when the provider says it was: each at a minute of its own, before all else.
#[derive(Clone, Copy, Debug)]
struct Told {
    message: u128,
    what: What,
    minute: i64,
}

fn step(told: &Told) -> Step {
    let (channel, id) = (asking::channel(0), asking::conversation(0));
    let Told { minute, .. } = *told;
    let message = asking::message(0, told.message);
    let provider_at = Some(START.plus_micros((minute - 1_000) * MINUTE_MICROS));
    let token = DedupeToken::from_bytes((0x9_0000_i128 + i128::from(minute)).to_be_bytes());
    let incoming = |kind| Incoming {
        channel,
        message,
        kind,
        provider_at,
        source: Source::Webhook,
        content: MessageContent { text: Some(format!("message {minute}")), ..Default::default() },
        profile: None,
    };
    let order = match told.what {
        What::Message => Order::Receive(incoming(MessageKind::Message)),
        What::Postback => Order::Receive(incoming(MessageKind::Postback)),
        What::Echo => Order::Echo(incoming(MessageKind::Message)),
        What::Edit => {
            let content = EditedContent { text: format!("edit {minute}") };
            Order::Edit { channel, message, provider_at, token, content }
        }
        What::Reaction => {
            let content = ReactionContent { emoji: Some(format!("reaction {minute}")) };
            Order::React { channel, message, provider_at, token, content }
        }
        What::Withdrawal => Order::Unsend { channel, message, provider_at, token },
    };
    Step { minutes: 1, asked: Asked::By(Actor::Contact(id), Command::Conversation(id, order)) }
}

/// Up to six messages, each with what happened to it, twice in an order of arrival.
fn arrivals() -> impl Strategy<Value = (Vec<Told>, Vec<Told>)> {
    let arrival = prop_oneof![Just(What::Message), Just(What::Postback), Just(What::Echo)];
    let later = prop_oneof![3 => Just(What::Edit), 3 => Just(What::Reaction), 1 => Just(What::Withdrawal)];
    let all = vec((arrival, vec(later, 0..5)), 1..7).prop_map(|messages| {
        let of = |(message, (arrival, later)): (u128, (What, Vec<What>))| {
            [vec![arrival], later].concat().into_iter().map(move |what| (message, what))
        };
        (0..).zip(messages).flat_map(of).collect::<Vec<_>>()
    });
    let told = all.prop_shuffle().prop_map(|all| {
        let told = (0..).zip(all);
        told.map(|(minute, (message, what))| Told { message, what, minute }).collect::<Vec<_>>()
    });
    told.prop_flat_map(|told| (Just(told.clone()).prop_shuffle(), Just(told).prop_shuffle()))
}

fn tables(projector: &dyn Projector, told: &[Told]) -> Tables {
    let log = Log::of(&told.iter().map(step).collect::<Vec<_>>());
    let mut driver = Driver::new(projector, Knowing::Named);
    driver.run(&decoded(&log.events), [20, 3, 1, 4]);
    driver.tables
}

/// What is shown of an amendment: when it was, and what it says.
fn shown(amendment: Option<&Amendment>) -> Option<(Timestamp, Option<Vec<u8>>)> {
    amendment.map(|a| (a.at, a.content.as_ref().map(|sealed| sealed.bytes.clone())))
}

/// A thread as it is shown, which has nothing of when and where things were recorded.
fn thread(told: &[Told]) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
    let tables = tables(&thread::ThreadProjector, told);
    let rows = tables.of(&thread::MESSAGES).values();
    let mut rows: Vec<_> = rows.map(|row| ThreadRow::from_row(row).expect("a row")).collect();
    rows.sort_by_key(|row| (row.at, row.position));
    let show = |row: ThreadRow| {
        assert!(row.present, "all messages have arrived");
        let content = row.content.map(|sealed| sealed.bytes);
        let amended = (shown(row.edit.as_ref()), shown(row.reaction.as_ref()), row.unsent_at);
        (row.message, row.direction, row.kind, row.at, row.provider_at, content, amended)
    };
    rows.into_iter().map(show).collect()
}

/// The conversation's place in the list and its reply window.
fn listed(told: &[Told]) -> impl PartialEq + std::fmt::Debug + use<> {
    let tables = tables(&inbox::InboxProjector, told);
    let row = tables.of(&inbox::CONVERSATIONS).values().next().expect("begun");
    let row = InboxRow::from_row(row).expect("a row");
    (row.last_message, row.last_message_at, row.last_contact_at, row.messages)
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn any_order_of_arrival_ends_in_the_same_thread((one, other) in arrivals()) {
        let mut ordered = one.clone();
        ordered.sort_by_key(|told| told.minute);
        let (thread_, listed_) = (thread(&ordered), listed(&ordered));
        for shuffled in [&one, &other] {
            prop_assert_eq!(&thread(shuffled), &thread_);
            prop_assert_eq!(&listed(shuffled), &listed_);
        }
    }
}
