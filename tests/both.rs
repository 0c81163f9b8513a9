//! Every test again on PostgreSQL: the test binary runs itself, with another store behind everything. Those that are
//! about the embedded store's file, or about no store at all, are listed here with the reason.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read as _, Seek as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use parlance_private_postgres::Server;
use parlance_tests::home::STORE;

/// The whole run takes about a minute and a half on two cores; a machine that is busy with other things takes more.
const RUN_MAX: Duration = Duration::from_secs(1_200);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// More than there are cores: a test waits for other processes most of the time.
const THREADS: &str = "--test-threads=4";

/// What is not run again, and why. A name that is no test's any more fails the test below.
const NOT_AGAIN: [(&str, &str); 20] = [
    ("both::every_test_passes_on_postgresql_too", "it would run itself for ever"),
    ("copying::a_copy_is_the_same_however_often_it_was_broken_off", BOTH_AT_ONCE),
    ("copying::a_store_with_something_else_in_it_is_left_alone", BOTH_AT_ONCE),
    ("copying::what_somebody_wrote_into_a_copy_is_found", BOTH_AT_ONCE),
    ("chaos::disturbances::nothing_is_lost_or_done_twice_whatever_happens_to_servers_and_database", ALWAYS),
    ("chaos::rolling::servers_are_replaced_one_by_one_by_another_release_and_back_under_load", ALWAYS),
    ("house::crates_depend_on_each_other_only_as_allowed", "it asks no store"),
    ("house::every_file_says_what_lives_in_it", "it asks no store"),
    ("house::every_migration_opens_with_its_reason_and_has_its_own_number", "it asks no store"),
    ("keys::a_master_key_file_is_read_only_if_it_is_whole_and_private", "it asks no store"),
    ("keys::a_new_master_key_is_private_and_never_replaces_another", "it asks no store"),
    ("erasure::every_spelling_is_found_where_it_is", "it asks no store"),
    ("durability::faults::a_full_file_is_said_so_and_takes_more_when_there_is_room", FILE_FAULTS),
    ("durability::faults::a_write_that_fails_at_the_commit_stops_the_store_and_is_unknown", FILE_FAULTS),
    ("durability::faults::a_sync_that_fails_stops_the_store_and_the_command_is_unknown", FILE_FAULTS),
    ("durability::faults::a_disk_that_is_full_for_a_while_rolls_back_and_goes_on_by_itself", FILE_FAULTS),
    ("durability::faults::a_deletion_is_not_confirmed_before_its_erasure_is_on_the_list", FILE_FAULTS),
    ("durability::syncs::every_answer_comes_after_a_sync_of_what_it_answers", FILE_SYNCS),
    ("durability::syncs::what_recovery_finds_is_synced_before_anything_is_answered_from_it", FILE_SYNCS),
    ("erasure::what_was_deleted_is_in_no_file_and_opens_for_nobody", ERASED_BYTES),
];

const BOTH_AT_ONCE: &str = "it has both stores, whichever is tested";
const ALWAYS: &str = "it is about PostgreSQL whichever store is tested";
const FILE_FAULTS: &str = "it makes system calls on the embedded store's file fail; PostgreSQL writes its own files, \
    and what a lost answer leaves is tested with the adapter";
const FILE_SYNCS: &str = "it watches system calls on the embedded store's file; PostgreSQL syncs its own";
const ERASED_BYTES: &str = "it looks for a key's bytes in the embedded store's files; what is promised of \
    PostgreSQL's is tested beside it and with the adapter";

/// What the test harness says at its end.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    passed: usize,
    failed: usize,
    ignored: usize,
    filtered: usize,
}

impl Outcome {
    fn read(output: &str) -> Option<Self> {
        let line = output.lines().rev().find(|line| line.starts_with("test result: "))?;
        let number = |what: &str| {
            let before = line.split([';', '.']).find_map(|part| part.trim().strip_suffix(what))?;
            before.trim().parse().ok()
        };
        Some(Self {
            passed: number("passed")?,
            failed: number("failed")?,
            ignored: number("ignored")?,
            filtered: number("filtered out")?,
        })
    }
}

fn this_binary() -> Command {
    Command::new(std::env::current_exe().expect("this program has a path"))
}

/// The names of all tests here.
fn all() -> BTreeSet<String> {
    let listed = this_binary().args(["--list", "--format=terse"]).output().expect("this program runs");
    let text = String::from_utf8(listed.stdout).expect("UTF-8");
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[test]
fn every_test_passes_on_postgresql_too() {
    if Server::shared().is_none() {
        return;
    }
    let all = all();
    for (name, why) in NOT_AGAIN {
        assert!(all.contains(name), "{name} ({why}) is no test");
    }
    let mut output = tempfile::tempfile().expect("a file");
    let mut again = this_binary();
    again.env(STORE, "postgres").args(["--exact", THREADS]);
    for (name, _) in NOT_AGAIN {
        again.args(["--skip", name]);
    }
    let to_file = |file: &File| Stdio::from(file.try_clone().expect("a file has many handles"));
    again.stdin(Stdio::null()).stdout(to_file(&output)).stderr(to_file(&output));
    let mut running = again.spawn().expect("this program runs");
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = running.try_wait().expect("it can be waited for") {
            break Some(status);
        }
        if begun.elapsed() > RUN_MAX {
            running.kill().expect("it can be killed");
            running.wait().expect("it ends");
            break None;
        }
        #[expect(clippy::disallowed_methods, reason = "a child's end cannot be awaited with a bound in std")]
        std::thread::sleep(LOOK_EVERY);
    };
    let mut text = String::new();
    output.rewind().expect("a file has a beginning");
    output.read_to_string(&mut text).expect("UTF-8");
    let outcome = Outcome::read(&text);
    let wanted =
        Outcome { passed: all.len() - NOT_AGAIN.len(), failed: 0, ignored: 0, filtered: NOT_AGAIN.len() };
    let well = status.is_some_and(|status| status.success()) && outcome.as_ref() == Some(&wanted);
    assert!(well, "on PostgreSQL: {status:?} (none: not in time), {outcome:?}, not {wanted:?}\n{text}");
    println!("on PostgreSQL: {wanted:?}, in {:?}", begun.elapsed());
}

#[test]
fn what_the_harness_says_is_understood() {
    let said = "running 2 tests\ntest result: FAILED. 1 passed; 2 failed; 3 ignored; 0 measured; 4 filtered out; \
                finished in 0.01s\n";
    assert_eq!(Outcome::read(said), Some(Outcome { passed: 1, failed: 2, ignored: 3, filtered: 4 }));
    assert_eq!(Outcome::read("killed"), None);
}
