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

use super::{Queries, sections::Holding};
use crate::{
    feed::Known,
    front::{Asker, FrontError},
};

/// An active member who asks, and the channels in question.
pub(super) struct Sight {
    pub by: Asker,
    member: Arc<Member>,
    channels: BTreeMap<ChannelId, Arc<Channel>>,
}

impl Sight {
    /// Whether the asker installed the channel, which is one of those in question.
    pub fn installed(&self, channel: ChannelId) -> bool {
        self.channels.get(&channel).is_some_and(|state| state.installer == Some(self.by.member))
    }

    /// Whether the table permits it; `channel`: one of those in question.
    pub fn may(&self, action: Action, channel: Option<ChannelId>) -> bool {
        let channel = channel.and_then(|id| self.channels.get(&id));
        permits(action, self.by.member, &self.member, channel.map(AsRef::as_ref))
    }

    /// Whether conversations of the channel exist for the asker.
    pub fn sees(&self, channel: ChannelId) -> bool {
        self.may(Action::UseConversation, Some(channel))
    }

    /// Whether the channel itself exists for the asker.
    pub fn lists(&self, channel: ChannelId) -> bool {
        self.may(Action::ManageChannels, None) || self.sees(channel)
    }

    /// The channels in question whose conversations exist for the asker, in id order.
    pub fn seen(&self) -> Vec<ChannelId> {
        self.channels.keys().copied().filter(|channel| self.sees(*channel)).collect()
    }
}

impl<S: Store + Clone> Queries<S> {
    /// The asker's state; `NotFound` for everything, unless they are an active member.
    pub(super) async fn asker(&self, by: Asker) -> Result<Arc<Member>, FrontError> {
        self.asker_from(by, &Known::default()).await
    }

    async fn asker_from(&self, by: Asker, known: &Known) -> Result<Arc<Member>, FrontError> {
        let (account, member) = (by.account, by.member);
        let version = known.version_of(member.stream());
        let member = self.commands.peek_from::<Member>(account, member.uuid(), version).await?;
        if member.is_active() { Ok(member) } else { Err(FrontError::NotFound) }
    }

    /// What the asker may do with these channels.
    pub(super) async fn sight(&self, by: Asker, channels: Vec<ChannelId>) -> Result<Sight, FrontError> {
        self.sight_from(by, channels, &Known::default()).await
    }

    /// The same, judged by states that are not older than what the log was seen to tell.
    pub(super) async fn sight_from(
        &self,
        by: Asker,
        channels: Vec<ChannelId>,
        known: &Known,
    ) -> Result<Sight, FrontError> {
        let mut sight = Sight { by, member: self.asker_from(by, known).await?, channels: BTreeMap::new() };
        for channel in channels {
            if let Entry::Vacant(place) = sight.channels.entry(channel) {
                let version = known.version_of(channel.into());
                place.insert(self.commands.peek_from(by.account, channel.uuid(), version).await?);
            }
        }
        Ok(sight)
    }

    /// Of one channel, which must exist for the asker, or of all that the account had when somebody last looked: that
    /// is a guess, to be compared with what is found by it.
    pub(super) async fn guessed_sight(
        &self,
        by: Asker,
        channel: Option<ChannelId>,
    ) -> Result<(Sight, bool), FrontError> {
        let known = match channel {
            Some(_) => None,
            None => self.channels_known.lock().expect("no panic while locked").get(&by.account).cloned(),
        };
        match known {
            Some(known) => Ok((self.sight(by, known.to_vec()).await?, true)),
            None => Ok((self.sight_of(by, channel).await?, false)),
        }
    }

    /// Whether the account has other channels than those that were guessed.
    pub(super) fn guessed_wrong(&self, sight: &Sight, holding: &Holding) -> bool {
        let mut found: Vec<_> = holding.channels.clone();
        found.sort_unstable();
        !sight.channels.keys().eq(&found)
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
                let channels: Arc<[_]> = rows.iter().map(|row| row.channel).collect();
                let sight = self.sight(by, channels.to_vec()).await?;
                self.channels_known.lock().expect("no panic while locked").put(by.account, channels);
                Ok(sight)
            }
        }
    }

    pub(super) async fn channel_rows(&self, by: Asker) -> Result<Vec<ChannelRow>, FrontError> {
        let rows = self.store.scan_rows(by.account, FIRST_GENERATION, &CHANNELS, None, NAMED_MAX).await?;
        Ok(rows.iter().map(ChannelRow::from_row).collect::<Result<_, FoldError>>()?)
    }
}
