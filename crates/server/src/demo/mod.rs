//! `parlance demo`: a company with five members and two channels, connected to the simulator, whose customers
//! write by the real webhook addresses. Everything goes the way it would go for a real company: over HTTP.

mod client;
mod company;
mod print;

use std::{
    fs,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Args;
use parlance_simulator::{
    Sender,
    api::{Api, Number, Page},
    traffic::{self, Kind, Target, Traffic},
};
use parlance_store::EventLog as _;
use parlance_stores::AnyStore;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use self::{client::Client, company::Company};
use crate::{
    config::{Config, ProviderUrls},
    open, serve,
};

/// What `--rate` is bounded by: more than any company gets, and what one machine takes.
const RATE_MAX: f64 = 10_000.0;
/// Providers wait longer before they send again; nobody watches a demo for an hour.
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// Deliveries under way at once: a busy town does not wait for each answer.
const IN_FLIGHT: usize = 16;
/// How long the first conversation is waited for before the examples are printed without one.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The company's file in a data folder that outlives the demo.
const COMPANY_FILE: &str = "demo.json";

#[derive(Args)]
pub struct Options {
    /// Messages a second; 0: nobody writes
    #[arg(long, default_value_t = 1.0, value_parser = rate)]
    rate: f64,
    /// What the customers do follows from this number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object for scripts as the first line, and nothing else
    #[arg(long)]
    json: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.0..=RATE_MAX).contains(&rate) => Ok(rate),
        _ => Err(format!("a rate is a number from 0 to {RATE_MAX}")),
    }
}

pub async fn run(mut config: Config, options: Options) -> anyhow::Result<ExitCode> {
    let (end, over) = watch::channel(false);
    // Watched from the first moment: a demo that is ended while it opens leaves nothing behind either.
    tokio::spawn(async move {
        serve::ended().await;
        end.send_replace(true);
    });
    tokio::task::yield_now().await;
    // Removed when the demo ends, unless a folder was named. A database on PostgreSQL outlives the demo, and so does
    // what belongs to it.
    let outlives = config.data_dir_named || config.database.file().is_none();
    let temporary = if outlives { None } else { Some(tempfile::tempdir()?) };
    if let Some(folder) = &temporary {
        config = config.in_folder(folder.path());
    }
    // What Twilio's signatures cover is the address that the simulator calls.
    config.public_url = None;
    config.tls = None;
    let opened = tokio::select! {
        opened = open(config, options, over.clone()) => Some(opened?),
        () = ended(over.clone()) => None,
    };
    if let Some(running) = opened {
        ended(over).await;
        let _ = running.traffic.await;
        let _ = running.serving.await;
        running.providing.abort();
    }
    Ok(ExitCode::SUCCESS)
}

async fn ended(mut over: watch::Receiver<bool>) {
    // Whoever would tell it is gone: that is an end, too.
    let _ = over.wait_for(|ended| *ended).await;
}

/// What runs until the end.
struct Running {
    serving: JoinHandle<()>,
    traffic: JoinHandle<traffic::Tally>,
    providing: JoinHandle<std::io::Result<()>>,
}

