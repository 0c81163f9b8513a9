//! Servers under measure, each a child: this very program, started under another name. What runs is the
//! product's own `parlance serve`; the other names are what it is compared with.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use axum::Router;
use parlance_app::{
    Parlance, Settings,
    clock::SystemClock,
    entropy::Entropy,
    front::{Desk, DeskSettings, SharedFront},
    ingestion::{Ingestion, Providers},
    keys::MasterKey,
};
use parlance_graphql::HttpSettings;
use parlance_providers::{Messenger, Outbound, Twilio};
use parlance_server::http;
use parlance_stores::{AnyStore, OpenOptions};
use tokio::net::TcpListener;

use crate::{memory, world::Home};

/// What a child serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `parlance serve`.
    Whole,
    /// The same routes over a core whose projections and policies do not run.
    WithoutReadModels,
    /// The GraphQL interface over views that lie in memory.
    FromMemory,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Whole, Self::WithoutReadModels, Self::FromMemory];

    fn name(self) -> &'static str {
        match self {
            Self::Whole => "parlance",
            Self::WithoutReadModels => "parlance-without-read-models",
            Self::FromMemory => "parlance-from-memory",
        }
    }

    /// In a table.
    pub fn told(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::WithoutReadModels => "without read models",
            Self::FromMemory => "from memory",
        }
    }
}

/// If this process was started as a server under measure: runs it to its end.
pub fn as_child() -> Option<ExitCode> {
    let name = std::env::args().next()?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name)?;
    if kind == Kind::Whole {
        return Some(parlance_server::main());
    }
    let folder = std::env::args().nth(1)?;
    Some(match serve(kind, Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    })
}

fn serve(kind: Kind, folder: &Path) -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = match kind {
            Kind::FromMemory => parlance_graphql::router(memory::front(), HttpSettings::default()),
            _ => without_read_models(folder, &format!("http://{address}")).await?,
        };
        println!("listens on http://{address}");
        http::serve(http::Listening::plain(listener), router, std::future::pending()).await;
        Ok(())
    })
}

async fn without_read_models(folder: &Path, public_url: &str) -> anyhow::Result<Router> {
    let recorder = http::Recorder::install()?;
    tokio::spawn(recorder.clone().keep_up());
    let store = AnyStore::open(&Home::url_in(folder)?, OpenOptions::default()).await?;
    let master = MasterKey::read(&folder.join("master.key"))?;
    let settings = Settings::new(master, folder, Arc::new(SystemClock), Entropy::from_system());
    let parlance = Arc::new(Parlance::open(store, settings).await?);
    let (outbound, nowhere) = (Outbound::local(), "http://127.0.0.1:9".parse::<parlance_providers::Url>()?);
    let providers = Providers::new(vec![
        Box::new(Messenger::new(outbound.clone(), nowhere.clone())),
        Box::new(Twilio::new(outbound, nowhere.clone(), nowhere)),
    ]);
    let desk = DeskSettings {
        providers: providers.clone(),
        public_url: public_url.to_owned(),
        closed_kinds: Vec::new(),
    };
    let front: SharedFront = Arc::new(Desk::new(&parlance, desk));
    let ingestion = Ingestion::new(&parlance, providers);
    let public_url = public_url.to_owned();
    let graphql = HttpSettings { public_url: Some(public_url.clone()), ..HttpSettings::default() };
    Ok(http::router(http::Served { parlance, ingestion, front, recorder, public_url, graphql, oidc: None }))
}

/// A child that serves, killed at the latest when it is dropped.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
}

impl Served {
    /// Starts it on a world that is closed, and waits until it listens.
    pub fn start(kind: Kind, home: &Home) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg0(kind.name());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PARLANCE_") {
                command.env_remove(name);
            }
        }
        if kind == Kind::Whole {
            command.args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--data-dir"]);
            if let Some(database) = home.database() {
                command.env("PARLANCE_DATABASE_URL", &database.url);
            }
        }
        let mut child = command.arg(home.folder()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("its output is a pipe")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        match line.trim().rsplit("http://").next().and_then(|address| address.parse().ok()) {
            Some(address) => Ok(Self { child, address }),
            None => {
                child.kill()?;
                child.wait()?;
                bail!("it did not start; see above ({line:?})")
            }
        }
    }

    /// What its threads have worked so far, in the kernel too: steadier than the clock on a machine that does
    /// other things besides.
    pub fn worked(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // After the name, which may hold anything: utime and stime are the 12th and 13th.
        let (_, rest) = stat.rsplit_once(')').context("a name in brackets")?;
        let ticks: Vec<u64> = rest.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
        anyhow::ensure!(ticks.len() == 2, "no times in {stat}");
        let ticks: u64 = ticks.iter().sum();
        Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
    }

    /// Its memory in MiB: what it holds now, and the most that it ever held.
    pub fn memory(&self) -> anyhow::Result<(f64, f64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        let mib = |name| kib(name).map(|kib| kib / 1024.0).with_context(|| format!("no {name}"));
        Ok((mib("VmRSS:")?, mib("VmHWM:")?))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
