//! Durable means synced: between a command's arrival and its answer the disk has said that it has the bytes.

use std::{ffi::OsStr, path::Path};

use parlance_tests::{
    Home,
    driven::{Answer, Order},
};

use super::{
    asked::Book,
    driven, trace,
    trace::{Call, there_is_strace},
    truth::check,
};

const CALLS: &str = "trace=read,write,pwrite64,fsync,fdatasync";

fn strace(trace: &Path) -> [&OsStr; 9] {
    let [a, b, c, d, e, f, g, h] = ["strace", "-f", "-y", "-s", "64", "-e", CALLS, "-o"].map(OsStr::new);
    [a, b, c, d, e, f, g, h, trace.as_os_str()]
}

/// The call by which a line came in or went out.
fn line<'a>(calls: &'a [Call], name: &str, descriptor: &str, begins: &str) -> &'a Call {
    let begins = format!("\"{begins} ");
    let of =
        |call: &&Call| call.name == name && call.file.starts_with(descriptor) && call.words.contains(&begins);
    calls.iter().find(of).unwrap_or_else(|| panic!("no {name} of {begins}"))
}

#[test]
fn every_answer_comes_after_a_sync_of_what_it_answers() {
    if !there_is_strace() {
        return;
    }
    let folder = Home::new();
    let trace = folder.path().join("trace");
    // Still: no sync of a projection's may be taken for a command's.
    let mut child = driven().behind(strace(&trace)).with(["--still"]).start(folder.path());
    child.ready();
    let mut book = Book::default();
    for round in 0..6 {
        let contact = round % 2;
        for order in [
            Order::Receive { contact, message: book.message() },
            Order::Assign { contact, member: 1 },
            Order::Close { contact },
            Order::Pair { first: (contact, book.message()), second: (7, book.message()) },
            Order::Seen { contact, up_to: 1_000 },
            Order::Delete { contact },
        ] {
            let answer = book.ask(&mut child, order);
            assert!(matches!(answer, Answer::Recorded { .. }), "{order} was answered {answer}");
        }
    }
    assert!(child.finish());

    let calls = trace::read(&trace);
    let path = folder.path().canonicalize().unwrap();
    let (wal, list) = (path.join("parlance.db-wal"), path.join("erasures.log"));
    for (id, asked) in &book.asked {
        let arrived = line(&calls, "read", "0<", &id.to_string()).ended;
        let answered = line(&calls, "write", "1<", &format!("{id} recorded")).began;
        let between = || calls.iter().filter(|call| call.began > arrived && call.ended < answered);
        let synced = |file: &Path, name: &str| {
            let written = between().filter(|call| call.name == name && call.on(file)).map(|call| call.ended);
            let written = written.max();
            written.is_some_and(|at| between().any(|call| call.is_sync() && call.on(file) && call.began > at))
        };
        assert!(synced(&wal, "pwrite64"), "{id} {} was answered before a sync of the log", asked.order);
        if matches!(asked.order, Order::Delete { .. }) {
            assert!(synced(&list, "write"), "{id} was answered before a sync of the list of erasures");
        }
    }
    check(&folder, &book);
}

/// A killed process may have written without having synced; its successor must not build on that.
#[test]
fn what_recovery_finds_is_synced_before_anything_is_answered_from_it() {
    if !there_is_strace() {
        return;
    }
    let folder = Home::new();
    let mut book = Book::default();
    let mut child = driven().with(["--still"]).start(folder.path());
    child.ready();
    for contact in 0..5 {
        let order = Order::Receive { contact, message: book.message() };
        book.ask(&mut child, order);
    }
    child.kill();

    let trace = folder.path().join("trace");
    let mut child = driven().behind(strace(&trace)).start(folder.path());
    child.ready();
    assert!(child.finish());
    let calls = trace::read(&trace);
    let file = folder.path().canonicalize().unwrap().join("parlance.db");
    let ready = line(&calls, "write", "1<", "ready").began;
    let before = || calls.iter().filter(|call| call.ended < ready && call.on(&file));
    let copied = before().filter(|call| call.name == "pwrite64").map(|call| call.ended).max();
    let copied = copied.expect("the log is copied into the file");
    assert!(before().any(|call| call.is_sync() && call.began > copied), "and the file is synced");
    check(&folder, &book);
}
