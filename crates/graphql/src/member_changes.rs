//! How members come, go and change: invitations, permissions, removal, availability.

use async_graphql::{Context, ID, InputObject, Object, Result};
use parlance_app::front::{Accepted, Credential, Done, Given};
use parlance_domain::{Command, Email, MemberId, Name, account::Language, member::MemberCommand};

use crate::{
    errors::{ErrorCode, Refused, UserError, Wrong},
    members::{Member, Permission, Viewer},
    payload::{Outcome, done, payload},
    scalars::{DateTime, Position, id},
    session::{Scope, Session},
    signing_in::{begun, placed},
};

/// Whom to invite.
#[derive(InputObject)]
pub struct InviteMemberInput {
    /// The person's e-mail address. It decides the member's id, so it cannot be changed later.
    email: String,
    /// The person's name: 1 to 200 characters.
    name: String,
    /// What the member shall be allowed beyond what every member may do.
    #[graphql(default)]
    permissions: Vec<Permission>,
}

/// Which invitation to accept.
#[derive(InputObject)]
pub struct AcceptInvitationInput {
    /// The invitation's token, as `inviteMember` gave it.
    token: String,
    /// The password to sign in with from now on: 10 to 256 characters of any kind, and not one of the first that
    /// anybody would try. With it the answer signs the person in by a cookie, which a socket cannot set; without it,
    /// it gives an API token.
    password: Option<String>,
}

/// Whose permissions to set.
#[derive(InputObject)]
pub struct SetMemberPermissionsInput {
    /// The member's id.
    member: ID,
    /// All that the member shall be allowed from now on, beyond what every member may do.
    permissions: Vec<Permission>,
}

/// Whom to remove.
#[derive(InputObject)]
pub struct RemoveMemberInput {
    /// The member's id.
    member: ID,
}

/// Whether the member who asks is available.
#[derive(InputObject)]
pub struct SetAvailabilityInput {
    /// Whether conversations can be assigned to the member who asks.
    available: bool,
}

payload! {
    /// What came of `setMemberPermissions`.
    SetMemberPermissionsPayload {
        /// The member as they are now.
        member: Member
    }
}

payload! {
    /// What came of `removeMember`.
    RemoveMemberPayload {
        /// The member, with the standing `REMOVED`.
        member: Member
    }
}

payload! {
    /// What came of `setAvailability`.
    SetAvailabilityPayload {
        /// The member who asked, as they are now.
        member: Member
    }
}

pub struct InviteMemberPayload {
    outcome: Outcome<MemberId>,
    token: Option<(String, DateTime)>,
}

/// What came of `inviteMember`.
#[Object]
impl InviteMemberPayload {
    /// The invited member.
    ///
    /// Null if it was refused; and null, with an error `NOT_SHOWN_YET` beside, if it was done but is not shown in time.
    async fn member(&self) -> Result<Option<Member>> {
        self.outcome.object().await
    }

    /// The invitation's token, to be handed to the person, who gives it to `acceptInvitation`. It is shown here
    /// and never again; whoever has it can join as this member. Null if it was refused.
    async fn invitation_token(&self) -> Option<&str> {
        self.token.as_ref().map(|(token, _)| token.as_str())
    }

    /// Until when the invitation can be accepted. Null if it was refused.
    async fn expires_at(&self) -> Option<DateTime> {
        self.token.as_ref().map(|(_, until)| *until)
    }

    /// From this position on, queries show what was done. Null if it was refused.
    async fn position(&self) -> Result<Option<Position>> {
        self.outcome.position().await
    }

    /// Why it was refused. Empty if it was done.
    async fn errors(&self) -> Vec<UserError> {
        self.outcome.errors()
    }
}

pub struct AcceptInvitationPayload(std::result::Result<(Outcome<MemberId>, How), Vec<UserError>>);

/// How a new member is known from now on.
pub enum How {
    ByToken(String),
    BySession(Credential),
}

/// What came of `acceptInvitation`.
#[Object]
impl AcceptInvitationPayload {
    /// The new member as who asks: their account and permissions. Null if it was refused; and null, with an error
    /// `NOT_SHOWN_YET` beside, if it was done but is not shown in time.
    async fn viewer(&self) -> Result<Option<Viewer>> {
        let Ok((outcome, how)) = &self.0 else { return Ok(None) };
        let credential = match how {
            How::ByToken(_) => None,
            How::BySession(credential) => Some(*credential),
        };
        let scope = outcome.scope().clone();
        Ok(outcome.object::<Member>().await?.map(|_| Viewer { scope, credential }))
    }

    /// The new member. Null if it was refused; and null, with an error `NOT_SHOWN_YET` beside, if it was done but
    /// is not shown in time.
    async fn member(&self) -> Result<Option<Member>> {
        match &self.0 {
            Ok((outcome, _)) => outcome.object().await,
            Err(_) => Ok(None),
        }
    }

    /// The member's API token, to be sent as `Authorization: Bearer …` with every request. It is shown here and
    /// never again. Null if it was refused, and where a password was given: then the answer's cookie signs them in.
    async fn api_token(&self) -> Option<&str> {
        match &self.0 {
            Ok((_, How::ByToken(token))) => Some(token),
            Ok((_, How::BySession(_))) | Err(_) => None,
        }
    }

