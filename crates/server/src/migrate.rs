//! `parlance migrate`: on the embedded store opening is migrating, and this says so; PostgreSQL is changed by this only.

use std::process::ExitCode;

use parlance_stores::DatabaseUrl;

use crate::{config::Config, open};

pub async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    match &config.database {
        DatabaseUrl::Sqlite(file) => {
            open::parlance(config).await?;
            println!("{} is up to date", file.display());
        }
        DatabaseUrl::Postgres(url) => {
            let open::Prepared { migrated, made_key } = open::migrate(config).await?;
            match (migrated.from, migrated.to) {
                (from, to) if from == to => println!("{url} is up to date (version {to})"),
                (0, to) => println!("{url} was empty and has its tables now (version {to})"),
                (from, to) => println!("{url} was migrated from version {from} to {to}"),
            }
            if let Some(file) = made_key {
                println!(
                    "The master key is in {}: every server needs a copy of it, and nothing can be read without it.",
                    file.display()
                );
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
