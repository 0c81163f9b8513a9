//! How an account begins: its keys, its first member with account settings access, in one transaction.

use parlance_domain::{
    AccountId, Actor, Command, CommandId, CorrelationId, Email, MemberId, Name, OperatorId,
    account::{AccountCommand, Language},
    member::MemberCommand,
};
use parlance_store::{EventLog, Keys};

use crate::{
    clock::Clock,
    command::{Ask, CommandError, CommandPath, Receipt},
    entropy::Entropy,
    keys::Keyring,
};

/// What an operator tells of a new account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub name: Name,
    pub language: Language,
    /// IANA name.
    pub time_zone: String,
    pub admin_email: Email,
    pub admin_name: Name,
}

/// An account that was created.
#[derive(Clone, Copy, Debug)]
pub struct CreatedAccount {
    pub account: AccountId,
    pub admin: MemberId,
    pub receipt: Receipt,
}

/// Creates an account with its first member, who is active at once.
pub async fn create<S: EventLog + Keys + Clone>(
    path: &CommandPath<S>,
    keyring: &Keyring,
    clock: &dyn Clock,
    entropy: &Entropy,
    new: NewAccount,
) -> Result<CreatedAccount, CommandError> {
    let now = clock.now();
    let account = AccountId::new(entropy.id(now));
    let (ring, keys) = keyring.create_account(account);
    let admin = ring.ids.member(&new.admin_email);
    let create = AccountCommand::Create { name: new.name, language: new.language, time_zone: new.time_zone };
    let invite = MemberCommand::Invite {
        account,
        email: new.admin_email,
        name: new.admin_name,
        settings_access: true,
    };
    let ask = Ask {
        account,
        id: CommandId::new(entropy.id(now)),
        correlation: CorrelationId::new(entropy.id(now)),
        by: Actor::Operator(OperatorId::COMMAND_LINE),
        commands: vec![
            Command::Account(account, create),
            Command::Member(admin, invite),
            Command::Member(admin, MemberCommand::Join),
        ],
        create_account: Some(keys),
    };
    let receipt = path.submit(ask).await?;
    Ok(CreatedAccount { account, admin, receipt })
}
