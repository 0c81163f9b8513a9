//! Everything that is served over HTTP, put together, and the listener with its bounds.

mod address;
mod headers;
mod host;
mod lingering;
mod listener;
mod probes;
mod tls;
mod webhooks;

use std::sync::Arc;

use axum::{Router, middleware, routing::get};
use parlance_app::{Parlance, front::SharedFront, ingestion::Ingestion};
use parlance_graphql::HttpSettings;
use parlance_store::Store;

use self::headers::ByTls;
use crate::oidc::{self, Oidc};

pub use self::{
    listener::{Listening, serve},
    probes::Recorder,
    tls::{TlsFiles, acceptor},
};

/// What the routes share.
pub struct Served<S> {
    pub parlance: Arc<Parlance<S>>,
    pub ingestion: Ingestion<S>,
    pub front: SharedFront,
    pub recorder: Recorder,
    /// Where the providers reach this server: what their signatures cover.
    pub public_url: String,
    pub graphql: HttpSettings,
    /// `None`: nobody signs in by an issuer, and there are no such routes.
    pub oidc: Option<Oidc<S>>,
}

/// All routes.
pub fn router<S: Store + Clone>(mut served: Served<S>) -> Router {
    let oidc = served.oidc.take().map(|oidc| oidc::router(Arc::new(oidc))).unwrap_or_default();
    let graphql = parlance_graphql::router(Arc::clone(&served.front), served.graphql.clone());
    let served = Arc::new(served);
    let probes = Router::new()
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz::<S>))
        .route("/metrics", get(probes::metrics::<S>))
        .with_state(Arc::clone(&served));
    let by_tls = ByTls(served.public_url.starts_with("https://"));
    let all = webhooks::router(served).merge(probes).merge(graphql).merge(oidc);
    all.layer(middleware::from_fn(host::check)).layer(middleware::from_fn_with_state(by_tls, headers::add))
}
