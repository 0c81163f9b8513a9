//! Settings: a flag wins over a `PARLANCE_…` variable, which wins over the TOML file, which wins over the
//! default. Unknown keys and variables are errors: a setting that is mistyped must not be silently missing.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};
use parlance_domain::connection::ChannelKind;
use parlance_stores::DatabaseUrl;
use serde::Deserialize;

use crate::{
    http::TlsFiles,
    oidc::{Given, OidcSettings},
};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people
    #[default]
    Pretty,
    /// One JSON object a line
    Json,
}

/// A text that may hold a password: it is never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct Unprinted(String);

impl From<String> for Unprinted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Unprinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The settings as flags and variables.
#[derive(Args, Debug, Default)]
pub struct Flags {
    /// A TOML file with settings; its keys are the flags' names with `_`
    #[arg(long, global = true, env = "PARLANCE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder that holds everything of the embedded store [default: ./data]
    #[arg(long, global = true, env = "PARLANCE_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// `sqlite://path`, or `postgres://user@host/database`; better by the variable or the file where it holds a
    /// password, because everybody on a machine sees flags [default: sqlite://parlance.db in the data folder]
    #[arg(long, global = true, env = "PARLANCE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<Unprinted>,
    /// The file with the master key [default: master.key in the data folder]
    #[arg(long, global = true, env = "PARLANCE_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "PARLANCE_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the world reaches this server, as `https://inbox.example.com`: part of webhook addresses, and of
    /// what Twilio signs [default: http:// and the address listened on]
    #[arg(long, global = true, env = "PARLANCE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// A PEM file with this server's certificate chain: serve by TLS; looked at again when it changes
    #[arg(long, global = true, env = "PARLANCE_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// A PEM file with the certificate's private key
    #[arg(long, global = true, env = "PARLANCE_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// How many reverse proxies stand before this server; each must append to `X-Forwarded-For`, and nobody may
    /// come past them [default: 0]
    #[arg(long, global = true, env = "PARLANCE_TRUSTED_HOPS", value_name = "NUMBER")]
    trusted_hops: Option<u8>,
    /// Kinds of channel that are closed to new connections, separated by commas: `messenger`, `whatsapp_twilio`
    #[arg(long, global = true, env = "PARLANCE_CLOSED_KINDS", value_name = "KINDS", value_delimiter = ',')]
    closed_kinds: Option<Vec<String>>,
    /// Whether the API tells its schema when asked [default: true]
    #[arg(long, global = true, env = "PARLANCE_INTROSPECTION", value_name = "BOOL")]
    introspection: Option<bool>,
    /// A JSON file of the only GraphQL documents that are run, by their ids [default: any document is run]
    #[arg(long, global = true, env = "PARLANCE_TRUSTED_DOCUMENTS", value_name = "FILE")]
    trusted_documents: Option<PathBuf>,
    /// Origins whose pages may call the API with a token, separated by commas, as `https://shop.example.com`
    #[arg(
        long,
        global = true,
        env = "PARLANCE_ALLOWED_ORIGINS",
        value_name = "ORIGINS",
        value_delimiter = ','
    )]
    allowed_origins: Option<Vec<String>>,
    /// An OpenID Connect issuer by which members may sign in, as `https://login.example.com`, to the letter as its own
    /// configuration names it; it has to know `<public URL>/auth/oidc/callback` [default: none]
    #[arg(long, global = true, env = "PARLANCE_OIDC_ISSUER", value_name = "URL")]
    oidc_issuer: Option<String>,
    /// As what the issuer knows this server
    #[arg(long, global = true, env = "PARLANCE_OIDC_CLIENT_ID", value_name = "ID")]
    oidc_client_id: Option<String>,
    /// A file with the client's secret; none for a public client
    #[arg(long, global = true, env = "PARLANCE_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    oidc_client_secret_file: Option<PathBuf>,
    /// What is asked of the issuer, separated by spaces [default: openid email profile]
    #[arg(long, global = true, env = "PARLANCE_OIDC_SCOPES", value_name = "SCOPES")]
    oidc_scopes: Option<String>,
    /// Meta's Graph API [default: https://graph.facebook.com]
    #[arg(long, global = true, env = "PARLANCE_GRAPH_URL", value_name = "URL")]
    graph_url: Option<String>,
    /// Twilio's API [default: https://api.twilio.com]
    #[arg(long, global = true, env = "PARLANCE_TWILIO_URL", value_name = "URL")]
    twilio_url: Option<String>,
    /// Twilio's messaging API [default: https://messaging.twilio.com]
    #[arg(long, global = true, env = "PARLANCE_TWILIO_MESSAGING_URL", value_name = "URL")]
    twilio_messaging_url: Option<String>,
    /// What to log, as `info` or `parlance_app=debug,warn` [default: info; the demo: warn]
    #[arg(long, global = true, env = "PARLANCE_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How log lines look [default: pretty]
    #[arg(long, global = true, env = "PARLANCE_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

