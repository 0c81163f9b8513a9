//! Who asks, during one request: nobody, an operator, or a member with what they may see (`Scope`).

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use async_graphql::{Context, Error};
use parlance_app::front::{Asker, Credential, FrontError, Principal, SharedFront};
use parlance_domain::{OperatorId, account::Language};
use tokio::sync::OnceCell;

use crate::{
    authorisation::{self, Kind, Needs},
    errors::{ErrorCode, Fault, FaultCode, Refused, Trace, Wrong},
    loaders::{Gathered, LookUps},
    scalars::Position,
    visitor::Visitor,
};

/// A request's asker and what names the request in the log.
pub(crate) struct Session {
    pub front: SharedFront,
    pub trace: Arc<Trace>,
    address: Option<IpAddr>,
    sets_cookies: bool,
    who: Who,
}

enum Who {
    Nobody,
    Member(Scope, Credential),
    Operator(OperatorId),
}

impl Session {
    pub fn new(front: SharedFront, visitor: Visitor) -> Self {
        let trace = Arc::new(Trace::new(visitor.trace_id));
        let who = match visitor.principal {
            None => Who::Nobody,
            Some(Principal::Operator(operator)) => Who::Operator(operator),
            Some(Principal::Member(by, credential)) => {
                Who::Member(Scope::new(front.clone(), by, trace.clone()), credential)
            }
        };
        Self { front, trace, address: visitor.address, sets_cookies: visitor.sets_cookies, who }
    }

    pub fn of<'a>(ctx: &Context<'a>) -> &'a Self {
        ctx.data_unchecked::<Self>()
    }

    /// Where the request comes from, as far as it is known.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Refuses what is answered by a cookie where none can be set: the session would be nobody's.
    pub fn sets_cookies(&self) -> Result<(), Wrong> {
        if self.sets_cookies { Ok(()) } else { Err(Wrong::new(ErrorCode::CookieImpossible)) }
    }

    /// The member who asks, and by what.
    pub fn member(&self) -> Option<(Asker, Credential)> {
        match &self.who {
            Who::Member(scope, credential) => Some((scope.by(), *credential)),
            Who::Nobody | Who::Operator(_) => None,
        }
    }

    /// The operator who asks, where the table of operations has this one for operators.
    pub fn operator(ctx: &Context<'_>) -> Result<OperatorId, Error> {
        let needed = authorisation::operation(ctx.field().name()).map(|(_, needs)| needs);
        match Self::of(ctx).who {
            Who::Operator(operator) if needed == Some(Needs::Operator) => Ok(operator),
            Who::Member(..) | Who::Operator(_) => {
                Err(Wrong::new(ErrorCode::OperatorsOnly).into_error(Language::En))
            }
            Who::Nobody => Err(Wrong::new(ErrorCode::Unauthenticated).into_error(Language::En)),
        }
    }

    /// A refusal or fault of something that was asked with no account to speak the language of.
    pub fn error(&self, refused: impl Into<Refused>) -> Error {
        match refused.into() {
            Refused::Wrong(wrong) => first(wrong).into_error(Language::En),
            Refused::Fault(fault) => self.trace.mask(fault),
        }
    }
}

fn first(wrong: Vec<Wrong>) -> Wrong {
    wrong.into_iter().next().expect("a refusal names at least one thing that is wrong")
}

/// What a member sees during one request. Every object holds it, and asks it for what it refers to.
#[derive(Clone)]
pub struct Scope {
    inner: Arc<Inner>,
    refusal: Option<Refused>,
}

struct Inner {
    front: SharedFront,
    by: Asker,
    trace: Arc<Trace>,
    epoch: OnceCell<u32>,
    look_ups: LookUps,
}

impl Scope {
    pub(crate) fn new(front: SharedFront, by: Asker, trace: Arc<Trace>) -> Self {
        let inner = Inner { front, by, trace, epoch: OnceCell::new(), look_ups: LookUps::default() };
        Self { inner: Arc::new(inner), refusal: None }
    }

    /// The same member's, with nothing looked up: for the next item of a subscription. The epoch stays, for as long
    /// as the installation runs.
    pub(crate) fn anew(&self) -> Self {
        let Inner { front, by, trace, epoch, .. } = &*self.inner;
        let (front, trace, look_ups) = (front.clone(), Arc::new(trace.anew()), LookUps::default());
        let inner = Inner { front, by: *by, trace, epoch: epoch.clone(), look_ups };
        Self { inner: Arc::new(inner), refusal: None }
    }

