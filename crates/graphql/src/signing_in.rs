//! Signing in and out, and the password. The session's token travels in a cookie alone: scripts never see it.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use parlance_app::{
    front::{Asker, Credential},
    sign_in::{AccountChoice, Attempt, Begun, SESSION_SECONDS, SignedIn, Typed},
};
use parlance_domain::{AccountId, Email, account::Language};

use crate::{
    cookie,
    errors::{ErrorCode, Refused, UserError, Wrong},
    members::Viewer,
    scalars::id,
    session::{Scope, Session},
};

/// Who wants to sign in.
#[derive(InputObject)]
pub struct SignInInput {
    /// The person's e-mail address, in whatever case.
    email: String,
    /// The person's password.
    password: String,
    /// Which account to sign in to: one of those that an answer before listed in `accounts`. Needed only where the
    /// address and the password are those of several.
    account: Option<ID>,
}

/// Whether to sign out here or everywhere.
#[derive(InputObject)]
pub struct SignOutInput {
    /// Whether all of the member's sessions end, on every device, instead of the one that asks. API tokens go on.
    #[graphql(default)]
    everywhere: bool,
}

/// The passwords, present and future.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The password until now.
    current_password: String,
    /// The password from now on: 10 to 256 characters of any kind, and not one of the first that anybody would try.
    new_password: String,
}

/// An account that a person may sign in to.
#[derive(SimpleObject)]
pub struct SignInAccount {
    /// The account's id, for `signIn`.
    id: ID,
    /// The company's name. Null if it cannot be read.
    name: Option<String>,
}

impl From<AccountChoice> for SignInAccount {
    fn from(choice: AccountChoice) -> Self {
        Self { id: choice.account.to_string().into(), name: choice.name }
    }
}

/// What came of `signIn`. Either a session began, or an account has to be chosen, or it was refused.
#[derive(SimpleObject, Default)]
pub struct SignInPayload {
    /// The member who is signed in from now on, by the cookie of this answer. Null if nobody is.
    viewer: Option<Viewer>,
    /// The accounts to choose from, where the address and the password are those of several: ask again with one of
    /// them. Empty otherwise.
    accounts: Vec<SignInAccount>,
    /// Why it was refused, in English: nobody is known yet whose language could be spoken.
    errors: Vec<UserError>,
}

/// What came of `signOut`.
#[derive(SimpleObject)]
pub struct SignOutPayload {
    /// Why it was refused. Empty if it was done, and also if nobody was signed in.
    errors: Vec<UserError>,
}

/// What came of `changePassword`.
#[derive(SimpleObject)]
pub struct ChangePasswordPayload {
    /// The member, whose other sessions have ended. Null if it was refused.
    viewer: Option<Viewer>,
    /// Why it was refused. Empty if it was done.
    errors: Vec<UserError>,
}

/// Puts a session's cookie into the answer; gives the member as who asks.
pub(crate) fn begun(ctx: &Context<'_>, begun: &Begun) -> Viewer {
    ctx.append_http_header("set-cookie", cookie::set(&begun.token, SESSION_SECONDS));
    let session = Session::of(ctx);
    let scope = Scope::new(session.front.clone(), begun.asker, session.trace.clone());
    Viewer { scope, credential: Some(begun.credential) }
}

/// The field that holds a new password, where it is the password that is wrong.
pub(crate) fn placed(wrong: Wrong, password: &'static str) -> Wrong {
    let field = match wrong.code {
        ErrorCode::TooShort | ErrorCode::TooLong | ErrorCode::PasswordTooEasy => Some(password),
        ErrorCode::CurrentPasswordWrong => Some("currentPassword"),
        _ => None,
    };
    Wrong { field: wrong.field.or(field), ..wrong }
}

#[derive(Default)]
pub struct SigningInMutation;

