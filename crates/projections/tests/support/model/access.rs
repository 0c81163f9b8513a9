//! Who has access to which channel and since when: after every event, all members and all channels are looked
//! at again.

use std::collections::{BTreeMap, BTreeSet};

use parlance_projections::inbox;
use uuid::Uuid;

use super::{Fact, int};
use crate::support::driver::Tables;

/// (channel, member) to the position since which there is access.
type Access = BTreeMap<(Uuid, Uuid), u64>;

#[derive(Clone)]
struct Channel {
    shared: bool,
    installer: Uuid,
}

/// Access at every position.
pub struct History {
    after: BTreeMap<u64, Access>,
    active: BTreeMap<Uuid, u64>,
    channels: BTreeMap<Uuid, Channel>,
}

impl History {
    pub fn of(facts: &[Fact]) -> Self {
        let (mut active, mut channels) = (BTreeMap::new(), BTreeMap::<Uuid, Channel>::new());
        let mut access = Access::new();
        let mut after = BTreeMap::new();
        for fact in facts {
            match fact.name.as_str() {
                "MemberJoined" => _ = active.insert(fact.id, fact.position),
                "MemberRemoved" => _ = active.remove(&fact.id),
                "ChannelConnected" => {
                    let shared = fact.text("visibility") == "shared";
                    channels.insert(fact.id, Channel { shared, installer: fact.id("installer") });
                }
                "VisibilityChanged" => {
                    channels.get_mut(&fact.id).expect("connected").shared =
                        fact.text("visibility") == "shared";
                }
                "InstallerChanged" => {
                    channels.get_mut(&fact.id).expect("connected").installer = fact.id("installer");
                }
                _ => {}
            }
            let mut now = Access::new();
            for (id, channel) in &channels {
                for member in active.keys().filter(|m| channel.shared || channel.installer == **m) {
                    let since = access.get(&(*id, *member)).copied().unwrap_or(fact.position);
                    now.insert((*id, *member), since);
                }
            }
            access = now;
            after.insert(fact.position, access.clone());
        }
        Self { after, active, channels }
    }

    /// Access when the event at `position` had happened.
    pub fn at(&self, position: u64) -> &Access {
        &self.after[&position]
    }

    pub fn now(&self) -> &Access {
        static NOBODY: Access = Access::new();
        self.after.values().next_back().unwrap_or(&NOBODY)
    }

    /// Everybody who ever joined, and some who may be gone.
    pub fn everybody(&self) -> BTreeSet<Uuid> {
        self.after.values().flat_map(|access| access.keys().map(|(_, member)| *member)).collect()
    }

    /// The newest gaining of access to the channel by anybody, those included who lost it again.
    fn last_gained(&self, channel: Uuid) -> u64 {
        let all = self.after.values().flatten();
        all.filter(|((of, _), _)| *of == channel).map(|(_, since)| *since).max().unwrap_or(0)
    }
}

pub(super) fn rows(history: &History, tables: &mut Tables) {
    for ((channel, member), since) in history.now() {
        tables.put(&inbox::ACCESS, vec![(*channel).into(), (*member).into(), int(*since)]);
    }
    for (member, since) in &history.active {
        tables.put(&inbox::MEMBERS, vec![(*member).into(), int(*since)]);
    }
    for (id, channel) in &history.channels {
        let visibility = if channel.shared { "shared" } else { "private" };
        let last = int(history.last_gained(*id));
        tables.put(&inbox::CHANNELS, vec![(*id).into(), visibility.into(), channel.installer.into(), last]);
    }
}
