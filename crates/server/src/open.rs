//! Opening what the settings name. On the embedded store an absent data folder is made, migrated and keyed; on
//! PostgreSQL that is done by [`migrate`] only, because several servers share one database and one master key.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, anyhow, bail};
use parlance_app::{
    OpenError, Parlance, Settings,
    clock::SystemClock,
    entropy::Entropy,
    keys::{MasterKey, MasterKeyError, UnlockError},
};
use parlance_domain::AccountId;
use parlance_store::{EventLog as _, Keys as _};
use parlance_stores::{AnyStore, DatabaseUrl, Migrated, OpenOptions};

use crate::config::Config;

/// Accounts are looked up in pages of this many.
const ACCOUNTS_PAGE: usize = 1_000;

/// Opens the store and unlocks its keys; projections and policies do not run.
pub async fn parlance(config: &Config) -> anyhow::Result<Parlance<AnyStore>> {
    make_folders(config)?;
    let entropy = Entropy::from_system();
    match &config.database {
        // The key is made with the file, never after it.
        DatabaseUrl::Sqlite(file) => {
            let made = if file.exists() { None } else { make_key(config, &entropy)? };
            let key = MasterKey::read(&config.master_key_file)?;
            if let Some(path) = made {
                tracing::info!(file = %path.display(), "made a master key; keep a copy where the backups are not");
            }
            let store = store(config).await?;
            Ok(unlock(config, store, key, entropy).await?)
        }
        DatabaseUrl::Postgres(_) => {
            let store = store(config).await?;
            if store.key_check().await?.is_none() {
                bail!("{} has no master key yet: run `parlance migrate`", config.database);
            }
            let key = read_key(config)?;
            unlock(config, store, key, entropy).await.map_err(|error| explained(config, error))
        }
    }
}

/// What [`migrate`] did.
pub struct Prepared {
    pub migrated: Migrated,
    /// The file of a master key that was made.
    pub made_key: Option<PathBuf>,
}

/// Brings PostgreSQL up to date; makes the master key of a database that has none yet.
pub async fn migrate(config: &Config) -> anyhow::Result<Prepared> {
    make_folders(config)?;
    let opening = || format!("cannot migrate {}", config.database);
    let migrated = AnyStore::migrate(&config.database).await.with_context(opening)?;
    let store = store(config).await?;
    let entropy = Entropy::from_system();
    let has_key = store.key_check().await?.is_some();
    let made_key = if has_key { None } else { make_key(config, &entropy)? };
    let key = read_key(config)?;
    let unlocked = unlock(config, store, key, entropy).await;
    if let (Err(OpenError::Unlock(UnlockError::MasterKey(MasterKeyError::Wrong))), Some(path)) =
        (&unlocked, &made_key)
    {
        // Another `migrate` was first with a key of its own; nothing was ever sealed by this one.
        std::fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    unlocked.map_err(|error| explained(config, error))?;
    Ok(Prepared { migrated, made_key })
}

fn read_key(config: &Config) -> anyhow::Result<MasterKey> {
    let read = MasterKey::read(&config.master_key_file);
    read.map_err(|error| explained(config, OpenError::Unlock(UnlockError::MasterKey(error))))
}

/// What a missing or another key means where servers share a database.
fn explained(config: &Config, error: OpenError) -> anyhow::Error {
    use MasterKeyError::{Missing, Wrong};
    match error {
        OpenError::Unlock(UnlockError::MasterKey(Missing(_) | Wrong)) => anyhow!(error).context(format!(
            "{} has a master key, and every server of an installation needs the same: {} has to be a copy of it",
            config.database,
            config.master_key_file.display()
        )),
        other => other.into(),
    }
}

async fn store(config: &Config) -> anyhow::Result<AnyStore> {
    let opened = AnyStore::open(&config.database, OpenOptions::default()).await;
    opened.with_context(|| format!("cannot open the store {}", config.database))
}

async fn unlock(
    config: &Config,
    store: AnyStore,
    key: MasterKey,
    entropy: Entropy,
) -> Result<Parlance<AnyStore>, OpenError> {
    Parlance::open(store, Settings::new(key, &config.data_dir, Arc::new(SystemClock), entropy)).await
}

fn make_folders(config: &Config) -> anyhow::Result<()> {
    let database = config.database.file().and_then(Path::parent);
    for folder in [Some(config.data_dir.as_path()), database, config.master_key_file.parent()] {
        make_folder(folder)?;
    }
    Ok(())
}

fn make_folder(folder: Option<&Path>) -> anyhow::Result<()> {
    match folder {
        Some(folder) if !folder.as_os_str().is_empty() => DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display())),
        _ => Ok(()),
    }
}

/// Makes a master key where there is no file of one; its path, if it was made.
fn make_key(config: &Config, entropy: &Entropy) -> anyhow::Result<Option<PathBuf>> {
    let path = &config.master_key_file;
    match MasterKey::read(path) {
        Err(MasterKeyError::Missing(_)) => {
            MasterKey::create(path, entropy)?;
            Ok(Some(path.clone()))
        }
        other => Ok(other.map(|_| None)?),
    }
}

/// The accounts to work on: the one named, or all.
pub async fn accounts(store: &AnyStore, named: Option<AccountId>) -> anyhow::Result<Vec<AccountId>> {
    let mut all: Vec<AccountId> = Vec::new();
    loop {
        let page = store.accounts(all.last().copied(), ACCOUNTS_PAGE).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    match named {
        None => Ok(all),
        Some(account) if all.contains(&account) => Ok(vec![account]),
        Some(account) => Err(anyhow!("there is no account {account} in this store")),
    }
}
