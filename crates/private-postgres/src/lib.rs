//! A PostgreSQL server of a test run's own: made of the installed binaries in a temporary folder, reached by a socket
//! in it (or a free port), and gone with the process that started it, however that ends.
//!
//! PostgreSQL does not run as root: whoever is root runs it as `postgres` or `nobody`.

mod binaries;
mod databases;
mod supervisor;

use std::{
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::OnceLock,
};

pub use self::databases::Database;
use self::{binaries::Binaries, databases::Janitor, supervisor::Supervisor};

/// Who connects; the server trusts whoever reaches its socket.
pub const USER: &str = "parlance";
/// Connections that all tests of a process may have at once.
const CONNECTIONS_MAX: u32 = 400;
/// How often a server that was told to start is given another try: another process may have taken its port.
const STARTS_MAX: u32 = 3;
/// Where the lack of binaries is an error and no reason to pass over tests.
const REQUIRED: &str = "PARLANCE_REQUIRE_POSTGRES";

/// How a server runs.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether what it commits is synced to the disk. Off, it is fast, and good for everything but losing power.
    pub durable: bool,
    /// Whether it listens on a port of 127.0.0.1 besides its socket.
    pub tcp: bool,
    /// Further settings, as `name = value`.
    pub settings: Vec<String>,
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Sessions are ended, everything is written.
    Fast,
    /// As by a crash: what was committed is found again at the next start.
    Immediate,
}

impl Stop {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Immediate => "immediate",
        }
    }
}

/// A running server.
pub struct Server {
    binaries: Binaries,
    folder: PathBuf,
    port: u16,
    tcp: bool,
    janitor: Janitor,
    /// Ends the server and removes its folder when this process is gone.
    _supervisor: Supervisor,
}

impl Server {
    /// Makes and starts a server. `NotFound`: PostgreSQL's binaries are not installed.
    pub fn start(options: &Options) -> io::Result<Self> {
        let binaries = Binaries::find()?;
        let folder = binaries.folder()?;
        let supervisor = Supervisor::watch(&binaries, &folder)?;
        binaries.make_cluster(&folder)?;
        let mut tried = 0;
        let port = loop {
            let port = if options.tcp { free_port()? } else { 5432 };
            binaries.configure(&folder, &configuration(&folder, port, options))?;
            match binaries.start(&folder) {
                Ok(()) => break port,
                Err(_) if options.tcp && tried + 1 < STARTS_MAX => tried += 1,
                Err(error) => return Err(error),
            }
        };
        let janitor = Janitor::new(url(&folder, port, "postgres"));
        Ok(Self { binaries, folder, port, tcp: options.tcp, janitor, _supervisor: supervisor })
    }

    /// The one server of this process, fast and not durable. `None`, and said loudly: there are no binaries, and nobody
    /// requires them by `PARLANCE_REQUIRE_POSTGRES=1`.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        SHARED
            .get_or_init(|| match Self::start(&Options::default()) {
                Ok(server) => Some(server),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let required = std::env::var_os(REQUIRED).is_some_and(|value| value == "1");
                    assert!(!required, "{REQUIRED}=1, but {error}");
                    eprintln!("\n*** NOT TESTED ON POSTGRESQL: {error} ***\n");
                    None
                }
                Err(error) => panic!("a private PostgreSQL does not start: {error}"),
            })
            .as_ref()
    }

    /// The address of a database by the server's socket.
    pub fn url(&self, database: &str) -> String {
        url(&self.folder, self.port, database)
    }

    /// The same by its port, where it has one.
    pub fn tcp_url(&self, database: &str) -> Option<String> {
        self.tcp.then(|| format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port))
    }

    /// The port of the socket, and of 127.0.0.1 where it listens there.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of everything: `data` in it is the cluster, `log` what the server tells.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stops the server; [`Self::resume`] starts it again.
    pub fn stop(&self, how: Stop) -> io::Result<()> {
        self.binaries.stop(&self.folder, how.as_str())
    }

    /// Starts a server that was stopped.
    pub fn resume(&self) -> io::Result<()> {
        self.binaries.start(&self.folder)
    }

    /// Stops and starts it.
    pub fn restart(&self, how: Stop) -> io::Result<()> {
        self.stop(how)?;
        self.resume()
    }

    /// A new empty database, removed when the answer goes.
    pub async fn empty_database(&self) -> Database {
        self.janitor.make(self, "template0").await
    }

    /// A new database like `template`, removed when the answer goes. Nobody may be connected to the template.
    pub async fn database_like(&self, template: &str) -> Database {
        self.janitor.make(self, template).await
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn url(folder: &Path, port: u16, database: &str) -> String {
    let host = folder.display().to_string().replace('/', "%2F");
    format!("postgres://{USER}@{host}:{port}/{database}")
}

fn configuration(folder: &Path, port: u16, options: &Options) -> String {
    let listen = if options.tcp { "127.0.0.1" } else { "" };
    let mut lines = vec![
        format!("listen_addresses = '{listen}'"),
        format!("port = {port}"),
        format!("unix_socket_directories = '{}'", folder.display()),
        format!("max_connections = {CONNECTIONS_MAX}"),
        "shared_buffers = 128MB".to_owned(),
        "timezone = 'UTC'".to_owned(),
    ];
    if !options.durable {
        lines
            .extend(["fsync = off", "synchronous_commit = off", "full_page_writes = off"].map(str::to_owned));
    }
    lines.extend(options.settings.iter().cloned());
    lines.join("\n") + "\n"
}
