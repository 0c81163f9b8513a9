//! Why a question or a wish is not answered.

use parlance_store::{StoreError, TOKENS_PER_MEMBER_MAX};

use crate::{command::CommandError, ingestion::CheckError, sign_in::PasswordError};

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FrontError {
    /// Not there, or not theirs: the two look the same.
    #[error("there is no such thing")]
    NotFound,
    /// There, and seen by the asker, but not theirs to do.
    #[error("this needs account settings access")]
    NotPermitted,
    /// The read models do not show the wanted position yet. Nothing is lost; ask again.
    #[error("what was asked for is not shown yet; try again")]
    Behind,
    /// The position is none of this log, or too far behind to be told what was missed.
    #[error("nothing can go on from this position; load everything anew")]
    Reload,
    /// The kind is not offered to new connections any more.
    #[error("this kind of channel is closed to new connections")]
    KindClosed,
    /// What was typed cannot be a page's id or a number.
    #[error("this cannot be the id of a page, or a number with its country code")]
    NotAProviderId,
    #[error("the signing secret is needed for a new connection")]
    SigningSecretMissing,
    #[error("the credentials for calling the provider are needed")]
    AccessMissing,
    #[error(transparent)]
    Credentials(#[from] CheckError),
    /// The invitation's token is none, was used, or is too old.
    #[error("the invitation is not valid any more; ask for a new one")]
    InvitationInvalid,
    /// The address, the password or the account is wrong; which of them is not told.
    #[error("this e-mail address and password do not fit")]
    SignInRefused,
    /// Nothing was looked at. The same for addresses that are known and those that are not.
    #[error("too many attempts; try again in {seconds} seconds")]
    TooManyAttempts { seconds: u32 },
    /// Too many passwords are being checked. Nothing was done; ask again.
    #[error("too many passwords are being checked at the moment; try again")]
    Busy,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("the current password is wrong")]
    CurrentPasswordWrong,
    /// Passwords, sessions and API tokens are for who signed in, never for a program with an API token.
    #[error("this needs a session; sign in")]
    SessionRequired,
    #[error("an API token needs at least one scope")]
    NoScope,
    #[error("this moment is past")]
    AlreadyPast,
    #[error("a member has at most {TOKENS_PER_MEMBER_MAX} API tokens")]
    TooManyTokens,
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Store(#[from] StoreError),
}
