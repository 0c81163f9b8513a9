//! TLS by rustls: the certificate and key from two PEM files, read again when they change, so that a renewed
//! certificate needs no restart. HTTP/1.1 only, as without TLS; TLS 1.2 and 1.3.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, bail};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at; a renewal comes weeks before the old certificate ends.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Where the certificate chain and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The certificate in use.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Reads the files, and goes on looking at them.
pub fn acceptor(files: TlsFiles) -> anyhow::Result<TlsAcceptor> {
    let mut seen = changed_at(&files);
    let current = Arc::new(Current(RwLock::new(Arc::new(read(&files)?))));
    let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&current) as _;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            renew(&files, &mut seen, &current);
        }
    });
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Takes the files' new certificate, if they changed and hold one: half-written files are looked at again.
fn renew(files: &TlsFiles, seen: &mut [Option<SystemTime>; 2], current: &Current) {
    let now = changed_at(files);
    if now == *seen {
        return;
    }
    match read(files) {
        Ok(renewed) => {
            *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(renewed);
            *seen = now;
            tracing::info!("the TLS certificate was renewed");
        }
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "the changed TLS certificate is not used");
        }
    }
}

fn changed_at(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    let of = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    [of(&files.certificate), of(&files.key)]
}

fn read(files: &TlsFiles) -> anyhow::Result<CertifiedKey> {
    let TlsFiles { certificate, key } = files;
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read the TLS certificate {}", certificate.display()))?;
    if chain.is_empty() {
        bail!("{} holds no certificate in PEM form", certificate.display());
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the TLS key {}", key.display()))?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).with_context(|| {
        format!("{} and {} are no certificate and its key", certificate.display(), key.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files =
            TlsFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        let given = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
        let put = |from: &str, seconds: u64| {
            for (name, file) in
                [(format!("{from}.pem"), &files.certificate), (format!("{from}.key.pem"), &files.key)]
            {
                fs::write(file, fs::read(given.join(name)).unwrap()).unwrap();
                let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
                fs::File::options().write(true).open(file).unwrap().set_modified(at).unwrap();
            }
        };
        put("first", 1);
        let mut seen = changed_at(&files);
        let first = Arc::new(read(&files).unwrap());
        let current = Current(RwLock::new(Arc::clone(&first)));
        let now = || current.0.read().unwrap().cert.clone();
        renew(&files, &mut seen, &current);
        assert_eq!(now(), first.cert, "nothing changed");
        put("second", 2);
        fs::write(&files.certificate, "half of it").unwrap();
        renew(&files, &mut seen, &current);
        assert_eq!(now(), first.cert, "half-written");
        put("second", 3);
        renew(&files, &mut seen, &current);
        assert_ne!(now(), first.cert);
    }
}
