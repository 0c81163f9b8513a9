//! Conversations: pages of a section, and those wanted by id.

use std::collections::BTreeSet;

use parlance_domain::{ChannelId, ConversationId, conversation::ContactProfile, permissions::Action};
use parlance_projections::{
    FoldError, Row,
    inbox::{CONVERSATIONS, InboxRow, State},
    key,
};
use parlance_store::{FIRST_GENERATION, Store, Wanted};

use super::{
    Queries, cut,
    opening::Opening,
    sections::{Since, access_wanted, section_of, since},
    sight::Sight,
};
use crate::front::{Asker, ConversationView, FrontError, Page, Place, Section};

/// How long after the contact's last message the provider lets an account answer freely: 24 hours.
const REPLY_WINDOW_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

impl<S: Store + Clone> Queries<S> {
    /// A page of a section, newest message first.
    pub async fn conversations(
        &self,
        by: Asker,
        section: Section,
        channel: Option<ChannelId>,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Page<ConversationView>, FrontError> {
        let limit = limit.min(Page::<ConversationView>::ITEMS_MAX);
        let after = after.map(|place| (place.at, place.position));
        let (mut sight, guessed) = self.guessed_sight(by, channel).await?;
        let (mut holding, mut page) = self.section(&sight, section, after, limit + 1).await?;
        if guessed && self.guessed_wrong(&sight, &holding) {
            sight = self.sight_of(by, None).await?;
            (holding, page) = self.section(&sight, section, after, limit + 1).await?;
        }
        let mut rows = page.iter().map(InboxRow::from_row).collect::<Result<Vec<_>, FoldError>>()?;
        let more = cut(&mut rows, limit);
        Ok(Page { items: self.views(&sight, rows, &holding.since).await?, more })
    }

    /// Those of the wanted that exist for the asker; of a list that is longer than a page its beginning.
    pub async fn conversations_by_id(
        &self,
        by: Asker,
        wanted: Vec<ConversationId>,
    ) -> Result<Vec<ConversationView>, FrontError> {
        let (sight, rows, _) = self.rows_for(by, wanted, None).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let access = vec![access_wanted(by, &sight.seen())];
        let access = self.store.find_rows(by.account, FIRST_GENERATION, access).await?;
        self.views(&sight, rows, &since(&access.concat())?).await
    }

    /// The rows of those of the wanted that exist for the asker; and further rows of the same moment, not judged.
    pub(super) async fn rows_for(
        &self,
        by: Asker,
        wanted: Vec<ConversationId>,
        further: Option<Wanted>,
    ) -> Result<(Sight, Vec<InboxRow>, Vec<Row>), FrontError> {
        self.asker(by).await?;
        let wanted: BTreeSet<_> = wanted.into_iter().take(Page::<()>::ITEMS_MAX).collect();
        let keys = wanted.iter().map(|id| key([id.uuid().into()])).collect();
        let mut wanted = vec![Wanted { table: &CONVERSATIONS, keys }];
        wanted.extend(further);
        let mut found = self.store.find_rows(by.account, FIRST_GENERATION, wanted).await?.into_iter();
        let rows = found.next().unwrap_or_default();
        let further = found.next().unwrap_or_default();
        let mut rows = rows.iter().map(InboxRow::from_row).collect::<Result<Vec<_>, FoldError>>()?;
        let sight = self.sight(by, rows.iter().map(|row| row.channel).collect()).await?;
        rows.retain(|row| sight.sees(row.channel));
        Ok((sight, rows, further))
    }

    async fn views(
        &self,
        sight: &Sight,
        rows: Vec<InboxRow>,
        since: &Since,
    ) -> Result<Vec<ConversationView>, FrontError> {
        let mut wanted = Opening::default();
        let rows: Vec<_> = rows
            .into_iter()
            .map(|mut row| {
                let profile = wanted.add(row.profile.take());
                (row, profile)
            })
            .collect();
        let opened = self.open(sight.by.account, wanted).await?;
        let views = rows.iter().map(|(row, profile)| view(sight, row, opened.value(*profile), since));
        Ok(views.collect())
    }
}

/// A row as the asker sees it.
pub(super) fn view(
    sight: &Sight,
    row: &InboxRow,
    contact: Option<ContactProfile>,
    since: &Since,
) -> ConversationView {
    ConversationView {
        id: row.conversation,
        incarnation: row.incarnation,
        channel: row.channel,
        closed: row.state == State::Closed,
        section: section_of(row.state, row.assignee, sight.by.member),
        assignee: row.assignee,
        assigned_at: row.assigned_at,
        contact,
        last_message: row.last_message,
        place: Place { at: row.last_message_at, position: row.last_message_position },
        messages: row.messages,
        unread: is_unread(row, sight.by, since),
        reply_window_ends_at: row.last_contact_at.map(|at| at.plus_micros(REPLY_WINDOW_MICROS)),
        changed: row.changed,
        may_delete: sight.may(Action::DeleteConversation, Some(row.channel)),
    }
}

/// The contact's latest message was recorded after both the member's mark and the gaining of their access.
/// Access that the read models do not show yet begins with nothing unread.
fn is_unread(row: &InboxRow, by: Asker, since: &Since) -> bool {
    match (row.last_contact_position, since.get(&row.channel)) {
        (Some(last), Some(since)) => last > *since && !row.readers.contains(&by.member),
        _ => false,
    }
}
