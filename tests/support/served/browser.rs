//! A browser, as far as signing in is concerned: it keeps the one cookie it is given and sends it along, with the
//! origin of the page it shows.

use serde_json::{Value, json};

use super::Served;

/// A browser on one server.
pub struct Browser<'a> {
    served: &'a Served,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    pub fn new(served: &'a Served) -> Self {
        Self { served, cookie: None }
    }

    /// The session's token, which no page's script would see.
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Takes another browser's cookie.
    pub fn with_cookie(mut self, cookie: Option<&str>) -> Self {
        self.cookie = cookie.map(str::to_owned);
        self
    }

    /// Asks; gives the answer, errors and all, and what the answer says of cookies.
    pub async fn asks(&mut self, query: &str, variables: Value) -> (Value, Vec<String>) {
        let mut request = self
            .served
            .client()
            .post(self.served.url("/graphql"))
            .header("content-type", "application/json")
            .header("origin", self.served.url(""));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("theme=dark; __Host-parlance={cookie}"));
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = request.body(body).send().await.expect("it answers");
        let set: Vec<_> = answer
            .headers()
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().expect("a cookie is text").to_owned())
            .collect();
        for cookie in &set {
            let value = cookie.strip_prefix("__Host-parlance=").expect("our own cookie");
            let value = value.split(';').next().unwrap_or_default();
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        let bytes = answer.bytes().await.expect("a body");
        (serde_json::from_slice(&bytes).expect("the answer is JSON"), set)
    }

    /// A mutation with one input; gives its payload.
    pub async fn does(&mut self, name: &str, fields: &str, input: Value) -> Value {
        let mut type_name = name.to_owned();
        type_name[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {type_name}Input!) {{ {name}(input: $input) {{ {fields} \
             errors {{ code message path retryAfterSeconds }} }} }}"
        );
        let (mut answer, _) = self.asks(&query, json!({ "input": input })).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"][name].take()
    }

    /// Tries to sign in; gives the payload.
    pub async fn signs_in(&mut self, email: &str, password: &str, account: Option<&str>) -> Value {
        let input = json!({ "email": email, "password": password, "account": account });
        self.does("signIn", "viewer { member { id } account { id } } accounts { id name }", input).await
    }

    /// Who it is signed in as; `None`: nobody.
    pub async fn viewer(&mut self) -> Option<String> {
        let (answer, _) = self.asks("{ viewer { member { id } } }", json!({})).await;
        match answer["data"]["viewer"]["member"]["id"].as_str() {
            Some(id) => Some(id.to_owned()),
            None => {
                assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
                None
            }
        }
    }
}
