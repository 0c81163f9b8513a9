//! Random work by several members, followed by clients that are cut off at random moments. At the end each client
//! shows what a fresh load shows, and nobody was ever told of what was not theirs to see.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use parlance_app::{
    entropy::Entropy,
    front::{InboxChange, Section},
    queries::Queries,
};
use parlance_domain::{
    Actor, ChannelId, Command, ConversationId, Email, Event, MemberId, Name, Position, RecordedEvent,
    channel::{ChannelCommand, ChannelEvent, Visibility},
    conversation::{ConversationCommand, Expected},
    member::{MemberCommand, MemberEvent},
    reading::ReadingCommand,
};
use parlance_stores::AnyStore;
use parlance_tests::{Team, TestApp};

use super::{
    client::{Client, Goes, Screen},
    head, mark,
};

const ROUNDS: usize = 24;
const COMMANDS: usize = 14;
const CONTACTS: usize = 5;
const MEMBERS: [&str; 4] = ["eva@example.hu", "pal@example.hu", "zoe@example.hu", "max@example.hu"];

struct Dice(Entropy);

impl Dice {
    fn below(&self, bound: usize) -> usize {
        usize::from(u16::from_le_bytes(self.0.bytes())) % bound
    }

    fn of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// One change that a member was told, and between which moments it was made.
struct Told {
    member: MemberId,
    answered: u64,
    head: u64,
    change: InboxChange,
}

struct World<'a> {
    team: &'a Team<'a>,
    members: Vec<MemberId>,
    /// The last one stays private to the admin for ever.
    channels: Vec<ChannelId>,
    contacts: BTreeMap<ConversationId, ChannelId>,
    /// Everything up to here was answered with success.
    answered: AtomicU64,
    mids: AtomicU64,
}

impl World<'_> {
    fn conversation(&self, dice: &Dice) -> (ConversationId, ChannelId, String) {
        let (channel, contact) = (dice.of(&self.channels), format!("contact {}", dice.below(CONTACTS)));
        (self.team.ring.ids.conversation(channel, &contact), channel, contact)
    }

    async fn command(&self, dice: &Dice) {
        let team = self.team;
        let (by, to) = (dice.of(&self.members), dice.of(&self.members));
        let manager = if dice.below(4) == 0 { by } else { team.admin };
        let (conversation, channel, contact) = self.conversation(dice);
        let open = self.channels[dice.below(self.channels.len() - 1)];
        let yes = dice.below(2) == 0;
        let act = |by, command| (Actor::Member(by), Command::Conversation(conversation, command));
        let (actor, command) = match dice.below(40) {
            0..10 => {
                let mid = format!("mid.{}", self.mids.fetch_add(1, Ordering::Relaxed));
                let mut incoming = team.incoming(&contact, &mid, "Halló?");
                (incoming.channel, incoming.message) = (channel, team.ring.ids.message(channel, &mid));
                let receive = ConversationCommand::Receive(incoming);
                (Actor::Contact(conversation), Command::Conversation(conversation, receive))
            }
            10..14 => act(by, ConversationCommand::Assign { to, expect: Expected::Anybody }),
            14..16 => act(by, ConversationCommand::Close),
            16 => act(by, ConversationCommand::Reopen),
            17..19 => act(team.admin, ConversationCommand::Delete),
            19 => act(by, ConversationCommand::Delete),
            20..25 => {
                let up_to = head(team).await;
                let mark = ReadingCommand::MarkSeen { conversation, channel, up_to };
                (Actor::Member(by), Command::Reading(team.ring.ids.reading(by, conversation), mark))
            }
            25..28 => {
                let visibility = if yes { Visibility::Private } else { Visibility::Shared };
                let set = ChannelCommand::SetVisibility { visibility };
                (Actor::Member(if yes { team.admin } else { by }), Command::Channel(open, set))
            }
            28..30 => (Actor::Member(manager), Command::Channel(open, ChannelCommand::HandOver { to })),
            30..32 => {
                let set = MemberCommand::SetPermissions { settings_access: yes };
                (Actor::Member(manager), Command::Member(to, set))
            }
            32 => (Actor::Member(manager), Command::Member(to, MemberCommand::Remove)),
            33..35 => {
                let email = Email::new(dice.of(&MEMBERS)).expect("an address");
                let invited = team.ring.ids.member(&email);
                let name = Name::new("Vissza").expect("a name");
                let account = team.account;
                let invite = MemberCommand::Invite { account, email, name, settings_access: yes };
                (Actor::Member(manager), Command::Member(invited, invite))
            }
            35..38 => (Actor::Member(by), Command::Member(by, MemberCommand::Join)),
            _ => (Actor::Member(by), Command::Member(by, MemberCommand::SetAvailability { available: yes })),
        };
        // Many are senseless, and refused.
        if let Ok(receipt) = team.app.ask(team.account, actor, command).await {
            self.answered.fetch_max(receipt.position().number(), Ordering::Relaxed);
        }
    }

    /// Lets a client take everything up to a position, cut off now and then.
    async fn follow(
        &self,
        queries: &Queries<AnyStore>,
        client: &mut Client,
        to: Position,
        dice: &Dice,
        told: &mut Vec<Told>,
    ) {
        while !client.has(to) {
            if dice.below(5) == 0 {
                client.cut_off();
            }
            let answered = self.answered.load(Ordering::Relaxed);
            match client.arrive(queries, self.team).await {
                Ok(change) => {
                    let head = head(self.team).await.number();
                    told.push(Told { member: client.member, answered, head, change: change.clone() });
                    if change.position >= to || dice.below(3) > 0 {
                        client.take_all(queries, self.team).await;
                    }
                }
                Err(Goes::On) => {}
                Err(Goes::Out) => return,
            }
        }
    }
}

