//! Members, channels, connections and kept deliveries by definition: of each property, the last event that says something of it.

use std::collections::BTreeMap;

use parlance_projections::{
    Value, channels as channel_rows, connections as connection_rows, deliveries as delivery_rows,
    members as member_rows,
};
use uuid::Uuid;

use super::{Fact, int};
use crate::support::driver::Tables;

fn streams<'a>(facts: &'a [Fact], kind: &str) -> BTreeMap<Uuid, Vec<&'a Fact>> {
    let mut streams = BTreeMap::<Uuid, Vec<&Fact>>::new();
    for fact in facts.iter().filter(|fact| fact.kind == kind) {
        streams.entry(fact.id).or_default().push(fact);
    }
    streams
}

fn last<'a>(stream: &[&'a Fact], names: &[&str]) -> Option<&'a Fact> {
    stream.iter().rev().find(|fact| fact.is(names)).copied()
}

fn told<'a>(stream: &[&'a Fact], names: &[&str]) -> &'a Fact {
    last(stream, names).expect("the first event of the stream tells it")
}

pub fn members(facts: &[Fact], tables: &mut Tables) {
    for (id, stream) in streams(facts, "member") {
        let coming_and_going = told(&stream, &["MemberInvited", "MemberJoined", "MemberRemoved"]);
        let permissions = told(&stream, &["MemberInvited", "PermissionsChanged", "MemberRemoved"]);
        let available = last(&stream, &["MemberJoined", "AvailabilityChanged", "MemberRemoved"]);
        let available = available.is_some_and(|fact| match fact.name.as_str() {
            "AvailabilityChanged" => fact.yes("available"),
            name => name == "MemberJoined",
        });
        let row = vec![
            id.into(),
            match coming_and_going.name.as_str() {
                "MemberInvited" => "invited",
                "MemberJoined" => "active",
                _ => "removed",
            }
            .into(),
            (permissions.name != "MemberRemoved" && permissions.yes("settings_access")).into(),
            available.into(),
            last(&stream, &["MemberJoined"]).map(|fact| fact.at).into(),
            told(&stream, &["MemberInvited", "MemberProfileChanged"]).sealed(),
        ];
        tables.put(&member_rows::MEMBERS, row);
    }
}

pub fn channels(facts: &[Fact], tables: &mut Tables) {
    for (id, stream) in streams(facts, "channel") {
        let first = stream[0];
        let health = told(
            &stream,
            &[
                "ChannelConnected",
                "ChannelReconnected",
                "ChannelBroken",
                "ChannelRestored",
                "ChannelDisconnected",
            ],
        );
        let rule = last(&stream, &["ReopenRuleChanged"]).map(|fact| fact.text("rule"));
        let row = vec![
            id.into(),
            first.text("kind").into(),
            told(&stream, &["ChannelConnected", "ChannelReconnected"]).id("connection").into(),
            told(&stream, &["ChannelConnected", "InstallerChanged"]).id("installer").into(),
            match health.name.as_str() {
                "ChannelBroken" => "broken",
                "ChannelDisconnected" => "disconnected",
                _ => "connected",
            }
            .into(),
            told(&stream, &["ChannelConnected", "VisibilityChanged"]).text("visibility").into(),
            rule.unwrap_or_else(|| first.text("reopen_rule")).into(),
            last(&stream, &["RetentionChanged"])
                .and_then(|fact| fact.maybe("days"))
                .map_or(Value::Null, Value::from),
            first.at.into(),
            told(&stream, &["ChannelConnected", "ChannelRenamed"]).sealed(),
        ];
        tables.put(&channel_rows::CHANNELS, row);
    }
}

pub fn connections(facts: &[Fact], tables: &mut Tables) {
    for (id, stream) in streams(facts, "connection") {
        let first = stream[0];
        let row = vec![
            id.into(),
            first.text("kind").into(),
            first.at.into(),
            last(&stream, &["SecretsRotated"]).map(|fact| fact.at).into(),
            told(&stream, &["ConnectionAdded", "SecretsRotated"]).sealed(),
        ];
        tables.put(&connection_rows::CONNECTIONS, row);
    }
}

pub fn deliveries(facts: &[Fact], tables: &mut Tables) {
    for (id, stream) in streams(facts, "delivery") {
        let kept = told(&stream, &["DeliveryKept"]);
        let row = vec![
            id.into(),
            kept.id("connection").into(),
            kept.text("because").into(),
            kept.number("bytes").into(),
            kept.at.into(),
            kept.number("expires_at").into(),
            int(kept.position),
            match stream.last().expect("streams have events").name.as_str() {
                "DeliveryReplayed" => "replayed",
                "DeliverySkipped" => "skipped",
                _ => "kept",
            }
            .into(),
        ];
        tables.put(&delivery_rows::DELIVERIES, row);
    }
}
