//! The lines of the table: what of ours stands beside what of whom, and the goals. A ratio is of two figures of the same
//! round; the median of the rounds counts.

use super::{Contender, Round, ours::Side};
use crate::measure::median;

/// What was measured, and how many at once.
type Key = (&'static str, usize);

/// What has to hold.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// Ours is at least so much of the other's rate.
    AtLeast(Contender, f64),
    /// Ours takes at most so many times as long.
    TimesAsLong(Contender, f64),
    /// Ours takes at most so many milliseconds.
    Millis(f64),
}

pub struct Line {
    what: &'static str,
    ours: Key,
    /// Whom it is compared with, in the order of [`OTHERS`].
    others: [Option<Key>; 4],
    /// Of the store on PostgreSQL, and of the embedded store.
    goals: [&'static [Goal]; 2],
}

pub const OTHERS: [Contender; 4] =
    [Contender::Floor, Contender::CqrsEs, Contender::Emmett, Contender::Eventsourcing];

use Contender::{CqrsEs, Floor};
use Goal::{AtLeast, Millis, TimesAsLong};

/// Peers are asked for a command (read, decide, append), as ours is.
const LINES: [Line; 11] = [
    Line {
        what: "commands, 1 at once, one account",
        ours: ("append", 1),
        others: [
            Some(("single", 1)),
            Some(("append", 1)),
            Some(("read_append", 1)),
            Some(("read_append", 1)),
        ],
        goals: [&[TimesAsLong(Floor, 3.0)], &[]],
    },
    Line {
        what: "commands, 32 at once, one account",
        ours: ("append", 32),
        others: [
            Some(("thousands", 1)),
            Some(("append", 32)),
            Some(("read_append", 32)),
            Some(("read_append", 8)),
        ],
        goals: [&[], &[]],
    },
    Line {
        what: "commands, 64 at once, one account (peers: their best)",
        ours: ("append", 64),
        others: [
            Some(("thousands", 1)),
            Some(("append", 32)),
            Some(("read_append", 32)),
            Some(("read_append", 8)),
        ],
        goals: [&[AtLeast(Floor, 0.30), AtLeast(CqrsEs, 6.0)], &[AtLeast(CqrsEs, 7.0)]],
    },
    Line {
        what: "commands, 512 at once, one account",
        ours: ("append", 512),
        others: [Some(("thousands", 1)), Some(("append", 512)), None, None],
        goals: [&[], &[]],
    },
    Line {
        what: "commands, 64 at once, 100 accounts",
        ours: ("append_100_accounts", 64),
        others: [
            Some(("thousands", 1)),
            Some(("append", 32)),
            Some(("read_append", 32)),
            Some(("read_append", 8)),
        ],
        goals: [&[AtLeast(Floor, 0.08)], &[]],
    },
    Line {
        what: "commands, 64 at once, until all read models show them",
        ours: ("append_shown", 64),
        others: [Some(("thousands", 1)), Some(("append_with_view", 32)), None, None],
        goals: [&[AtLeast(CqrsEs, 8.0)], &[AtLeast(CqrsEs, 9.0)]],
    },
    Line {
        what: "beside one event a commit, head row and all, 32 clients",
        ours: ("append", 32),
        others: [Some(("hot_head", 32)), None, None, None],
        goals: [&[], &[]],
    },
    Line {
        what: "beside one event a commit, no head, 32 clients",
        ours: ("append", 32),
        others: [Some(("single", 32)), Some(("append", 32)), Some(("append", 32)), Some(("append", 8))],
        goals: [&[], &[]],
    },
    Line {
        what: "large batches of 1,000 events",
        ours: ("bulk", 1),
        others: [Some(("thousands", 1)), None, None, None],
        goals: [&[], &[]],
    },
    Line {
        what: "large batches beside COPY",
        ours: ("bulk", 1),
        others: [Some(("copy", 1)), None, None, None],
        goals: [&[], &[]],
    },
    Line {
        what: "log read and decoded",
        ours: ("read_log", 1),
        others: [Some(("read_log", 1)), Some(("replay", 1)), Some(("read_log", 1)), Some(("read_log", 1))],
        goals: [&[], &[]],
    },
];

/// Its floor is our own reading.
const REBUILD: Line = Line {
    what: "all read models rebuilt, rows written (peers: one view; a consumer that writes nothing)",
    ours: ("rebuild", 1),
    others: [None, Some(("replay_into_view", 1)), Some(("consume", 1)), None],
    goals: [&[AtLeast(CqrsEs, 60.0)], &[AtLeast(CqrsEs, 60.0)]],
};

/// How long a command took, at so many at once.
const ANSWERS: [(usize, &[Goal], &[Goal]); 4] =
    [(1, &[], &[]), (32, &[], &[]), (64, &[Millis(8.0)], &[Millis(10.0)]), (512, &[], &[])];

/// Ours rebuilding, of ours reading the log alone.
const REBUILD_OF_READING: [f64; 2] = [0.20, 0.16];

fn figure(round: &Round, contender: Contender, key: Key) -> Option<f64> {
    round.get(&contender)?.get(&(key.0.to_owned(), key.1)).copied()
}

/// The median of the rounds that have it.
fn over(rounds: &[Round], of: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
    let figures: Vec<f64> = rounds.iter().filter_map(of).collect();
    (!figures.is_empty()).then(|| median(figures))
}

fn per_second(rate: f64) -> String {
    if rate < 1_000.0 { format!("{rate:.0}/s") } else { format!("{:.1}k/s", rate / 1e3) }
}

/// The goals that there are, each met or missed.
#[derive(Default)]
pub struct Verdicts {
    pub met: usize,
    pub missed: usize,
}

impl Verdicts {
    fn say(&mut self, what: &str, holds: bool) -> String {
        if holds {
            self.met += 1;
            format!("{what}: met")
        } else {
            self.missed += 1;
            format!("{what}: **missed**")
        }
    }
}

/// The table's lines in Markdown, with their head.
pub fn lines(rounds: &[Round], side: Side, names: [&str; 4]) -> (Vec<String>, Verdicts) {
    let mut verdicts = Verdicts::default();
    let column = usize::from(side == Side::Embedded);
    let mut lines = vec![
        format!("| | ours | {} | goals |", names.join(" | ")),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    for line in LINES.iter().chain([&REBUILD]) {
        let Some(ours) = over(rounds, |round| figure(round, Contender::Ours, line.ours)) else { continue };
        let ratio = |other: Contender| {
            let key = OTHERS.iter().zip(line.others).find(|(one, _)| **one == other)?.1?;
            over(rounds, |round| {
                Some(figure(round, Contender::Ours, line.ours)? / figure(round, other, key)?)
            })
        };
        let cells = OTHERS.iter().zip(line.others).map(|(other, key)| {
            let rate = key.and_then(|key| over(rounds, |round| figure(round, *other, key)));
            match (ratio(*other), rate) {
                (Some(ratio), Some(rate)) => format!("**{ratio:.2}** × {}", per_second(rate)),
                _ => "–".to_owned(),
            }
        });
        let cells: Vec<String> = cells.collect();
        let mut goals: Vec<String> = Vec::new();
        for goal in line.goals[column] {
            let verdict = match goal {
                AtLeast(other, least) => ratio(*other)
                    .map(|ratio| verdicts.say(&format!("≥ {least} × {}", short(*other)), ratio >= *least)),
                TimesAsLong(other, most) => ratio(*other).map(|ratio| {
                    let times = 1.0 / ratio;
                    verdicts.say(&format!("≤ {most} × its time ({times:.2})"), times <= *most)
                }),
                Millis(_) => None,
            };
            goals.push(verdict.unwrap_or_else(|| "not measured".to_owned()));
        }
        if line.ours.0 == "rebuild" {
            let of = over(rounds, |round| {
                Some(
                    figure(round, Contender::Ours, line.ours)?
                        / figure(round, Contender::Ours, ("read_log", 1))?,
                )
            });
            let least = REBUILD_OF_READING[column];
            goals.extend(of.map(|of| {
                verdicts.say(&format!("≥ {least} of our own reading alone ({of:.2})"), of >= least)
            }));
        }
        lines.push(format!(
            "| {} | {} | {} | {} |",
            line.what,
            per_second(ours),
            cells.join(" | "),
            goals.join("; ")
        ));
    }
    for (tasks, postgres, embedded) in ANSWERS {
        let p = |what| over(rounds, |round| figure(round, Contender::Ours, (what, tasks)));
        let (Some(p50), Some(p99)) = (p("p50_ms"), p("p99_ms")) else { continue };
        let goals = [postgres, embedded][column].iter().filter_map(|goal| match goal {
            Millis(most) => Some(verdicts.say(&format!("p99 ≤ {most} ms"), p99 <= *most)),
            _ => None,
        });
        let goals: Vec<String> = goals.collect();
        lines.push(format!(
            "| acknowledged, {tasks} at once, p50 / p99 | {p50:.2} / {p99:.2} ms | – | – | – | – | {} |",
            goals.join("; ")
        ));
    }
    (lines, verdicts)
}

/// What such machines are known to do, with tables of less (PERF, section 1); where ours are below half of it, that wants
/// an explanation beside the table.
const KNOWN: [(Key, &str, f64); 6] = [
    (("single", 1), "one event a commit, 1 client", 4_200.0),
    (("single", 32), "one event a commit, 32 clients", 16_000.0),
    (("hot_head", 32), "the same with a head row of one hot account", 1_700.0),
    (("thousands", 1), "1,000 events a transaction", 96_000.0),
    (("copy", 1), "COPY", 101_000.0),
    (("read_log", 1), "log read and decoded, reading ahead", 448_000.0),
];

/// The floor's own figures, beside what is known; empty where it was not measured.
pub fn floor(rounds: &[Round]) -> Vec<String> {
    let lines = KNOWN.iter().filter_map(|(key, what, known)| {
        let rate = over(rounds, |round| figure(round, Contender::Floor, *key))?;
        let below = if rate < known / 2.0 { " (**below half**)" } else { "" };
        Some(format!("| {what} | {} | {}{below} |", per_second(rate), per_second(*known)))
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return lines;
    }
    let head = ["| the floor | here | known of such machines |", "|---|---|---|"].map(str::to_owned);
    head.into_iter().chain(lines).collect()
}

fn short(contender: Contender) -> &'static str {
    match contender {
        Contender::Ours => "ours",
        Contender::Floor => "the floor",
        Contender::CqrsEs => "cqrs-es",
        Contender::Emmett => "emmett",
        Contender::Eventsourcing => "eventsourcing",
    }
}
