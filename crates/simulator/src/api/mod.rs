//! The providers' own HTTP as far as Parlance calls it: who is behind a token, an account, a list of numbers. Both are
//! on one listener, because their paths do not meet. Nothing is sent from here.

mod graph;
#[cfg(test)]
mod tests;
mod twilio;

use std::sync::{Arc, PoisonError, RwLock};

use axum::{
    Json, Router,
    extract::OriginalUri,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tokio::net::TcpListener;

/// A page with what its app and it are known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub id: String,
    pub name: String,
    pub app_secret: String,
    /// The page's own token.
    pub access_token: String,
}

/// A WhatsApp number with the account that owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// `whatsapp:+` and the number in E.164.
    pub number: String,
    pub account_sid: String,
    pub auth_token: String,
}

/// Both providers' HTTP. Clones know the same pages and numbers.
#[derive(Clone, Debug, Default)]
pub struct Api(Arc<RwLock<Known>>);

#[derive(Clone, Debug, Default)]
struct Known {
    pages: Vec<Page>,
    numbers: Vec<Number>,
}

impl Api {
    pub fn new(pages: impl Into<Vec<Page>>, numbers: impl Into<Vec<Number>>) -> Self {
        let api = Self::default();
        api.set(pages, numbers);
        api
    }

    /// Knows these pages and numbers from now on, and no others: how a token is revoked or rotated.
    pub fn set(&self, pages: impl Into<Vec<Page>>, numbers: impl Into<Vec<Number>>) {
        let known = Known { pages: pages.into(), numbers: numbers.into() };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    pub fn router(&self) -> Router {
        Router::new()
            .route("/v25.0/me", get(graph::me))
            .route("/2010-04-01/Accounts/{file}", get(twilio::account))
            .route("/v2/Channels/Senders", get(twilio::senders))
            .fallback(unknown)
            .with_state(self.clone())
    }

    /// Answers on that listener until the task is dropped.
    ///
    /// # Errors
    ///
    /// If the listener breaks.
    pub async fn serve(&self, listener: TcpListener) -> std::io::Result<()> {
        axum::serve(listener, self.router()).await
    }

    fn known(&self) -> Known {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Neither provider has such a path; each says so in its own way.
async fn unknown(OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path();
    if path.starts_with("/2010-04-01/") || path.starts_with("/v2/") {
        return twilio::not_found(path);
    }
    let message = format!("Unknown path components: {path}");
    let error = json!({"error": {"message": message, "type": "OAuthException", "code": 2500}});
    (StatusCode::BAD_REQUEST, Json(error)).into_response()
}
