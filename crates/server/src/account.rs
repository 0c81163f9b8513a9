//! `parlance account create`: a company and its first member with account settings access.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use parlance_domain::{Email, Name, account::Language};

use crate::{
    config::Config,
    operator::{self, Request},
};

#[derive(Clone, Copy, ValueEnum)]
pub enum LanguageFlag {
    En,
    Hu,
}

#[derive(Subcommand)]
pub enum Command {
    /// Create an account and its first member, who has account settings access
    Create {
        /// The company's name
        #[arg(long)]
        name: String,
        /// The language in which Parlance writes for it
        #[arg(long, value_enum, default_value = "en")]
        language: LanguageFlag,
        /// IANA time zone, as Europe/Budapest
        #[arg(long, default_value = "UTC")]
        time_zone: String,
        #[arg(long)]
        admin_email: String,
        #[arg(long)]
        admin_name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    let Command::Create { name, language, time_zone, admin_email, admin_name, json } = command;
    let request = Request::CreateAccount {
        name: Name::new(&name).context("--name")?,
        language: match language {
            LanguageFlag::En => Language::En,
            LanguageFlag::Hu => Language::Hu,
        },
        time_zone,
        admin_email: Email::new(&admin_email).context("--admin-email")?,
        admin_name: Name::new(&admin_name).context("--admin-name")?,
    };
    let created = operator::ask(config, request).await?;
    if json {
        println!("{created}");
    } else {
        for (label, key) in [("account", "account"), ("admin  ", "admin"), ("token  ", "token")] {
            println!("{label} {}", created[key].as_str().unwrap_or_default());
        }
        println!("The token is the admin's key to the GraphQL API. It is shown this once.");
    }
    Ok(ExitCode::SUCCESS)
}
