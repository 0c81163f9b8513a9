//! Who did it. There is no event without an actor, and "the system" always says why.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ConversationId, MemberId, OperatorId, StreamRef};

/// Who caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Member(MemberId),
    /// The customer of that conversation.
    Contact(ConversationId),
    System(SystemReason),
    Operator(OperatorId),
}

/// Why the system did something by itself. Stored by its code, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemReason {
    /// Somebody of the account wrote from the provider's own app.
    ProviderEcho,
    /// The provider told what became of a message, a channel or a delivery.
    ProviderReport,
    /// The assignee was removed or lost access to the channel.
    AccessLost,
    /// The channel's reopen rule unassigns.
    ReopenRule,
    /// A history found by reconciliation with the provider.
    Reconciliation,
    /// A delivery could not be turned into events and was kept.
    Ingestion,
}

impl SystemReason {
    pub const ALL: [Self; 6] = [
        Self::ProviderEcho,
        Self::ProviderReport,
        Self::AccessLost,
        Self::ReopenRule,
        Self::Reconciliation,
        Self::Ingestion,
    ];

    pub const fn code(self) -> &'static str {
        match self {
            Self::ProviderEcho => "provider_echo",
            Self::ProviderReport => "provider_report",
            Self::AccessLost => "access_lost",
            Self::ReopenRule => "reopen_rule",
            Self::Reconciliation => "reconciliation",
            Self::Ingestion => "ingestion",
        }
    }
}

impl Actor {
    /// The member, if it was one.
    pub const fn member(self) -> Option<MemberId> {
        match self {
            Self::Member(id) => Some(id),
            _ => None,
        }
    }

    /// The stream of the member who acts: every decision that a member asks for rests on it.
    pub(crate) fn stream(self) -> Option<StreamRef> {
        self.member().map(StreamRef::from)
    }

    /// The three columns of a row: kind, id, reason.
    pub const fn to_columns(self) -> (&'static str, Option<Uuid>, Option<&'static str>) {
        match self {
            Self::Member(id) => ("member", Some(id.uuid()), None),
            Self::Contact(id) => ("contact", Some(id.uuid()), None),
            Self::System(reason) => ("system", None, Some(reason.code())),
            Self::Operator(id) => ("operator", Some(id.uuid()), None),
        }
    }

    /// The way back; `None` for columns that no release ever wrote.
    pub fn from_columns(kind: &str, id: Option<Uuid>, reason: Option<&str>) -> Option<Self> {
        Some(match (kind, id, reason) {
            ("member", Some(id), None) => Self::Member(MemberId::new(id)),
            ("contact", Some(id), None) => Self::Contact(ConversationId::new(id)),
            ("operator", Some(id), None) => Self::Operator(OperatorId::new(id)),
            ("system", None, Some(code)) => {
                Self::System(SystemReason::ALL.into_iter().find(|reason| reason.code() == code)?)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_actor_survives_its_columns_and_nothing_else_is_one() {
        let id = Uuid::from_u128(5);
        let mut actors = vec![
            Actor::Member(MemberId::new(id)),
            Actor::Contact(ConversationId::new(id)),
            Actor::Operator(OperatorId::COMMAND_LINE),
        ];
        actors.extend(SystemReason::ALL.map(Actor::System));
        for actor in actors {
            let (kind, id, reason) = actor.to_columns();
            assert_eq!(Actor::from_columns(kind, id, reason), Some(actor));
        }
        assert_eq!(Actor::from_columns("system", None, None), None);
        assert_eq!(Actor::from_columns("member", None, None), None);
        assert_eq!(Actor::from_columns("somebody", Some(id), None), None);
    }

    #[test]
    fn a_reason_has_one_spelling() {
        for reason in SystemReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
        }
    }
}
