//! How a channel changes.

use super::{Channel, ChannelEvent, Health};
use crate::Stamped;

pub(super) fn evolve(state: &mut Channel, stamped: &Stamped<ChannelEvent>) {
    match &stamped.event {
        ChannelEvent::ChannelConnected(e) => {
            state.health = Health::Connected;
            state.kind = Some(e.kind);
            state.connection = Some(e.connection);
            state.installer = Some(e.installer);
            state.visibility = e.visibility;
            state.reopen_rule = e.reopen_rule;
            state.identity = e.identity.clone();
        }
        ChannelEvent::ChannelReconnected(e) => {
            state.health = Health::Connected;
            state.connection = Some(e.connection);
        }
        ChannelEvent::ChannelRenamed(e) => state.identity = e.identity.clone(),
        ChannelEvent::VisibilityChanged(e) => state.visibility = e.visibility,
        ChannelEvent::ReopenRuleChanged(e) => state.reopen_rule = e.rule,
        ChannelEvent::InstallerChanged(e) => state.installer = Some(e.installer),
        ChannelEvent::RetentionChanged(e) => state.retention_days = e.days,
        ChannelEvent::ChannelBroken(e) => state.health = Health::Broken(e.because),
        ChannelEvent::ChannelRestored(_) => state.health = Health::Connected,
        ChannelEvent::ChannelDisconnected(_) => state.health = Health::Disconnected,
    }
}
