//! Signing in: by e-mail address and password, into one of the accounts that know both; sessions, and the tokens
//! that members make for their programs. Whom a credential names is known here, and when it ends.
//!
//! A password belongs to one membership, never to an e-mail address: whoever invites a stranger's address into an
//! account of their own learns and changes nothing of that person's other accounts. A try costs one slow hash,
//! whatever it meets, and a refusal is told only after a fixed time: neither the answer nor how long it takes says
//! whether an address is known.

mod credentials;
mod endings;
mod known;
mod limits;
mod password;
mod secrets;
mod slow;
mod vouched;

use std::{collections::BTreeSet, net::IpAddr, sync::Arc, time::Duration};

use parlance_domain::{
    AccountId, Email, Refusal, Timestamp, TokenId,
    account::Account,
    member::{Member, MemberError},
};
use parlance_store::{Hint, Sessions, Store, StoreError, StoredPassword, StoredToken, TokenHash, TokenKind};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep_until},
};
use zeroize::Zeroizing;

use self::{
    credentials::Uses, endings::Watched, known::Known, limits::Limits, password::Password, secrets::Secrets,
    slow::SlowHash,
};
pub use self::{
    credentials::{ApiTokenView, NewApiToken, SessionView},
    password::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordError, Typed},
    slow::{RECIPES, Recipe},
};
use crate::{
    clock::Clock,
    cluster::tell,
    command::{CommandError, CommandPath},
    entropy::Entropy,
    front::{Asker, Credential, CredentialKind, FrontError, TokenScopes},
    keys::Keyring,
    tokens,
};

/// Sessions that a member has at most: a few devices with a few browsers each. A new one ends the one that was not
/// used for longest.
pub const SESSIONS_MAX: usize = 20;
/// For how long a browser keeps a session's cookie: no longer than the session lasts.
pub const SESSION_SECONDS: u64 = tokens::SESSION_LIFETIME_MICROS.unsigned_abs() / 1_000_000;
/// How long a refusal takes, whatever it was for: longer than all the work that a try may cause on a machine that
/// is not overloaded.
const REFUSED_AFTER: Duration = Duration::from_millis(300);
/// A credential's use is written down at most this often: it costs a write.
const USE_WRITTEN_EVERY_MICROS: i64 = 10 * 60 * 1_000_000;

/// A try to sign in.
pub struct Attempt {
    pub email: Email,
    pub password: Typed,
    /// Which of the accounts, where the person is known to have several.
    pub account: Option<AccountId>,
    /// Where it comes from.
    pub address: Option<IpAddr>,
}

/// What a right password gives.
pub enum SignedIn {
    Session(Begun),
    /// The address and the password are those of several memberships: which account is it to be?
    Choose(Vec<AccountChoice>),
}

/// A session that has begun. Its token is shown once.
pub struct Begun {
    pub asker: Asker,
    /// By what they are known from now on.
    pub credential: Credential,
    pub token: Zeroizing<String>,
    pub ends_at: Timestamp,
}

/// An account that somebody may sign in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChoice {
    pub account: AccountId,
    /// `None`: it cannot be read.
    pub name: Option<String>,
}

/// Signs people in. Clones share everything.
pub struct SignIn<S>(Arc<Inner<S>>);

impl<S> Clone for SignIn<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<S> {
    store: S,
    keyring: Arc<Keyring>,
    commands: CommandPath<S>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    slow: SlowHash,
    limits: Limits,
    known: Known,
    watched: Watched,
    uses: Uses,
    /// Tells other servers that something of a member's has ended.
    tell: Box<dyn Fn(Asker) + Send + Sync>,
    secrets: OnceCell<Secrets>,
}

/// A membership that a try may be for, and what its password is checked against.
type Candidate = (Asker, StoredPassword);

impl<S: Store + Clone> SignIn<S> {
    /// `recipes`: [`RECIPES`], but in tests.
    pub(crate) fn new(
        store: S,
        keyring: Arc<Keyring>,
        commands: CommandPath<S>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
        recipes: &'static [Recipe],
    ) -> Self {
        let (slow, limits) = (SlowHash::new(recipes), Limits::new(&clock));
        let others = store.clone();
        let tell = move |by: Asker| {
            tell(&others, Hint::Ended { account: by.account, member: by.member });
        };
        Self(Arc::new(Inner {
            store,
            keyring,
            commands,
            clock,
            entropy,
            slow,
            limits,
            known: Known::default(),
            watched: Watched::default(),
            uses: Uses::default(),
            tell: Box::new(tell),
            secrets: OnceCell::new(),
        }))
    }

