//! What must be true of log, keys and read models at the end, given everything that was delivered, asked for, answered
//! and shown. The servers have ended.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::PathBuf,
};

use parlance_domain::{Actor, KeyId, RecordedEvent, StreamType};
use parlance_tests::served::Office;
use serde_json::Value;

use super::{
    hands::{Asked, Notes, Row, Seen},
    told::Told,
};
use crate::webhooks::{ledger, mailbag::Mailbag};

/// Keys that a statement names at most.
const KEYS_A_STATEMENT: usize = 500;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Absent,
    Open,
    Closed,
    Deleted,
}

/// A conversation as it was from a position on.
#[derive(Clone, Debug, Default)]
struct Was {
    from: u64,
    phase: Phase,
    incarnation: u64,
    assignee: Option<String>,
}

/// Something that a member did, as the log has it.
struct Act {
    position: u64,
    assignee: Option<String>,
}

/// Who, which event, on which conversation.
type Deed = (String, String, String);

#[derive(Default)]
struct History {
    conversations: HashMap<String, Vec<Was>>,
    acts: BTreeMap<Deed, Vec<Act>>,
    /// Up to where a member has seen a conversation, from a position on.
    readings: HashMap<(String, String), Vec<(u64, u64)>>,
    /// The keys of each incarnation.
    keys: HashMap<(String, u64), BTreeSet<KeyId>>,
}

fn text(field: &Value) -> Option<String> {
    field.as_str().map(str::to_owned)
}

impl History {
    fn read(log: &[RecordedEvent]) -> Self {
        let mut history = Self::default();
        let (mut before, mut known) = (None, HashSet::new());
        for recorded in log {
            // What one command made stands together, and is there once.
            if before != Some(recorded.causation) {
                assert!(known.insert(recorded.causation), "{} was done twice", recorded.position);
                before = Some(recorded.causation);
            }
            history.take(recorded);
        }
        history
    }

    fn take(&mut self, recorded: &RecordedEvent) {
        let fields: Value = serde_json::from_slice(&recorded.payload).expect("payloads are JSON");
        let position = recorded.position.number();
        let on = match recorded.stream.kind {
            StreamType::Conversation => recorded.stream.id.simple().to_string(),
            StreamType::Reading => text(&fields["conversation"]).unwrap_or_default(),
            _ => return,
        };
        if let Actor::Member(member) = recorded.actor {
            let by = member.uuid().simple().to_string();
            let deed = (by.clone(), recorded.event_type.clone(), on.clone());
            let act = Act { position, assignee: text(&fields["assignee"]) };
            self.acts.entry(deed).or_default().push(act);
            if let Some(up_to) = fields["up_to"].as_u64() {
                self.readings.entry((by, on.clone())).or_default().push((position, up_to));
            }
        }
        if recorded.stream.kind != StreamType::Conversation {
            return;
        }
        let all = self.conversations.entry(on.clone()).or_default();
        let mut now = all.last().cloned().unwrap_or_default();
        now.from = position;
        match recorded.event_type.as_str() {
            "MessageReceived" => {
                if matches!(now.phase, Phase::Absent | Phase::Deleted) {
                    (now.phase, now.assignee) = (Phase::Open, None);
                }
                now.incarnation = fields["incarnation"].as_u64().unwrap_or_default();
            }
            "Assigned" => now.assignee = text(&fields["assignee"]),
            "Unassigned" => now.assignee = None,
            "Closed" => now.phase = Phase::Closed,
            "Reopened" => now.phase = Phase::Open,
            "Deleted" => (now.phase, now.assignee) = (Phase::Deleted, None),
            _ => {}
        }
        let incarnation = now.incarnation;
        all.push(now);
        if let Some(key) = recorded.key {
            self.keys.entry((on, incarnation)).or_default().insert(key);
        }
    }

    fn at(&self, conversation: &str, position: u64) -> Was {
        let all = self.conversations.get(conversation).map(Vec::as_slice).unwrap_or_default();
        let after = all.partition_point(|was| was.from <= position);
        all[..after].last().cloned().unwrap_or_default()
    }

    fn is_deleted_since(&self, conversation: &str, position: u64) -> bool {
        let gone = |was: &Was| matches!(was.phase, Phase::Absent | Phase::Deleted);
        let later = self.conversations.get(conversation).into_iter().flatten();
        gone(&self.at(conversation, position)) || later.filter(|was| was.from > position).any(gone)
    }

    /// What was answered with success is so at the position of the answer.
    fn holds(&self, asked: &Asked, done: u64) -> bool {
        let was = self.at(&asked.conversation, done);
        match asked.event {
            "Assigned" => was.assignee == asked.assignee,
            "Unassigned" => was.assignee.is_none(),
            "Closed" => was.phase == Phase::Closed,
            "Reopened" => was.phase == Phase::Open,
            "Deleted" => was.phase == Phase::Deleted,
            _ => {
                let read = self.readings.get(&(asked.by.clone(), asked.conversation.clone()));
                let read = read.into_iter().flatten().filter(|(position, _)| *position <= done);
                read.map(|(_, up_to)| *up_to).max() >= asked.up_to
            }
        }
    }

