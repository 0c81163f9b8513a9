//! Where a test's store is: a temporary folder and, on PostgreSQL, a database of its own that goes with it. Which of
//! both stores is tested is said by [`STORE`]; everything else in the tests is the same.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};

use parlance_private_postgres::{Database, Server};
use parlance_stores::{AnyStore, DatabaseUrl};
use tempfile::TempDir;

use crate::{app::PATIENCE, beside::Beside};

/// The variable that names the store to test: `sqlite`, which is the default, or `postgres`.
pub const STORE: &str = "PARLANCE_TEST_STORE";
/// The file in a home's folder that names its database; without it the embedded store's file is meant.
const DATABASE_FILE: &str = "database.url";
/// Between two looks at a server whose sessions end.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Whether the tests of this process run on PostgreSQL.
pub fn on_postgres() -> bool {
    static POSTGRES: OnceLock<bool> = OnceLock::new();
    *POSTGRES.get_or_init(|| match std::env::var(STORE).as_deref() {
        Err(_) | Ok("sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("{STORE} is `sqlite` or `postgres`, not `{other}`"),
    })
}

/// Runs what is asynchronous to its end, wherever this is called: on a thread and a runtime of its own.
pub(crate) fn settle<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(work)
        };
        scope.spawn(run).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The private server of this process.
pub fn server() -> &'static Server {
    Server::shared().expect("the tests on PostgreSQL are run where there is one")
}

/// The name of a migrated database; others are copied from it.
fn template() -> &'static str {
    static TEMPLATE: OnceLock<Database> = OnceLock::new();
    let make = || {
        settle(async {
            let database = server().empty_database().await;
            let url = DatabaseUrl::read(&database.url).expect("a private server's address is one");
            AnyStore::migrate(&url).await.expect("an empty database is migrated");
            database
        })
    };
    &TEMPLATE.get_or_init(make).name
}

/// A temporary folder with everything that a Parlance keeps. Its store is made by whoever opens it first.
pub struct Home {
    folder: TempDir,
    /// Goes after whoever is connected to it: fields are dropped last where they stand last.
    _database: Option<Database>,
}

impl Home {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "what makes folders and databases is no default value")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = on_postgres().then(|| settle(server().database_like(template())));
        if let Some(database) = &database {
            std::fs::write(folder.path().join(DATABASE_FILE), &database.url).expect("a file is written");
        }
        Self { folder, _database: database }
    }

    /// A folder of its own beside others, on a database that somebody else made and holds: another server's, or one
    /// on a PostgreSQL that can be stopped.
    pub fn on(url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(DATABASE_FILE), url).expect("a file is written");
        Self { folder, _database: None }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Another connection to the database, behind the store's back.
    pub fn beside(&self) -> Beside {
        beside(self.path())
    }
}

/// Where the store of this folder is.
pub fn database_url(folder: &Path) -> DatabaseUrl {
    match std::fs::read_to_string(folder.join(DATABASE_FILE)) {
        Ok(text) => DatabaseUrl::read(&text).expect("the file holds an address"),
        Err(_) => DatabaseUrl::Sqlite(file(folder)),
    }
}

/// The embedded store's file.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("parlance.db")
}

/// The same as [`Home::beside`], of a folder.
pub fn beside(folder: &Path) -> Beside {
    Beside::open(&database_url(folder))
}

/// Waits until nobody is connected to the folder's database but the one who asks: what a killed process had asked of
/// PostgreSQL may still be under way when the process is gone.
pub fn when_nobody_is_left(folder: &Path) {
    if database_url(folder).file().is_some() {
        return;
    }
    let beside = beside(folder);
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let begun = Instant::now();
    while beside.number(others) > 0 {
        assert!(begun.elapsed() < PATIENCE, "the sessions of a killed process end");
        settle(tokio::time::sleep(LOOK_EVERY));
    }
}
