//! What every error of the shell and the domain means outside. No arm catches the rest: a new refusal does not
//! compile before it has a code.

use parlance_app::{
    command::CommandError,
    front::{FrontError, StoreError},
    ingestion::CheckError,
    sign_in::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordError},
};
use parlance_domain::{
    IdError, Refusal, TextError, account::AccountError, channel::ChannelError, connection::ConnectionError,
    conversation::ConversationError, delivery::DeliveryError, member::MemberError, reading::ReadingError,
};

use super::{ErrorCode, Fault, FaultCode, Taken, Wrong};

/// A user's mistake, or a fault of the installation.
pub(crate) fn judge(error: FrontError) -> Result<Wrong, Fault> {
    let code = match &error {
        FrontError::NotFound => Ok(ErrorCode::NotFound),
        FrontError::NotPermitted => Ok(ErrorCode::NotPermitted),
        FrontError::Reload => Ok(ErrorCode::Reload),
        FrontError::Behind => Err(FaultCode::Behind),
        FrontError::KindClosed => Ok(ErrorCode::KindClosed),
        FrontError::NotAProviderId => Ok(ErrorCode::NotAProviderId),
        FrontError::SigningSecretMissing => Ok(ErrorCode::SigningSecretMissing),
        FrontError::AccessMissing => Ok(ErrorCode::AccessMissing),
        FrontError::Credentials(CheckError::Refused) => Ok(ErrorCode::CredentialsRefused),
        FrontError::Credentials(CheckError::Unavailable) => Ok(ErrorCode::ProviderUnavailable),
        FrontError::InvitationInvalid => Ok(ErrorCode::InvitationInvalid),
        FrontError::SignInRefused => Ok(ErrorCode::SignInRefused),
        FrontError::TooManyAttempts { seconds } => {
            let limit = usize::try_from(*seconds).ok();
            return Ok(Wrong { limit, ..Wrong::new(ErrorCode::TooManyAttempts) });
        }
        FrontError::Busy => Err(FaultCode::Unavailable),
        FrontError::Password(error) => return Ok(password(*error)),
        FrontError::CurrentPasswordWrong => Ok(ErrorCode::CurrentPasswordWrong),
        FrontError::SessionRequired => Ok(ErrorCode::SessionRequired),
        FrontError::NoScope => Ok(ErrorCode::Empty),
        FrontError::AlreadyPast => Ok(ErrorCode::AlreadyPast),
        FrontError::TooManyTokens => Ok(ErrorCode::TooManyTokens),
        FrontError::Command(error) => match error {
            CommandError::Refused(refusal) => match refused(refusal) {
                Some(wrong) => return Ok(wrong),
                None => Err(FaultCode::Internal),
            },
            CommandError::NoSuchAccount => Err(FaultCode::Internal),
            CommandError::Busy | CommandError::Contended => Err(FaultCode::Unavailable),
            CommandError::Store(error) => Err(store(error)),
        },
        FrontError::Store(error) => Err(store(error)),
    };
    code.map(Wrong::new).map_err(|code| Fault { code, cause: error })
}

fn password(error: PasswordError) -> Wrong {
    let (code, limit) = match error {
        PasswordError::TooShort => (ErrorCode::TooShort, Some(PASSWORD_CHARS_MIN)),
        PasswordError::TooLong => (ErrorCode::TooLong, Some(PASSWORD_CHARS_MAX)),
        PasswordError::TooEasy => (ErrorCode::PasswordTooEasy, None),
    };
    Wrong { limit, ..Wrong::new(code) }
}

fn store(error: &StoreError) -> FaultCode {
    match error {
        StoreError::Conflict(_) | StoreError::Unavailable(_) => FaultCode::Unavailable,
        StoreError::Unknown(_) => FaultCode::OutcomeUnknown,
        StoreError::Refused(_) | StoreError::Corrupt(_) => FaultCode::Internal,
    }
}

/// The rules' no; `None` for a rule that nothing in this interface can break, so that breaking it is a fault.
pub(crate) fn refused(refusal: &Refusal) -> Option<Wrong> {
    let code = match refusal {
        Refusal::Account(error) => account(*error),
        Refusal::Connection(error) => connection(*error),
        Refusal::Channel(error) => channel(*error),
        Refusal::Member(error) => member(*error),
        Refusal::Reading(ReadingError::NotFound) => Some(ErrorCode::NotFound),
        Refusal::Conversation(error) => return conversation(*error),
        Refusal::Delivery(error) => delivery(*error),
    };
    code.map(Wrong::new)
}

