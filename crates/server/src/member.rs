//! `parlance member`: a member's key to the API, or a new password, for whoever runs the installation.

use std::{io::Read as _, process::ExitCode};

use anyhow::Context as _;
use clap::Subcommand;
use parlance_domain::{AccountId, Email};

use crate::{
    config::Config,
    operator::{self, NewPassword, Request},
};

/// What is read of standard input at most: the longest password there is, and a line's end.
const PASSWORD_BYTES_MAX: u64 = 4_096;

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
    /// Set an active member's password in one account, and end their sessions there
    ResetPassword {
        #[arg(long)]
        account: AccountId,
        /// The member's e-mail address
        #[arg(long)]
        email: String,
        /// Take the password from the first line of standard input, instead of making one up
        #[arg(long)]
        password_stdin: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Token { account, email, json } => {
            let request = Request::MemberToken { account, email: Email::new(&email).context("--email")? };
            let made = operator::ask(config, request).await?;
            if json {
                println!("{made}");
            } else {
                println!("{}", made["token"].as_str().unwrap_or_default());
            }
        }
        Command::ResetPassword { account, email, password_stdin, json } => {
            let email = Email::new(&email).context("--email")?;
            let password = if password_stdin { Some(typed()?) } else { None };
            let made = operator::ask(config, Request::ResetPassword { account, email, password }).await?;
            if json {
                println!("{made}");
            } else if let Some(password) = made["password"].as_str() {
                println!("{password}");
                eprintln!("It is shown this once. The member's sessions in this account have ended.");
            } else {
                eprintln!("The password is set. The member's sessions in this account have ended.");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The password on standard input, without the line's end.
fn typed() -> anyhow::Result<NewPassword> {
    let mut text = String::new();
    std::io::stdin().take(PASSWORD_BYTES_MAX).read_to_string(&mut text).context("standard input")?;
    Ok(NewPassword::new(text.lines().next().unwrap_or_default()))
}
