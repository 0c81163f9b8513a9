//! Log lines on standard error. They name ids and outcomes; never a secret, never what a customer wrote.

use std::io::IsTerminal as _;

use anyhow::{Context as _, anyhow};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// `default`: what to log where nothing was said.
pub fn start(config: &Config, default: &str) -> anyhow::Result<()> {
    let wanted = config.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(wanted).with_context(|| format!("the log filter `{wanted}`"))?;
    let colours = std::io::stderr().is_terminal();
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    let started = match config.log_format {
        LogFormat::Pretty => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow!("logging cannot start: {error}"))
}
