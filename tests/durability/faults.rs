//! Disks that are full or fail: who is told what, that nothing answered is lost, and that what was left open
//! can be found out afterwards.

use std::path::{Path, PathBuf};

use parlance_tests::{
    Home,
    driven::{Answer, Child, Launch, Order},
};

use super::{asked::Book, driven, trace::there_is_strace, truth::check};

/// More than any of these faults takes to show.
const ORDERS_MAX: u32 = 3_000;

/// A folder with some history, and the file's size in pages of 4 KiB.
fn folder_with_history(book: &mut Book) -> (Home, u64) {
    let folder = Home::new();
    let mut child = driven().start(folder.path());
    child.ready();
    for contact in 0..5 {
        ask_of(&mut child, book, contact);
    }
    assert!(child.finish());
    let pages =
        std::fs::metadata(folder.path().join("parlance.db")).expect("the database is there").len() / 4_096;
    (folder, pages)
}

fn ask_of(child: &mut Child, book: &mut Book, contact: u32) -> Answer {
    let order = Order::Receive { contact, message: book.message() };
    book.ask(child, order)
}

/// Messages until one is not taken.
fn ask_until_trouble(child: &mut Child, book: &mut Book) -> Answer {
    (0..ORDERS_MAX)
        .map(|round| ask_of(child, book, round % 5))
        .find(|answer| !answer.is_yes())
        .expect("the fault shows")
}

/// The log still ends somewhere: reading goes on.
fn still_reads(child: &mut Child, book: &mut Book) {
    let head = book.ask(child, Order::Head);
    assert!(matches!(head, Answer::Positions(_)), "reading goes on, but it was answered {head}");
}

/// From now on nothing is written and nothing read: what recovery will find is not known.
fn has_stopped(child: &mut Child, book: &mut Book) {
    for contact in 0..3 {
        let answer = ask_of(child, book, contact);
        assert!(matches!(answer, Answer::Unavailable(_)), "the store has stopped, but answered {answer}");
    }
    let head = book.ask(child, Order::Head);
    assert!(matches!(head, Answer::Unavailable(_)), "the store has stopped, but answered {head}");
}

/// Opens the folder without any fault, finds out what became of what was unknown, and asks all of it again.
fn heals(folder: &Home, book: &mut Book) -> u32 {
    check(folder, book);
    let mut child = driven().start(folder.path());
    child.ready();
    let unknown: Vec<u64> = book
        .asked
        .iter()
        .filter(|(_, asked)| matches!(asked.answer, Some(Answer::Unknown(_))))
        .map(|(id, _)| *id)
        .collect();
    let mut done = 0;
    for id in unknown {
        let order = book.asked[&id].order;
        let places = book.ask(&mut child, Order::Caused { command: id, after: 0 });
        let Answer::Positions(places) = places else { panic!("{places}") };
        done += u32::from(!places.is_empty());
        match book.ask(&mut child, order) {
            Answer::Duplicate(original) => assert!(places.contains(&original), "{order} was done"),
            // A deletion asked again finds it done, by whichever asking.
            Answer::Unchanged(_) => assert!(matches!(order, Order::Delete { .. }), "{order} was done"),
            Answer::Recorded { .. } => assert!(places.is_empty(), "{order} was not done"),
            other => panic!("{order} was answered {other}"),
        }
    }
    for order in book.unanswered_messages() {
        let answer = book.ask(&mut child, order);
        assert!(matches!(answer, Answer::Recorded { .. }), "{order} was never done, and answered {answer}");
    }
    assert!(child.finish());
    check(folder, book);
    done
}

#[test]
fn a_full_file_is_said_so_and_takes_more_when_there_is_room() {
    let mut book = Book::default();
    let (folder, pages) = folder_with_history(&mut book);
    let limit = (pages + 12).to_string();
    let mut child = driven().with(["--max-pages", &limit]).start(folder.path());
    child.ready();
    let answer = ask_until_trouble(&mut child, &mut book);
    assert_eq!(answer, Answer::Unavailable("the store cannot do this now: the disk is full".to_owned()));
    still_reads(&mut child, &mut book);
    for contact in 0..20 {
        let answer = ask_of(&mut child, &mut book, contact);
        assert!(answer.is_yes() || matches!(answer, Answer::Unavailable(_)), "answered {answer}");
    }
    still_reads(&mut child, &mut book);
    child.kill();
    heals(&folder, &mut book);
}