const VARIABLES: [&str; 24] = [
    "PARLANCE_CONFIG",
    "PARLANCE_DATA_DIR",
    "PARLANCE_DATABASE_URL",
    "PARLANCE_MASTER_KEY_FILE",
    "PARLANCE_LISTEN",
    "PARLANCE_PUBLIC_URL",
    "PARLANCE_TLS_CERTIFICATE",
    "PARLANCE_TLS_KEY",
    "PARLANCE_TRUSTED_HOPS",
    "PARLANCE_CLOSED_KINDS",
    "PARLANCE_INTROSPECTION",
    "PARLANCE_TRUSTED_DOCUMENTS",
    "PARLANCE_ALLOWED_ORIGINS",
    "PARLANCE_OIDC_ISSUER",
    "PARLANCE_OIDC_CLIENT_ID",
    "PARLANCE_OIDC_CLIENT_SECRET_FILE",
    "PARLANCE_OIDC_SCOPES",
    "PARLANCE_GRAPH_URL",
    "PARLANCE_TWILIO_URL",
    "PARLANCE_TWILIO_MESSAGING_URL",
    "PARLANCE_LOG",
    "PARLANCE_LOG_FORMAT",
    // Of one command alone.
    "PARLANCE_COPY_FROM",
    "PARLANCE_COPY_TO",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    data_dir: Option<PathBuf>,
    database_url: Option<Unprinted>,
    master_key_file: Option<PathBuf>,
    listen: Option<SocketAddr>,
    public_url: Option<String>,
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    trusted_hops: Option<u8>,
    closed_kinds: Option<Vec<String>>,
    introspection: Option<bool>,
    trusted_documents: Option<PathBuf>,
    allowed_origins: Option<Vec<String>>,
    oidc_issuer: Option<String>,
    oidc_client_id: Option<String>,
    oidc_client_secret_file: Option<PathBuf>,
    oidc_scopes: Option<String>,
    graph_url: Option<String>,
    twilio_url: Option<String>,
    twilio_messaging_url: Option<String>,
    log: Option<String>,
    log_format: Option<LogFormat>,
}

/// The settings in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub data_dir: PathBuf,
    /// Whether somebody named the data folder.
    pub data_dir_named: bool,
    pub database: DatabaseUrl,
    pub master_key_file: PathBuf,
    pub listen: SocketAddr,
    /// Without a slash at its end; `None`: the address that is listened on.
    pub public_url: Option<String>,
    /// `None`: without TLS.
    pub tls: Option<TlsFiles>,
    /// Proxies before this server.
    pub trusted_hops: u8,
    pub closed_kinds: Vec<ChannelKind>,
    /// Whether the API's schema may be asked for.
    pub introspection: bool,
    /// The file of the only documents that are run.
    pub trusted_documents: Option<PathBuf>,
    /// Each a scheme and an authority.
    pub allowed_origins: Vec<String>,
    /// `None`: nobody signs in by an issuer.
    pub oidc: Option<OidcSettings>,
    pub providers: ProviderUrls,
    /// `None`: what the command finds fit.
    pub log: Option<String>,
    pub log_format: LogFormat,
}

/// Where the providers are called, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderUrls {
    pub graph: String,
    pub twilio: String,
    pub twilio_messaging: String,
}

/// Nothing is told what to listen on: loopback, where nobody else gets in.
const LISTEN: &str = "127.0.0.1:8080";

