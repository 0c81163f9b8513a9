//! What every refusal says to people: what is wrong and what to do, in the languages of accounts.

use parlance_domain::account::Language;

use super::{ErrorCode, Wrong};

/// The message of a refusal.
pub(super) fn text(wrong: &Wrong, language: Language) -> String {
    let (en, hu) = texts(wrong.code);
    let text = match language {
        Language::En => en,
        Language::Hu => hu,
    };
    match wrong.limit {
        Some(limit) => text.replace("{limit}", &limit.to_string()),
        None => text.to_owned(),
    }
}

/// English, Hungarian. `{limit}` stands for the refusal's number: how long a text may or must be, or seconds.
const fn texts(code: ErrorCode) -> (&'static str, &'static str) {
    match code {
        ErrorCode::NotFound => (
            "There is no such thing, or you have no access to it. Reload the page.",
            "Nincs ilyen, vagy nincs hozzáférésed. Töltsd újra az oldalt.",
        ),
        ErrorCode::NotPermitted => (
            "This needs account settings access. Ask a member who has it.",
            "Ehhez hozzáférés kell a fiók beállításaihoz. Kérd olyan tagtól, akinek van.",
        ),
        ErrorCode::OnlyInstaller => (
            "Only the member who installed the channel can do this. Ask them, or have the channel handed over.",
            "Ezt csak a csatorna telepítője teheti meg. Kérd meg őt, vagy vedd át tőle a csatornát.",
        ),
        ErrorCode::OnlyOneself => (
            "Only the member concerned can do this. Ask them.",
            "Ezt csak maga az érintett tag teheti meg. Kérd meg őt.",
        ),
        ErrorCode::InvalidId => (
            "This is not an id of the kind needed here. Copy the id anew.",
            "Ez nem az itt szükséges fajta azonosító. Másold ki újra.",
        ),
        ErrorCode::Empty => {
            ("This is empty. Type at least one character.", "Ez üres. Írj be legalább egy karaktert.")
        }
        ErrorCode::TooLong => (
            "This is too long. It may be at most {limit} characters.",
            "Ez túl hosszú. Legfeljebb {limit} karakter lehet.",
        ),
        ErrorCode::TooShort => (
            "This is too short. It must be at least {limit} characters.",
            "Ez túl rövid. Legalább {limit} karakter legyen.",
        ),
        ErrorCode::ControlCharacter => (
            "This holds a line break or another control character. Remove it.",
            "Sortörés vagy más vezérlőkarakter van benne. Töröld ki.",
        ),
        ErrorCode::NotAnEmail => (
            "This is not an e-mail address. It should look like name@example.com.",
            "Ez nem e-mail-cím. Ilyen formájú legyen: nev@example.com.",
        ),
        ErrorCode::UnknownTimeZone => (
            "This time zone is not known. Use an IANA name, such as Europe/Budapest.",
            "Ismeretlen időzóna. IANA-nevet adj meg, például: Europe/Budapest.",
        ),
        ErrorCode::NameUnreadable => (
            "The account's name cannot be read at the moment, so it cannot be kept. Give the name as well.",
            "A fiók neve most nem olvasható, ezért nem tartható meg. Add meg a nevet is.",
        ),
        ErrorCode::LastWithSettingsAccess => (
            "The last member with account settings access cannot lose it. Grant it to another member first.",
            "Az utolsó tagtól, aki hozzáfér a fiók beállításaihoz, ez nem vehető el. Előbb add meg másnak.",
        ),
        ErrorCode::AlreadyMember => (
            "A member with this e-mail address is here or invited already. Use another address.",
            "Ezzel az e-mail-címmel már van tag vagy meghívott. Adj meg másik címet.",
        ),
        ErrorCode::StillInstaller => (
            "The member installed a channel. Hand the channel over first, then try again.",
            "A tag csatornát telepített. Előbb add át a csatornát másnak, aztán próbáld újra.",
        ),
        ErrorCode::MemberNotActive => (
            "The member has not joined yet, or was removed. Choose an active member.",
            "A tag még nem csatlakozott, vagy eltávolították. Válassz aktív tagot.",
        ),
        ErrorCode::InvitationInvalid => (
            "This invitation is not valid any more. Ask for a new one.",
            "Ez a meghívó már nem érvényes. Kérj újat.",
        ),
        ErrorCode::SignInRefused => (
            "This e-mail address and password do not fit. Check both, or ask your operator for a new password.",
            "Ez az e-mail-cím és jelszó nem illik össze. Nézd meg mindkettőt, vagy kérj új jelszót az üzemeltetőtől.",
        ),
        ErrorCode::TooManyAttempts => (
            "This was tried too often. Try again in {limit} seconds.",
            "Túl sok próbálkozás. Próbáld újra {limit} másodperc múlva.",
        ),
        ErrorCode::PasswordTooEasy => (
            "This password is easy to guess. Choose another: a few words that nobody would expect are good.",
            "Ez a jelszó könnyen kitalálható. Válassz másikat: néhány váratlan szó jó lesz.",
        ),
        ErrorCode::CurrentPasswordWrong => (
            "The current password is wrong. Type it again, or ask your operator for a new one.",
            "A jelenlegi jelszó nem ez. Írd be újra, vagy kérj újat az üzemeltetőtől.",
        ),
        ErrorCode::AlreadyPast => {
            ("This moment is past. Choose one in the future.", "Ez az időpont már elmúlt. Jövőbelit adj meg.")
        }
        ErrorCode::TooManyTokens => (
            "You have as many API tokens as one can have. Revoke one that you do not need any more.",
            "Több API-tokened nem lehet. Vonj vissza egyet, amelyre már nincs szükséged.",
        ),
        ErrorCode::KindClosed => (
            "This kind of channel is not offered to new connections. Choose another kind.",
            "Ilyen csatorna már nem köthető be újonnan. Válassz másik fajtát.",
        ),
        ErrorCode::NotAProviderId => (
            "This cannot be a page's id, or a phone number with its country code. Copy it from the provider.",
            "Ez nem lehet oldalazonosító vagy országkódos telefonszám. Másold ki a szolgáltatónál.",
        ),
        ErrorCode::SigningSecretMissing => (
            "The signing secret is needed: Meta's app secret, or Twilio's auth token. Copy it from the provider.",
            "Kell az aláíró titok: a Meta app secretje vagy a Twilio auth tokenje. Másold ki a szolgáltatónál.",
        ),
        ErrorCode::AccessMissing => (
            "What calls the provider is needed: Meta's page access token, or Twilio's account SID. Copy it there.",
            "Kell a hívásokhoz: a Meta page access tokenje vagy a Twilio account SID-je. Másold ki a szolgáltatónál.",
        ),
        ErrorCode::CredentialsRefused => (
            "The provider refuses these credentials for this page or number. Check them and try again.",
            "A szolgáltató nem fogadja el ezeket az adatokat ehhez az oldalhoz vagy számhoz. Ellenőrizd őket, és próbáld újra.",
        ),
        ErrorCode::ProviderUnavailable => (
            "The provider cannot be asked at the moment, so nothing was changed. Try again later.",
            "A szolgáltató most nem érhető el, ezért semmi sem változott. Próbáld újra később.",
        ),
        ErrorCode::ConnectionMismatch => (
            "The connection does not exist, or is of another kind than the channel. Choose another connection.",
            "A kapcsolat nem létezik, vagy más fajta, mint a csatorna. Válassz másik kapcsolatot.",
        ),
        ErrorCode::ChannelDisconnected => (
            "The channel is disconnected. Connect it again first.",
            "A csatorna le van választva. Előbb kösd be újra.",
        ),
        ErrorCode::ChannelUnreadable => (
            "The channel's page or number cannot be read, so it cannot be changed. Connect the channel again.",
            "A csatorna oldala vagy száma nem olvasható, ezért nem módosítható. Kösd be újra a csatornát.",
        ),
        ErrorCode::NewInstallerNotActive => (
            "The channel can only be handed over to an active member. Choose another member.",
            "A csatorna csak aktív tagnak adható át. Válassz másik tagot.",
        ),
        ErrorCode::AlreadyAssigned => (
            "Another member holds the conversation by now. Look who it is before you assign it anew.",
            "A beszélgetés már másnál van. Nézd meg, kinél, mielőtt újra kiosztod.",
        ),
        ErrorCode::NotAssigned => (
            "Nobody holds the conversation any more. Look at it again before you assign it.",
            "A beszélgetés már senkinél sincs. Nézd meg újra, mielőtt kiosztod.",
        ),
        ErrorCode::AssigneeWithoutAccess => (
            "This member has no access to the conversation. Choose another member.",
            "Ez a tag nem fér hozzá a beszélgetéshez. Válassz másik tagot.",
        ),
        ErrorCode::AssigneeUnavailable => (
            "This member is not available. Choose another, or wait until they switch their availability on.",
            "Ez a tag most nem elérhető. Válassz másikat, vagy várd meg, amíg elérhetőre állítja magát.",
        ),
        ErrorCode::PageSizeOutOfRange => (
            "A page holds 1 to 100 items. Ask for a number between them.",
            "Egy oldalon 1–100 elem lehet. Ezek közötti számot adj meg.",
        ),
        ErrorCode::PageDirectionMixed => (
            "Use `first` and `after` to read forwards, or `last` and `before` to read backwards, not both.",
            "Előre a `first` és `after`, visszafelé a `last` és `before` való; a kettő nem keverhető.",
        ),
        ErrorCode::CursorInvalid => (
            "This is not a cursor. Use one that a list's page gave.",
            "Ez nem kurzor. Olyat adj meg, amely egy lista oldalából való.",
        ),
        ErrorCode::CursorOfAnotherList => (
            "This cursor belongs to another list. Begin this list without a cursor.",
            "Ez a kurzor másik listához tartozik. Kezdd a listát kurzor nélkül.",
        ),
        ErrorCode::Reload => (
            "It cannot go on from here: this is too far back, or not in the log as it is now. Load everything anew.",
            "Innen nem folytatható: túl régi, vagy nincs a mostani naplóban. Tölts be mindent újra.",
        ),
        ErrorCode::Unauthenticated => (
            "You are not signed in, or not any more. Sign in, or send an API token in the Authorization header.",
            "Nem vagy bejelentkezve, vagy már nem. Jelentkezz be, vagy küldj API-tokent az Authorization fejlécben.",
        ),
        ErrorCode::ScopeMissing => (
            "This API token was not made for this. Make one with the scope that it needs.",
            "Ez az API-token nem erre készült. Készíts olyat, amelynek megvan hozzá a hatóköre.",
        ),
        ErrorCode::CookieImpossible => (
            "This is answered by a cookie, which a socket cannot set. Send it over HTTP.",
            "Ez sütivel válaszol, amit websocket nem tud beállítani. Küldd HTTP-n.",
        ),
        ErrorCode::SessionRequired => (
            "This cannot be done with an API token. Sign in with your password.",
            "Ez API-tokennel nem végezhető el. Jelentkezz be a jelszavaddal.",
        ),
        ErrorCode::MembersOnly => (
            "This is for members of an account. Use a member's API token.",
            "Ez a fiók tagjainak való. Egy tag API-tokenjét használd.",
        ),
        ErrorCode::OperatorsOnly => (
            "This is for operators of the installation. Use an operator's API token.",
            "Ez az üzemeltetőknek való. Egy üzemeltető API-tokenjét használd.",
        ),
    }
}
