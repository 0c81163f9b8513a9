//! Settings: a flag wins over a `PARLANCE_…` variable, which wins over the TOML file, which wins over the
//! default. Unknown keys and variables are errors: a setting that is mistyped must not be silently missing.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde::Deserialize;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people
    #[default]
    Pretty,
    /// One JSON object a line
    Json,
}

/// The settings as flags and variables.
#[derive(Args, Debug, Default)]
pub struct Flags {
    /// A TOML file with settings: `data_dir`, `database_url`, `master_key_file`, `log`, `log_format`
    #[arg(long, global = true, env = "PARLANCE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder that holds everything of the embedded store [default: ./data]
    #[arg(long, global = true, env = "PARLANCE_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// `sqlite://path` [default: sqlite://parlance.db in the data folder]
    #[arg(long, global = true, env = "PARLANCE_DATABASE_URL", value_name = "URL")]
    database_url: Option<String>,
    /// The file with the master key [default: master.key in the data folder]
    #[arg(long, global = true, env = "PARLANCE_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// What to log, as `info` or `parlance_app=debug,warn` [default: info]
    #[arg(long, global = true, env = "PARLANCE_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How log lines look [default: pretty]
    #[arg(long, global = true, env = "PARLANCE_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

const VARIABLES: [&str; 6] = [
    "PARLANCE_CONFIG",
    "PARLANCE_DATA_DIR",
    "PARLANCE_DATABASE_URL",
    "PARLANCE_MASTER_KEY_FILE",
    "PARLANCE_LOG",
    "PARLANCE_LOG_FORMAT",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    data_dir: Option<PathBuf>,
    database_url: Option<String>,
    master_key_file: Option<PathBuf>,
    log: Option<String>,
    log_format: Option<LogFormat>,
}

/// The settings in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub data_dir: PathBuf,
    /// The embedded store's file.
    pub database: PathBuf,
    pub master_key_file: PathBuf,
    pub log: String,
    pub log_format: LogFormat,
}

impl Config {
    pub fn read(flags: Flags) -> anyhow::Result<Self> {
        let unknown = |name: &String| name.starts_with("PARLANCE_") && !VARIABLES.contains(&name.as_str());
        if let Some(name) = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).find(unknown)
        {
            bail!("{name} is no setting; the variables are {}", VARIABLES.join(", "));
        }
        let file = match &flags.config {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the settings file {}", path.display()))?;
                toml::from_str(&text).with_context(|| format!("the settings file {}", path.display()))?
            }
            None => File::default(),
        };
        Self::merge(flags, file)
    }

    fn merge(flags: Flags, file: File) -> anyhow::Result<Self> {
        let data_dir = flags.data_dir.or(file.data_dir).unwrap_or_else(|| PathBuf::from("data"));
        let database = match flags.database_url.or(file.database_url) {
            None => data_dir.join("parlance.db"),
            Some(url) => match url.strip_prefix("sqlite://") {
                Some(path) if !path.is_empty() => PathBuf::from(path),
                _ => bail!("the database URL must be `sqlite://` and a path"),
            },
        };
        let master_key_file = flags.master_key_file.or(file.master_key_file);
        Ok(Self {
            master_key_file: master_key_file.unwrap_or_else(|| data_dir.join("master.key")),
            database,
            data_dir,
            log: flags.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: flags.log_format.or(file.log_format).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_which_wins_over_the_default() {
        let file: File = toml::from_str("data_dir = '/srv/p'\nlog = 'debug'").unwrap();
        let flags = Flags { log: Some("warn".to_owned()), ..Flags::default() };
        let config = Config::merge(flags, file).unwrap();
        assert_eq!(config.log, "warn");
        assert_eq!(config.database, PathBuf::from("/srv/p/parlance.db"));
        assert_eq!(config.master_key_file, PathBuf::from("/srv/p/master.key"));
        assert_eq!(config.log_format, LogFormat::Pretty);
    }

    #[test]
    fn a_mistyped_key_is_an_error_that_names_it() {
        let error = toml::from_str::<File>("data_dri = '/srv/p'").unwrap_err().to_string();
        assert!(error.contains("data_dri"), "{error}");
    }

    #[test]
    fn only_a_sqlite_path_is_a_database() {
        let of = |url: &str| {
            let flags = Flags { database_url: Some(url.to_owned()), ..Flags::default() };
            Config::merge(flags, File::default()).map(|config| config.database)
        };
        assert_eq!(of("sqlite:///x/y.db").unwrap(), PathBuf::from("/x/y.db"));
        assert!(of("sqlite://").is_err());
        assert!(of("mysql://host/db").is_err());
    }
}
