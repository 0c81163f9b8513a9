//! `kill -9` at random moments, with commands in flight, again and again on the same folder.

use std::time::Duration;

use parlance_tests::{
    Home, PATIENCE,
    driven::{Answer, Child, Order},
};

use super::{
    asked::{Book, Dice},
    driven,
    truth::check,
};

/// Commands in flight at any time.
const IN_FLIGHT: usize = 64;
/// The log is read whole after every so many rounds, and after the last.
const CHECK_EVERY: u32 = 5;

/// One life of the process: it is asked until the dice say that it dies. Gives the orders in flight by then.
fn live(child: &mut Child, book: &mut Book, dice: &Dice, head: u64) -> Vec<u64> {
    let contacts = 3 + dice.below(20);
    let mut head = head;
    let mut open = Vec::new();
    for asked_again in book.unanswered_messages() {
        open.push(book.send(child, asked_again));
    }
    let answers = 1 + dice.below(300);
    let mut answered = 0;
    while answered < answers {
        while open.len() < IN_FLIGHT {
            let order = book.draw(dice, contacts, head);
            open.push(book.send(child, order));
        }
        let (id, answer) = child.answer(PATIENCE).expect("it lives and answers");
        if let Answer::Recorded { last, .. } = answer {
            head = head.max(last);
        }
        book.answered(id, answer);
        open.retain(|other| *other != id);
        answered += 1;
    }
    // Some part of a millisecond later, between any two system calls.
    if let Some((id, answer)) = child.answer(Duration::from_micros(u64::from(dice.below(2_000)))) {
        book.answered(id, answer);
        open.retain(|other| *other != id);
    }
    open
}

#[test]
fn what_was_answered_outlives_kill_nine() {
    let rounds = std::env::var("PARLANCE_KILL_ROUNDS").map_or(6, |text| text.parse().expect("a number"));
    let seed = std::env::var("PARLANCE_KILL_SEED").map_or(20_260_101, |text| text.parse().expect("a number"));
    let dice = Dice::new(seed);
    let folder = Home::new();
    let mut book = Book::default();
    let mut killed_in_flight = 0;
    for round in 1..=rounds {
        if round % 7 == 3 {
            // Killed while it opens, recovery and all.
            let mut child = driven().start(folder.path());
            let opened = child.ready_within(Duration::from_micros(u64::from(dice.below(30_000))));
            println!(
                "round {round}: killed while opening, {}",
                if opened.is_some() { "late" } else { "in time" }
            );
            child.kill();
        }
        let mut child = driven().start(folder.path());
        let head = child.ready();
        let mut open = live(&mut child, &mut book, &dice, head);
        for (id, answer) in child.kill() {
            book.answered(id, answer);
            open.retain(|other| *other != id);
        }
        println!("round {round}: {} asked so far, {} in flight at the kill", book.asked.len(), open.len());
        killed_in_flight += u32::from(!open.is_empty());
        if round % CHECK_EVERY == 0 || round == rounds {
            check(&folder, &book);
        }
    }
    assert!(
        killed_in_flight * 5 >= rounds * 4,
        "only {killed_in_flight} of {rounds} kills had work to cut off"
    );
    all_that_was_cut_off_can_be_asked_again(&folder, &mut book);
    check(&folder, &book);
}

fn all_that_was_cut_off_can_be_asked_again(folder: &Home, book: &mut Book) {
    let mut child = driven().start(folder.path());
    child.ready();
    for order in book.unanswered_messages() {
        let answer = book.ask(&mut child, order);
        let told = matches!(answer, Answer::Recorded { .. } | Answer::Duplicate(_));
        assert!(told, "{order} was answered {answer}");
        if let Order::Receive { .. } = order {
            let again = book.ask(&mut child, order);
            assert!(matches!(again, Answer::Duplicate(_)), "{order} was answered {again} when told again");
        }
    }
    assert!(child.finish());
}
