//! What came of a mutation: the object it concerned, read only once the read models show the change; the
//! position; or what was wrong.

use std::future::Future;

use async_graphql::{Error, Result};
use parlance_app::command::Receipt;

use crate::{
    errors::{ErrorCode, Refused, UserError, Wrong},
    scalars::Position,
    session::Scope,
};

/// What a mutation's payload is made of; `K` names the object.
pub(crate) struct Outcome<K> {
    scope: Scope,
    done: Result<(K, parlance_domain::Position), Vec<UserError>>,
}

/// An object that a payload shows.
pub(crate) trait Shown: Sized + Send {
    type Key: Copy + Send + Sync;

    /// The object, if it exists for the asker.
    fn load(scope: &Scope, key: Self::Key) -> impl Future<Output = Result<Option<Self>>> + Send;
}

impl<K: Copy + Send + Sync> Outcome<K> {
    /// Of an attempt at `key`. `subject` is the input's field that names what the mutation is about.
    pub async fn of(
        scope: Scope,
        subject: &'static str,
        attempt: impl Future<Output = Result<(K, parlance_domain::Position), Refused>> + Send,
    ) -> Result<Self> {
        let attempted = match scope.refusal() {
            Some(refused) => Err(refused.clone()),
            None => attempt.await,
        };
        match attempted {
            Ok(done) => Ok(Self { scope, done: Ok(done) }),
            Err(Refused::Fault(fault)) => Err(scope.fault(fault)),
            Err(Refused::Wrong(wrong)) => {
                let language = scope.language().await;
                let placed = wrong.into_iter().map(|wrong| placed(wrong, subject));
                let errors = placed.map(|wrong| UserError::new(&wrong, language, Some(&scope))).collect();
                Ok(Self { scope, done: Err(errors) })
            }
        }
    }

    pub async fn object<T: Shown<Key = K>>(&self) -> Result<Option<T>> {
        match self.key_once_shown().await? {
            Some(key) => T::load(&self.scope, key).await,
            None => Ok(None),
        }
    }

    /// What was done, whether or not it is shown yet.
    pub fn key(&self) -> Option<K> {
        self.done.as_ref().ok().map(|(key, _)| *key)
    }

    async fn key_once_shown(&self) -> Result<Option<K>, Error> {
        let Ok((key, position)) = &self.done else { return Ok(None) };
        self.scope.shown(*position).await?;
        Ok(Some(*key))
    }

    pub async fn position(&self) -> Result<Option<Position>> {
        match &self.done {
            Ok((_, position)) => self.scope.outside(*position).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    pub fn errors(&self) -> Vec<UserError> {
        self.done.as_ref().err().cloned().unwrap_or_default()
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// The field concerned, where only the code tells.
fn placed(wrong: Wrong, subject: &'static str) -> Wrong {
    let field = match wrong.code {
        // About the asker, not about any field.
        ErrorCode::NotPermitted | ErrorCode::OnlyInstaller | ErrorCode::OnlyOneself => None,
        ErrorCode::AlreadyAssigned | ErrorCode::NotAssigned => Some("expect"),
        ErrorCode::AssigneeWithoutAccess | ErrorCode::AssigneeUnavailable => Some("assignee"),
        ErrorCode::UnknownTimeZone => Some("timeZone"),
        ErrorCode::NameUnreadable => Some("name"),
        ErrorCode::AlreadyMember => Some("email"),
        ErrorCode::NewInstallerNotActive => Some("member"),
        ErrorCode::KindClosed => Some("kind"),
        ErrorCode::NotAProviderId => Some("providerId"),
        ErrorCode::SigningSecretMissing => Some("signingSecret"),
        ErrorCode::AccessMissing => Some("access"),
        ErrorCode::ConnectionMismatch => Some("connection"),
        _ => Some(subject),
    };
    Wrong { field: wrong.field.or(field), ..wrong }
}

/// A receipt as an attempt's success.
pub(crate) fn done<K>(key: K) -> impl FnOnce(Receipt) -> (K, parlance_domain::Position) {
    move |receipt| (key, receipt.position())
}

/// The usual payload: one object, the position, the errors.
macro_rules! payload {
    ($(#[doc = $about:literal])+ $payload:ident { $(#[doc = $field_about:literal])+ $field:ident: $object:ident }) => {
        pub struct $payload(
            pub(crate) $crate::payload::Outcome<<$object as $crate::payload::Shown>::Key>,
        );

        $(#[doc = $about])+
        #[async_graphql::Object]
        impl $payload {
            $(#[doc = $field_about])+
            ///
            /// Null if it was refused; and null, with an error `NOT_SHOWN_YET` beside, if it was done but is not shown in time.
            async fn $field(&self) -> async_graphql::Result<Option<$object>> {
                self.0.object().await
            }

            /// From this position on, queries show what was done. Null if it was refused.
            async fn position(&self) -> async_graphql::Result<Option<$crate::scalars::Position>> {
                self.0.position().await
            }

            /// Why it was refused. Empty if it was done, or was so already.
            async fn errors(&self) -> Vec<$crate::errors::UserError> {
                self.0.errors()
            }
        }
    };
}

pub(crate) use payload;
