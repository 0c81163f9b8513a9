//! `parlance member token`: a member's key to the API, for whoever runs the installation.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use parlance_domain::{AccountId, Email};

use crate::{
    config::Config,
    operator::{self, Request},
};

#[derive(Subcommand)]
pub enum Command {
    /// Make a new API token for an active member, in place of one that was lost
    Token {
        #[arg(long)]
        account: AccountId,
        /// The member's e-mail address
        #[arg(long)]
        email: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    let Command::Token { account, email, json } = command;
    let request = Request::MemberToken { account, email: Email::new(&email).context("--email")? };
    let made = operator::ask(config, request).await?;
    if json {
        println!("{made}");
    } else {
        println!("{}", made["token"].as_str().unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}