#[test]
fn a_write_that_fails_at_the_commit_stops_the_store_and_is_unknown() {
    let mut book = Book::default();
    let (folder, pages) = folder_with_history(&mut book);
    // In blocks of 512 bytes; the write-ahead log is the file that meets it.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", (pages + 200) * 8);
    let mut child = driven().behind(["sh", "-c", &script, "sh"]).with(["--still"]).start(folder.path());
    child.ready();
    let answer = ask_until_trouble(&mut child, &mut book);
    assert!(matches!(answer, Answer::Unknown(_)), "answered {answer}");
    has_stopped(&mut child, &mut book);
    child.kill();
    let done = heals(&folder, &mut book);
    assert_eq!(done, 0, "half a transaction is none");
}

/// `driven` behind a strace that makes calls on the write-ahead log fail.
fn failing(folder: &Home, fault: &str) -> Launch {
    let wal = wal(folder.path());
    let (wal, trace) = (wal.display().to_string(), folder.path().join("trace").display().to_string());
    driven()
        .behind([
            "strace",
            "-f",
            "-y",
            "-o",
            &trace,
            "-P",
            &wal,
            "-e",
            "trace=pwrite64,fsync,fdatasync",
            "-e",
            fault,
        ])
        .with(["--still"])
}

fn wal(folder: &Path) -> PathBuf {
    folder.canonicalize().expect("the folder is there").join("parlance.db-wal")
}

#[test]
fn a_sync_that_fails_stops_the_store_and_the_command_is_unknown() {
    if !there_is_strace() {
        return;
    }
    for killed in [true, false] {
        let mut book = Book::default();
        let (folder, _) = folder_with_history(&mut book);
        let fault = "inject=fsync,fdatasync:error=EIO:when=20";
        let mut child = failing(&folder, fault).start(folder.path());
        child.ready();
        let answer = ask_until_trouble(&mut child, &mut book);
        assert!(matches!(answer, Answer::Unknown(_)), "answered {answer}");
        has_stopped(&mut child, &mut book);
        if killed {
            child.kill();
        } else {
            assert!(child.finish());
        }
        let done = heals(&folder, &mut book);
        println!("killed: {killed}; of the unknown, {done} had been done");
    }
}

#[test]
fn a_disk_that_is_full_for_a_while_rolls_back_and_goes_on_by_itself() {
    if !there_is_strace() {
        return;
    }
    let mut book = Book::default();
    let (folder, _) = folder_with_history(&mut book);
    let fault = "inject=pwrite64:error=ENOSPC:when=150..157";
    let mut child = failing(&folder, fault).start(folder.path());
    child.ready();
    let answer = ask_until_trouble(&mut child, &mut book);
    assert_eq!(answer, Answer::Unavailable("the store cannot do this now: the disk is full".to_owned()));
    still_reads(&mut child, &mut book);
    let again = (0..20).map(|contact| ask_of(&mut child, &mut book, contact)).find(Answer::is_yes);
    assert!(again.is_some(), "there is room again, and it goes on");
    child.kill();
    heals(&folder, &mut book);
}

#[test]
fn a_deletion_is_not_confirmed_before_its_erasure_is_on_the_list() {
    let mut book = Book::default();
    let (folder, pages) = folder_with_history(&mut book);
    let list = folder.path().join("erasures.log");
    // Room for one line and a half.
    let limit = (pages + 200) * 4_096;
    let line = "{\"key\":\"somebody else's\"}\n";
    let earlier = line.repeat(usize::try_from(limit - 230).unwrap() / line.len());
    std::fs::write(&list, earlier).unwrap();
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", limit / 512);
    let mut child = driven().behind(["sh", "-c", &script, "sh"]).start(folder.path());
    child.ready();
    let mut delete = |contact| book.ask(&mut child, Order::Delete { contact });
    let listed = delete(0);
    assert!(matches!(listed, Answer::Recorded { .. }), "answered {listed}");
    let half_listed = delete(1);
    assert!(matches!(half_listed, Answer::Unknown(_)), "answered {half_listed}");
    let again = delete(1);
    assert!(!again.is_yes(), "a deletion whose erasure is not listed was answered {again}");
    let refused = delete(2);
    assert!(matches!(refused, Answer::Unavailable(_)), "answered {refused}");
    child.kill();
    heals(&folder, &mut book);
}