    /// From this position on, queries show what was done. Null if it was refused.
    async fn position(&self) -> Result<Option<Position>> {
        match &self.0 {
            Ok((outcome, _)) => outcome.position().await,
            Err(_) => Ok(None),
        }
    }

    /// Why it was refused, in English: without a valid invitation there is no account to tell the language.
    /// Empty if it was done.
    async fn errors(&self) -> Vec<UserError> {
        self.0.as_ref().err().cloned().unwrap_or_default()
    }
}

/// One command about a member, whose id stands in the input.
async fn on_member(ctx: &Context<'_>, member: ID, command: MemberCommand) -> Result<Outcome<MemberId>> {
    let scope = Scope::of(ctx).await?;
    let (by, front) = (scope.by(), scope.front().clone());
    let attempt = async move {
        let member: MemberId = id(&member, "member")?;
        Ok(front.command(by, Command::Member(member, command)).await.map(done(member))?)
    };
    Outcome::of(scope, "member", attempt).await
}

#[derive(Default)]
pub struct MembersMutation;

#[Object]
impl MembersMutation {
    /// Invites a person to the account, and gives a token for them. Parlance sends no mail: hand the token over
    /// yourself. For members with account settings access.
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to invite.")] input: InviteMemberInput,
    ) -> Result<Option<InviteMemberPayload>> {
        let scope = Scope::of(ctx).await?;
        let (by, front) = (scope.by(), scope.front().clone());
        let mut token = None;
        let attempt = async {
            let email = Email::new(&input.email).map_err(|error| Wrong::text(error, "email"));
            let name = Name::new(&input.name).map_err(|error| Wrong::text(error, "name"));
            let (email, name) = match (email, name) {
                (Ok(email), Ok(name)) => (email, name),
                (email, name) => {
                    return Err(Refused::Wrong([email.err(), name.err()].into_iter().flatten().collect()));
                }
            };
            let settings_access = Permission::settings_access(&input.permissions);
            let invited = front.invite_member(by, email, name, settings_access).await?;
            token = Some((invited.value.token, invited.value.expires_at.into()));
            Ok((invited.value.member, invited.position))
        };
        let outcome = Outcome::of(scope, "email", attempt).await?;
        Ok(Some(InviteMemberPayload { outcome, token }))
    }

    /// Joins an account with an invitation's token. With a password it signs the person in, without one it gives an
    /// API token. Needs no API token itself. Attempts are limited by where they come from.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation.")] input: AcceptInvitationInput,
    ) -> Result<Option<AcceptInvitationPayload>> {
        let session = Session::of(ctx);
        let password = input.password.map(Into::into);
        let accepting = async {
            if password.is_some() {
                session.sets_cookies()?;
            }
            Ok(session.front.accept_invitation(input.token, password, session.address()).await?)
        };
        let accepted = match accepting.await {
            Ok(accepted) => accepted,
            Err(Refused::Wrong(wrong)) => {
                let told = wrong.into_iter().map(|wrong| match placed(wrong, "password") {
                    Wrong { field: None, code: ErrorCode::InvitationInvalid, .. } => {
                        Wrong { field: Some("token"), ..wrong }
                    }
                    placed => placed,
                });
                let errors = told.map(|wrong| UserError::new(&wrong, Language::En, None)).collect();
                return Ok(Some(AcceptInvitationPayload(Err(errors))));
            }
            Err(fault) => return Err(session.error(fault)),
        };
        let Done { value: Accepted { asker, given }, position } = accepted;
        let how = match given {
            Given::ApiToken(token) => How::ByToken(token),
            Given::Session(session) => {
                begun(ctx, &session);
                How::BySession(session.credential)
            }
        };
        let scope = Scope::new(session.front.clone(), asker, session.trace.clone());
        let outcome = Outcome::of(scope, "token", async { Ok((asker.member, position)) }).await?;
        Ok(Some(AcceptInvitationPayload(Ok((outcome, how)))))
    }

    /// Sets what a member may do. For members with account settings access; the account's last one keeps it.
    async fn set_member_permissions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose permissions, and which.")] input: SetMemberPermissionsInput,
    ) -> Result<Option<SetMemberPermissionsPayload>> {
        let settings_access = Permission::settings_access(&input.permissions);
        let command = MemberCommand::SetPermissions { settings_access };
        on_member(ctx, input.member, command).await.map(SetMemberPermissionsPayload).map(Some)
    }

    /// Removes a member from the account. Conversations assigned to them become unassigned. For members with
    /// account settings access; a member who installed a channel must hand it over first.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to remove.")] input: RemoveMemberInput,
    ) -> Result<Option<RemoveMemberPayload>> {
        on_member(ctx, input.member, MemberCommand::Remove).await.map(RemoveMemberPayload).map(Some)
    }

    /// Switches one's own availability. While it is off nobody can assign a conversation to the member; what
    /// they already have stays with them.
    async fn set_availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "On or off.")] input: SetAvailabilityInput,
    ) -> Result<Option<SetAvailabilityPayload>> {
        let member = Scope::of(ctx).await?.by().member.to_string().into();
        let command = MemberCommand::SetAvailability { available: input.available };
        on_member(ctx, member, command).await.map(SetAvailabilityPayload).map(Some)
    }
}
