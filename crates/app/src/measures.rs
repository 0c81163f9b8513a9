//! The names of what is measured, each with its unit. Recorded where it happens; shown by whoever installed a
//! recorder. No measure carries an account's or a person's name.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Told things taken into the log, by `kind` of channel; redeliveries count as `outcome="duplicate"`.
pub const TOLD: &str = "parlance_told_total";
/// Deliveries kept because they could not be taken, by reason.
pub const KEPT: &str = "parlance_deliveries_kept_total";
/// Webhook requests, by `outcome`.
pub const WEBHOOKS: &str = "parlance_webhook_requests_total";
pub const WEBHOOK_SECONDS: &str = "parlance_webhook_seconds";
pub const EVENTS_APPENDED: &str = "parlance_events_appended_total";
pub const BATCH_COMMANDS: &str = "parlance_batch_commands";
pub const APPEND_SECONDS: &str = "parlance_append_seconds";
pub const QUEUE_LENGTH: &str = "parlance_queue_length";
pub const LAG_SECONDS: &str = "parlance_projection_lag_seconds";
pub const BEHIND_EVENTS: &str = "parlance_projection_behind_events";

/// Tells the recorder what the names mean.
pub fn describe() {
    describe_counter!(TOLD, "things told by providers and taken into the log, or recognised as told before");
    describe_counter!(KEPT, "deliveries kept because they could not be taken, by reason");
    describe_counter!(WEBHOOKS, "webhook requests, by how they were answered");
    describe_histogram!(WEBHOOK_SECONDS, Unit::Seconds, "from a webhook request to its answer");
    describe_counter!(EVENTS_APPENDED, "events appended to the log");
    describe_histogram!(BATCH_COMMANDS, Unit::Count, "commands that were appended together");
    describe_histogram!(
        APPEND_SECONDS,
        Unit::Seconds,
        "from handing a batch to the store until it is durable"
    );
    describe_gauge!(QUEUE_LENGTH, Unit::Count, "commands that wait to be decided, of all accounts");
    describe_histogram!(LAG_SECONDS, Unit::Seconds, "from an append until the read models show it");
    describe_gauge!(BEHIND_EVENTS, Unit::Count, "events appended that the read models do not show yet");
}
