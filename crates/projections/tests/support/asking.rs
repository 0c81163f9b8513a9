//! What is asked in a random log: five members, three channels, six conversations of few messages each, so
//! that everything meets everything soon.

use parlance_domain::{
    AccountId, Actor, ChannelId, Command, ConnectionId, ConversationId, DedupeToken, DeliveryId, Email,
    MemberId, MessageId, Name, OperatorId, Position, ReadingId, SystemReason, Timestamp,
    account::{AccountCommand, Language},
    channel::{BrokenBecause, ChannelCommand, ReopenRule, Visibility},
    connection::{ChannelKind, ConnectionCommand, ConnectionSecrets},
    conversation::{
        ContactProfile, ConversationCommand as Order, EditedContent, Expected, Incoming, MessageContent,
        MessageKind, ReactionContent, Source,
    },
    delivery::{DeliveryCommand, DeliveryContent, KeptBecause, SkippedBecause},
    member::MemberCommand,
    reading::ReadingCommand,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

pub const OPERATOR: Actor = Actor::Operator(OperatorId::COMMAND_LINE);
pub const ACCESS_LOST: Actor = Actor::System(SystemReason::AccessLost);
const REPORT: Actor = Actor::System(SystemReason::ProviderReport);

pub const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
pub const MINUTE_MICROS: i64 = 60_000_000;

const MEMBERS: u128 = 5;
const CHANNELS: u128 = 3;
const CONVERSATIONS: u128 = 6;
const DELIVERIES: u128 = 6;
/// Few, so that edits, reactions and withdrawals meet their messages, before and after them.
const MESSAGES: u128 = 16;

/// One command, some minutes after the one before.
#[derive(Clone, Debug)]
pub struct Step {
    pub minutes: i64,
    pub asked: Asked,
}

#[derive(Clone, Debug)]
pub enum Asked {
    By(Actor, Command),
    /// By whoever is the channel's installer by then.
    ByInstaller(ChannelId, Command),
    /// A reading mark so far from the head of the log.
    Mark {
        member: MemberId,
        conversation: ConversationId,
        from_head: i64,
    },
    /// What the release policy asks: take it from an assignee who lost access.
    Release(ConversationId),
}

pub const fn account() -> AccountId {
    AccountId::new(Uuid::from_u128(0x100))
}

const fn connection(n: u128) -> ConnectionId {
    ConnectionId::new(Uuid::from_u128(0x200 + n))
}

pub const fn channel(n: u128) -> ChannelId {
    ChannelId::new(Uuid::from_u128(0x300 + n))
}

pub const fn member(n: u128) -> MemberId {
    MemberId::new(Uuid::from_u128(0x400 + n))
}

pub const fn conversation(n: u128) -> ConversationId {
    ConversationId::new(Uuid::from_u128(0x500 + n))
}

const fn channel_of(conversation: u128) -> ChannelId {
    channel(conversation % CHANNELS)
}

pub const fn message(conversation: u128, n: u128) -> MessageId {
    MessageId::new(Uuid::from_u128(0x1_0000 + conversation * 0x100 + n))
}

fn name(n: u128) -> Name {
    Name::new(&format!("Őrsi Éva {n}")).expect("a name")
}

pub fn invite(n: u128, settings_access: bool) -> MemberCommand {
    let email = Email::new(&format!("tag{n}@peldabolt.hu")).expect("an address");
    MemberCommand::Invite { account: account(), email, name: name(n), settings_access }
}

pub fn mark(by: MemberId, seen: ConversationId, up_to: Position) -> Command {
    let reading = (by.uuid().as_u128() << 16) + seen.uuid().as_u128();
    let channel = channel_of(seen.uuid().as_u128() - conversation(0).uuid().as_u128());
    let order = ReadingCommand::MarkSeen { conversation: seen, channel, up_to };
    Command::Reading(ReadingId::new(Uuid::from_u128(reading)), order)
}

fn connect(n: u128, by: u128, name: Name, visibility: Visibility) -> ChannelCommand {
    let provider_id = format!("10483921{n}");
    ChannelCommand::Connect {
        connection: connection(by),
        kind: ChannelKind::Messenger,
        provider_id,
        name,
        access: None,
        visibility,
    }
}

fn secrets() -> ConnectionSecrets {
    ConnectionSecrets {
        webhook_token: "wh_5f0c".to_owned(),
        signing: "first".to_owned(),
        signing_previous: None,
        verify_token: None,
        access: None,
    }
}

/// Three members, two of them with settings access, two connections, a shared and a private channel.
pub fn beginning() -> Vec<(Actor, Command)> {
    let time_zone = "Europe/Budapest".to_owned();
    let create = AccountCommand::Create { name: name(0), language: Language::Hu, time_zone };
    let mut steps = vec![(OPERATOR, Command::Account(account(), create))];
    for (n, settings_access) in [(0, true), (1, true), (2, false)] {
        steps.push((OPERATOR, Command::Member(member(n), invite(n, settings_access))));
        steps.push((Actor::Member(member(n)), Command::Member(member(n), MemberCommand::Join)));
    }
    let first = Actor::Member(member(0));
    for n in 0..2 {
        let add = ConnectionCommand::Add { kind: ChannelKind::Messenger, secrets: secrets() };
        steps.push((first, Command::Connection(connection(n), add)));
    }
    for (n, visibility) in [(0, Visibility::Shared), (1, Visibility::Private)] {
        steps.push((first, Command::Channel(channel(n), connect(n, 0, name(n), visibility))));
    }
    steps
}

pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let asked = prop_oneof![
        12 => told(),
        9 => ordered(),
        9 => marked(),
        5 => on_channels(),
        5 => on_members(),
        1 => on_connections(),
        3 => on_deliveries(),
        2 => (0..CONVERSATIONS).prop_map(|n| Asked::Release(conversation(n))),
    ];
    let step = (0..3_i64, asked).prop_map(|(minutes, asked)| Step { minutes, asked });
    vec(step, 1..most)
}

