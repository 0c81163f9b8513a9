//! What a random member, contact, provider or operator may ask in a small account: six members, two
//! channels, three conversations.

use parlance_domain::{
    AccountId, Actor, ChannelId, Command, ConnectionId, ConversationId, DedupeToken, DeliveryId, Email,
    MemberId, MessageId, Name, OperatorId, Position, ReadingId, SystemReason, Timestamp,
    account::{AccountChange, AccountCommand, Language},
    channel::{BrokenBecause, ChannelCommand, ReopenRule, Visibility},
    connection::{ChannelKind, ConnectionCommand, ConnectionSecrets},
    conversation::{
        ContactProfile, ConversationCommand, EditedContent, Expected, Incoming, LossCause, MessageContent,
        MessageKind, ReactionContent, Source,
    },
    delivery::{DeliveryCommand, DeliveryContent, KeptBecause, SkippedBecause},
    member::MemberCommand,
    reading::ReadingCommand,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

pub type Step = (Actor, Command);

pub const OPERATOR: Actor = Actor::Operator(OperatorId::COMMAND_LINE);
/// When the first step happens; each takes a minute.
pub const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
pub const MINUTE_MICROS: i64 = 60_000_000;
/// Long enough to close, delete and revive several times.
pub const STEPS_MAX: usize = 80;

pub const MEMBERS: u128 = 6;
const CHANNELS: u128 = 2;
const CONVERSATIONS: u128 = 3;

pub const fn account() -> AccountId {
    AccountId::new(Uuid::from_u128(0x100))
}

pub const fn connection() -> ConnectionId {
    ConnectionId::new(Uuid::from_u128(0x200))
}

pub const fn channel(n: u128) -> ChannelId {
    ChannelId::new(Uuid::from_u128(0x300 + n))
}

pub const fn member(n: u128) -> MemberId {
    MemberId::new(Uuid::from_u128(0x400 + n))
}

const fn conversation(n: u128) -> ConversationId {
    ConversationId::new(Uuid::from_u128(0x500 + n))
}

pub fn invite(n: u128, settings_access: bool) -> MemberCommand {
    MemberCommand::Invite {
        account: account(),
        email: Email::new(&format!("tag{n}@peldabolt.hu")).expect("an address"),
        name: name(n),
        settings_access,
    }
}

pub fn connect(name: Name, visibility: Visibility) -> ChannelCommand {
    ChannelCommand::Connect {
        connection: connection(),
        kind: ChannelKind::Messenger,
        provider_id: "104839217".to_owned(),
        name,
        access: None,
        visibility,
    }
}

pub fn secrets(signing: String) -> ConnectionSecrets {
    let webhook_token = "wh_5f0c".to_owned();
    ConnectionSecrets { webhook_token, signing, signing_previous: None, verify_token: None, access: None }
}

pub fn name(n: u128) -> Name {
    Name::new(&format!("Őrsi Éva {n}")).expect("a name")
}

/// The first member opens the account, invites the others and connects the first channel.
pub fn beginning() -> Vec<Step> {
    let create = AccountCommand::Create {
        name: name(0),
        language: Language::Hu,
        time_zone: "Europe/Budapest".to_owned(),
    };
    let add = ConnectionCommand::Add { kind: ChannelKind::Messenger, secrets: secrets("first".to_owned()) };
    let mut steps = vec![(OPERATOR, Command::Account(account(), create))];
    for (n, settings_access) in [(0, true), (1, true), (2, false), (3, false)] {
        steps.push((OPERATOR, Command::Member(member(n), invite(n, settings_access))));
        steps.push((Actor::Member(member(n)), Command::Member(member(n), MemberCommand::Join)));
    }
    let first = Actor::Member(member(0));
    steps.push((first, Command::Connection(connection(), add)));
    steps.push((first, Command::Channel(channel(0), connect(name(0), Visibility::Shared))));
    steps
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => by_members(),
        12 => by_providers(),
        5 => on_channels(),
        5 => on_members(),
        3 => by_the_shell(),
    ];
    vec(step, 1..STEPS_MAX)
}

fn members() -> impl Strategy<Value = MemberId> {
    (0..MEMBERS).prop_map(member)
}

fn anyone() -> impl Strategy<Value = Actor> {
    prop_oneof![
        6 => members().prop_map(Actor::Member),
        1 => (0..CONVERSATIONS).prop_map(|n| Actor::Contact(conversation(n))),
        1 => select(SystemReason::ALL.to_vec()).prop_map(Actor::System),
        1 => Just(OPERATOR),
    ]
}

