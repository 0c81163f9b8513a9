//! What PostgreSQL tells of its plans. Sessions of the store load `auto_explain`, so that every statement, those inside
//! of functions too, comes with the plan it ran by and what that read; they arrive as notices, which tokio-postgres logs.

use std::sync::{Mutex, MutexGuard};

use anyhow::Context as _;
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::Value;

/// For the end of the store's address: the store's own settings come besides.
pub const OPTIONS: &str = "options=-c%20session_preload_libraries%3Dauto_explain\
    %20-c%20client_min_messages%3Dlog%20-c%20auto_explain.log_min_duration%3D0\
    %20-c%20auto_explain.log_nested_statements%3Don%20-c%20auto_explain.log_analyze%3Don\
    %20-c%20auto_explain.log_buffers%3Don%20-c%20auto_explain.log_timing%3Doff\
    %20-c%20auto_explain.log_format%3Djson";

/// The installation's own, as long as there are servers or buckets of accounts; they are read as a whole.
const SHORT: [&str; 5] = ["servers", "leases", "beats", "installation", "sign_in_key"];

static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Listener;

impl Log for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tokio_postgres")
    }

    fn log(&self, record: &Record<'_>) {
        let text = record.args().to_string();
        if self.enabled(record.metadata()) && text.contains("  plan:\n") {
            told().push(text);
        }
    }

    fn flush(&self) {}
}

fn told() -> MutexGuard<'static, Vec<String>> {
    TOLD.lock().expect("nothing panics while it is locked")
}

/// From now on.
pub fn listen() -> anyhow::Result<()> {
    log::set_logger(&Listener).map_err(|_| anyhow::anyhow!("somebody else takes the log"))?;
    log::set_max_level(LevelFilter::Info);
    Ok(())
}

/// One statement, run.
#[derive(Debug)]
pub struct Run {
    pub text: String,
    pub ms: f64,
    /// What it does to which tables.
    pub what: String,
    pub indexes: Vec<String>,
    /// Rows that its scans came upon in all their loops, those that a filter passed over included.
    pub rows: u64,
    /// Scans begun.
    pub seeks: u64,
    /// Rows that the largest of its sorts took.
    pub sorted: u64,
    /// Rows put into tables, or changed in them.
    pub written: u64,
    /// Pages touched.
    pub pages: u64,
    /// Whether it calls one of our functions.
    pub is_function: bool,
    /// Nodes that are no seeks.
    pub wrong: Vec<String>,
}

/// What was told since this was asked before.
pub fn runs() -> anyhow::Result<Vec<Run>> {
    let told = std::mem::take(&mut *told());
    told.iter().map(|text| run(text).with_context(|| text.clone())).collect()
}

fn run(text: &str) -> anyhow::Result<Run> {
    let (before, plan) = text.split_once("  plan:\n").context("a plan")?;
    let ms = before.split_once("duration: ").and_then(|(_, rest)| rest.split(' ').next());
    let plan: Value = serde_json::from_str(plan)?;
    let mut run = Run {
        text: plan["Query Text"].as_str().context("a text")?.to_owned(),
        ms: ms.context("a duration")?.parse()?,
        what: String::new(),
        indexes: Vec::new(),
        rows: 0,
        seeks: 0,
        sorted: 0,
        written: 0,
        pages: number(&plan["Plan"], "Shared Hit Blocks") + number(&plan["Plan"], "Shared Read Blocks"),
        is_function: false,
        wrong: Vec::new(),
    };
    let mut tables = Vec::new();
    walk(&plan["Plan"], &mut run, &mut tables);
    run.indexes.sort();
    run.indexes.dedup();
    tables.sort();
    tables.dedup();
    run.what = tables.join(", ");
    Ok(run)
}

fn number(node: &Value, name: &str) -> u64 {
    node[name].as_u64().unwrap_or(0)
}

fn walk(node: &Value, run: &mut Run, tables: &mut Vec<String>) {
    let (kind, table) = (node["Node Type"].as_str().unwrap_or_default(), node["Relation Name"].as_str());
    let loops = number(node, "Actual Loops");
    // An average a loop, rounded: what is less than half a row a loop is the loop itself, which counts as a seek.
    let rows = number(node, "Actual Rows")
        + ["Rows Removed by Filter", "Rows Removed by Index Recheck"]
            .map(|by| number(node, by))
            .iter()
            .sum::<u64>();
    run.is_function |=
        node["Function Name"].as_str().is_some_and(|name| ["append_batch", "beat", "leave"].contains(&name));
    if let Some(index) = node["Index Name"].as_str() {
        run.indexes.push(index.to_owned());
    }
    match (kind, table) {
        ("ModifyTable", Some(table)) => {
            tables.push(format!("{} {table}", node["Operation"].as_str().unwrap_or("Change").to_uppercase()));
            let inner = &node["Plans"][0];
            run.written += number(inner, "Actual Rows") * number(inner, "Actual Loops");
        }
        (_, Some(table)) => {
            tables.push(table.to_owned());
            run.rows += rows * loops;
            run.seeks += loops;
            if !["Index Scan", "Index Only Scan", "Tid Scan", "Tid Range Scan"].contains(&kind)
                && !SHORT.contains(&table)
            {
                run.wrong.push(format!("{kind} of {table}"));
            }
        }
        _ if kind.contains("Sort") => {
            let taken = &node["Plans"][0];
            run.sorted = run.sorted.max(number(taken, "Actual Rows") * number(taken, "Actual Loops"));
        }
        _ if ["Hash Join", "Merge Join", "Gather"].contains(&kind) || kind.starts_with("Bitmap") => {
            run.wrong.push(kind.to_owned());
        }
        _ => {}
    }
    node["Plans"].as_array().into_iter().flatten().for_each(|inner| walk(inner, run, tables));
}
