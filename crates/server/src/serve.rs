//! `parlance serve`: the store opened, everything wired, HTTP served until a signal ends it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context as _;
use axum::Router;
use parlance_app::{
    Parlance,
    front::{Desk, DeskSettings, SharedFront},
    ingestion::{Ingestion, Providers},
};
use parlance_graphql::{End, HttpSettings, TrustedDocuments};
use parlance_providers::{Messenger, Outbound, Twilio};
use parlance_stores::AnyStore;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    config::{Config, ProviderUrls},
    files,
    http::{self, Listening, Recorder, Served},
    oidc::Oidc,
    open, operator,
};

/// A server that is ready to serve.
pub struct Server {
    listening: Listening,
    router: Router,
    /// Where operators' commands reach it, where it holds the embedded store: on loopback, whatever the world reaches.
    operators: Option<(Listening, Router)>,
    /// Of sockets and event streams, which would go on for ever.
    end: End,
    pub address: SocketAddr,
    pub parlance: Arc<Parlance<AnyStore>>,
}

impl Server {
    /// Serves until `end` resolves, then answers what is under way, bounded.
    pub async fn serve(self, end: impl Future<Output = ()>) {
        let (over, ended) = watch::channel(false);
        let told = |mut ended: watch::Receiver<bool>| async move {
            // Whoever would tell it is gone: that is an end, too.
            let _ = ended.wait_for(|ended| *ended).await;
        };
        let operators = async |ended| {
            if let Some((listening, router)) = self.operators {
                http::serve(listening, router, told(ended)).await;
            }
        };
        tokio::join!(
            http::serve(self.listening, self.router, told(ended.clone())),
            operators(ended),
            async {
                end.await;
                over.send_replace(true);
                self.end.begin();
            },
        );
        self.parlance.leave().await;
    }
}

pub async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let server = prepare(config).await?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    println!("Parlance listens on {scheme}://{}", server.address);
    let (mut broken, told) = (server.parlance.broken(), server.parlance.broken());
    server
        .serve(async move {
            tokio::select! {
                () = ended() => {}
                _ = broken.wait_for(Option::is_some) => {}
            }
        })
        .await;
    if let Some(what) = *told.borrow() {
        anyhow::bail!("a fault has ended {what}; nothing is lost, start the server again");
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Listens, opens the store and starts what runs by itself.
pub async fn prepare(config: &Config) -> anyhow::Result<Server> {
    files::allow_many();
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another address by --listen", config.listen))?;
    let address = listener.local_addr()?;
    let tls = config.tls.clone().map(http::acceptor).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    if config.public_url.is_none() && address.ip().is_unspecified() {
        tracing::warn!(
            %public_url,
            "no provider reaches this address, and Twilio's signatures will not fit: set --public-url"
        );
    }
    let trusted_documents = match &config.trusted_documents {
        Some(file) => Some(trusted_documents(file).await?),
        None => None,
    };
    let recorder = Recorder::install()?;
    tokio::spawn(recorder.clone().keep_up());
    let mut parlance = open::parlance(config).await?;
    parlance.start();
    let parlance = Arc::new(parlance);
    let providers = providers(&config.providers)?;
    let front: SharedFront = Arc::new(Desk::new(
        &parlance,
        DeskSettings {
            providers: providers.clone(),
            public_url: public_url.clone(),
            closed_kinds: config.closed_kinds.clone(),
        },
    ));
    let operators = match config.database.file() {
        Some(file) => Some(operators_door(&parlance, file).await?),
        None => None,
    };
    let (end, ending) = parlance_graphql::ending();
    let oidc = config.oidc.clone();
    let oidc = oidc.map(|oidc| Oidc::new(oidc, Arc::clone(&parlance), &public_url)).transpose()?;
    let router = http::router(Served {
        parlance: Arc::clone(&parlance),
        ingestion: Ingestion::new(&parlance, providers),
        front,
        recorder,
        graphql: HttpSettings {
            public_url: Some(public_url.clone()),
            allowed_origins: config.allowed_origins.clone(),
            introspection: config.introspection,
            trusted_documents,
            ending,
        },
        oidc,
        public_url,
    });
    let listening = Listening { listener, tls, trusted_hops: config.trusted_hops.into() };
    Ok(Server { listening, router, operators, end, address, parlance })
}

/// Where operators' commands reach the one process that has the embedded store.
async fn operators_door(
    parlance: &Arc<Parlance<AnyStore>>,
    file: &Path,
) -> anyhow::Result<(Listening, Router)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("cannot listen on loopback for operators' commands")?;
    let address = listener.local_addr()?;
    Ok((Listening::plain(listener), operator::router(Arc::clone(parlance), file, address)?))
}

/// Read before anything else runs: a document that does not fit is not found out by a member.
async fn trusted_documents(file: &Path) -> anyhow::Result<TrustedDocuments> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the trusted documents {}", file.display()))?;
    let read = TrustedDocuments::read(&text).await;
    read.with_context(|| format!("the trusted documents {}", file.display()))
}

fn providers(urls: &ProviderUrls) -> anyhow::Result<Providers> {
    // A simulator on this machine is not behind the proxy of this machine.
    let local = |url: &String| url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
    let all_local = [&urls.graph, &urls.twilio, &urls.twilio_messaging].into_iter().all(local);
    let outbound = if all_local { Outbound::local() } else { Outbound::new() };
    Ok(Providers::new(vec![
        Box::new(Messenger::new(outbound.clone(), urls.graph.parse()?)),
        Box::new(Twilio::new(outbound, urls.twilio.parse()?, urls.twilio_messaging.parse()?)),
    ]))
}

/// Resolves when the process is asked to end.
pub async fn ended() {
    let interrupted = async {
        // Where the signal cannot be watched it ends the process by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
