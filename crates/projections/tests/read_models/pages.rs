//! The same log gives the same rows however it is cut into pages, and whatever a working set knows beyond what
//! the events named.

use parlance_domain::{
    Actor, Command, Position,
    conversation::{ConversationCommand, Incoming, MessageContent, MessageKind, Source},
};
use parlance_projections::{PROJECTORS, Projector, inbox};
use proptest::{collection::vec, prelude::*};

use crate::support::{
    asking, config,
    driver::{Decoded, Driver, Knowing, Tables, decoded},
    log::Log,
};

const STEPS_MAX: usize = 200;

fn folded(projector: &dyn Projector, log: &[Decoded], knowing: Knowing, pages: &[usize]) -> Tables {
    let mut driver = Driver::new(projector, knowing);
    driver.run(log, pages.iter().copied());
    driver.tables
}

fn same_however_cut(log: &[Decoded], pages: &[usize]) {
    let one_by_one = vec![1; log.len()];
    for projector in PROJECTORS {
        let tables = folded(projector, log, Knowing::Named, &one_by_one);
        for knowing in [Knowing::Named, Knowing::Kept, Knowing::Everything] {
            for pages in [&one_by_one, pages, &[]] {
                let cut = folded(projector, log, knowing, pages);
                for table in projector.tables() {
                    assert_eq!(cut.of(table), tables.of(table), "{} {knowing:?} {pages:?}", table.name);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_log_gives_the_same_rows_however_it_is_cut_into_pages(
        steps in asking::steps(STEPS_MAX),
        pages in vec(prop_oneof![1..4_usize, 1..40_usize, 20..60_usize], 0..30),
    ) {
        same_however_cut(&decoded(&Log::of(&steps).events), &pages);
    }
}

/// A conversation that begins and is seen in one page, as in every rebuild.
#[test]
fn a_mark_counts_in_the_page_in_which_its_conversation_begins() {
    let mut log = Log::begun();
    let incoming = Incoming {
        channel: asking::channel(0),
        message: asking::message(0, 0),
        kind: MessageKind::Message,
        provider_at: None,
        source: Source::Webhook,
        content: MessageContent::default(),
        profile: None,
    };
    let begin = Command::Conversation(asking::conversation(0), ConversationCommand::Receive(incoming));
    assert!(log.run(Actor::Contact(asking::conversation(0)), &begin));
    let seen = asking::mark(asking::member(2), asking::conversation(0), Position::new(1_000));
    let setting_up = log.events.len() - 1;
    assert!(log.run(Actor::Member(asking::member(2)), &seen));

    let log = decoded(&log.events);
    let tables = folded(&inbox::InboxProjector, &log, Knowing::Named, &[setting_up]);
    assert_eq!(tables.of(&inbox::SEEN).len(), 1, "seen by one member");
    same_however_cut(&log, &[setting_up]);
}