/// Opens everything, and says so.
async fn open(mut config: Config, options: Options, over: watch::Receiver<bool>) -> anyhow::Result<Running> {
    let simulator = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", simulator.local_addr()?);
    config.providers = ProviderUrls { graph: url.clone(), twilio: url.clone(), twilio_messaging: url };
    let file = config.data_dir.join(COMPANY_FILE);
    if config.database.file().is_none() {
        ready(&config, &file).await?;
    }
    let server = serve::prepare(&config).await?;
    let (address, parlance) = (server.address, Arc::clone(&server.parlance));
    let serving = tokio::spawn(server.serve(ended(over.clone())));

    let client = Client::new(address);
    let known = match fs::read(&file) {
        Ok(bytes) => Some(serde_json::from_slice::<Company>(&bytes).with_context(|| {
            format!("{} is no company of an earlier demo; name another folder", file.display())
        })?),
        Err(_) => None,
    };
    let returning = known.is_some();
    let company = known.unwrap_or_else(|| Company::new(&parlance.entropy));
    let api = Api::new(pages(&company), numbers(&company));
    let providing = tokio::spawn(async move { api.serve(simulator).await });
    let mut company = if returning { company } else { company.found(&parlance, &client).await? };
    // The same seed tells the same messages, which a company that heard them before would recognise.
    let seed = options.seed.wrapping_add(company.runs);
    company.runs += 1;
    write_private(&file, &serde_json::to_vec_pretty(&company)?)?;

    let sending =
        traffic::Options { rate: options.rate, in_flight: IN_FLIGHT, ..traffic::Options::default() };
    let traffic = Traffic::new(seed, targets(&company, &client), sending, Sender::new(RETRY_DELAY));
    let clock = Arc::clone(&parlance.clock);
    let now_ms = move || (clock.now().micros() / 1_000).unsigned_abs();
    let traffic = tokio::spawn(traffic.run(now_ms, over));
    if options.json {
        println!("{}", print::json(&company, &client));
    } else {
        let first = if options.rate > 0.0 { first_conversation(&company, &client).await } else { None };
        let kept = (config.data_dir_named || config.database.file().is_none()).then_some(&config);
        print::people(&company, &client, &options, kept, first.as_deref());
    }
    Ok(Running { serving, traffic, providing })
}

/// Makes the tables in a database on PostgreSQL that has none. One that is somebody else's is left alone.
async fn ready(config: &Config, company: &Path) -> anyhow::Result<()> {
    let asking = || format!("cannot open the store {}", config.database);
    if AnyStore::is_empty(&config.database).await.with_context(asking)? {
        open::migrate(config).await?;
        return Ok(());
    }
    let store = open::parlance(config).await?.store;
    if !company.exists() && !store.accounts(None, 1).await?.is_empty() {
        bail!(
            "{} holds accounts, and {} of an earlier demo is not there: name that demo's folder by --data-dir, or \
             another database",
            config.database,
            company.display()
        );
    }
    Ok(())
}

fn pages(company: &Company) -> Vec<Page> {
    let page = &company.page;
    vec![Page {
        id: page.id.clone(),
        name: page.name.clone(),
        app_secret: page.app_secret.clone(),
        access_token: page.access_token.clone(),
    }]
}

fn numbers(company: &Company) -> Vec<Number> {
    let number = &company.number;
    vec![Number {
        number: number.number.clone(),
        account_sid: number.account_sid.clone(),
        auth_token: number.auth_token.clone(),
    }]
}

fn targets(company: &Company, client: &Client) -> Vec<Target> {
    let target = |kind, path: &str, secret: &str, provider_id: &str| Target {
        kind,
        webhook_url: client.url(path),
        secret: secret.to_owned(),
        provider_id: provider_id.to_owned(),
    };
    let (page, number) = (&company.page, &company.number);
    let twilio = Kind::Twilio { account_sid: number.account_sid.clone(), pool_sid: None };
    vec![
        target(Kind::Messenger, &page.webhook_path, &page.app_secret, &page.id),
        target(twilio, &number.webhook_path, &number.auth_token, &number.number),
    ]
}

/// For its owner alone: it holds the members' tokens and the providers' secrets.
fn write_private(file: &PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    let opened = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(file);
    opened
        .and_then(|mut open| open.write_all(bytes))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// The id of a conversation, once there is one: asked a few times, bounded.
async fn first_conversation(company: &Company, client: &Client) -> Option<String> {
    let asked = async {
        loop {
            let query = "{ conversations(section: UNASSIGNED, first: 1) { nodes { id } } }";
            let answer = client.ask(Some(&company.members[0].token), query, serde_json::json!({})).await;
            let id = answer.ok()?["conversations"]["nodes"][0]["id"].as_str().map(str::to_owned);
            if id.is_some() {
                return id;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(FIRST_WAIT, asked).await.ok().flatten()
}
