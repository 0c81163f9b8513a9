//! Medians, percentiles and tables.

use std::time::Duration;

/// The value below which `percent` of them lie.
pub fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

pub fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

pub fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// A rate, and a ratio.
pub fn per_second(rate: f64) -> String {
    format!("{:.1}k/s", rate / 1e3)
}

pub fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}")
}

/// A table's head: its names, and the line below them.
pub fn head_cells(columns: &[&str]) -> [String; 2] {
    [
        cells(columns.iter().map(|column| (*column).to_owned())),
        cells(columns.iter().map(|_| "---".to_owned())),
    ]
}

/// A table's row.
pub fn cells(cells: impl IntoIterator<Item = String>) -> String {
    format!("| {} |", cells.into_iter().collect::<Vec<_>>().join(" | "))
}

/// Prints a table's head.
pub fn head(columns: &[&str]) {
    head_cells(columns).iter().for_each(|line| println!("{line}"));
}

pub fn row(row: impl IntoIterator<Item = String>) {
    println!("{}", cells(row));
}
