//! Opening what the settings name. On the embedded store an absent data folder is made, migrated and keyed.

use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt as _, path::Path, sync::Arc};

use anyhow::Context as _;
use parlance_app::{
    Parlance, Settings,
    clock::SystemClock,
    entropy::Entropy,
    keys::{MasterKey, MasterKeyError},
};
use parlance_domain::AccountId;
use parlance_store::{EventLog as _, StoreError};
use parlance_store_sqlite::{SqliteOptions, SqliteStore};
use parlance_stores::AnyStore;

use crate::config::Config;

/// Accounts are looked up in pages of this many.
const ACCOUNTS_PAGE: usize = 1_000;

/// Opens the store and unlocks its keys; projections and policies do not run.
pub async fn parlance(config: &Config) -> anyhow::Result<Parlance<AnyStore>> {
    for folder in [Some(config.data_dir.as_path()), config.database.parent(), config.master_key_file.parent()]
    {
        make_folder(folder)?;
    }
    let entropy = Entropy::from_system();
    let master_key = master_key(config, &entropy)?;
    let store = SqliteStore::open(&config.database, SqliteOptions::default())
        .with_context(|| format!("cannot open the store {}", config.database.display()))?;
    let store = AnyStore::from(store);
    let settings = Settings::new(master_key, &config.data_dir, Arc::new(SystemClock), entropy);
    Ok(Parlance::open(store, settings).await?)
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

/// The master key; made with the store, never after it.
fn master_key(config: &Config, entropy: &Entropy) -> anyhow::Result<MasterKey> {
    match MasterKey::read(&config.master_key_file) {
        Err(MasterKeyError::Missing(path)) if !config.database.exists() => {
            let key = MasterKey::create(&path, entropy)?;
            tracing::info!(file = %path.display(), "made a master key; keep a copy where the backups are not");
            Ok(key)
        }
        other => Ok(other?),
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
        Some(account) => {
            Err(StoreError::Unavailable(format!("there is no account {account} in this store")).into())
        }
    }
}
