//! `parlance migrate`: on the embedded store opening is migrating; this says so.

use std::process::ExitCode;

use crate::{config::Config, open};

pub async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    open::parlance(config).await?;
    println!("{} is up to date", config.database.display());
    Ok(ExitCode::SUCCESS)
}