fn moment() -> impl Strategy<Value = Option<Timestamp>> {
    option::weighted(0.8, (-30..300_i64).prop_map(|minute| START.plus_micros(minute * MINUTE_MICROS)))
}

fn profile() -> impl Strategy<Value = ContactProfile> {
    (0..4_u8).prop_map(|n| ContactProfile { name: Some(format!("Nagy Ödön {n}")), ..Default::default() })
}

fn text(of: &str, n: u16) -> String {
    format!("{of} {n}")
}

fn told() -> impl Strategy<Value = Asked> {
    let what = (0..CONVERSATIONS, 0..MESSAGES, any::<u16>(), moment());
    let rest = (0..14_u8, any::<bool>(), option::weighted(0.2, profile()));
    (what, rest).prop_map(|((n, m, salt, provider_at), (kind, reconciled, profile))| {
        let (channel, message) = (channel_of(n), message(n, m));
        let token = DedupeToken::from_bytes((0x9_0000_u128 + u128::from(salt)).to_be_bytes());
        let incoming = |kind| Incoming {
            channel,
            message,
            kind,
            provider_at,
            source: if reconciled { Source::Reconciliation } else { Source::Webhook },
            content: MessageContent { text: Some(text("message", salt)), ..Default::default() },
            profile: profile.clone(),
        };
        let (messages, until) = (vec![message], provider_at);
        let order = match kind {
            0..5 => Order::Receive(incoming(MessageKind::Message)),
            5 => Order::Receive(incoming(MessageKind::Postback)),
            6 | 7 => Order::Echo(incoming(MessageKind::Message)),
            8 => {
                let content = ReactionContent { emoji: Some(text("reaction", salt)) };
                Order::React { channel, message, provider_at, token, content }
            }
            9 => {
                let content = EditedContent { text: text("edit", salt) };
                Order::Edit { channel, message, provider_at, token, content }
            }
            10 => Order::Unsend { channel, message, provider_at, token },
            11 => Order::ConfirmDelivery { channel, messages, until, token },
            12 => Order::ConfirmReading { channel, messages, until, token },
            _ => Order::UpdateProfile { channel, profile: profile.unwrap_or_default() },
        };
        Asked::By(Actor::Contact(conversation(n)), Command::Conversation(conversation(n), order))
    })
}

fn ordered() -> impl Strategy<Value = Asked> {
    let order = (0..MEMBERS, 0..12_u8).prop_map(|(to, kind)| match kind {
        0..5 => Order::Assign { to: member(to), expect: Expected::Anybody },
        5 | 6 => Order::Unassign { expect: Expected::Anybody },
        7..10 => Order::Close,
        10 => Order::Reopen,
        _ => Order::Delete,
    });
    (0..MEMBERS, 0..CONVERSATIONS, order).prop_map(|(by, n, order)| {
        let installers = order == Order::Delete;
        let command = Command::Conversation(conversation(n), order);
        if installers {
            Asked::ByInstaller(channel_of(n), command)
        } else {
            Asked::By(Actor::Member(member(by)), command)
        }
    })
}

