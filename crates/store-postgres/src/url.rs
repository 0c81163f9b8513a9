//! A database's address: what tokio-postgres understands of it, and the two words about TLS that it does not.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use parlance_store::{RefusedBecause, StoreError};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// One host is given this long to let us in; the next one of several is tried then.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// A connection that is silent is asked for a sign of life after this, and again after each pause, so often; then it is
/// given up. So a host that is gone without a word is noticed within 15 seconds.
const SILENT_MAX: Duration = Duration::from_secs(6);
const SIGN_PAUSE: Duration = Duration::from_secs(3);
const SIGNS_MAX: u32 = 3;
/// A connection whose host takes no bytes any more is given up after this.
const UNTAKEN_MAX: Duration = Duration::from_secs(10);

/// Where a database is and how it is reached.
#[derive(Clone)]
pub(crate) struct Address {
    pub config: Config,
    pub tls: MakeRustlsConnect,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let refused = |what: String| {
            StoreError::Refused(RefusedBecause::Constraint(format!("the database's address: {what}")))
        };
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(refused("it must begin with postgres://".to_owned()));
        }
        let (url, certificates) = without_certificates(url).map_err(refused)?;
        let is_target_named = url.contains("target_session_attrs=");
        // The error names the parameter and never its value.
        let mut config: Config = url.parse().map_err(|error| refused(describe(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(refused("it names no host".to_owned()));
        }
        let is_plain = match config.get_ssl_mode() {
            SslMode::Disable => true,
            SslMode::Prefer => config.get_hosts().iter().all(is_here),
            _ => false,
        };
        config.ssl_mode(if is_plain { SslMode::Disable } else { SslMode::Require });
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_MAX);
        }
        config
            .keepalives_idle(SILENT_MAX)
            .keepalives_interval(SIGN_PAUSE)
            .keepalives_retries(SIGNS_MAX)
            .tcp_user_timeout(UNTAKEN_MAX);
        // One of several may be a standby, which lets in and takes no writes.
        if config.get_hosts().len() > 1 && !is_target_named {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let tls = tls(is_plain, certificates).map_err(refused)?;
        Ok(Self { config, tls: MakeRustlsConnect::new(tls) })
    }
}

/// What is wrong, without what was given: an address holds a password.
fn describe(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Whether nobody can listen in between.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
    }
}

/// The address without `sslrootcert`, and the file that it names.
fn without_certificates(url: &str) -> Result<(String, Option<PathBuf>), String> {
    let Some((base, query)) = url.split_once('?') else { return Ok((url.to_owned(), None)) };
    let mut file = None;
    let mut kept = Vec::new();
    for part in query.split('&') {
        match part.split_once('=') {
            Some(("sslrootcert", value)) => file = Some(PathBuf::from(unescaped(value)?)),
            _ => kept.push(part),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Ok((format!("{base}{query}"), file))
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = digit().zip(digit()).ok_or("sslrootcert is not escaped right")?;
                u8::try_from(high * 16 + low).unwrap_or_default()
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| "sslrootcert is no text".to_owned())
}

fn tls(is_plain: bool, certificates: Option<PathBuf>) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?;
    let builder = match certificates {
        // Never asked.
        None if is_plain => builder.with_root_certificates(RootCertStore::empty()),
        None => return Ok(system(builder)?.with_no_client_auth()),
        Some(file) => {
            let unreadable =
                |why: String| format!("the certificates of sslrootcert={}: {why}", file.display());
            let mut roots = RootCertStore::empty();
            let found =
                CertificateDer::pem_file_iter(&file).map_err(|error| unreadable(error.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unreadable("there is none".to_owned()));
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(builder.with_no_client_auth())
}

type Builder<State> = rustls::ConfigBuilder<ClientConfig, State>;

fn system(
    builder: Builder<rustls::WantsVerifier>,
) -> Result<Builder<rustls::client::WantsClientCert>, String> {
    builder.with_platform_verifier().map_err(|error| format!("the system's certificates: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error}")).config.get_ssl_mode()
    }

    #[test]
    fn only_what_cannot_be_listened_to_is_plain_by_itself() {
        for here in ["%2Frun%2Fpostgresql", "127.0.0.1", "localhost", "127.0.0.1,localhost"] {
            assert_eq!(mode(&format!("postgres://me@{here}/db")), SslMode::Disable, "{here}");
        }
        for there in ["db.example", "10.0.0.1", "localhost,db.example"] {
            assert_eq!(mode(&format!("postgresql://me@{there}/db")), SslMode::Require, "{there}");
            assert_eq!(mode(&format!("postgres://me@{there}/db?sslmode=disable")), SslMode::Disable);
        }
        assert_eq!(mode("postgres://me@127.0.0.1/db?sslmode=require"), SslMode::Require);
    }

    #[test]
    fn of_several_hosts_the_one_that_takes_writes_is_looked_for() {
        let target = |url: &str| Address::parse(url).unwrap().config.get_target_session_attrs();
        assert_eq!(target("postgres://me@127.0.0.1,localhost/db"), TargetSessionAttrs::ReadWrite);
        assert_eq!(
            target("postgres://me@127.0.0.1,localhost/db?target_session_attrs=any"),
            TargetSessionAttrs::Any
        );
        assert_eq!(target("postgres://me@127.0.0.1/db"), TargetSessionAttrs::Any);
    }

    #[test]
    fn a_host_that_is_gone_is_noticed_in_time() {
        let config = Address::parse("postgres://me@127.0.0.1/db").unwrap().config;
        let pause = config.get_keepalives_interval().unwrap();
        let noticed = config.get_keepalives_idle() + pause * config.get_keepalives_retries().unwrap();
        assert!(config.get_keepalives() && noticed <= Duration::from_secs(15), "{noticed:?}");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for url in [
            "sqlite://x",
            "postgres://me:hunter2@/db",
            "postgres://me:hunter2@h:port/db",
            "postgres://me:hunter2@h/db?sslmode=sometimes",
            "postgres://me:hunter2@h/db?colour=red",
            "postgres://me:hunter2@h/db?sslrootcert=%2Fnowhere%2Fat.all",
            "postgres://me:hunter2@h/db?sslrootcert=%2",
        ] {
            let refused = Address::parse(url).err().map(|error| error.to_string());
            let text = refused.unwrap_or_else(|| panic!("{url} was taken"));
            assert!(text.contains("the database's address") && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn the_file_of_certificates_is_taken_out_of_the_address() {
        let found = without_certificates("postgres://h/db?sslrootcert=%2Fa%20b&application_name=x").unwrap();
        assert_eq!(found, ("postgres://h/db?application_name=x".to_owned(), Some(PathBuf::from("/a b"))));
        assert_eq!(without_certificates("postgres://h/db").unwrap().1, None);
    }
}