    /// Whatever a member did was asked for by them; what was answered with success happened, and once; what was said
    /// not to be done is not there. Gives how much of both kinds was found.
    fn hold_asked(&self, asked: &[Asked]) -> (usize, usize) {
        let mut done: HashMap<(Deed, u64), &Asked> = HashMap::new();
        let mut unknown: HashMap<Deed, Vec<&Asked>> = HashMap::new();
        for asked in asked {
            let deed = (asked.by.clone(), asked.event.to_owned(), asked.conversation.clone());
            match &asked.told {
                Told::Done(position) => {
                    assert!(self.holds(asked, *position), "answered, and not so: {asked:?}");
                    done.insert((deed, *position), asked);
                }
                Told::Unknown => unknown.entry(deed).or_default().push(asked),
                Told::Refused | Told::NotDone => {}
            }
        }
        let (mut known, mut found) = (0, 0);
        for (deed, acts) in &self.acts {
            for act in acts {
                let fits = |asked: &Asked| asked.assignee == act.assignee;
                if done.get(&(deed.clone(), act.position)).is_some_and(|asked| fits(asked)) {
                    known += 1;
                    continue;
                }
                let open = unknown.entry(deed.clone()).or_default();
                let index = open.iter().position(|asked| fits(asked));
                let index =
                    index.unwrap_or_else(|| panic!("{deed:?} at {}: nobody asked for that", act.position));
                open.swap_remove(index);
                found += 1;
            }
        }
        (known, found)
    }

    /// What was shown was so at the position that it claims, and nothing that had to be shown came in between.
    fn hold_seen(&self, seen: &Seen) {
        let Some(shown) = &seen.shown else {
            assert!(self.is_deleted_since(&seen.conversation, seen.at_least), "it was there: {seen:?}");
            return;
        };
        let was = self.at(&seen.conversation, shown.changed_at);
        let so = Row {
            closed: was.phase == Phase::Closed,
            incarnation: was.incarnation,
            assignee: was.assignee.clone(),
            changed_at: shown.changed_at,
        };
        assert_eq!(&so, shown, "shown as it never was: {seen:?}");
        let newest = self.at(&seen.conversation, seen.at_least).from;
        assert!(newest <= shown.changed_at, "what had to be shown is of {newest}: {seen:?}");
    }

    /// Deleted incarnations' keys, and those of the living.
    fn keys(&self) -> (Vec<KeyId>, Vec<KeyId>) {
        let (mut gone, mut kept) = (Vec::new(), Vec::new());
        for ((conversation, incarnation), keys) in &self.keys {
            let now = self.at(conversation, u64::MAX);
            let living = now.phase != Phase::Deleted && now.incarnation == *incarnation;
            if living { kept.extend(keys) } else { gone.extend(keys) }
        }
        (gone, kept)
    }
}

/// Keys among these in the database of which this holds.
fn count(office: &Office, keys: &[KeyId], holds: &str) -> usize {
    let beside = office.folder.beside();
    let counted = keys.chunks(KEYS_A_STATEMENT).map(|keys| {
        let ids: Vec<_> = keys.iter().map(|key| beside.id(key.bytes())).collect();
        beside.number(&format!(
            "SELECT count(*) FROM data_keys WHERE {holds} AND key_id IN ({})",
            ids.join(", ")
        ))
    });
    usize::try_from(counted.sum::<i64>()).expect("a count")
}

/// Deleted conversations' keys are gone, and on a server's list; nobody else's are.
fn check_keys(office: &Office, folders: &[PathBuf], history: &History) -> usize {
    let (gone, kept) = history.keys();
    let zeros = "destroyed AND wrapped = decode(repeat('00', length(wrapped)), 'hex')";
    assert_eq!(count(office, &gone, zeros), gone.len(), "a deleted conversation's key is gone");
    assert_eq!(count(office, &kept, "NOT destroyed"), kept.len(), "a living conversation's key is there");
    let pending = office.folder.beside().number("SELECT count(*) FROM erasures_pending WHERE NOT listed");
    assert_eq!(pending, 0, "no erasure is left to be listed");
    let lists =
        folders.iter().map(|folder| std::fs::read_to_string(folder.join("erasures.log")).unwrap_or_default());
    let listed: HashSet<String> = lists
        .collect::<String>()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"))
        .map(|line| line["key"].as_str().expect("a key").to_owned())
        .collect();
    assert!(gone.iter().all(|key| listed.contains(&key.to_string())), "every erasure is on a server's list");
    gone.len()
}

/// Holds everything against everything; what was found, in words.
pub async fn check(office: &Office, folders: &[PathBuf], bag: &Mailbag, notes: &Notes) -> String {
    let counted = ledger::check(office, bag).await;
    let history = History::read(&ledger::Ledger::read(office).await.log);
    let (known, found) = history.hold_asked(&notes.asked);
    notes.seen.iter().for_each(|seen| history.hold_seen(seen));
    let erased = check_keys(office, folders, &history);
    let asked = |of: fn(&Told) -> bool| notes.asked.iter().filter(|asked| of(&asked.told)).count();
    let done = asked(|told| matches!(told, Told::Done(_)));
    let refused = asked(|told| matches!(told, Told::Refused));
    let not_done = asked(|told| matches!(told, Told::NotDone));
    let unknown = asked(|told| matches!(told, Told::Unknown));
    format!(
        "{counted}; {} changes asked for: {done} done ({known} with an event), {refused} refused, {not_done} said not \
         to be done, {unknown} unanswered ({found} of them done); {} rows seen; {erased} keys erased",
        notes.asked.len(),
        notes.seen.len(),
    )
}