/// Mostly the one who may, sometimes whoever.
fn mostly(right: impl Strategy<Value = Actor> + 'static) -> impl Strategy<Value = Actor> {
    prop_oneof![9 => right, 1 => anyone()]
}

fn by_members() -> impl Strategy<Value = Step> {
    let expect =
        prop_oneof![Just(Expected::Anybody), Just(Expected::Nobody), members().prop_map(Expected::Member)];
    let order = prop_oneof![
        5 => (members(), expect.clone()).prop_map(|(to, expect)| ConversationCommand::Assign { to, expect }),
        2 => expect.prop_map(|expect| ConversationCommand::Unassign { expect }),
        4 => Just(ConversationCommand::Close),
        2 => Just(ConversationCommand::Reopen),
        2 => Just(ConversationCommand::Delete),
    ];
    (mostly(members().prop_map(Actor::Member)), 0..CONVERSATIONS, order)
        .prop_map(|(by, n, order)| (by, Command::Conversation(conversation(n), order)))
}

fn moment() -> impl Strategy<Value = Option<Timestamp>> {
    // Some are from before the first step, some from the future.
    let minutes = -20..i64::try_from(STEPS_MAX).expect("a small number") + 20;
    option::of(minutes.prop_map(|minute| START.plus_micros(minute * MINUTE_MICROS)))
}

fn profile() -> impl Strategy<Value = ContactProfile> {
    (option::of("[A-ZÁÉŐŰ][a-záéőű]{2,4}"), option::of("\\+3630[0-9]{3}"))
        .prop_map(|(name, phone)| ContactProfile { name, phone, ..ContactProfile::default() })
}

fn incoming(channel: ChannelId) -> impl Strategy<Value = Incoming> {
    let kind = prop_oneof![4 => Just(MessageKind::Message), 1 => Just(MessageKind::Postback)];
    let source = prop_oneof![2 => Just(Source::Webhook), 1 => Just(Source::Reconciliation)];
    (any::<u128>(), kind, source, moment(), option::of(profile()), ".{0,8}").prop_map(
        move |(id, kind, source, provider_at, profile, text)| Incoming {
            channel,
            message: MessageId::new(Uuid::from_u128(id)),
            kind,
            provider_at,
            source,
            content: MessageContent { text: Some(text), ..MessageContent::default() },
            profile,
        },
    )
}

fn told(channel: ChannelId) -> impl Strategy<Value = ConversationCommand> {
    let side = (any::<u128>(), moment(), ".{0,4}").prop_flat_map(move |(id, at, text)| {
        let message = MessageId::new(Uuid::from_u128(id));
        let token = DedupeToken::from(message);
        let messages = vec![message];
        let (emoji, edited) = (Some(text.clone()), EditedContent { text });
        select(vec![
            ConversationCommand::React {
                channel,
                message,
                provider_at: at,
                token,
                content: ReactionContent { emoji },
            },
            ConversationCommand::Edit { channel, message, provider_at: at, token, content: edited },
            ConversationCommand::Unsend { channel, message, provider_at: at, token },
            ConversationCommand::ConfirmDelivery { channel, messages: messages.clone(), until: at, token },
            ConversationCommand::ConfirmReading { channel, messages, until: at, token },
        ])
    });
    prop_oneof![
        6 => incoming(channel).prop_map(ConversationCommand::Receive),
        2 => incoming(channel).prop_map(ConversationCommand::Echo),
        2 => side,
        1 => profile().prop_map(move |profile| ConversationCommand::UpdateProfile { channel, profile }),
    ]
}

fn by_providers() -> impl Strategy<Value = Step> {
    (0..CONVERSATIONS).prop_flat_map(|n| {
        let provider = select(vec![
            Actor::Contact(conversation(n)),
            Actor::System(SystemReason::ProviderReport),
            Actor::System(SystemReason::Reconciliation),
        ]);
        // A conversation's id is made of its channel and its contact: one told by another is a mistake.
        let through = prop_oneof![9 => Just(n % CHANNELS), 1 => 0..CHANNELS];
        (mostly(provider), through.prop_flat_map(|n| told(channel(n)).boxed()))
            .prop_map(move |(by, order)| (by, Command::Conversation(conversation(n), order)))
    })
}

