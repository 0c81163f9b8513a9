//! The address of a PostgreSQL database. It may hold a password, so it prints itself without.

use std::fmt;

/// As `tokio-postgres` reads it. Neither `Debug` nor `Display` shows a password, nor any option.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(pub(crate) String);

impl PostgresUrl {
    /// The whole address, for whoever connects.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// User, hosts and database, where they are plainly that. Anything unusual (a second `@`, as in a password that is
    /// not percent-encoded; options in a strange place) shows nothing at all: better too little than a secret.
    fn plain(&self) -> Option<(&str, &str, &str)> {
        let rest = self.0.split_once("://")?.1;
        let (credentials, place) = match rest.split_once('@') {
            Some((_, place)) if place.contains('@') => return None,
            Some((credentials, place)) => (credentials, place),
            None => ("", rest),
        };
        let place = place.split_once('?').map_or(place, |(before, _)| before);
        let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
        let user = credentials.split_once(':').map_or(credentials, |(user, _)| user);
        let name =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-%".contains(&byte));
        let host = |text: &str| match text.rsplit_once(':') {
            // An IPv6 address is in brackets.
            Some((host, port)) if !port.ends_with(']') => {
                host.trim_matches(['[', ']']).split(':').all(name)
                    && port.bytes().all(|byte| byte.is_ascii_digit())
            }
            _ => text.trim_matches(['[', ']']).split(':').all(name),
        };
        let usual = !credentials.contains(['/', '?', '#']) && hosts.split(',').all(host) && name(database);
        (usual && name(user)).then_some((user, hosts, database))
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.plain() {
            Some(("", hosts, database)) => write!(f, "postgres://{hosts}/{database}"),
            Some((user, hosts, database)) => write!(f, "postgres://{user}@{hosts}/{database}"),
            None => write!(f, "postgres://…"),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        format!("{} {0:?}", PostgresUrl(url.to_owned()))
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for (url, wanted) in [
            ("postgres://parlance@db.example.com/inbox", "postgres://parlance@db.example.com/inbox"),
            (
                "postgresql://parlance:pw@a:5432,b:5433/inbox?sslmode=require",
                "postgres://parlance@a:5432,b:5433/inbox",
            ),
            ("postgres://p@%2Ftmp%2Fpg-1:5432/test_1", "postgres://p@%2Ftmp%2Fpg-1:5432/test_1"),
            ("postgres://p:pw@[::1]:5432/x", "postgres://p@[::1]:5432/x"),
            ("postgres://db/x", "postgres://db/x"),
        ] {
            assert_eq!(shown(url), format!("{wanted} {wanted}"), "{url}");
        }
    }

    #[test]
    fn a_password_is_never_shown_however_it_is_written() {
        for url in [
            "postgres://u:s3cr3t@h/db",
            "postgres://u:s3cr3t@h",
            "postgres://u:a@s3cr3t@h/db",
            "postgres://u:a/s3cr3t@h/db",
            "postgres://u:a?s3cr3t@h/db",
            "postgres://u:a#s3cr3t@h/db",
            "postgres://u:a:s3cr3t@h/db",
            "postgres://u:s3cr3t/db",
            "postgres://h/db?user=u&password=s3cr3t",
            "postgres://h/db?user=u&password=a@s3cr3t",
            "postgres://u@h/db?password=a@s3cr3t",
            "postgres://h/db&password=s3cr3t",
            "postgres:///db?password=s3cr3t",
            "postgres://u:s3cr3t@h:54a/db",
        ] {
            assert!(!shown(url).contains("s3cr3t"), "{url}: {}", shown(url));
        }
    }
}
