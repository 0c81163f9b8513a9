//! `parlance projections status | verify`.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use parlance_app::projections::{self, AccountStatus, Finding, Problem};
use parlance_domain::AccountId;
use parlance_store::{ReadModels as _, StoreError};
use parlance_stores::AnyStore;
use serde_json::{Value, json};

use crate::{
    config::Config,
    open,
    operator::{self, Request},
    progress,
};

/// An account that changes all the time is given up on after so many looks at it.
const VERIFY_TRIES: u32 = 10;

#[derive(Args)]
pub struct Scope {
    /// Only this account [default: all]
    #[arg(long)]
    account: Option<AccountId>,
    /// Print one JSON object an account
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show how far every projection has come, and what is parked
    Status(Scope),
    /// Replay the log and compare it with the live rows; exit code 1 if they differ
    Verify(Scope),
}

pub async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status(scope) => status(config, scope).await,
        Command::Verify(scope) => verify(config, scope).await,
    }
}

async fn status(config: &Config, scope: Scope) -> anyhow::Result<ExitCode> {
    let all = operator::ask(config, Request::ProjectionsStatus { account: scope.account }).await?;
    for status in all.as_array().into_iter().flatten() {
        if scope.json {
            println!("{status}");
        } else {
            print_status(status);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_status(status: &Value) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    println!("{} (log ends at {})", text(&status["account"]), status["head"]);
    for projection in status["projections"].as_array().into_iter().flatten() {
        let (name, position, behind) =
            (text(&projection["name"]), text(&projection["position"]), text(&projection["behind"]));
        println!("  {name:<11} position {position:>10}  behind {behind:>8}");
    }
    for parked in status["parked"].as_array().into_iter().flatten() {
        println!(
            "  {:<11} parked {} from position {} ({} events wait): {}",
            text(&parked["projection"]),
            text(&parked["stream"]),
            parked["position"],
            parked["events"],
            text(&parked["reason"])
        );
    }
}

pub fn status_json(status: &AccountStatus) -> Value {
    let projections: Vec<_> = status
        .projections
        .iter()
        .map(|(name, checkpoint)| {
            let position = checkpoint.map_or(0, |checkpoint| checkpoint.position.number());
            json!({
                "name": name,
                "position": position,
                "behind": status.head.number().saturating_sub(position),
                "version": checkpoint.map(|checkpoint| checkpoint.version),
            })
        })
        .collect();
    let parked: Vec<_> = status
        .parked
        .iter()
        .map(|parked| {
            json!({
                "projection": parked.projection,
                "stream": parked.stream.to_string(),
                "position": parked.position.number(),
                "events": parked.events,
                "reason": parked.reason,
            })
        })
        .collect();
    json!({
        "account": status.account.to_string(),
        "head": status.head.number(),
        "projections": projections,
        "parked": parked,
    })
}

async fn verify(config: &Config, scope: Scope) -> anyhow::Result<ExitCode> {
    let parlance = open::parlance(config).await?;
    let accounts = open::accounts(&parlance.store, scope.account).await?;
    let bar = progress::bar(accounts.len());
    let mut wrong = 0;
    for account in &accounts {
        bar.set_message(account.to_string());
        let findings = verified(&parlance.store, *account).await?;
        wrong += findings.len();
        bar.suspend(|| print_findings(*account, &findings, scope.json));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !scope.json {
        println!("{} accounts verified, {wrong} differences", accounts.len());
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What differs. On PostgreSQL a server may fold meanwhile: what differs then may only have moved, and is looked at again.
async fn verified(store: &AnyStore, account: AccountId) -> anyhow::Result<Vec<Finding>> {
    for _ in 0..VERIFY_TRIES {
        let before = store.checkpoints(account).await?;
        match projections::verify(store, account).await {
            Err(StoreError::Conflict(_)) => {}
            Ok(findings) if !findings.is_empty() && store.checkpoints(account).await? != before => {}
            other => return Ok(other?),
        }
    }
    bail!("{account} changes faster than it can be verified: try again when less happens there")
}

fn print_findings(account: AccountId, findings: &[Finding], as_json: bool) {
    if as_json {
        let findings: Vec<_> = findings.iter().map(finding_json).collect();
        println!("{}", json!({ "account": account.to_string(), "findings": findings }));
    } else {
        findings.iter().for_each(|finding| println!("{finding}"));
    }
}

fn finding_json(finding: &Finding) -> Value {
    let (problem, columns) = match &finding.problem {
        Problem::Checkpoint { .. } => ("checkpoint", &[][..]),
        Problem::Missing => ("missing", &[][..]),
        Problem::Unexpected => ("unexpected", &[][..]),
        Problem::Differs { columns } => ("differs", columns.as_slice()),
        Problem::More => ("more", &[][..]),
    };
    json!({
        "projection": finding.projection,
        "table": finding.table,
        "key": finding.key,
        "problem": problem,
        "columns": columns,
    })
}
