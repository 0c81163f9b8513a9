//! `parlance operator token`: an operator's key to what the API shows operators.

use std::process::ExitCode;

use clap::Subcommand;

use crate::{
    config::Config,
    operator::{self, Request},
};

#[derive(Subcommand)]
pub enum Command {
    /// Make a token with which the GraphQL API knows an operator
    Token {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    let Command::Token { json } = command;
    let made = operator::ask(config, Request::OperatorToken).await?;
    if json {
        println!("{made}");
    } else {
        println!("{}", made["token"].as_str().unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}
