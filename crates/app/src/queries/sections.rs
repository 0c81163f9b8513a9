//! Sections: what they are made of, and how many conversations they hold.

use std::collections::HashMap;

use parlance_domain::{ChannelId, MemberId, Position};
use parlance_projections::{
    FoldError, Row, RowKey,
    channels::{CHANNELS, ChannelRow},
    inbox::{ACCESS, Access, COUNTS, Kept, SEEN, Seen, State},
    key,
};
use parlance_store::{Bucket, FIRST_GENERATION, Place, Store, StoreError, Wanted};

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
    /// All channels that the account has, of the same moment.
    pub channels: Vec<ChannelId>,
}

impl Holding {
    /// The rows that it is made of.
    fn wanted(sight: &Sight) -> Vec<Wanted> {
        let channels = sight.seen();
        let keys: Vec<RowKey> = channels.iter().map(|channel| key([channel.uuid().into()])).collect();
        let counts = Wanted { table: &COUNTS, keys };
        // Every key begins with nothing.
        let all = Wanted { table: &CHANNELS, keys: vec![RowKey::new()] };
        vec![counts, access_wanted(sight.by, &channels), all]
    }

    /// What was wanted, as it was found.
    fn of(found: &[Vec<Row>]) -> Result<Self, FrontError> {
        let [counts, access, channels, ..] = found else {
            return Err(StoreError::Corrupt("fewer answers than questions".to_owned()).into());
        };
        let channels = channels.iter().map(|row| ChannelRow::from_row(row).map(|row| row.channel));
        Ok(Self {
            kept: kept(counts)?,
            since: since(access)?,
            channels: channels.collect::<Result<_, FoldError>>()?,
        })
    }
}

fn kept(counts: &[Row]) -> Result<Vec<Kept>, FoldError> {
    counts.iter().map(Kept::from_row).collect()
}

/// The buckets that make up a section.
fn buckets(kept: &[Kept], section: Section, member: MemberId) -> Vec<Bucket> {
    let of = kept.iter().filter(|kept| section_of(kept.state, kept.assignee, member) == section);
    of.map(|kept| Bucket { channel: kept.channel, state: kept.state, assignee: kept.assignee }).collect()
}

impl<S: Store + Clone> Queries<S> {
    /// The four sections, of one channel or of all that exist for the asker.
    pub async fn sections(
        &self,
        by: Asker,
        channel: Option<ChannelId>,
    ) -> Result<Vec<SectionView>, FrontError> {
        let (mut sight, guessed) = self.guessed_sight(by, channel).await?;
        let (mut holding, mut seen) = self.holding_and_seen(&sight).await?;
        if guessed && self.guessed_wrong(&sight, &holding) {
            sight = self.sight_of(by, None).await?;
            (holding, seen) = self.holding_and_seen(&sight).await?;
        }
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

    /// What the channels in sight hold, and what of that the asker has seen.
    async fn holding_and_seen(&self, sight: &Sight) -> Result<(Holding, Vec<Row>), FrontError> {
        let of = |channel: ChannelId| key([channel.uuid().into(), sight.by.member.uuid().into()]);
        let mut wanted = Holding::wanted(sight);
        wanted.push(Wanted { table: &SEEN, keys: sight.seen().into_iter().map(of).collect() });
        let mut found = self.store.find_rows(sight.by.account, FIRST_GENERATION, wanted).await?;
        let seen = found.pop().unwrap_or_default();
        Ok((Holding::of(&found)?, seen))
    }

    /// A page of a section of the channels in sight, and what these hold.
    pub(super) async fn section(
        &self,
        sight: &Sight,
        section: Section,
        after: Option<Place>,
        limit: usize,
    ) -> Result<(Holding, Vec<Row>), FrontError> {
        let Asker { account, member } = sight.by;
        let choose = move |found: &[Vec<Row>]| {
            let counts = found.first().map(Vec::as_slice).unwrap_or_default();
            let kept = kept(counts).map_err(|error| StoreError::Corrupt(error.to_string()))?;
            Ok(buckets(&kept, section, member))
        };
        let wanted = Holding::wanted(sight);
        let found = self.store.chosen_section_page(account, FIRST_GENERATION, wanted, choose, after, limit);
        let (found, page) = found.await?;
        Ok((Holding::of(&found)?, page))
    }
}