    async fn secrets(&self) -> Result<&Secrets, StoreError> {
        let inner = &*self.0;
        inner.secrets.get_or_try_init(|| Secrets::load(&inner.store, &inner.keyring, &inner.entropy)).await
    }

    async fn member(&self, by: Asker) -> Result<Arc<Member>, StoreError> {
        self.0.commands.peek::<Member>(by.account, by.member.uuid()).await
    }

    /// The active memberships of an address.
    pub async fn memberships(&self, email: &Email) -> Result<Vec<Asker>, StoreError> {
        let known = self.0.store.memberships(self.secrets().await?.email(email)).await?;
        let mut active = Vec::with_capacity(known.len());
        for (account, member) in known {
            let by = Asker { account, member };
            if self.member(by).await?.is_active() {
                active.push(by);
            }
        }
        Ok(active)
    }

    /// From now on the member is found by their address.
    pub async fn enter(&self, by: Asker, email: &Email) -> Result<(), StoreError> {
        let email = self.secrets().await?.email(email);
        self.0.store.enter_membership(email, by.account, by.member).await
    }

    /// Tries to sign somebody in. `SignInRefused`, always after the same time, for an address that is not known, a
    /// wrong password, a member who has not joined or was removed, and an account that is not one of theirs;
    /// `TooManyAttempts`; `Busy`, where too many passwords are checked at the moment. `instead_of`: a session of
    /// the same browser, which ends.
    pub async fn sign_in(
        &self,
        attempt: Attempt,
        instead_of: Option<(Asker, Credential)>,
    ) -> Result<SignedIn, FrontError> {
        let refused_at = Instant::now() + REFUSED_AFTER;
        let tried = self.try_to_sign_in(&attempt).await;
        if matches!(tried, Err(FrontError::SignInRefused)) {
            sleep_until(refused_at).await;
        }
        if let (Ok(SignedIn::Session(_)), Some((by, credential))) = (&tried, instead_of) {
            self.end(by, credential).await?;
        }
        tried
    }

    async fn try_to_sign_in(&self, attempt: &Attempt) -> Result<SignedIn, FrontError> {
        let email = self.secrets().await?.email(&attempt.email);
        let reach = self.0.limits.sign_in(email, attempt.address)?;
        let password = attempt.password.tried().ok_or(FrontError::SignInRefused)?;
        let mut candidates = self.candidates(&attempt.email).await?;
        if candidates.iter().any(|(by, _)| !reach.covers(*by)) && !self.0.limits.beyond_known(email) {
            candidates.retain(|(by, _)| reach.covers(*by));
        }
        let mut matching = self.matching(&attempt.email, &password, candidates).await?;
        if !matching.is_empty() {
            self.0.limits.signed_in(email, attempt.address, matching.iter().map(|(by, _)| *by));
        }
        if let Some(account) = attempt.account {
            matching.retain(|(by, _)| by.account == account);
        }
        match matching.as_slice() {
            [] => Err(FrontError::SignInRefused),
            [(by, checked)] => {
                let checked = self.renewed(*by, &attempt.email, &password, checked).await?;
                self.begin_by_password(*by, &checked).await.map(SignedIn::Session)
            }
            several => {
                let mut choices = Vec::with_capacity(several.len());
                for (by, _) in several {
                    choices.push(self.choice(*by).await?);
                }
                Ok(SignedIn::Choose(choices))
            }
        }
    }

    async fn choice(&self, by: Asker) -> Result<AccountChoice, StoreError> {
        let account = self.0.commands.peek::<Account>(by.account, by.account.uuid()).await?;
        let name = account.profile.value().map(|profile| profile.name.as_str().to_owned());
        Ok(AccountChoice { account: by.account, name })
    }

    /// The active memberships that have a password.
    async fn candidates(&self, email: &Email) -> Result<Vec<Candidate>, StoreError> {
        let mut candidates = Vec::new();
        for by in self.memberships(email).await? {
            if let Some(password) = self.password(by).await? {
                candidates.push((by, password));
            }
        }
        Ok(candidates)
    }

    /// A member's password, if it counts: one from before they joined (again) is none of theirs any more.
    async fn password(&self, by: Asker) -> Result<Option<StoredPassword>, StoreError> {
        let Some(password) = self.0.store.password(by.account, by.member).await? else { return Ok(None) };
        let joined_at = self.member(by).await?.joined_at;
        Ok(joined_at.is_some_and(|joined| joined <= password.set_at).then_some(password))
    }

