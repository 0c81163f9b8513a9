//! Members: the type, the viewer, and the queries for them.

use async_graphql::{Context, Enum, ID, Object, Result};
use parlance_app::front::{Credential, MemberView, Towards};
use parlance_domain::{MemberId, member::Standing};

use crate::{
    account::Account,
    credentials::{ApiToken, SignedInSession},
    cursor::List,
    errors::{ErrorCode, Wrong},
    paging::{connection, items, limit, page, place},
    payload::Shown,
    scalars::Position,
    session::{Scope, Session},
};

/// Where a member stands in the account.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberStanding {
    /// Invited, and not joined yet.
    Invited,
    /// Joined: may do what members may do.
    Active,
    /// Not in the account any more. May be invited again.
    Removed,
}

/// What a member may do beyond what every member may do.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Connect and manage channels, invite and manage members, change the account's settings.
    AccountSettings,
}

impl Permission {
    fn of(settings_access: bool) -> Vec<Self> {
        settings_access.then_some(Self::AccountSettings).into_iter().collect()
    }

    /// Whether account settings access is among them.
    pub(crate) fn settings_access(permissions: &[Self]) -> bool {
        permissions.contains(&Self::AccountSettings)
    }
}

#[derive(Clone)]
pub struct Member(pub(crate) MemberView);

/// A person who uses an account.
#[Object]
impl Member {
    /// The member's id: `memb_` and 32 hexadecimal digits. The same e-mail address has the same id in an account,
    /// also when it is invited again after a removal.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The member's name. Null if it cannot be read.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The member's e-mail address. Null if it cannot be read.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Where the member stands in the account.
    async fn standing(&self) -> MemberStanding {
        match self.0.standing {
            Standing::Invited => MemberStanding::Invited,
            Standing::Active => MemberStanding::Active,
            Standing::Absent | Standing::Removed => MemberStanding::Removed,
        }
    }

    /// Whether conversations can be assigned to the member now. Each member switches this for themselves.
    async fn available(&self) -> bool {
        self.0.available
    }

    /// What the member may do beyond what every member may do.
    async fn permissions(&self) -> Vec<Permission> {
        Permission::of(self.0.settings_access)
    }
}

impl Shown for Member {
    type Key = MemberId;

    async fn load(scope: &Scope, key: MemberId) -> Result<Option<Self>> {
        Ok(scope.look_up(key).await?.map(Self))
    }
}

pub struct Viewer {
    pub(crate) scope: Scope,
    /// By what they are known; `None`: by nothing yet that they could ask with.
    pub(crate) credential: Option<Credential>,
}

/// The member who asks, as their session or API token tells.
#[Object]
impl Viewer {
    /// The member.
    async fn member(&self) -> Result<Option<Member>> {
        Member::load(&self.scope, self.scope.by().member).await
    }

    /// The member's account.
    async fn account(&self) -> Result<Option<Account>> {
        Account::load(&self.scope, self.scope.by().account).await
    }

    /// What the member may do beyond what every member may do.
    async fn permissions(&self) -> Result<Vec<Permission>> {
        let member = Member::load(&self.scope, self.scope.by().member).await?;
        Ok(Permission::of(member.is_some_and(|member| member.0.settings_access)))
    }

    /// Where the member is signed in, oldest first; at most 20. For who is signed in: by an API token it is null, with
    /// an error `SESSION_REQUIRED` beside.
    #[graphql(complexity = "20 * child_complexity + 1")]
    async fn sessions(&self) -> Result<Option<Vec<SignedInSession>>> {
        let found = self.scope.front().sessions(self.scope.by(), self.credential().await?).await;
        Ok(Some(self.scope.answer(found).await?.into_iter().map(Into::into).collect()))
    }

    /// The member's API tokens, oldest first; at most 64. For who is signed in: by an API token it is null, with an
    /// error `SESSION_REQUIRED` beside.
    #[graphql(complexity = "64 * child_complexity + 1")]
    async fn api_tokens(&self) -> Result<Option<Vec<ApiToken>>> {
        let found = self.scope.front().api_tokens(self.scope.by(), self.credential().await?).await;
        Ok(Some(self.scope.answer(found).await?.into_iter().map(Into::into).collect()))
    }
}

impl Viewer {
    /// What sessions and API tokens are asked for with.
    async fn credential(&self) -> Result<Credential> {
        match self.credential {
            Some(credential) => Ok(credential),
            None => Err(self.scope.error(Wrong::new(ErrorCode::SessionRequired)).await),
        }
    }
}

connection! {
    /// A page of an account's members.
    MemberConnection, MemberEdge, Member
}

#[derive(Default)]
pub struct MembersQuery;

#[Object]
impl MembersQuery {
    /// The member who asks, with their account and permissions.
    async fn viewer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Answer only once this position is shown.")] at_least: Option<Position>,
    ) -> Result<Option<Viewer>> {
        let scope = Scope::at_least(ctx, at_least).await?;
        let credential = Session::of(ctx).member().map(|(_, credential)| credential);
        Ok(Some(Viewer { scope, credential }))
    }

    /// The account's members, invited ones included and removed ones not, in a fixed order that says nothing.
    #[graphql(complexity = "items(first, None) * child_complexity + 1")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 1 to 100, or 25 if left out.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Answer only once this position is shown.")] at_least: Option<Position>,
    ) -> Result<Option<MemberConnection>> {
        let scope = Scope::at_least(ctx, at_least).await?;
        let list = List::Members(scope.by().account);
        let epoch = scope.epoch().await?;
        let limit = scope.checked(limit(first, "first")).await?;
        let from = scope.checked(place::<MemberId>(after.as_deref(), list, epoch, "after")).await?;
        let found = scope.answer(scope.front().members(scope.by(), from, limit).await).await?;
        let page = page(found, Towards::Newer, from.is_some(), list, epoch, |view| view.id, Member);
        Ok(Some(page.into()))
    }
}