fn account(error: AccountError) -> Option<ErrorCode> {
    match error {
        AccountError::NotFound => Some(ErrorCode::NotFound),
        AccountError::NotPermitted => Some(ErrorCode::NotPermitted),
        AccountError::UnknownTimeZone => Some(ErrorCode::UnknownTimeZone),
        AccountError::NameUnreadable => Some(ErrorCode::NameUnreadable),
        AccountError::LastWithSettingsAccess => Some(ErrorCode::LastWithSettingsAccess),
        // Accounts are created at the command line.
        AccountError::AlreadyCreated => None,
    }
}

fn connection(error: ConnectionError) -> Option<ErrorCode> {
    match error {
        ConnectionError::NotFound => Some(ErrorCode::NotFound),
        ConnectionError::NotPermitted => Some(ErrorCode::NotPermitted),
        ConnectionError::SecretMissing => Some(ErrorCode::SigningSecretMissing),
        // A connection's id is made for it alone; and whoever rotates looks again by themselves.
        ConnectionError::AlreadyAdded | ConnectionError::RotatedMeanwhile => None,
    }
}

fn channel(error: ChannelError) -> Option<ErrorCode> {
    match error {
        ChannelError::NotFound => Some(ErrorCode::NotFound),
        ChannelError::NotPermitted => Some(ErrorCode::NotPermitted),
        ChannelError::OnlyInstaller => Some(ErrorCode::OnlyInstaller),
        ChannelError::ConnectionMismatch => Some(ErrorCode::ConnectionMismatch),
        ChannelError::Disconnected => Some(ErrorCode::ChannelDisconnected),
        ChannelError::NewInstallerNotActive => Some(ErrorCode::NewInstallerNotActive),
        ChannelError::IdentityUnreadable => Some(ErrorCode::ChannelUnreadable),
        // No mutation sets a retention yet.
        ChannelError::RetentionOutOfRange => None,
    }
}

fn member(error: MemberError) -> Option<ErrorCode> {
    match error {
        MemberError::NotFound => Some(ErrorCode::NotFound),
        MemberError::AlreadyMember => Some(ErrorCode::AlreadyMember),
        MemberError::NotPermitted => Some(ErrorCode::NotPermitted),
        MemberError::OnlyOneself => Some(ErrorCode::OnlyOneself),
        MemberError::StillInstaller => Some(ErrorCode::StillInstaller),
        MemberError::NotActive => Some(ErrorCode::MemberNotActive),
        // Whoever was removed before they joined holds an invitation that is none any more.
        MemberError::NotInvited => Some(ErrorCode::InvitationInvalid),
        // No mutation changes a member's profile yet.
        MemberError::ProfileUnreadable => None,
    }
}

fn conversation(error: ConversationError) -> Option<Wrong> {
    let code = match error {
        ConversationError::AlreadyAssigned { assignee, by, at } => {
            let taken = Some(Taken { assignee, by: by.member(), at });
            return Some(Wrong { taken, ..Wrong::new(ErrorCode::AlreadyAssigned) });
        }
        ConversationError::NotFound => ErrorCode::NotFound,
        ConversationError::OnlyInstaller => ErrorCode::OnlyInstaller,
        ConversationError::NotAssigned => ErrorCode::NotAssigned,
        ConversationError::AssigneeWithoutAccess => ErrorCode::AssigneeWithoutAccess,
        ConversationError::AssigneeUnavailable => ErrorCode::AssigneeUnavailable,
        // What only a provider's or the system's commands meet.
        ConversationError::OtherChannel
        | ConversationError::ChannelNotConnected
        | ConversationError::NotPermitted => return None,
    };
    Some(Wrong::new(code))
}

/// Kept deliveries are listed here, and decided about at the command line.
fn delivery(error: DeliveryError) -> Option<ErrorCode> {
    match error {
        DeliveryError::NotFound
        | DeliveryError::AlreadyKept
        | DeliveryError::TooLarge
        | DeliveryError::UnknownConnection
        | DeliveryError::NotPermitted
        | DeliveryError::AlreadyReplayed
        | DeliveryError::AlreadySkipped => None,
    }
}

impl Wrong {
    /// A text that is no id of the kind that the field holds.
    pub fn id(_: IdError, field: &'static str) -> Self {
        Self::in_field(ErrorCode::InvalidId, field)
    }

    /// A short text that is not taken.
    pub fn text(error: TextError, field: &'static str) -> Self {
        let (code, limit) = match error {
            TextError::Empty => (ErrorCode::Empty, None),
            TextError::TooLong(limit) => (ErrorCode::TooLong, Some(limit)),
            TextError::ControlCharacter => (ErrorCode::ControlCharacter, None),
            TextError::NotAnEmail => (ErrorCode::NotAnEmail, None),
        };
        Self { limit, ..Self::in_field(code, field) }
    }
}
