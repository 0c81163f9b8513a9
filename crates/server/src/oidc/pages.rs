//! What a person sees where signing in by an issuer does not simply go on: plain pages without scripts, in English or
//! Hungarian. Nothing that came from outside is in them but accounts' names, escaped.

use std::fmt::Write as _;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use parlance_app::sign_in::AccountChoice;

/// Nothing is loaded or run; a form may be sent to us.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Without the path, which holds a code. Not `no-referrer`: with that browsers would not say with the form that it is
/// ours (Fetch, "serialising a request origin").
const REFERRER: &str = "strict-origin";

/// Why somebody is not signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The link that began it is wrong.
    BadLink,
    /// There is nothing that this answer belongs to.
    StartAgain,
    /// The issuer or the person said no.
    Denied,
    /// The issuer's word was not believed.
    NotBelieved,
    /// The issuer does not say that the e-mail address is theirs.
    EmailNotVerified,
    /// Nobody who may sign in has this address.
    SignInRefused,
    TooManyAttempts {
        seconds: u32,
    },
    ForbiddenOrigin,
    /// The issuer cannot be asked.
    IssuerUnavailable,
    /// We cannot answer.
    Unavailable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageLanguage {
    En,
    Hu,
}

impl PageLanguage {
    /// The first of the browser's languages, if we speak it.
    pub fn of(headers: &HeaderMap) -> Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let first = wanted.and_then(|value| value.split([',', ';']).next()).unwrap_or_default().trim();
        let primary = first.split('-').next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("hu") { Self::Hu } else { Self::En }
    }

    fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Hu => "hu",
        }
    }

    fn said(self, en: &'static str, hu: &'static str) -> &'static str {
        match self {
            Self::En => en,
            Self::Hu => hu,
        }
    }
}

