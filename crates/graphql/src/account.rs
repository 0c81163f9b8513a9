//! The account: its type, and how its settings are changed.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use parlance_app::front::AccountView;
use parlance_domain::{
    AccountId, Command, Name,
    account::{AccountChange, AccountCommand},
};

use crate::{
    errors::{Refused, Wrong},
    payload::{Outcome, Shown, done, payload},
    scalars::Position,
    session::Scope,
};

/// The language in which Parlance writes to an account's members.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "parlance_domain::account::Language")]
pub enum Language {
    /// English.
    En,
    /// Hungarian.
    Hu,
}

#[derive(Clone)]
pub struct Account(pub(crate) AccountView);

/// A company that uses Parlance. Members, channels and conversations belong to one account, and nothing
/// crosses from one account to another.
#[Object]
impl Account {
    /// The account's id: `acct_` and 32 hexadecimal digits.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The company's name. Null if it cannot be read.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The language in which messages for people, such as those of errors, are written.
    async fn language(&self) -> Language {
        self.0.language.into()
    }

    /// The time zone, as an IANA name such as `Europe/Budapest`.
    async fn time_zone(&self) -> &str {
        &self.0.time_zone
    }
}

impl Shown for Account {
    type Key = AccountId;

    async fn load(scope: &Scope, key: AccountId) -> Result<Option<Self>> {
        let view = scope.answer_if_any(scope.front().account(scope.by()).await).await?;
        Ok(view.filter(|view| view.id == key).map(Self))
    }
}

#[derive(Default)]
pub struct AccountQuery;

#[Object]
impl AccountQuery {
    /// The account of the member who asks.
    async fn account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Answer only once this position is shown.")] at_least: Option<Position>,
    ) -> Result<Option<Account>> {
        let scope = Scope::at_least(ctx, at_least).await?;
        Account::load(&scope, scope.by().account).await
    }
}

/// Which of the account's settings to change. What is left out, or null, stays as it is.
#[derive(InputObject)]
pub struct UpdateAccountInput {
    /// The company's name: 1 to 200 characters.
    name: Option<String>,
    /// The language in which Parlance writes to the members.
    language: Option<Language>,
    /// The time zone, as an IANA name such as `Europe/Budapest`.
    time_zone: Option<String>,
}

payload! {
    /// What came of `updateAccount`.
    UpdateAccountPayload {
        /// The account as it is now.
        account: Account
    }
}

#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Changes the account's name, language or time zone. For members with account settings access.
    async fn update_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateAccountInput,
    ) -> Result<Option<UpdateAccountPayload>> {
        let scope = Scope::of(ctx).await?;
        let by = scope.by();
        let front = scope.front().clone();
        let attempt = async move {
            let name = input.name.as_deref().map(Name::new).transpose();
            let change = AccountChange {
                name: name.map_err(|error| Wrong::text(error, "name"))?,
                language: input.language.map(Into::into),
                time_zone: input.time_zone,
            };
            let command = Command::Account(by.account, AccountCommand::Update(change));
            Ok::<_, Refused>(front.command(by, command).await.map(done(by.account))?)
        };
        Outcome::of(scope, "name", attempt).await.map(UpdateAccountPayload).map(Some)
    }
}
