//! What goes wrong, as the outside sees it: refusals that a user caused (`ErrorCode`, translated), and faults
//! of the installation (masked, logged once, named by the request's trace id).

mod faults;
mod mapping;
mod texts;

use async_graphql::{Enum, Object, SimpleObject};
use parlance_domain::{MemberId, Timestamp, account::Language};

pub use self::faults::{FaultCode, Trace};
pub(crate) use self::{
    faults::{Fault, Refused, coded},
    mapping::judge,
};
use crate::{members::Member, payload::Shown as _, scalars::DateTime, session::Scope};

/// Why something that was asked for is refused. A mutation lists it in `errors`; a query answers with an error
/// whose `extensions.code` holds it.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// There is no such thing, or it is not yours to see: the two look the same.
    NotFound,
    /// Only members with account settings access may do this.
    NotPermitted,
    /// Only the member who installed the channel may do this. Changing a channel's visibility or its installer also needs account settings access.
    OnlyInstaller,
    /// Only the member concerned may do this, for themselves.
    OnlyOneself,
    /// The text is not an id of the wanted kind: ids begin with a word that names their kind, such as `conv_`.
    InvalidId,
    /// The text is empty.
    Empty,
    /// The text is too long. The message says how long it may be.
    TooLong,
    /// The text is too short. The message says how long it must be.
    TooShort,
    /// The text holds a control character, such as a line break.
    ControlCharacter,
    /// The text is not an e-mail address.
    NotAnEmail,
    /// The time zone is not an IANA name such as `Europe/Budapest`.
    UnknownTimeZone,
    /// The present name cannot be read, so it cannot be kept while something else is changed; give a name as well.
    NameUnreadable,
    /// The account's last member with account settings access cannot lose it or be removed.
    LastWithSettingsAccess,
    /// A member with this e-mail address is in the account, or invited, already.
    AlreadyMember,
    /// The member installed a channel; it must be handed over before the member is removed.
    StillInstaller,
    /// The member is not active: invited and not joined yet, or removed.
    MemberNotActive,
    /// The invitation does not exist, was used, or is too old.
    InvitationInvalid,
    /// The e-mail address is not known, the password is wrong, or the member has not joined or was removed: they all
    /// look the same.
    SignInRefused,
    /// It was tried too often. `retryAfterSeconds` tells when to try again.
    TooManyAttempts,
    /// The password is among the first that anybody would try: a common one, the e-mail address, one character.
    PasswordTooEasy,
    /// The current password is wrong, or there is none yet.
    CurrentPasswordWrong,
    /// The moment must be in the future.
    AlreadyPast,
    /// The member has as many API tokens as one can have; revoke one first.
    TooManyTokens,
    /// The kind of channel is not offered to new connections.
    KindClosed,
    /// The text cannot be the id of a page, or a phone number with its country code.
    NotAProviderId,
    /// The signing secret (Meta's app secret, Twilio's auth token) is needed.
    SigningSecretMissing,
    /// What calls the provider (Meta's page access token, Twilio's account SID) is needed.
    AccessMissing,
    /// The provider refuses the credentials for this page or number.
    CredentialsRefused,
    /// The provider could not be asked whether the credentials are right. Nothing was changed; try again.
    ProviderUnavailable,
    /// The connection does not exist, or is of another kind than the channel.
    ConnectionMismatch,
    /// The channel is disconnected; connect it again first.
    ChannelDisconnected,
    /// Which page or number the channel is cannot be read, so it cannot be changed; connect it again.
    ChannelUnreadable,
    /// The member to whom the channel is handed over is not active in this account.
    NewInstallerNotActive,
    /// Another member holds the conversation by now. `alreadyAssigned` tells who, by whom and since when.
    AlreadyAssigned,
    /// Nobody holds the conversation any more, while somebody was expected to.
    NotAssigned,
    /// The member has no access to the conversation, so it cannot be assigned to them.
    AssigneeWithoutAccess,
    /// The member's availability is off, so nobody can assign a conversation to them.
    AssigneeUnavailable,
    /// `first` or `last` is not between 1 and 100.
    PageSizeOutOfRange,
    /// Arguments for reading forwards (`first`, `after`) and backwards (`last`, `before`) were mixed.
    PageDirectionMixed,
    /// The text is not a cursor of a list.
    CursorInvalid,
    /// The cursor belongs to another list: another section, channel or conversation.
    CursorOfAnotherList,
    /// Nothing can go on from this position or cursor: it is from before the installation was restored from a backup;
    /// or, where a subscription was to go on from it, it is more than 10,000 positions back, from before the member
    /// last joined, or ahead of all that has happened. Load everything anew.
    Reload,
    /// Nobody is signed in, or not any more, and the request carries no API token.
    Unauthenticated,
    /// The API token's scopes do not cover this.
    ScopeMissing,
    /// This is about how the member signs in: it needs a signed-in member, not an API token.
    SessionRequired,
    /// The answer would set a cookie, which a socket cannot. Send this over HTTP.
    CookieImpossible,
    /// The API token is an operator's; this is for members of an account.
    MembersOnly,
    /// The API token is a member's; this is for operators of the installation.
    OperatorsOnly,
}

