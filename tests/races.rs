//! Everything at once: two command paths with caches of their own, many tasks, random commands; then the log is
//! walked by a checker that shares no rule with the domain.

use std::collections::HashSet;

use parlance_app::{
    command::{Ask, CommandError, CommandPath},
    entropy::Entropy,
};
use parlance_domain::{
    Command, Email, MemberId, Name,
    channel::{ChannelCommand, Visibility},
    conversation::{ConversationCommand, Expected},
    member::MemberCommand,
};
use parlance_stores::AnyStore;
use parlance_tests::{Checker, Team, TestApp};
use tokio::task::JoinSet;

const TASKS: u64 = 12;
const COMMANDS_PER_TASK: usize = 150;
const MEMBERS: [&str; 4] = ["eva@example.hu", "pal@example.hu", "zoe@example.hu", "max@example.hu"];

/// Random choices from a seed.
struct Dice(Entropy);

impl Dice {
    fn below(&self, bound: usize) -> usize {
        usize::from(u16::from_le_bytes(self.0.bytes())) % bound
    }

    fn of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// One random command, possibly a senseless one.
fn random(team: &Team<'_>, members: &[MemberId], dice: &Dice) -> (CommandPath<AnyStore>, Ask) {
    let (by, to) = (dice.of(members), dice.of(members));
    // Mostly somebody who may: else the log would hold little.
    let manager = if dice.below(4) == 0 { by } else { team.admin };
    let contact = format!("contact {}", dice.below(4));
    let yes = dice.below(2) == 0;
    let expect = dice.of(&[Expected::Anybody, Expected::Nobody, Expected::Member(by)]);
    let email = Email::new(MEMBERS[dice.below(MEMBERS.len())]).expect("an e-mail address");
    let invited = team.ring.ids.member(&email);
    let on_channel = |order| team.asking(manager, Command::Channel(team.channel, order));
    let on_member = |by, on, order| team.asking(by, Command::Member(on, order));
    match dice.below(40) {
        0..8 => team.receiving(&contact, &format!("mid.{contact}.{}", dice.below(300)), "Halló?"),
        8..14 => team.acting(by, &contact, ConversationCommand::Assign { to, expect }),
        14..16 => team.acting(by, &contact, ConversationCommand::Unassign { expect }),
        16..18 => team.acting(by, &contact, ConversationCommand::Close),
        18 => team.acting(by, &contact, ConversationCommand::Reopen),
        19 => team.acting(manager, &contact, ConversationCommand::Delete),
        20..24 => on_member(by, by, MemberCommand::SetAvailability { available: yes }),
        24 => on_channel(ChannelCommand::SetVisibility {
            visibility: if yes { Visibility::Private } else { Visibility::Shared },
        }),
        25 => on_channel(ChannelCommand::HandOver { to }),
        26 => on_member(manager, to, MemberCommand::SetPermissions { settings_access: yes }),
        27..30 => on_member(manager, to, MemberCommand::Remove),
        30..35 => {
            let name = Name::new("Vissza").expect("a name");
            let account = team.account;
            on_member(manager, invited, MemberCommand::Invite { account, email, name, settings_access: yes })
        }
        _ => on_member(invited, invited, MemberCommand::Join),
    }
}

/// Races, and gives the names of the events that came of it.
async fn race(seed: u64) -> HashSet<String> {
    println!("seed {seed}");
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    let second = team.by_way_of(&other).await;
    let mut members = vec![team.admin];
    for address in MEMBERS {
        members.push(team.member(address).await);
    }
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let dice = Dice(Entropy::seeded(seed + task));
        let door = if task % 2 == 0 { &team } else { &second };
        let asks: Vec<_> = (0..COMMANDS_PER_TASK).map(|_| random(door, &members, &dice)).collect();
        tasks.spawn(async move {
            let mut taken = 0;
            for (path, ask) in asks {
                match path.submit(ask).await {
                    Ok(_) => taken += 1,
                    Err(CommandError::Refused(_)) => {}
                    Err(error) => panic!("neither taken nor refused by the rules: {error}"),
                }
            }
            taken
        });
    }
    let taken: usize = tasks.join_all().await.into_iter().sum();
    let log = app.log(team.account).await;
    Checker::check(&log);
    println!("{taken} commands were taken, {} events recorded", log.len());
    log.into_iter().map(|event| event.event_type).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_at_once_by_two_ways_the_log_holds_no_stale_decision() {
    let mut shown = HashSet::new();
    for seed in [1_000, 2_000, 3_000, 4_000] {
        shown.extend(race(seed).await);
    }
    let wanted = [
        "MessageReceived",
        "Assigned",
        "Unassigned",
        "Closed",
        "Reopened",
        "Deleted",
        "AvailabilityChanged",
        "VisibilityChanged",
        "InstallerChanged",
        "PermissionsChanged",
        "MemberRemoved",
        "MemberJoined",
    ];
    for name in wanted {
        assert!(shown.contains(name), "a race without {name} shows nothing about it");
    }
}
