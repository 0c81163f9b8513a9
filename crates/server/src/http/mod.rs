//! Everything that is served over HTTP, put together, and the listener with its bounds.

mod lingering;
mod listener;
mod probes;
mod webhooks;

use std::sync::Arc;

use axum::{Router, routing::get};
use parlance_app::{Parlance, front::SharedFront, ingestion::Ingestion};
use parlance_store::Store;

pub use self::{listener::serve, probes::Recorder};

/// What the routes share.
pub struct Served<S> {
    pub parlance: Arc<Parlance<S>>,
    pub ingestion: Ingestion<S>,
    pub front: SharedFront,
    pub recorder: Recorder,
    /// Where the providers reach this server: what their signatures cover.
    pub public_url: String,
}

/// All routes.
pub fn router<S: Store + Clone>(served: Served<S>) -> Router {
    let graphql = parlance_graphql::router(Arc::clone(&served.front));
    let served = Arc::new(served);
    let probes = Router::new()
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz::<S>))
        .route("/metrics", get(probes::metrics::<S>))
        .with_state(Arc::clone(&served));
    webhooks::router(served).merge(probes).merge(graphql)
}