impl Config {
    pub fn read(flags: Flags) -> anyhow::Result<Self> {
        let unknown = |name: &String| name.starts_with("PARLANCE_") && !VARIABLES.contains(&name.as_str());
        if let Some(name) = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).find(unknown)
        {
            bail!("{name} is no setting; the variables are {}", VARIABLES.join(", "));
        }
        let file = match &flags.config {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the settings file {}", path.display()))?;
                parsed(&text).with_context(|| format!("the settings file {}", path.display()))?
            }
            None => File::default(),
        };
        Self::merge(flags, file)
    }

    /// The same, with everything of the embedded store in another folder.
    #[must_use]
    pub fn in_folder(self, folder: &Path) -> Self {
        Self {
            database: DatabaseUrl::Sqlite(folder.join("parlance.db")),
            master_key_file: folder.join("master.key"),
            data_dir: folder.to_owned(),
            ..self
        }
    }

    fn merge(flags: Flags, file: File) -> anyhow::Result<Self> {
        let data_dir = flags.data_dir.or(file.data_dir);
        let data_dir_named = data_dir.is_some();
        let data_dir = data_dir.unwrap_or_else(|| PathBuf::from("data"));
        let database = match flags.database_url.or(file.database_url) {
            None => DatabaseUrl::Sqlite(data_dir.join("parlance.db")),
            Some(url) => DatabaseUrl::read(&url.0)?,
        };
        let master_key_file = flags.master_key_file.or(file.master_key_file);
        let url = |name: &str, given: Option<String>, default: &str| {
            given.map_or_else(|| Ok(default.to_owned()), |url| base_url(name, &url))
        };
        Ok(Self {
            master_key_file: master_key_file.unwrap_or_else(|| data_dir.join("master.key")),
            database,
            data_dir,
            data_dir_named,
            listen: flags
                .listen
                .or(file.listen)
                .unwrap_or_else(|| LISTEN.parse().expect("a literal address is one")),
            public_url: flags
                .public_url
                .or(file.public_url)
                .map(|url| base_url("the public URL", &url))
                .transpose()?,
            tls: tls(flags.tls_certificate.or(file.tls_certificate), flags.tls_key.or(file.tls_key))?,
            trusted_hops: flags.trusted_hops.or(file.trusted_hops).unwrap_or_default(),
            closed_kinds: flags
                .closed_kinds
                .or(file.closed_kinds)
                .unwrap_or_default()
                .iter()
                .map(|kind| channel_kind(kind))
                .collect::<anyhow::Result<_>>()?,
            introspection: flags.introspection.or(file.introspection).unwrap_or(true),
            trusted_documents: flags.trusted_documents.or(file.trusted_documents),
            allowed_origins: flags
                .allowed_origins
                .or(file.allowed_origins)
                .unwrap_or_default()
                .iter()
                .map(|given| origin(given))
                .collect::<anyhow::Result<_>>()?,
            oidc: OidcSettings::read(Given {
                issuer: flags.oidc_issuer.or(file.oidc_issuer),
                client_id: flags.oidc_client_id.or(file.oidc_client_id),
                client_secret_file: flags.oidc_client_secret_file.or(file.oidc_client_secret_file),
                scopes: flags.oidc_scopes.or(file.oidc_scopes),
            })?,
            providers: ProviderUrls {
                graph: url(
                    "the Graph API's URL",
                    flags.graph_url.or(file.graph_url),
                    "https://graph.facebook.com",
                )?,
                twilio: url("Twilio's URL", flags.twilio_url.or(file.twilio_url), "https://api.twilio.com")?,
                twilio_messaging: url(
                    "Twilio's messaging URL",
                    flags.twilio_messaging_url.or(file.twilio_messaging_url),
                    "https://messaging.twilio.com",
                )?,
            },
            log: flags.log.or(file.log),
            log_format: flags.log_format.or(file.log_format).unwrap_or_default(),
        })
    }
}

/// What is wrong is said without the line it stands in, which may hold a password.
fn parsed(text: &str) -> anyhow::Result<File> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        anyhow!("line {line}: {}", error.message())
    })
}

fn tls(certificate: Option<PathBuf>, key: Option<PathBuf>) -> anyhow::Result<Option<TlsFiles>> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        _ => bail!("TLS needs both a certificate and its key: set tls_certificate and tls_key"),
    }
}

/// A URL that paths are added to.
fn base_url(name: &str, given: &str) -> anyhow::Result<String> {
    let url = given.trim().trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(['?', '#', '@', ' ']) => Ok(url.to_owned()),
        _ => bail!("{name} must be `https://` (or `http://`), a host and perhaps a path, not `{given}`"),
    }
}

/// Where a page comes from: `*` is none, because whoever is let in is named.
fn origin(given: &str) -> anyhow::Result<String> {
    let url = base_url("an allowed origin", given)?.to_ascii_lowercase();
    if url.splitn(3, '/').nth(2).is_some_and(|host| !host.contains('/')) {
        Ok(url)
    } else {
        bail!("an allowed origin is `https://` (or `http://`) and a host, without a path, not `{given}`")
    }
}

