//! Why an account says no.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    #[error("there is no such account")]
    NotFound,
    #[error("the account exists already")]
    AlreadyCreated,
    #[error("this needs account settings access")]
    NotPermitted,
    #[error("the time zone is not an IANA name such as `Europe/Budapest`")]
    UnknownTimeZone,
    #[error("the account's name cannot be read at the moment, so it cannot be kept; name the account anew")]
    NameUnreadable,
    #[error("the last member with account settings access cannot lose it; grant it to another member first")]
    LastWithSettingsAccess,
}