/// Who had access to what, by the log alone: every change at its position.
#[derive(Clone, Default)]
struct Access {
    active: BTreeSet<MemberId>,
    managing: BTreeSet<MemberId>,
    channels: BTreeMap<ChannelId, (Visibility, MemberId)>,
}

impl Access {
    fn take(&mut self, recorded: &RecordedEvent) {
        let (member, channel) = (MemberId::new(recorded.stream.id), ChannelId::new(recorded.stream.id));
        let mut manages = |settings_access| match settings_access {
            true => drop(self.managing.insert(member)),
            false => drop(self.managing.remove(&member)),
        };
        match recorded.decode().expect("our own events") {
            Event::Member(MemberEvent::MemberInvited(e)) => manages(e.settings_access),
            Event::Member(MemberEvent::PermissionsChanged(e)) => manages(e.settings_access),
            Event::Member(MemberEvent::MemberJoined(_)) => drop(self.active.insert(member)),
            Event::Member(MemberEvent::MemberRemoved(_)) => drop(self.active.remove(&member)),
            Event::Channel(ChannelEvent::ChannelConnected(e)) => {
                self.channels.insert(channel, (e.visibility, e.installer));
            }
            Event::Channel(ChannelEvent::VisibilityChanged(e)) => {
                self.channels.get_mut(&channel).expect("it is connected").0 = e.visibility;
            }
            Event::Channel(ChannelEvent::InstallerChanged(e)) => {
                self.channels.get_mut(&channel).expect("it is connected").1 = e.installer;
            }
            _ => {}
        }
    }

    fn sees(&self, member: MemberId, channel: ChannelId) -> bool {
        self.active.contains(&member)
            && self.channels.get(&channel).is_some_and(|(visibility, installer)| {
                *visibility == Visibility::Shared || *installer == member
            })
    }

    fn lists(&self, member: MemberId, channel: ChannelId) -> bool {
        let manages = self.active.contains(&member) && self.managing.contains(&member);
        self.sees(member, channel) || (manages && self.channels.contains_key(&channel))
    }
}

