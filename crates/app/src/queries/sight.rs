//! Who asks, and what they may see: states as this process knows them, judged by the permissions table.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use parlance_domain::{
    ChannelId,
    channel::Channel,
    member::Member,
    permissions::{Action, permits},
};
use parlance_projections::{
    FoldError,
    channels::{CHANNELS, ChannelRow},
};
use parlance_store::{FIRST_GENERATION, NAMED_MAX, Store};

use super::Queries;
use crate::front::{Asker, FrontError};

/// An active member who asks, and the channels in question.
pub(super) struct Sight {
    pub by: Asker,
    member: Arc<Member>,
    channels: BTreeMap<ChannelId, Arc<Channel>>,
}

impl Sight {
    /// Whether the table permits it; `channel`: one of those in question.
    pub fn may(&self, action: Action, channel: Option<ChannelId>) -> bool {
        let channel = channel.and_then(|id| self.channels.get(&id));
        permits(action, self.by.member, &self.member, channel.map(AsRef::as_ref))
    }

    /// Whether conversations of the channel exist for the asker.
    pub fn sees(&self, channel: ChannelId) -> bool {
        self.may(Action::UseConversation, Some(channel))
    }

    /// The channels in question whose conversations exist for the asker, in id order.
    pub fn seen(&self) -> Vec<ChannelId> {
        self.channels.keys().copied().filter(|channel| self.sees(*channel)).collect()
    }
}

impl<S: Store + Clone> Queries<S> {
    /// The asker's state; `NotFound` for everything, unless they are an active member.
    pub(super) async fn asker(&self, by: Asker) -> Result<Arc<Member>, FrontError> {
        let member = self.commands.peek::<Member>(by.account, by.member.uuid()).await?;
        if member.is_active() { Ok(member) } else { Err(FrontError::NotFound) }
    }

    /// What the asker may do with these channels.
    pub(super) async fn sight(&self, by: Asker, channels: Vec<ChannelId>) -> Result<Sight, FrontError> {
        let mut sight = Sight { by, member: self.asker(by).await?, channels: BTreeMap::new() };
        for channel in channels {
            if let Entry::Vacant(place) = sight.channels.entry(channel) {
                place.insert(self.commands.peek::<Channel>(by.account, channel.uuid()).await?);
            }
        }
        Ok(sight)
    }

    /// Of one channel, which must exist for the asker, or of all that the account has.
    pub(super) async fn sight_of(&self, by: Asker, channel: Option<ChannelId>) -> Result<Sight, FrontError> {
        match channel {
            Some(channel) => {
                let sight = self.sight(by, vec![channel]).await?;
                if sight.sees(channel) { Ok(sight) } else { Err(FrontError::NotFound) }
            }
            None => {
                self.asker(by).await?;
                let rows = self.channel_rows(by).await?;
                self.sight(by, rows.iter().map(|row| row.channel).collect()).await
            }
        }
    }

    pub(super) async fn channel_rows(&self, by: Asker) -> Result<Vec<ChannelRow>, FrontError> {
        let rows = self.store.scan_rows(by.account, FIRST_GENERATION, &CHANNELS, None, NAMED_MAX).await?;
        Ok(rows.iter().map(ChannelRow::from_row).collect::<Result<_, FoldError>>()?)
    }
}