/// At the head, behind it, or beyond it.
fn marked() -> impl Strategy<Value = Asked> {
    (0..MEMBERS, 0..CONVERSATIONS, prop_oneof![2 => -2..4_i64, 1 => -40..0_i64]).prop_map(
        |(by, n, from_head)| Asked::Mark { member: member(by), conversation: conversation(n), from_head },
    )
}

fn on_channels() -> impl Strategy<Value = Asked> {
    let visibility = || select(vec![Visibility::Shared, Visibility::Private]);
    let governed = prop_oneof![
        5 => visibility().prop_map(|visibility| ChannelCommand::SetVisibility { visibility }),
        4 => (0..MEMBERS).prop_map(|to| ChannelCommand::HandOver { to: member(to) }),
        1 => option::of(1..400_u32).prop_map(|days| ChannelCommand::SetRetention { days }),
    ];
    let governed = (0..CHANNELS, governed)
        .prop_map(|(n, order)| Asked::ByInstaller(channel(n), Command::Channel(channel(n), order)));
    let rule = select(vec![ReopenRule::KeepAssignee, ReopenRule::Unassign]);
    let managed =
        (0..CHANNELS, 0..2_u128, visibility(), rule, 0..9_u8).prop_map(|(n, by, visibility, rule, kind)| {
            let order = match kind {
                0..5 => connect(n, by, name(n), visibility),
                5 => connect(n, by, name(n + 10), visibility),
                6 => ChannelCommand::Rename { name: name(n + 20) },
                7 => ChannelCommand::SetReopenRule { rule },
                _ => ChannelCommand::Disconnect,
            };
            Asked::By(Actor::Member(member(by)), Command::Channel(channel(n), order))
        });
    let reported = (0..CHANNELS, any::<bool>()).prop_map(|(n, broken)| {
        let because = BrokenBecause::CredentialsRefused;
        let order =
            if broken { ChannelCommand::MarkBroken { because } } else { ChannelCommand::MarkRestored };
        Asked::By(REPORT, Command::Channel(channel(n), order))
    });
    prop_oneof![5 => governed, 5 => managed, 2 => reported]
}

fn on_members() -> impl Strategy<Value = Asked> {
    (0..MEMBERS, 0..2_u128, 0..13_u8, any::<bool>()).prop_map(|(n, manager, kind, yes)| {
        let (oneself, manager) = (Actor::Member(member(n)), Actor::Member(member(manager)));
        let (by, order) = match kind {
            0..3 => (manager, invite(n, yes)),
            3..6 => (oneself, MemberCommand::Join),
            6..9 => (manager, MemberCommand::Remove),
            9 => (oneself, MemberCommand::ChangeProfile { name: name(n + u128::from(yes)) }),
            10 => (manager, MemberCommand::SetPermissions { settings_access: yes }),
            _ => (oneself, MemberCommand::SetAvailability { available: yes }),
        };
        Asked::By(by, Command::Member(member(n), order))
    })
}

fn on_connections() -> impl Strategy<Value = Asked> {
    (0..2_u128, 0..2_u128, any::<u16>()).prop_map(|(n, by, salt)| {
        let secrets = ConnectionSecrets {
            signing: text("signing", salt),
            signing_previous: Some("first".to_owned()),
            ..secrets()
        };
        let order = ConnectionCommand::RotateSecrets { secrets, instead_of: None };
        Asked::By(Actor::Member(member(by)), Command::Connection(connection(n), order))
    })
}

fn on_deliveries() -> impl Strategy<Value = Asked> {
    let because = select(vec![
        KeptBecause::Unparsable,
        KeptBecause::UnknownKind,
        KeptBecause::UnknownChannel,
        KeptBecause::Refused,
    ]);
    (0..DELIVERIES, 0..2_u128, 0..6_u8, 0..900_usize, because).prop_map(|(n, under, kind, bytes, because)| {
        let order = match kind {
            0..4 => DeliveryCommand::Keep {
                connection: connection(under),
                because,
                expires_at: START.plus_micros(i64::from(kind) * MINUTE_MICROS),
                content: DeliveryContent { content_type: "text/plain".to_owned(), body: vec![0x61; bytes] },
            },
            4 => DeliveryCommand::MarkReplayed,
            _ => DeliveryCommand::Skip { because: SkippedBecause::Judged },
        };
        let delivery = DeliveryId::new(Uuid::from_u128(0x600 + n));
        Asked::By(OPERATOR, Command::Delivery(delivery, order))
    })
}
