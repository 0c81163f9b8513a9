//! The settings of signing in by an issuer, read and checked.

use std::{net::IpAddr, path::PathBuf};

use anyhow::{Context as _, bail};
use reqwest::Url;
use zeroize::Zeroizing;

/// What is asked for, if nothing else is set: the e-mail address is all that is needed.
const SCOPES: &str = "openid email profile";

/// As given, by flags or a file.
#[derive(Debug, Default)]
pub struct Given {
    pub issuer: Option<String>,
    pub client_id: Option<String>,
    pub client_secret_file: Option<PathBuf>,
    pub scopes: Option<String>,
}

/// An issuer, and as what this server is known to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcSettings {
    /// The issuer's identifier, to the letter: tokens name it so.
    pub issuer: String,
    pub client_id: String,
    /// `None`: a public client, which shows nothing but PKCE's verifier.
    pub client_secret_file: Option<PathBuf>,
    /// With a space between them.
    pub scopes: String,
}

impl OidcSettings {
    /// `None`: nobody signs in by an issuer.
    pub fn read(given: Given) -> anyhow::Result<Option<Self>> {
        let Given { issuer, client_id, client_secret_file, scopes } = given;
        let Some(issuer) = issuer else {
            if client_id.is_some() || client_secret_file.is_some() || scopes.is_some() {
                bail!("settings of OpenID Connect count only with an issuer: set oidc_issuer");
            }
            return Ok(None);
        };
        let url = Url::parse(&issuer).ok().filter(|url| {
            is_safe(url)
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        });
        if url.is_none() {
            bail!(
                "oidc_issuer must be the issuer's `https://` address as its own configuration names it, not \
                 `{issuer}` (plain `http://` on this machine alone)"
            );
        }
        let client_id = client_id.filter(|id| !id.trim().is_empty());
        let client_id =
            client_id.context("an issuer knows this server by a client id: set oidc_client_id")?;
        let scopes = scopes.unwrap_or_else(|| SCOPES.to_owned());
        let scopes = scopes.split_whitespace().collect::<Vec<_>>().join(" ");
        for needed in ["openid", "email"] {
            if !scopes.split(' ').any(|scope| scope == needed) {
                bail!("oidc_scopes must include `{needed}`: members are found by their e-mail address");
            }
        }
        Ok(Some(Self { issuer, client_id, client_secret_file, scopes }))
    }

    /// The client's secret, from its file.
    pub fn secret(&self) -> anyhow::Result<Option<Zeroizing<String>>> {
        let Some(path) = &self.client_secret_file else { return Ok(None) };
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.with_context(|| format!("cannot read the client secret in {}", path.display()))?;
        if text.trim().is_empty() {
            bail!("the file {} holds no client secret", path.display());
        }
        Ok(Some(Zeroizing::new(text.trim().to_owned())))
    }
}

/// Whether what is sent there stays secret: by TLS, or without leaving the machine.
pub fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(issuer: &str) -> Given {
        Given { issuer: Some(issuer.to_owned()), client_id: Some("parlance".to_owned()), ..Given::default() }
    }

    #[test]
    fn an_issuer_is_taken_to_the_letter_and_only_by_tls() {
        for good in ["https://login.example.com/", "https://example.com/realms/a", "http://127.0.0.1:8080"] {
            let read = OidcSettings::read(given(good)).unwrap().unwrap();
            assert_eq!((read.issuer.as_str(), read.scopes.as_str()), (good, SCOPES));
        }
        for bad in [
            "http://login.example.com",
            "http://127.0.0.1.example.com",
            "login.example.com",
            "https://user@example.com",
            "https://example.com/?a=b",
            "https://example.com/#a",
            "ftp://example.com",
            "",
        ] {
            assert!(OidcSettings::read(given(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn half_of_the_settings_is_an_error() {
        assert_eq!(OidcSettings::read(Given::default()).unwrap(), None);
        let alone = Given { client_id: Some("parlance".to_owned()), ..Given::default() };
        assert!(OidcSettings::read(alone).is_err());
        assert!(OidcSettings::read(Given { client_id: None, ..given("https://example.com") }).is_err());
        let scopes = Given { scopes: Some("openid profile".to_owned()), ..given("https://example.com") };
        assert!(OidcSettings::read(scopes).unwrap_err().to_string().contains("email"));
    }

    #[test]
    fn a_secret_is_read_without_the_line_s_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let mut settings = OidcSettings::read(given("https://example.com")).unwrap().unwrap();
        assert!(settings.secret().unwrap().is_none());
        settings.client_secret_file = Some(path.clone());
        assert!(settings.secret().is_err(), "no such file");
        std::fs::write(&path, "hush\n").unwrap();
        assert_eq!(settings.secret().unwrap().unwrap().as_str(), "hush");
        std::fs::write(&path, "\n").unwrap();
        assert!(settings.secret().is_err());
    }
}