fn channel_kind(code: &str) -> anyhow::Result<ChannelKind> {
    let known = ChannelKind::ALL.into_iter().find(|kind| kind.code() == code.trim());
    known.with_context(|| {
        let all = ChannelKind::ALL.map(ChannelKind::code).join(", ");
        format!("`{code}` is no kind of channel; the kinds are {all}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_which_wins_over_the_default() {
        let file: File = toml::from_str("data_dir = '/srv/p'\nlog = 'debug'").unwrap();
        let flags = Flags { log: Some("warn".to_owned()), ..Flags::default() };
        let config = Config::merge(flags, file).unwrap();
        assert_eq!(config.log.as_deref(), Some("warn"));
        assert_eq!(config.database, DatabaseUrl::Sqlite("/srv/p/parlance.db".into()));
        assert_eq!(config.master_key_file, PathBuf::from("/srv/p/master.key"));
        assert_eq!(config.log_format, LogFormat::Pretty);
    }

    #[test]
    fn a_mistyped_key_is_an_error_that_names_it() {
        let error = toml::from_str::<File>("data_dri = '/srv/p'").unwrap_err().to_string();
        assert!(error.contains("data_dri"), "{error}");
    }

    #[test]
    fn a_public_url_has_no_slash_at_its_end_and_kinds_are_known_ones() {
        let read = |text: &str| Config::merge(Flags::default(), toml::from_str(text).unwrap());
        let config =
            read("public_url = 'https://inbox.example.com/'\nclosed_kinds = ['whatsapp_twilio']").unwrap();
        assert_eq!(config.public_url.as_deref(), Some("https://inbox.example.com"));
        assert_eq!(config.closed_kinds, [ChannelKind::WhatsappTwilio]);
        assert!(Config::merge(Flags::default(), toml::from_str("tls_key = 'k'").unwrap()).is_err());
        let tls = read("tls_certificate = 'c'\ntls_key = 'k'").unwrap().tls.unwrap();
        assert_eq!((tls.certificate, tls.key), (PathBuf::from("c"), PathBuf::from("k")));
        assert!(read("public_url = 'inbox.example.com'").is_err());
        assert!(read("public_url = 'https://inbox.example.com/?a=b'").is_err());
        assert!(read("closed_kinds = ['fax']").unwrap_err().to_string().contains("messenger"));
    }

    #[test]
    fn allowed_origins_have_no_path_and_no_wildcard() {
        let read = |text: &str| Config::merge(Flags::default(), toml::from_str(text).unwrap());
        let config =
            read("allowed_origins = ['https://Shop.example.com', 'http://localhost:5173/']").unwrap();
        assert_eq!(config.allowed_origins, ["https://shop.example.com", "http://localhost:5173"]);
        for wrong in ["*", "shop.example.com", "https://shop.example.com/path", "null", ""] {
            assert!(read(&format!("allowed_origins = ['{wrong}']")).is_err(), "{wrong}");
        }
        assert!(read("").unwrap().introspection);
        assert!(!read("introspection = false").unwrap().introspection);
    }

    #[test]
    fn a_database_is_a_file_or_postgresql_s() {
        let of = |url: &str| {
            let flags = Flags { database_url: Some(url.to_owned().into()), ..Flags::default() };
            Config::merge(flags, File::default()).map(|config| config.database)
        };
        assert_eq!(of("sqlite:///x/y.db").unwrap(), DatabaseUrl::Sqlite("/x/y.db".into()));
        for url in ["postgres://p@h/db", "postgresql://p@h/db"] {
            assert!(matches!(of(url).unwrap(), DatabaseUrl::Postgres(kept) if kept.secret() == url));
        }
        for (wrong, what) in [
            ("", "empty"),
            ("sqlite://", "names no file"),
            ("postgres://", "no host"),
            ("mysql://u:s3cr3t@host/db", "must begin with"),
            ("/srv/parlance.db", "must begin with"),
        ] {
            let error = format!("{:#}", of(wrong).unwrap_err());
            assert!(error.contains(what) && !error.contains("s3cr3t"), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_password_in_the_settings_is_never_printed() {
        let url = "postgres://parlance:s3cr3t@db.example.com/inbox?password=s3cr3t";
        let flags = Flags { database_url: Some(url.to_owned().into()), ..Flags::default() };
        let mut told = vec![format!("{flags:?}")];
        let config = Config::merge(flags, File::default()).unwrap();
        assert!(config.database.to_string().contains("db.example.com"));
        told.push(format!("{config:?} {}", config.database));
        for broken in [format!("database_url = '{url}"), format!("database_url = ['{url}']")] {
            told.push(format!("{:#}", parsed(&broken).unwrap_err()));
        }
        for text in told {
            assert!(!text.contains("s3cr3t"), "{text}");
        }
        let error = parsed("# one\ndata_dir = 'x'\ndata_dri = 'y'").unwrap_err().to_string();
        assert!(error.starts_with("line 3: ") && error.contains("data_dri"), "{error}");
    }
}