impl Ended {
    fn status(self) -> StatusCode {
        match self {
            Self::BadLink | Self::StartAgain => StatusCode::BAD_REQUEST,
            Self::Denied
            | Self::NotBelieved
            | Self::EmailNotVerified
            | Self::SignInRefused
            | Self::ForbiddenOrigin => StatusCode::FORBIDDEN,
            Self::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::IssuerUnavailable | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// For programs, and for whoever asks for help. These never change.
    fn code(self) -> &'static str {
        match self {
            Self::BadLink => "BAD_LINK",
            Self::StartAgain => "START_AGAIN",
            Self::Denied => "DENIED_BY_ISSUER",
            Self::NotBelieved => "ISSUER_NOT_BELIEVED",
            Self::EmailNotVerified => "EMAIL_NOT_VERIFIED",
            Self::SignInRefused => "SIGN_IN_REFUSED",
            Self::TooManyAttempts { .. } => "TOO_MANY_ATTEMPTS",
            Self::ForbiddenOrigin => "FORBIDDEN_ORIGIN",
            Self::IssuerUnavailable => "ISSUER_UNAVAILABLE",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    fn text(self, language: PageLanguage) -> &'static str {
        let (en, hu) = match self {
            Self::BadLink => (
                "The link that you followed is wrong. Begin on the sign-in page.",
                "A hivatkozás hibás. Kezdje a bejelentkező oldalon.",
            ),
            Self::StartAgain => (
                "This sign-in has run out, was used already, or began in another browser. Begin again.",
                "Ez a bejelentkezés lejárt, már felhasználták, vagy másik böngészőben kezdődött. Kezdje újra.",
            ),
            Self::Denied => (
                "The sign-in was cancelled or refused at the sign-in provider. Nothing has changed.",
                "A bejelentkezést a bejelentkezési szolgáltatónál megszakították vagy elutasították. Nem változott semmi.",
            ),
            Self::NotBelieved => (
                "What the sign-in provider answered could not be verified. Begin again; if it happens again, tell \
                 whoever runs this server.",
                "A bejelentkezési szolgáltató válaszát nem lehetett ellenőrizni. Kezdje újra; ha megismétlődik, \
                 szóljon a kiszolgáló üzemeltetőjének.",
            ),
            Self::EmailNotVerified => (
                "The sign-in provider does not say that your e-mail address is yours. Have it verified there, then \
                 begin again.",
                "A bejelentkezési szolgáltató nem igazolja, hogy az e-mail-cím az Öné. Erősítse meg ott, majd \
                 kezdje újra.",
            ),
            Self::SignInRefused => (
                "Nobody with your e-mail address can sign in here. Ask a colleague to invite you, or accept the \
                 invitation you have.",
                "Ezzel az e-mail-címmel itt senki sem jelentkezhet be. Kérjen meghívót egy kollégájától, vagy \
                 fogadja el, amelyet kapott.",
            ),
            Self::TooManyAttempts { .. } => (
                "Too many sign-ins were tried from your address. Try again in a minute.",
                "Túl sok bejelentkezési kísérlet érkezett az Ön címéről. Próbálja újra egy perc múlva.",
            ),
            Self::ForbiddenOrigin => (
                "This did not come from our own page. Begin again.",
                "Ez nem a saját oldalunkról érkezett. Kezdje újra.",
            ),
            Self::IssuerUnavailable => (
                "The sign-in provider cannot be reached. Try again in a minute, or sign in by password. Whoever \
                 runs this server finds the reason in its log.",
                "A bejelentkezési szolgáltató nem érhető el. Próbálja újra egy perc múlva, vagy jelentkezzen be \
                 jelszóval. A kiszolgáló üzemeltetője az okot a naplóban találja.",
            ),
            Self::Unavailable => (
                "The server cannot answer at the moment. Try again in a minute.",
                "A kiszolgáló most nem tud válaszolni. Próbálja újra egy perc múlva.",
            ),
        };
        language.said(en, hu)
    }

    /// The page that says so.
    pub fn page(self, language: PageLanguage) -> Response {
        let title = language.said("You are not signed in", "Nincs bejelentkezve");
        let again = language.said("Begin again", "Újrakezdés");
        let body = format!(
            "<p>{}</p>\n<p><code>{}</code></p>\n<p><a href=\"start\">{again}</a></p>",
            self.text(language),
            self.code()
        );
        let mut page = page(self.status(), language, title, &body);
        let wait = match self {
            Self::TooManyAttempts { seconds } => Some(seconds),
            Self::IssuerUnavailable | Self::Unavailable => Some(UNAVAILABLE_S),
            _ => None,
        };
        if let Some(seconds) = wait {
            page.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        page
    }
}

/// What a browser is told to wait where nothing is known of how long it takes.
const UNAVAILABLE_S: u32 = 60;

/// A form to choose the account by.
pub fn choose(choices: &[AccountChoice], language: PageLanguage) -> Response {
    let title = language.said("Choose an account", "Válasszon fiókot");
    let mut body = "<form method=\"post\" action=\"choose\">\n".to_owned();
    for choice in choices {
        let id = choice.account.to_string();
        let name = escaped(choice.name.as_deref().unwrap_or(&id));
        let _ = writeln!(body, "<p><button name=\"account\" value=\"{id}\">{name}</button></p>");
    }
    body.push_str("</form>");
    page(StatusCode::OK, language, title, &body)
}

fn page(status: StatusCode, language: PageLanguage, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title} – Parlance</title>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n",
        language.code()
    );
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::REFERRER_POLICY, HeaderValue::from_static(REFERRER)),
    ];
    (status, headers, html).into_response()
}

/// A text as content of an element, or of an attribute in double quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_is_markup() {
        assert_eq!(
            escaped("<b onclick=\"x\">Tom & 'Jerry'</b>"),
            "&lt;b onclick=&quot;x&quot;&gt;Tom &amp; &#39;Jerry&#39;&lt;/b&gt;"
        );
    }

    #[test]
    fn a_page_speaks_the_browser_s_first_language() {
        let of = |value: &str| {
            PageLanguage::of(&[(header::ACCEPT_LANGUAGE, value.parse().unwrap())].into_iter().collect())
        };
        assert_eq!(of("hu-HU,hu;q=0.9,en;q=0.8"), PageLanguage::Hu);
        assert_eq!(of("HU"), PageLanguage::Hu);
        for other in ["en-US,hu", "hungarian", "", "*"] {
            assert_eq!(of(other), PageLanguage::En, "{other}");
        }
        assert_eq!(PageLanguage::of(&HeaderMap::new()), PageLanguage::En);
    }
}