#[Object]
impl SigningInMutation {
    /// Signs a person in by e-mail address and password. The answer sets the cookie of a session, which ends 30 days
    /// later, or after 7 days in which it was not used. The refusal is the same whether the address is unknown, the
    /// password wrong, or the member has not joined or was removed. Attempts are limited by where they come from,
    /// and by the address that is tried. Needs no API token. A socket sets no cookie, so it is refused there: use it over HTTP.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants to sign in.")] input: SignInInput,
    ) -> Result<Option<SignInPayload>> {
        let session = Session::of(ctx);
        let password = Typed::from(input.password);
        let attempt = async {
            session.sets_cookies()?;
            let email = Email::new(&input.email).map_err(|error| Wrong::text(error, "email"))?;
            let account = input.account.map(|text| id::<AccountId>(&text, "account")).transpose()?;
            let attempt = Attempt { email, password, account, address: session.address() };
            Ok::<_, Refused>(session.front.sign_in(attempt, session.member()).await?)
        };
        match attempt.await {
            Ok(SignedIn::Session(new)) => {
                Ok(Some(SignInPayload { viewer: Some(begun(ctx, &new)), ..Default::default() }))
            }
            Ok(SignedIn::Choose(choices)) => {
                let accounts = choices.into_iter().map(Into::into).collect();
                Ok(Some(SignInPayload { accounts, ..Default::default() }))
            }
            Err(Refused::Wrong(wrong)) => {
                let errors = wrong.iter().map(|wrong| UserError::new(wrong, Language::En, None)).collect();
                Ok(Some(SignInPayload { errors, ..Default::default() }))
            }
            Err(fault) => Err(session.error(fault)),
        }
    }

    /// Ends the session that asks, and takes its cookie back; on demand all of the member's sessions. Sockets of an
    /// ended session are closed.
    async fn sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Here or everywhere.")] input: SignOutInput,
    ) -> Result<Option<SignOutPayload>> {
        let session = Session::of(ctx);
        if let Some((by, credential)) = session.member()
            && let Err(error) = session.front.sign_out(by, credential, input.everywhere).await
        {
            return Err(session.error(error));
        }
        // Also where nobody was signed in any more: the browser may forget what it has.
        ctx.append_http_header("set-cookie", cookie::clear());
        Ok(Some(SignOutPayload { errors: Vec::new() }))
    }

    /// Changes the password of the member who asks, in this account alone. All of their other sessions end; API tokens
    /// go on. Guesses at the current password are limited.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The passwords.")] input: ChangePasswordInput,
    ) -> Result<Option<ChangePasswordPayload>> {
        let (scope, by, credential) = signed_in(ctx).await?;
        let (current, new) = (Typed::from(input.current_password), Typed::from(input.new_password));
        let changed = scope.front().change_password(by, credential, current, new).await;
        let told = told(scope, changed, |wrong| placed(wrong, "newPassword")).await?;
        let (viewer, errors) = told.into_parts(credential);
        Ok(Some(ChangePasswordPayload { viewer, errors }))
    }
}

/// The member who is signed in, with their credential.
pub(crate) async fn signed_in(ctx: &Context<'_>) -> Result<(Scope, Asker, Credential)> {
    let scope = Scope::of(ctx).await?;
    match Session::of(ctx).member() {
        Some((by, credential)) => Ok((scope, by, credential)),
        None => Err(scope.error(Wrong::new(ErrorCode::SessionRequired)).await),
    }
}

/// What came of something about the member who asks.
pub(crate) struct Told<T> {
    pub scope: Scope,
    pub done: std::result::Result<T, Vec<UserError>>,
}

impl<T> Told<T> {
    /// The member, if it was done; why not, if it was not.
    pub fn into_parts(self, credential: Credential) -> (Option<Viewer>, Vec<UserError>) {
        match self.done {
            Ok(_) => (Some(Viewer { scope: self.scope, credential: Some(credential) }), Vec::new()),
            Err(errors) => (None, errors),
        }
    }
}

/// An answer's refusal in the account's language, its field placed; a fault is an error.
pub(crate) async fn told<T, E: Into<Refused>>(
    scope: Scope,
    answer: std::result::Result<T, E>,
    placed: impl Fn(Wrong) -> Wrong,
) -> Result<Told<T>> {
    match answer.map_err(Into::into) {
        Ok(done) => Ok(Told { scope, done: Ok(done) }),
        Err(Refused::Fault(fault)) => Err(scope.fault(fault)),
        Err(Refused::Wrong(wrong)) => {
            let language = scope.language().await;
            let errors = wrong.into_iter().map(|wrong| UserError::new(&placed(wrong), language, None));
            Ok(Told { done: Err(errors.collect()), scope })
        }
    }
}
