//! An operation as a stream of answers, for the ways in that stay open: a query or mutation answers once and in
//! time, a subscription as long as it goes on.

use async_graphql::{Response, ServerError, parser::types::OperationType};
use axum::http::{StatusCode, header};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::ready,
    stream::{self, BoxStream},
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    http::{Outside, Received, Shared, TIME_OUT, Unexecuted, timed_out},
    places::{ACCOUNT_FOLLOWING_MAX, MEMBER_FOLLOWING_MAX, Sated},
};

/// An operation under way. Dropping it ends it.
pub(crate) struct Running {
    /// It answers once: a query or mutation.
    pub once: bool,
    pub answers: BoxStream<'static, Answer>,
}

/// What comes of an operation.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A result, with errors or without.
    Result(Box<RawValue>),
    /// The errors for which it is not executed (any further). Nothing comes after them.
    Refused(Box<RawValue>),
}

impl Answer {
    pub fn refused(unexecuted: &Unexecuted) -> Self {
        Self::Refused(raw(&[unexecuted.as_error()]))
    }

    pub fn of(response: &Response) -> Self {
        let outside = Outside::of(response);
        if outside.is_executed() {
            Self::Result(raw(&outside))
        } else {
            Self::Refused(raw::<[ServerError]>(&response.errors))
        }
    }

    const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

fn raw<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("GraphQL values are JSON: their keys are names")
}

impl Shared {
    /// Runs what was received. A subscription is refused if too many of the member's or the account's are under way.
    /// Must be polled inside a tokio runtime.
    pub fn run(&self, Received { request, visitor, operation }: Received) -> Result<Running, Unexecuted> {
        if operation == Some(OperationType::Subscription) {
            // Nobody's ends with its first answer.
            let followed = visitor.principal.map(|principal| self.following.begin(principal)).transpose();
            let followed = followed.map_err(too_many)?;
            // Behind a refusal nothing may come.
            let answers = self.schema.stream(request, visitor).map(|response| Answer::of(&response));
            let answers = answers.scan((false, followed), |(refused, _followed), answer| {
                let heard = !*refused;
                *refused = answer.is_refusal();
                ready(heard.then_some(answer))
            });
            return Ok(Running { once: false, answers: answers.boxed() });
        }
        let schema = self.schema.clone();
        let answer = async move {
            let trace_id = visitor.trace_id.clone();
            match tokio::time::timeout(TIME_OUT, schema.execute(request, visitor)).await {
                Ok(response) => Answer::of(&response),
                Err(_) => Answer::refused(&timed_out(&trace_id)),
            }
        };
        Ok(Running { once: true, answers: stream::once(answer.boxed()).boxed() })
    }
}

fn too_many(sated: Sated) -> Unexecuted {
    const { assert!(MEMBER_FOLLOWING_MAX == 1_024 && ACCOUNT_FOLLOWING_MAX == 8_192) };
    let message = match sated {
        Sated::Member => "You have 1,024 subscriptions under way. Complete some, then try again.",
        Sated::Account => "Your account has 8,192 subscriptions under way. Complete some, then try again.",
    };
    Unexecuted::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_SUBSCRIPTIONS", message)
        .with_header(header::RETRY_AFTER, "5")
}
