//! Sections: what they are made of, and how many conversations they hold.

use std::collections::HashMap;

use parlance_domain::{ChannelId, MemberId, Position};
use parlance_projections::{
    FoldError, Row, RowKey,
    inbox::{ACCESS, Access, COUNTS, Kept, SEEN, Seen, State},
    key,
};
use parlance_store::{Bucket, FIRST_GENERATION, Store, Wanted};

use super::{Queries, sight::Sight};
use crate::front::{Asker, FrontError, Section, SectionView};

/// Where a conversation stands for a member. Closed wins over assignment.
pub(super) fn section_of(state: State, assignee: Option<MemberId>, member: MemberId) -> Section {
    match (state, assignee) {
        (State::Closed, _) => Section::Closed,
        (State::Open, None) => Section::Unassigned,
        (State::Open, Some(assignee)) if assignee == member => Section::AssignedToMe,
        (State::Open, Some(_)) => Section::AssignedToOthers,
    }
}

/// Since when the asker has access to channels, as the read models show it.
pub(super) type Since = HashMap<ChannelId, Position>;

/// The asker's access rows of these channels.
pub(super) fn access_wanted(by: Asker, channels: &[ChannelId]) -> Wanted {
    let of = |channel: &ChannelId| key([channel.uuid().into(), by.member.uuid().into()]);
    Wanted { table: &ACCESS, keys: channels.iter().map(of).collect() }
}

pub(super) fn since(rows: &[Row]) -> Result<Since, FrontError> {
    let access = rows.iter().map(Access::from_row).map(|row| row.map(|row| (row.channel, row.since)));
    Ok(access.collect::<Result<_, FoldError>>()?)
}

/// The buckets that hold anything, and since when the asker has access to their channels.
pub(super) struct Holding {
    pub kept: Vec<Kept>,
    pub since: Since,
}

impl Holding {
    /// The buckets that make up a section.
    pub fn buckets(&self, section: Section, member: MemberId) -> Vec<Bucket> {
        let of = self.kept.iter().filter(|kept| section_of(kept.state, kept.assignee, member) == section);
        of.map(|kept| Bucket { channel: kept.channel, state: kept.state, assignee: kept.assignee }).collect()
    }
}

impl<S: Store + Clone> Queries<S> {
    /// The four sections, of one channel or of all that exist for the asker.
    pub async fn sections(
        &self,
        by: Asker,
        channel: Option<ChannelId>,
    ) -> Result<Vec<SectionView>, FrontError> {
        let sight = self.sight_of(by, channel).await?;
        let channels = sight.seen();
        let of = |channel: &ChannelId| key([channel.uuid().into(), by.member.uuid().into()]);
        let seen = Wanted { table: &SEEN, keys: channels.iter().map(of).collect() };
        let (holding, seen) = self.holding_and(&sight, &channels, Some(seen)).await?;
        let seen = seen.iter().map(Seen::from_row).collect::<Result<Vec<_>, FoldError>>()?;

        let mut views = Section::ALL.map(|section| SectionView { section, conversations: 0, unread: 0 });
        let mut unread_counts = [0_i64; Section::ALL.len()];
        let place = |state, assignee| {
            let section = section_of(state, assignee, by.member);
            Section::ALL.iter().position(|other| *other == section).expect("all sections are among all")
        };
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for kept in &holding.kept {
            let place = place(kept.state, kept.assignee);
            views[place].conversations += kept.conversations;
            // Access that the read models do not show yet begins with nothing unread.
            if holding.since.contains_key(&kept.channel) {
                unread_counts[place] += number(kept.contacted);
            }
        }
        for seen in seen.iter().filter(|seen| holding.since.contains_key(&seen.channel)) {
            unread_counts[place(seen.state, seen.assignee)] -= number(seen.seen);
        }
        for (view, unread) in views.iter_mut().zip(unread_counts) {
            view.unread = u64::try_from(unread).unwrap_or(0);
        }
        Ok(views.into())
    }

    /// What the channels hold.
    pub(super) async fn holding(&self, sight: &Sight, channels: &[ChannelId]) -> Result<Holding, FrontError> {
        Ok(self.holding_and(sight, channels, None).await?.0)
    }

    /// The same, and further rows of the same moment.
    async fn holding_and(
        &self,
        sight: &Sight,
        channels: &[ChannelId],
        further: Option<Wanted>,
    ) -> Result<(Holding, Vec<Row>), FrontError> {
        if channels.is_empty() {
            return Ok((Holding { kept: Vec::new(), since: Since::new() }, Vec::new()));
        }
        let keys: Vec<RowKey> = channels.iter().map(|channel| key([channel.uuid().into()])).collect();
        let mut wanted = vec![Wanted { table: &COUNTS, keys }, access_wanted(sight.by, channels)];
        wanted.extend(further);
        let found = self.store.find_rows(sight.by.account, FIRST_GENERATION, wanted).await?;
        let mut found = found.into_iter();
        let counts = found.next().unwrap_or_default();
        let since = since(&found.next().unwrap_or_default())?;
        let kept = counts.iter().map(Kept::from_row).collect::<Result<_, FoldError>>()?;
        Ok((Holding { kept, since }, found.next().unwrap_or_default()))
    }
}