/// One refusal, before it is put into words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Wrong {
    pub code: ErrorCode,
    /// The input's field concerned.
    pub field: Option<&'static str>,
    /// The number in the message: how long a text may or must be, or how many seconds to wait.
    pub limit: Option<usize>,
    /// For [`ErrorCode::AlreadyAssigned`].
    pub taken: Option<Taken>,
}

/// Who holds what was to be taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taken {
    pub assignee: MemberId,
    pub by: Option<MemberId>,
    pub at: Timestamp,
}

impl Wrong {
    pub fn new(code: ErrorCode) -> Self {
        Self { code, field: None, limit: None, taken: None }
    }

    pub fn in_field(code: ErrorCode, field: &'static str) -> Self {
        Self { field: Some(field), ..Self::new(code) }
    }

    pub fn message(&self, language: Language) -> String {
        texts::text(self, language)
    }

    /// As a query's answer.
    pub fn into_error(self, language: Language) -> async_graphql::Error {
        coded(self.message(language), async_graphql::Value::from(self.code), None)
    }
}

/// Why a mutation was refused, and what to do about it.
#[derive(SimpleObject, Clone)]
pub struct UserError {
    /// What is wrong, for programs.
    pub code: ErrorCode,
    /// What is wrong and what to do, for people, in the account's language.
    pub message: String,
    /// The part of the mutation's arguments concerned, from the outside in, such as `["input", "name"]`.
    pub path: Vec<String>,
    /// For `TOO_MANY_ATTEMPTS`: how many seconds to wait before trying again.
    pub retry_after_seconds: Option<i32>,
    /// For `ALREADY_ASSIGNED`: who holds the conversation.
    pub already_assigned: Option<AlreadyAssigned>,
}

impl UserError {
    pub(crate) fn new(wrong: &Wrong, language: Language, scope: Option<&Scope>) -> Self {
        let path = std::iter::once("input").chain(wrong.field).map(str::to_owned).collect();
        let already_assigned =
            wrong.taken.zip(scope).map(|(taken, scope)| AlreadyAssigned { taken, scope: scope.clone() });
        let seconds = wrong.limit.filter(|_| wrong.code == ErrorCode::TooManyAttempts);
        let retry_after_seconds = seconds.map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX));
        let message = wrong.message(language);
        Self { code: wrong.code, message, path, retry_after_seconds, already_assigned }
    }
}

#[derive(Clone)]
pub struct AlreadyAssigned {
    taken: Taken,
    scope: Scope,
}

/// Who holds a conversation that was to be assigned.
#[Object]
impl AlreadyAssigned {
    /// The member who holds it.
    async fn assignee(&self) -> async_graphql::Result<Option<Member>> {
        Member::load(&self.scope, self.taken.assignee).await
    }

    /// The member who assigned it. Null if it was not a member.
    async fn by(&self) -> async_graphql::Result<Option<Member>> {
        match self.taken.by {
            Some(by) => Member::load(&self.scope, by).await,
            None => Ok(None),
        }
    }

    /// When it was assigned.
    async fn at(&self) -> DateTime {
        self.taken.at.into()
    }
}
