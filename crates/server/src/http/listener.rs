//! The listener: bounded connections, bounded time for a request's head, and an end that lets what is under
//! way be answered.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};

use super::lingering::Lingering;

/// Open connections; each costs some 20 KiB, so that many idle ones stay within 40 MB. More wait in the
/// kernel's queue.
const CONNECTIONS_MAX: usize = 2_048;
/// A client sends its request's head within this time, or between two requests goes.
const HEAD_WAIT: Duration = Duration::from_secs(15);
/// A request's head fits into this buffer, as does a piece of its body.
const BUFFER_BYTES: usize = 64 << 10;
/// After the signal to end: how long what is under way may take.
const DRAIN_WAIT: Duration = Duration::from_secs(15);
/// After a failing accept (out of file descriptors, mostly): how long until the next try.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Serves until `end` resolves, then answers what is under way, bounded.
pub async fn serve(listener: TcpListener, router: Router, end: impl Future<Output = ()>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
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
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted; trying again");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        let connection = http
            .serve_connection(TokioIo::new(Lingering::new(stream)), TowerToHyperService::new(router.clone()));
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that goes away or speaks nonsense is its own affair.
            let _ = watched.await;
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_WAIT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}