fn on_channels() -> impl Strategy<Value = Step> {
    let visibility = || select(vec![Visibility::Shared, Visibility::Private]);
    let rule = select(vec![ReopenRule::KeepAssignee, ReopenRule::Unassign]);
    let order = prop_oneof![
        4 => (0..3_u128, visibility()).prop_map(|(n, visibility)| connect(name(n), visibility)),
        1 => (0..3_u128).prop_map(|n| ChannelCommand::Rename { name: name(n) }),
        2 => rule.prop_map(|rule| ChannelCommand::SetReopenRule { rule }),
        1 => Just(ChannelCommand::Disconnect),
        4 => visibility().prop_map(|visibility| ChannelCommand::SetVisibility { visibility }),
        3 => option::of(0..4_000_u32).prop_map(|days| ChannelCommand::SetRetention { days }),
        4 => members().prop_map(|to| ChannelCommand::HandOver { to }),
    ];
    let report = select(vec![
        ChannelCommand::MarkBroken { because: BrokenBecause::CredentialsRefused },
        ChannelCommand::MarkBroken { because: BrokenBecause::PermissionRefused },
        ChannelCommand::MarkRestored,
    ]);
    let step = prop_oneof![
        6 => (mostly(members().prop_map(Actor::Member)), order),
        1 => (mostly(Just(Actor::System(SystemReason::ProviderReport))), report),
    ];
    (0..CHANNELS, step).prop_map(|(n, (by, order))| (by, Command::Channel(channel(n), order)))
}

fn on_members() -> impl Strategy<Value = Step> {
    let own = (0..MEMBERS).prop_flat_map(|n| {
        let order = prop_oneof![
            2 => Just(MemberCommand::Join),
            1 => (0..3_u128).prop_map(|n| MemberCommand::ChangeProfile { name: name(n) }),
            3 => any::<bool>().prop_map(|available| MemberCommand::SetAvailability { available }),
        ];
        (mostly(Just(Actor::Member(member(n)))), Just(n), order)
    });
    let managed = (0..MEMBERS).prop_flat_map(|n| {
        let order = prop_oneof![
            2 => any::<bool>().prop_map(move |settings_access| invite(n, settings_access)),
            3 => any::<bool>()
                .prop_map(|settings_access| MemberCommand::SetPermissions { settings_access }),
            2 => Just(MemberCommand::Remove),
        ];
        (anyone(), Just(n), order)
    });
    prop_oneof![own, managed].prop_map(|(by, n, order)| (by, Command::Member(member(n), order)))
}

/// What the shell asks around it: accounts, connections, readings, kept deliveries, releases.
fn by_the_shell() -> impl Strategy<Value = Step> {
    let manager = || mostly(members().prop_map(Actor::Member));
    let account = (manager(), option::of((0..3_u128).prop_map(name)), option::of(Just(Language::En)))
        .prop_map(|(by, name, language)| {
            let change = AccountChange { name, language, time_zone: None };
            (by, Command::Account(account(), AccountCommand::Update(change)))
        });
    let connection_ = (manager(), "[a-c]?").prop_map(|(by, signing)| {
        let order = ConnectionCommand::RotateSecrets { secrets: secrets(signing), instead_of: None };
        (by, Command::Connection(connection(), order))
    });
    let reading = (0..MEMBERS, 0..CONVERSATIONS, 0..300_u64).prop_map(|(m, c, up_to)| {
        let id = ReadingId::new(Uuid::from_u128(0x600 + m * CONVERSATIONS + c));
        let (conversation, channel) = (conversation(c), channel(c % CHANNELS));
        let order = ReadingCommand::MarkSeen { conversation, channel, up_to: Position::new(up_to) };
        (Actor::Member(member(m)), Command::Reading(id, order))
    });
    let keep = DeliveryCommand::Keep {
        connection: connection(),
        because: KeptBecause::UnknownKind,
        expires_at: START.plus_micros(MINUTE_MICROS),
        content: DeliveryContent { content_type: "text/plain".to_owned(), body: vec![0, 0xFF] },
    };
    let skip = DeliveryCommand::Skip { because: SkippedBecause::Judged };
    let delivery =
        (mostly(Just(OPERATOR)), 0..2_u128, select(vec![keep, DeliveryCommand::MarkReplayed, skip]))
            .prop_map(|(by, n, order)| {
                (by, Command::Delivery(DeliveryId::new(Uuid::from_u128(0x700 + n)), order))
            });
    let system = mostly(Just(Actor::System(SystemReason::AccessLost)));
    let release =
        (system, members(), 0..CONVERSATIONS).prop_map(|(by, who, n)| release(by, who, conversation(n)));
    prop_oneof![account, connection_, reading, delivery, release]
}

pub fn release(by: Actor, member: MemberId, conversation: ConversationId) -> Step {
    let order = ConversationCommand::Release { member, cause: LossCause::AccessLost };
    (by, Command::Conversation(conversation, order))
}
