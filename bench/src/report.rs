//! What a run tells: printed as it comes, and kept for RESULTS.md; with the goals that were met and missed.

use std::time::Duration;

use crate::{
    goals::Goals,
    measure::{cells, head_cells},
};

/// A run's tables and sentences.
pub struct Report {
    pub goals: &'static Goals,
    text: String,
    met: usize,
    missed: usize,
}

impl Report {
    pub fn new(goals: &'static Goals) -> Self {
        Self { goals, text: String::new(), met: 0, missed: 0 }
    }

    pub fn line(&mut self, line: &str) {
        println!("{line}");
        self.text += line;
        self.text.push('\n');
    }

    pub fn head(&mut self, columns: &[&str]) {
        for line in head_cells(columns) {
            self.line(&line);
        }
    }

    pub fn row(&mut self, row: impl IntoIterator<Item = String>) {
        self.line(&cells(row));
    }

    fn told(&mut self, goal: String, holds: bool) -> String {
        if holds {
            self.met += 1;
            format!("{goal}: met")
        } else {
            self.missed += 1;
            format!("{goal}: **missed**")
        }
    }

    /// A goal's cell: the least, and whether it is reached.
    pub fn at_least(&mut self, what: &str, least: f64, is: f64) -> String {
        self.told(format!("{what} ≥ {least}"), is >= least)
    }

    /// A goal's cell: the most, and whether it is kept.
    pub fn at_most(&mut self, what: &str, most: f64, unit: &str, is: f64) -> String {
        self.told(format!("{what} ≤ {most}{unit}"), is <= most)
    }

    pub fn at_most_ms(&mut self, what: &str, most: f64, is: Duration) -> String {
        self.at_most(what, most, " ms", is.as_secs_f64() * 1e3)
    }

    /// Everything, with the count of the goals.
    pub fn into_text(mut self) -> String {
        let count = format!("\nGoals met: {}; missed: {}.", self.met, self.missed);
        self.line(&count);
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goals::POSTGRES;

    #[test]
    fn goals_are_met_at_their_bound_and_missed_beyond_it() {
        let mut report = Report::new(&POSTGRES);
        assert_eq!(report.at_least("ratio", 0.3, 0.3), "ratio ≥ 0.3: met");
        assert_eq!(report.at_least("ratio", 0.3, 0.299), "ratio ≥ 0.3: **missed**");
        assert_eq!(report.at_most_ms("p99", 8.0, Duration::from_micros(8_000)), "p99 ≤ 8 ms: met");
        assert_eq!(report.at_most_ms("p99", 8.0, Duration::from_micros(8_001)), "p99 ≤ 8 ms: **missed**");
        report.row(["a".to_owned(), "b".to_owned()]);
        assert_eq!(report.into_text(), "| a | b |\n\nGoals met: 2; missed: 2.\n");
    }
}