    /// Those of the candidates whose password it is. One slow hash for each recipe that is in use among them, and
    /// one where there are none.
    async fn matching(
        &self,
        email: &Email,
        password: &Password,
        candidates: Vec<Candidate>,
    ) -> Result<Vec<Candidate>, FrontError> {
        let (slow, secrets) = (&self.0.slow, self.secrets().await?);
        let mut recipes: BTreeSet<_> = candidates.iter().map(|(_, stored)| stored.recipe).collect();
        if recipes.is_empty() {
            recipes.insert(slow.current().number);
        }
        let mut matching = Vec::new();
        for number in recipes {
            let unknown = || StoreError::Corrupt(format!("a password of the unknown recipe {number}"));
            let recipe = slow.recipe(number).ok_or_else(unknown)?;
            let hash = slow.hash(recipe, password, secrets.salt(email)).await?;
            matching.extend(candidates.iter().filter(|(by, stored)| {
                stored.recipe == number
                    && secrets::same(&secrets.verifier(*by, number, &stored.salt, &hash), &stored.verifier)
            }));
        }
        Ok(matching.into_iter().cloned().collect())
    }

    /// What a password is stored as from now on.
    async fn stored(
        &self,
        by: Asker,
        email: &Email,
        password: &Password,
        set_at: Timestamp,
    ) -> Result<StoredPassword, FrontError> {
        let (slow, secrets) = (&self.0.slow, self.secrets().await?);
        let recipe = slow.current();
        let hash = slow.hash(recipe, password, secrets.salt(email)).await?;
        let salt = self.0.entropy.bytes();
        let verifier = secrets.verifier(by, recipe.number, &salt, &hash);
        Ok(StoredPassword { recipe: recipe.number, salt, verifier, set_at })
    }

    /// The password that was just checked, by the recipe of today.
    async fn renewed(
        &self,
        by: Asker,
        email: &Email,
        password: &Password,
        checked: &StoredPassword,
    ) -> Result<StoredPassword, FrontError> {
        if checked.recipe == self.0.slow.current().number {
            return Ok(checked.clone());
        }
        let renewed = self.stored(by, email, password, checked.set_at).await?;
        let (store, instead_of) = (&self.0.store, Some(checked.clone()));
        let set =
            store.set_password(by.account, by.member, renewed.clone(), instead_of, Sessions::Keep).await?;
        if set { Ok(renewed) } else { Err(FrontError::SignInRefused) }
    }

    async fn begin_by_password(&self, by: Asker, checked: &StoredPassword) -> Result<Begun, FrontError> {
        let (begun, id) = self.begin_with_id(by).await?;
        // Whoever changes the password ends all sessions; this one began with the password from before.
        if self.password(by).await?.as_ref() == Some(checked) {
            return Ok(begun);
        }
        let _told = self.telling(by);
        self.0.store.remove_token(by.account, by.member, TokenKind::Session, id).await?;
        Err(FrontError::SignInRefused)
    }

    /// Begins a session of an active member, who was proved to be themselves by whatever means. `SignInRefused` for
    /// one who is not active (any more).
    pub async fn begin(&self, by: Asker) -> Result<Begun, FrontError> {
        self.begin_with_id(by).await.map(|(begun, _)| begun)
    }

    async fn begin_with_id(&self, by: Asker) -> Result<(Begun, TokenId), FrontError> {
        let state = self.member(by).await?;
        if !state.is_active() {
            return Err(FrontError::SignInRefused);
        }
        let (hash, token, begun) = self.new_session(by, &state);
        let id = token.id;
        // The oldest may have to go.
        let _told = self.telling(by);
        self.0.store.put_token_for_oldest(by.account, hash, token, SESSIONS_MAX).await?;
        Ok((begun, id))
    }

    /// A session that is not stored yet.
    fn new_session(&self, by: Asker, state: &Member) -> (TokenHash, StoredToken, Begun) {
        let inner = &*self.0;
        let minted = tokens::mint(&inner.entropy, by.account, TokenKind::Session);
        let created_at = tokens::created_at(state, inner.clock.now());
        let ends_at = created_at.plus_micros(tokens::SESSION_LIFETIME_MICROS);
        let token = StoredToken {
            id: TokenId::new(inner.entropy.id(created_at)),
            kind: TokenKind::Session,
            member: by.member,
            name: None,
            scopes: String::new(),
            created_at,
            expires_at: Some(ends_at),
            last_used_at: None,
        };
        let (kind, scopes) = (CredentialKind::Session, TokenScopes::all());
        let credential = Credential { hash: minted.hash, kind, scopes };
        (minted.hash, token, Begun { asker: by, credential, token: Zeroizing::new(minted.text), ends_at })
    }

