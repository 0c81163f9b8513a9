//! Old event shapes on their way to today's. cqrs-es has the trait, its loop is private; this is ours.
//!
//! To change a released shape: raise the version in the aggregate's `events!`, keep the old fixture, add the
//! new one, and put an upcaster here that leads from each older version to the next.

use cqrs_es::persist::{EventUpcaster, SerializedEvent};

use crate::{DecodeError, RecordedEvent};

/// Every upcaster there is, oldest first. None: no released shape has changed yet.
pub(crate) const UPCASTERS: &[&dyn EventUpcaster] = &[];

/// The payload of `row` after every upcaster that knows its shape.
pub(crate) fn upcast(row: &RecordedEvent, upcasters: &[&dyn EventUpcaster]) -> Result<Vec<u8>, DecodeError> {
    let failed = |error: serde_json::Error| DecodeError::Payload {
        event_type: row.event_type.clone(),
        reason: error.to_string(),
    };
    let mut event = SerializedEvent::new(
        row.stream.id.simple().to_string(),
        usize::try_from(row.version).unwrap_or(usize::MAX),
        row.stream.kind.as_str().to_owned(),
        row.event_type.clone(),
        format!("{}.0.0", row.schema_version),
        serde_json::from_slice(&row.payload).map_err(failed)?,
        serde_json::Value::Null,
    );
    for upcaster in upcasters {
        if upcaster.can_upcast(&event.event_type, &event.event_version) {
            event = upcaster.upcast(event);
        }
    }
    serde_json::to_vec(&event.payload).map_err(failed)
}

#[cfg(test)]
mod tests {
    use cqrs_es::persist::SemanticVersionEventUpcaster;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::{
        AccountId, Actor, CommandId, CorrelationId, OperatorId, Position, StreamRef, StreamType, Timestamp,
    };

    fn row(schema_version: u16, payload: &Value) -> RecordedEvent {
        RecordedEvent {
            account: AccountId::default(),
            position: Position::new(1),
            stream: StreamRef::new(StreamType::Channel, Uuid::nil()),
            version: 1,
            event_type: "RetentionChanged".to_owned(),
            schema_version,
            recorded_at: Timestamp::default(),
            actor: Actor::Operator(OperatorId::COMMAND_LINE),
            correlation: CorrelationId::default(),
            causation: CommandId::default(),
            payload: serde_json::to_vec(payload).unwrap(),
            sealed: None,
            key: None,
            dedupe: None,
        }
    }

    #[test]
    fn upcasters_are_applied_in_order_and_only_to_what_is_older() {
        let add = |name: &'static str| {
            Box::new(move |mut payload: Value| {
                payload[name] = json!(true);
                payload
            })
        };
        let second = SemanticVersionEventUpcaster::new("RetentionChanged", "2.0.0", add("second"));
        let third = SemanticVersionEventUpcaster::new("RetentionChanged", "3.0.0", add("third"));
        let upcasters: [&dyn EventUpcaster; 2] = [&second, &third];
        let after = |version| -> Value {
            serde_json::from_slice(&upcast(&row(version, &json!({"days": 3})), &upcasters).unwrap()).unwrap()
        };
        assert_eq!(after(1), json!({"days": 3, "second": true, "third": true}));
        assert_eq!(after(2), json!({"days": 3, "third": true}));
        assert_eq!(after(3), json!({"days": 3}));
    }
}