/// Checks each change against the moments between which it was made.
fn judge(world: &World<'_>, log: &[RecordedEvent], told: &[Told]) {
    let mut states = vec![Access::default()];
    for recorded in log {
        let mut next = states.last().expect("it begins with one").clone();
        next.take(recorded);
        states.push(next);
    }
    let place = |position: u64| usize::try_from(position).expect("a short log");
    for Told { member, answered, head, change } in told {
        let while_made = &states[place(*answered)..=place(*head)];
        let ever = &states[..=place(*head)];
        let sees = |channel| while_made.iter().any(|state| state.sees(*member, channel));
        for view in &change.conversations {
            assert!(sees(view.channel), "{member} is told of {} at {}", view.id, change.position);
        }
        for id in &change.gone {
            assert!(sees(world.contacts[id]), "{member} is told that {id} is gone at {}", change.position);
        }
        for channel in &change.channels_to_load {
            assert!(sees(*channel), "{member} is to load {channel} at {}", change.position);
        }
        for view in &change.channels {
            let lists = while_made.iter().any(|state| state.lists(*member, view.id));
            assert!(lists, "{member} is shown {} at {}", view.id, change.position);
        }
        for channel in &change.channels_gone {
            let knew = ever.iter().any(|state| state.lists(*member, *channel));
            assert!(knew, "{member} is told that {channel} is gone at {}", change.position);
        }
    }
}

async fn run(seed: u64) -> (usize, usize, usize) {
    println!("seed {seed}");
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let queries = app.queries();
    let mut members = vec![team.admin];
    for address in MEMBERS {
        members.push(team.member(address).await);
    }
    let channels = vec![
        team.channel,
        team.connect("page-2", Visibility::Shared).await,
        team.connect("page-3", Visibility::Private).await,
    ];
    let mut contacts = BTreeMap::new();
    for channel in &channels {
        for contact in 0..CONTACTS {
            let id = team.ring.ids.conversation(*channel, &format!("contact {contact}"));
            contacts.insert(id, *channel);
        }
    }
    let answered = AtomicU64::new(head(&team).await.number());
    let world = World { team: &team, members, channels, contacts, answered, mids: AtomicU64::new(0) };
    let (dice, clients_dice) = (Dice(Entropy::seeded(seed)), Dice(Entropy::seeded(seed + 1_000)));
    // Two of the admin, who sees most.
    let mut clients: Vec<_> = world.members.iter().chain([&team.admin]).copied().map(Client::new).collect();
    let mut told = Vec::new();
    let mut marked = mark(&team).await;
    for _ in 0..ROUNDS {
        let commands = async {
            for _ in 0..COMMANDS {
                world.command(&dice).await;
            }
        };
        let following = async {
            for client in &mut clients {
                if clients_dice.below(3) > 0 {
                    world.follow(&queries, client, marked, &clients_dice, &mut told).await;
                }
            }
        };
        tokio::join!(commands, following);
        marked = mark(&team).await;
    }
    // What the system does about those who lost access comes after.
    app.parlance.release_policy().drain(team.account).await.expect("everybody is released");
    let end = mark(&team).await;
    team.settled().await;
    for client in &mut clients {
        world.follow(&queries, client, end, &clients_dice, &mut told).await;
        let Ok(fresh) = Screen::load(&queries, &team, client.member).await else {
            assert_eq!(client.screen, Screen::default(), "whoever is out shows nothing");
            continue;
        };
        assert_eq!(client.screen.conversations, fresh.conversations, "seed {seed}");
        assert_eq!(client.screen.members, fresh.members, "seed {seed}");
        assert_eq!(client.screen.channels, fresh.channels, "seed {seed}");
        let sections = queries.sections(team.asker(client.member), None).await.expect("they are a member");
        for view in sections {
            let counts = (view.conversations, view.unread);
            assert_eq!(client.screen.counts(view.section), counts, "seed {seed}, {:?}", view.section);
        }
    }
    judge(&world, &app.log(team.account).await, &told);
    let shown: usize = Section::ALL
        .iter()
        .map(|of| {
            let (conversations, _) = clients[0].screen.counts(*of);
            usize::try_from(conversations).expect("few")
        })
        .sum();
    let resumed = clients.iter().map(|client| client.resumed).sum();
    (told.len(), resumed, shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_cut_off_at_random_moments_end_with_what_a_fresh_load_shows() {
    let (mut told, mut resumed, mut shown) = (0, 0, 0);
    for seed in 0..6 {
        let (changes, cuts, rows) = run(seed).await;
        (told, resumed, shown) = (told + changes, resumed + cuts, shown + rows);
    }
    // A run that shows nothing would agree with anything.
    assert!(told > 300 && resumed > 60 && shown > 20, "{told} changes, {resumed} resumed, {shown} shown");
}
