//! The listener: bounded connections, bounded time for a request's head, TLS where it is wanted, and an end that
//! lets what is under way be answered.

use std::{error::Error, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1::Builder, service::HttpService};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use parlance_graphql::ClientAddress;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::{address, lingering::Lingering};

/// Open connections, sockets and event streams among them; each costs some 20 KiB, so that many idle ones stay
/// within 80 MB. More wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 4_096;
/// A client sends its request's head within this time, or between two requests goes.
const HEAD_WAIT: Duration = Duration::from_secs(15);
/// A request's head fits into this buffer, as does a piece of its body.
const BUFFER_BYTES: usize = 64 << 10;
/// A client that speaks TLS does its part of the handshake within this time.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// After the signal to end: how long what is under way may take.
const DRAIN_WAIT: Duration = Duration::from_secs(15);
/// After a failing accept (out of file descriptors, mostly): how long until the next try.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// What is listened on, and how.
pub struct Listening {
    pub listener: TcpListener,
    pub tls: Option<TlsAcceptor>,
    /// How many proxies before this server are believed.
    pub trusted_hops: usize,
}

impl Listening {
    /// Without TLS and proxies.
    pub fn plain(listener: TcpListener) -> Self {
        Self { listener, tls: None, trusted_hops: 0 }
    }
}

/// Serves until `end` resolves, then answers what is under way, bounded.
pub async fn serve(listening: Listening, router: Router, end: impl Future<Output = ()>) {
    let Listening { listener, tls, trusted_hops } = listening;
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (over, ended) = watch::channel(false);
    let mut http = Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WAIT).max_buf_size(BUFFER_BYTES);
    let mut end = std::pin::pin!(end);
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&permits).acquire_owned() => permit.expect("the semaphore is never closed"),
            () = &mut end => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted; trying again");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        let stream = Lingering::new(stream, permit);
        let service = router.clone().map_request(move |mut request: Request<Incoming>| {
            let client = address::of_client(peer, request.headers(), trusted_hops);
            request.extensions_mut().insert(ClientAddress(client));
            request
        });
        let (http, service, ended) = (http.clone(), TowerToHyperService::new(service), ended.clone());
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => converse(&http, stream, service, ended).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE_WAIT, tls.accept(stream)).await {
                        converse(&http, stream, service, ended).await;
                    }
                }
            }
        });
    }
    drop(listener);
    over.send_replace(true);
    let all = u32::try_from(CONNECTIONS_MAX).expect("a small number");
    if timeout(DRAIN_WAIT, permits.acquire_many(all)).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// Answers one connection's requests; after the end only the one that is under way.
async fn converse<I, S>(http: &Builder, stream: I, service: S, mut ended: watch::Receiver<bool>)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: HttpService<Incoming, ResBody = Body> + Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
{
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    // A client that goes away or speaks nonsense is its own affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = ended.wait_for(|ended| *ended) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