    /// Exchanges an invitation, whose member has joined by now, for a session, and sets their password. `None`: the
    /// invitation is gone; of several who come with it one is given a session, and theirs is the password.
    pub(crate) async fn join(
        &self,
        by: Asker,
        invitation: TokenHash,
        password: &NewPassword,
    ) -> Result<Option<Begun>, FrontError> {
        let state = self.member(by).await?;
        let set_at = tokens::created_at(&state, self.0.clock.now());
        let stored = self.stored(by, &password.email, &password.password, set_at).await?;
        let (hash, token, begun) = self.new_session(by, &state);
        let _told = self.telling(by);
        let exchanged =
            self.0.store.exchange_token(by.account, invitation, hash, token, Some(stored)).await?;
        Ok(exchanged.then_some(begun))
    }

    /// Checks a password that a member wants to have.
    pub(crate) async fn new_password(&self, by: Asker, typed: &Typed) -> Result<NewPassword, FrontError> {
        let email = self.email_of(by).await?;
        let password = typed.chosen(&email)?;
        Ok(NewPassword { email, password })
    }

    pub(crate) async fn email_of(&self, by: Asker) -> Result<Email, FrontError> {
        let member = self.member(by).await?;
        let unreadable = || CommandError::Refused(Refusal::Member(MemberError::ProfileUnreadable));
        Ok(member.profile.value().ok_or_else(unreadable)?.email.clone())
    }

    /// An invitation is about to be accepted from this address.
    pub(crate) fn may_accept(&self, address: Option<IpAddr>) -> Result<(), FrontError> {
        self.0.limits.invitation(address)
    }

    /// Changes a member's password; their other sessions end. `CurrentPasswordWrong` also where they have none yet.
    pub async fn change_password(
        &self,
        by: Asker,
        credential: Credential,
        current: &Typed,
        new: &Typed,
    ) -> Result<(), FrontError> {
        credentials::by_session(credential)?;
        self.0.limits.current_password(by)?;
        let NewPassword { email, password } = self.new_password(by, new).await?;
        let wrong = FrontError::CurrentPasswordWrong;
        let tried = current.tried().ok_or(wrong.clone())?;
        let candidates: Vec<_> = self.password(by).await?.map(|stored| (by, stored)).into_iter().collect();
        let checked = self.matching(&email, &tried, candidates).await?.pop().ok_or(wrong.clone())?.1;
        let set_at = tokens::created_at(&*self.member(by).await?, self.0.clock.now());
        let stored = self.stored(by, &email, &password, set_at).await?;
        let others = Sessions::End { but: Some(credential.hash) };
        let _told = self.telling(by);
        let set = self.0.store.set_password(by.account, by.member, stored, Some(checked), others).await?;
        if set { Ok(()) } else { Err(wrong) }
    }

    /// Sets an active member's password for an operator, to the one given or one that is made up, and ends their
    /// sessions; gives the password. `NotFound` for who is not an active member.
    pub async fn reset_password(
        &self,
        by: Asker,
        given: Option<Typed>,
    ) -> Result<Zeroizing<String>, FrontError> {
        let state = self.member(by).await?;
        if !state.is_active() {
            return Err(FrontError::NotFound);
        }
        let text = given.map_or_else(|| password::made_up(&self.0.entropy), Typed::into_text);
        let NewPassword { email, password } = self.new_password(by, &Typed::from(text.clone())).await?;
        let stored =
            self.stored(by, &email, &password, tokens::created_at(&state, self.0.clock.now())).await?;
        self.enter(by, &email).await?;
        let all = Sessions::End { but: None };
        let _told = self.telling(by);
        self.0.store.set_password(by.account, by.member, stored, None, all).await?;
        Ok(text)
    }

    /// A member was removed at that time: what let them in goes.
    pub(crate) async fn removed(&self, by: Asker, at: Timestamp) -> Result<(), StoreError> {
        let _told = self.telling(by);
        self.0.store.forget_member(by.account, by.member, at).await
    }
}

/// A password that may be set, and whose it is.
pub(crate) struct NewPassword {
    email: Email,
    password: Password,
}
