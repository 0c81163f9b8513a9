//! The installed programs, and who runs them.

use std::{
    fs, io,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::USER;

/// Where distributions and builds put the programs, besides the PATH.
const FOLDERS: [&str; 4] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
];

/// A user and their group.
#[derive(Clone, Copy, Debug)]
struct Ids {
    user: u32,
    group: u32,
}

pub(crate) struct Binaries {
    bin: PathBuf,
    /// `None`: as whoever runs the tests.
    run_as: Option<Ids>,
}

impl Binaries {
    pub fn find() -> io::Result<Self> {
        let bin = on_path().or_else(in_the_usual_places).ok_or_else(|| {
            let why = "PostgreSQL's programs (initdb, pg_ctl, postgres) were not found on PATH, nor in the usual \
                       places; install `postgresql`";
            io::Error::new(io::ErrorKind::NotFound, why)
        })?;
        Ok(Self { bin, run_as: other_than_root()? })
    }

    /// A new folder, its runner's own.
    pub fn folder(&self) -> io::Result<PathBuf> {
        // Short: the path of a socket has room for some hundred bytes.
        let folder = tempfile::Builder::new().prefix("pg-").tempdir()?.keep();
        if let Some(Ids { user, group }) = self.run_as {
            chown(&folder, Some(user), Some(group))?;
        }
        Ok(folder)
    }

    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        if let Some(Ids { user, group }) = self.run_as {
            command.uid(user).gid(group);
        }
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    pub fn make_cluster(&self, folder: &Path) -> io::Result<()> {
        let mut initdb = self.command(self.program("initdb"));
        initdb
            .args([
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--username",
                USER,
                "--pgdata",
            ])
            .arg(folder.join("data"));
        run(initdb)
    }

    pub fn configure(&self, folder: &Path, lines: &str) -> io::Result<()> {
        let file = folder.join("data/postgresql.auto.conf");
        fs::write(file, lines)
    }

    pub fn start(&self, folder: &Path) -> io::Result<()> {
        let mut start = self.command(self.program("pg_ctl"));
        start.args(["start", "--wait", "--silent", "--timeout=60", "--pgdata"]).arg(folder.join("data"));
        start.arg("--log").arg(folder.join("log"));
        run(start).map_err(|error| {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            io::Error::other(format!("{error}\n{log}"))
        })
    }

    pub fn stop(&self, folder: &Path, mode: &str) -> io::Result<()> {
        let mut stop = self.command(self.program("pg_ctl"));
        stop.args(["stop", "--wait", "--silent", "--mode", mode, "--pgdata"]).arg(folder.join("data"));
        run(stop)
    }
}

fn run(mut command: Command) -> io::Result<()> {
    // A server that is started would keep a pipe open for as long as it runs.
    let errors = tempfile::tempfile()?;
    let status = command.stdout(Stdio::null()).stderr(errors.try_clone()?).status()?;
    if status.success() {
        return Ok(());
    }
    let mut text = String::new();
    let mut errors = errors;
    io::Seek::rewind(&mut errors)?;
    io::Read::read_to_string(&mut errors, &mut text)?;
    Err(io::Error::other(format!("{} ended with {status}: {text}", command.get_program().display())))
}

fn holds_programs(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file())
}

fn on_path() -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).find(|folder| holds_programs(folder))
}

/// The newest, where there are several.
fn in_the_usual_places() -> Option<PathBuf> {
    let mut found = Vec::new();
    for pattern in FOLDERS {
        let Some((before, after)) = pattern.split_once('*') else {
            found.push((0, PathBuf::from(pattern)));
            continue;
        };
        let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(version) = name.strip_prefix(prefix) {
                let number = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
                found.push((number, entry.path().join(after.trim_start_matches('/'))));
            }
        }
    }
    found.retain(|(_, folder)| holds_programs(folder));
    found.into_iter().max().map(|(_, folder)| folder)
}

/// Somebody else, where we are root.
fn other_than_root() -> io::Result<Option<Ids>> {
    use std::os::unix::fs::MetadataExt as _;
    // What a process makes is its own.
    if tempfile::tempfile()?.metadata()?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some(Ids { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    };
    let found = ids("postgres").or_else(|| ids("nobody"));
    found
        .map(Some)
        .ok_or_else(|| io::Error::other("PostgreSQL does not run as root, and there is nobody else"))
}