    /// The scope of the member who asks, where the table of operations permits them what they ask. A mutation that
    /// the permissions refuse them goes on, as far as its [`refusal`](Self::refusal), for its payload to tell.
    pub(crate) async fn of(ctx: &Context<'_>) -> Result<Self, Error> {
        let (mut scope, credential) = match &Session::of(ctx).who {
            Who::Member(scope, credential) => (scope.clone(), credential),
            Who::Operator(_) => return Err(Wrong::new(ErrorCode::MembersOnly).into_error(Language::En)),
            Who::Nobody => return Err(Wrong::new(ErrorCode::Unauthenticated).into_error(Language::En)),
        };
        let known = authorisation::operation(ctx.field().name());
        let Some((kind, needs)) = known else {
            return Err(scope.error(Wrong::new(ErrorCode::NotPermitted)).await);
        };
        if let Err(code) = authorisation::covers(credential, needs) {
            return Err(scope.error(Wrong::new(code)).await);
        }
        if let Needs::Member(action, _) = needs
            && let Err(error) = scope.front().permitted(scope.by(), action).await
        {
            let refused = Refused::from(error);
            if kind == Kind::Query {
                return Err(scope.error(refused).await);
            }
            scope.refusal = Some(refused);
        }
        Ok(scope)
    }

    /// Why the permissions do not let this mutation be tried.
    pub(crate) fn refusal(&self) -> Option<&Refused> {
        self.refusal.as_ref()
    }

    /// The scope of the member who asks, once the read models show `at_least`.
    pub(crate) async fn at_least(ctx: &Context<'_>, at_least: Option<Position>) -> Result<Self, Error> {
        let scope = Self::of(ctx).await?;
        if let Some(position) = at_least {
            let position = scope.inside(position).await?;
            let shown = scope.front().shown(scope.by().account, position).await;
            scope.answer(shown).await?;
        }
        Ok(scope)
    }

    pub(crate) fn front(&self) -> &SharedFront {
        &self.inner.front
    }

    pub(crate) fn by(&self) -> Asker {
        self.inner.by
    }

    pub(crate) async fn epoch(&self) -> Result<u32, Error> {
        let epoch = self.inner.epoch.get_or_try_init(|| self.front().epoch(self.by().account)).await;
        self.answer(epoch.copied()).await
    }

    /// A position's outside form.
    pub(crate) async fn outside(&self, position: parlance_domain::Position) -> Result<Position, Error> {
        Ok(Position { epoch: self.epoch().await?, position })
    }

    /// A position that came from outside, if it is of this log.
    pub(crate) async fn inside(&self, position: Position) -> Result<parlance_domain::Position, Error> {
        if position.epoch == self.epoch().await? {
            Ok(position.position)
        } else {
            Err(self.error(Wrong::new(ErrorCode::Reload)).await)
        }
    }

    /// Waits until what was done at `position` is shown.
    pub(crate) async fn shown(&self, position: parlance_domain::Position) -> Result<(), Error> {
        match self.front().shown(self.by().account, position).await {
            Err(cause @ FrontError::Behind) => {
                Err(self.inner.trace.mask(Fault { code: FaultCode::NotShownYet, cause }))
            }
            answer => self.answer(answer).await,
        }
    }

    /// One thing by its key, together with everything else that is looked up meanwhile.
    pub(crate) async fn look_up<K: Gathered>(&self, key: K) -> Result<Option<K::Value>, Error> {
        let mut found = self.look_up_all(vec![key.clone()]).await?;
        Ok(found.remove(&key))
    }

    /// Several things by their keys; those that are not there are left out.
    pub(crate) async fn look_up_all<K: Gathered>(&self, keys: Vec<K>) -> Result<HashMap<K, K::Value>, Error> {
        let found = K::gathered(&self.inner.look_ups).all(self.front(), self.by(), keys).await;
        self.answer(found).await
    }

    /// An answer, its refusal or fault made an error for the outside.
    pub(crate) async fn answer<T>(&self, answer: Result<T, FrontError>) -> Result<T, Error> {
        match answer {
            Ok(value) => Ok(value),
            Err(error) => Err(self.error(error).await),
        }
    }

    /// An argument that was checked, its refusal made an error for the outside.
    pub(crate) async fn checked<T>(&self, argument: Result<T, Wrong>) -> Result<T, Error> {
        match argument {
            Ok(value) => Ok(value),
            Err(wrong) => Err(self.error(wrong).await),
        }
    }

    /// The same as [`Self::answer`]; what is not there, or not theirs, is null.
    pub(crate) async fn answer_if_any<T>(&self, answer: Result<T, FrontError>) -> Result<Option<T>, Error> {
        match answer {
            Err(FrontError::NotFound) => Ok(None),
            answer => self.answer(answer).await.map(Some),
        }
    }

    pub(crate) async fn error(&self, refused: impl Into<Refused>) -> Error {
        match refused.into() {
            Refused::Wrong(wrong) => first(wrong).into_error(self.language().await),
            Refused::Fault(fault) => self.fault(fault),
        }
    }

    pub(crate) fn fault(&self, fault: Fault) -> Error {
        self.inner.trace.mask(fault)
    }

    /// The account's language. A refusal is told in English rather than not at all.
    pub(crate) async fn language(&self) -> Language {
        self.front().account(self.by()).await.map_or(Language::En, |account| account.language)
    }
}
