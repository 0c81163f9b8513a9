//! The town's people, and that a seed is all there is to them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{Messenger, Twilio};

const PAGE: &str = "682498302938465";
const NUMBER: &str = "whatsapp:+14155238886";

fn steps(seed: u64, count: u64) -> Vec<Step> {
    let mut town = Town::new(seed, [PAGE], [NUMBER]);
    (0..count).map(|at| town.next(1_700_000_000_000 + at * 1_000)).collect()
}

#[test]
fn the_same_seed_makes_the_same_steps() {
    assert_eq!(steps(7, 500), steps(7, 500));
    assert_ne!(steps(7, 500), steps(8, 500));
}

#[test]
fn every_step_has_an_event_and_every_message_an_id_of_its_own() {
    let mut ids = BTreeSet::new();
    for step in steps(1, 5_000) {
        assert!(!step.events.is_empty());
        for event in step.events {
            match event.what {
                What::Says { id, .. }
                | What::Shows { id, .. }
                | What::Taps { id, .. }
                | What::Shares { id, .. }
                | What::Echo { id, .. } => assert!(ids.insert(id)),
                What::Edits { id, times, .. } => {
                    assert!(ids.contains(&id) && times <= EDITS_MAX, "what is edited was said");
                }
                What::Reacts { to, .. } => assert!(ids.contains(&to), "what is liked was said"),
                What::Reads { .. } => {}
            }
        }
    }
}

#[test]
fn customers_come_back_and_new_ones_appear() {
    let mut met: BTreeMap<Channel, BTreeMap<String, u32>> = BTreeMap::new();
    let count = |steps: &[Step], met: &mut BTreeMap<Channel, BTreeMap<String, u32>>| {
        for step in steps {
            let people = met.entry(step.channel.clone()).or_default();
            *people.entry(step.events[0].person.id.clone()).or_default() += 1;
        }
        met.values().map(BTreeMap::len).collect::<Vec<_>>()
    };
    let steps = steps(3, 8_000);
    let early = count(&steps[..2_000], &mut met);
    let late = count(&steps[2_000..], &mut met);
    assert!(early.iter().all(|people| (120..=PEOPLE_MAX).contains(people)), "{early:?}");
    assert!(early.iter().zip(&late).all(|(early, late)| late > early), "{early:?} {late:?}");
    assert!(met.values().all(|people| people.values().any(|visits| *visits > 20)), "some are regulars");
}

#[test]
fn all_kinds_of_events_are_told_and_no_kind_where_it_does_not_exist() {
    let page = Messenger::new("secret", PAGE);
    let number = Twilio::new("AC1", "token", NUMBER);
    let (mut at_page, mut at_number) = (BTreeSet::new(), BTreeSet::new());
    for step in steps(5, 3_000) {
        for event in &step.events {
            let kind = format!("{:?}", event.what).split(' ').next().map(str::to_owned);
            match step.channel.provider {
                Provider::Meta => {
                    assert_eq!(event.by_messenger(&page).contact, event.person.id);
                    at_page.insert(kind);
                }
                Provider::Twilio => {
                    let form = event.by_twilio(&number).expect("a number tells only what WhatsApp has");
                    assert_eq!(form.get("From"), Some(event.person.id.as_str()));
                    at_number.insert(kind);
                }
            }
        }
    }
    assert_eq!((at_page.len(), at_number.len()), (7, 4), "{at_page:?} {at_number:?}");
}

#[test]
fn each_language_has_enough_to_say_and_uses_its_accents() {
    for language in [Language::Hungarian, Language::English] {
        let lines: Vec<_> = talks(language).iter().flat_map(|talk| talk.iter()).collect();
        let said = lines.iter().filter(|line| !line.starts_with(['>', '*'])).count();
        assert!(said >= 40, "{language:?} has {said} templates");
        let different: BTreeSet<_> = lines.iter().collect();
        assert_eq!(different.len(), lines.len(), "no line is there twice");
        for talk in talks(language) {
            assert!(!talk.last().unwrap().starts_with('>'), "no talk ends with the shop's answer: {talk:?}");
        }
        let mut rng = StdRng::seed_from_u64(1);
        for line in lines {
            if let Line::Says(text) | Line::Answered(text) = language.line(line, "Éva", &mut rng) {
                assert!(!text.contains(['{', '}']) && !text.starts_with(char::is_lowercase), "{text}");
            }
        }
    }
    let names: BTreeSet<_> = steps(2, 500).iter().map(|step| step.events[0].person.name.clone()).collect();
    assert!(
        names.iter().any(|name| name.contains(['ő', 'ű'])) && names.iter().any(|name| name.contains('ë'))
    );
}
