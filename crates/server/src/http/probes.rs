//! `/healthz`: the process answers. `/readyz`: it can do its work, or why not. `/metrics`: what it did, in
//! Prometheus' text format.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use parlance_app::measures;
use parlance_store::Store;
use serde_json::json;

use super::Served;

/// A store that takes longer to answer a look-up is not ready.
const STORE_WAIT: Duration = Duration::from_secs(2);
/// Read models this far behind show yesterday's inbox.
const BEHIND_EVENTS_MAX: u64 = 50_000;
/// Upper bounds in seconds, from a fraction of a disk's sync to a provider's patience.
const SECONDS: [f64; 13] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];
/// Upper bounds in commands, up to a flush's most.
const COMMANDS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Every single measurement of a histogram is kept until the next upkeep: at ten thousand requests a second
/// some megabytes.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// What was measured, ready to be shown.
#[derive(Clone)]
pub struct Recorder(PrometheusHandle);

impl Recorder {
    /// Installs the process's recorder.
    pub fn install() -> anyhow::Result<Self> {
        let builder = PrometheusBuilder::new()
            .set_buckets(&SECONDS)?
            .set_buckets_for_metric(Matcher::Full(measures::BATCH_COMMANDS.to_owned()), &COMMANDS)?;
        let handle = builder.install_recorder()?;
        measures::describe();
        Ok(Self(handle))
    }

    /// Sorts what was measured into its buckets from time to time, whether or not anybody looks at it.
    pub async fn keep_up(self) {
        loop {
            tokio::time::sleep(UPKEEP_EVERY).await;
            self.0.run_upkeep();
        }
    }
}

pub async fn healthz() -> &'static str {
    "ok\n"
}

pub async fn readyz<S: Store + Clone>(State(served): State<Arc<Served<S>>>) -> Response {
    let mut reasons = Vec::new();
    match tokio::time::timeout(STORE_WAIT, served.parlance.store.key_check()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            reasons.push("the store does not answer; see the log".to_owned());
        }
        Err(_) => reasons.push("the store does not answer in time".to_owned()),
    }
    let behind = served.parlance.projections.behind();
    if behind > BEHIND_EVENTS_MAX {
        reasons.push(format!("the read models are {behind} events behind"));
    }
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": reasons.is_empty(), "reasons": reasons }))).into_response()
}

pub async fn metrics<S: Store + Clone>(State(served): State<Arc<Served<S>>>) -> Response {
    ::metrics::gauge!(measures::BEHIND_EVENTS).set(served.parlance.projections.behind() as f64);
    served.recorder.0.run_upkeep();
    let text = served.recorder.0.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
