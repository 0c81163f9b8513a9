//! A browser that follows where it is sent, by hand: it keeps cookies, and shows every step.

use std::collections::BTreeMap;

use parlance_tests::{
    PATIENCE,
    served::{Browser, Office},
};
use reqwest::{RequestBuilder, redirect::Policy};

use super::issuer::Issuer;

pub const SESSION: &str = "__Host-parlance";
pub const CARRIED: &str = "__Host-parlance-oidc";

/// An answer, as far as a person or a test looks at it.
#[derive(Debug)]
pub struct Seen {
    pub status: u16,
    pub to: String,
    pub headers: BTreeMap<String, String>,
    pub set: Vec<String>,
    pub body: String,
}

impl Seen {
    /// The code on a page that says why nobody is signed in.
    pub fn code(&self) -> (u16, &str) {
        let code = self.body.split("<code>").nth(1).and_then(|rest| rest.split("</code>").next());
        (self.status, code.unwrap_or("no code"))
    }
}

/// A browser on an office's server.
pub struct Surfer<'a> {
    office: &'a Office,
    issuer: &'a Issuer,
    http: reqwest::Client,
    pub cookies: BTreeMap<String, String>,
}

impl<'a> Surfer<'a> {
    pub fn new(office: &'a Office, issuer: &'a Issuer) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).redirect(Policy::none());
        let http = http.build().expect("a client");
        Self { office, issuer, http, cookies: BTreeMap::new() }
    }

    async fn sees(&mut self, mut request: RequestBuilder) -> Seen {
        if !self.cookies.is_empty() {
            let all: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", all.join("; "));
        }
        let answer = request.send().await.expect("it answers");
        let word = |value: &reqwest::header::HeaderValue| value.to_str().expect("a text").to_owned();
        let set: Vec<_> = answer.headers().get_all("set-cookie").iter().map(word).collect();
        for cookie in &set {
            let (pair, rest) = cookie.split_once("; ").expect("a cookie has attributes");
            let (name, value) = pair.split_once('=').expect("a name and a value");
            for part in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(rest.split("; ").any(|given| given == part), "{part} in {rest}");
            }
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let headers: BTreeMap<_, _> =
            answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), word(value))).collect();
        let to = headers.get("location").cloned().unwrap_or_default();
        let status = answer.status().as_u16();
        Seen { status, to, headers, set, body: answer.text().await.expect("a text") }
    }

    pub async fn gets(&mut self, path_or_url: &str) -> Seen {
        let url = match path_or_url.strip_prefix('/') {
            Some(_) => self.office.served.url(path_or_url),
            None => path_or_url.to_owned(),
        };
        self.sees(self.http.get(url)).await
    }

    /// Chooses an account on the page that asks which, from a page of this origin.
    pub async fn chooses(&mut self, account: &str, origin: Option<&str>) -> Seen {
        let mut request = self.http.post(self.office.served.url("/auth/oidc/choose"));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.sees(request.body(format!("account={account}"))).await
    }

    /// Goes to the issuer, consents, and gives where it is sent back to.
    pub async fn goes(&mut self, query: &str) -> String {
        let begun = self.gets(&format!("/auth/oidc/start{query}")).await;
        assert_eq!(begun.status, 303, "{begun:?}");
        assert!(begun.to.starts_with(&self.issuer.url), "{begun:?}");
        self.issuer.sends_back(&begun.to).await
    }

    /// The whole way; gives the last answer.
    pub async fn signs_in(&mut self, query: &str) -> Seen {
        let back = self.goes(query).await;
        self.gets(&back).await
    }

    /// Who it is signed in as; `None`: nobody.
    pub async fn viewer(&self) -> Option<String> {
        self.browser().viewer().await
    }

    /// The same browser on a page that asks the API.
    pub fn browser(&self) -> Browser<'a> {
        let cookie = self.cookies.get(SESSION).map(String::as_str);
        Browser::new(&self.office.served).with_cookie(cookie)
    }
}
