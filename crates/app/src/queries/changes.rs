//! What changed in the inbox for one asker.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use parlance_domain::{
    ChannelId, ConversationId, MemberId, Position, StreamRef,
    channel::Visibility,
    conversation::{Conversation, Phase},
};
use parlance_projections::{
    inbox::{CONVERSATIONS, InboxRow},
    key,
};
use parlance_store::{FIRST_GENERATION, Store, Wanted};

use super::{
    Queries,
    conversations::view,
    following::{Followed, Seen},
    opening::Opening,
    sections::{Since, access_wanted, since},
    sight::Sight,
};
use crate::{
    feed::{OpenedRow, Touch, Touched},
    front::{Asker, ConversationView, Following, FrontError, InboxChange},
};

/// What happened to a channel that can change who sees it, or what they may do there.
#[derive(Default)]
pub(super) struct Moved {
    visibility: bool,
    /// Its installer is another.
    installer: bool,
    /// The asker became its installer, was it until then, or saw it come.
    concerns: bool,
}

impl Moved {
    /// Takes a touch of the channel.
    pub fn take(&mut self, by: MemberId, touch: Touch) {
        match touch {
            Touch::Visibility(_) => self.visibility = true,
            Touch::Installer { installer, previous, .. } => {
                self.installer = true;
                self.concerns |= installer == by || previous == by;
            }
            Touch::Connected(_, visibility, installer) => {
                self.concerns |= visibility == Visibility::Shared || installer == by;
            }
            _ => {}
        }
    }

    /// Whether the asker saw the channel for a moment at least, and sees other things there now, or nothing. Whoever
    /// installed it all the time sees it whatever its visibility.
    pub fn concerns(&self, installed: bool) -> bool {
        self.concerns || (self.visibility && (self.installer || !installed))
    }
}

/// Touches that one item tells of.
#[derive(Default)]
pub(super) struct Gathered {
    /// With the version at which it was deleted, if it was.
    conversations: BTreeMap<ConversationId, Option<u64>>,
    members: BTreeSet<MemberId>,
    channels: BTreeMap<ChannelId, Moved>,
    /// The asker joined or was removed.
    anew: bool,
    /// Account settings access was given to the asker, or taken.
    permissions: bool,
    /// Where it was taken last.
    demoted: Option<Position>,
}

impl Gathered {
    fn has_room_for(&self, by: MemberId, touch: Touch) -> bool {
        let max = InboxChange::ITEMS_MAX;
        match touch {
            Touch::Nothing => true,
            Touch::Conversation(id, _) | Touch::Deleted(id) => {
                self.conversations.len() < max || self.conversations.contains_key(&id)
            }
            Touch::Seen(id, member) => {
                member != by || self.conversations.len() < max || self.conversations.contains_key(&id)
            }
            Touch::Member(id) | Touch::CameOrWent(id) | Touch::Permissions(id, _) => {
                self.members.len() < max || self.members.contains(&id)
            }
            Touch::Channel(id)
            | Touch::Connected(id, ..)
            | Touch::Visibility(id)
            | Touch::Installer { channel: id, .. } => {
                self.channels.len() < max || self.channels.contains_key(&id)
            }
        }
    }

    fn take(&mut self, by: MemberId, touched: &Touched) {
        match touched.touch {
            Touch::Nothing => {}
            Touch::Conversation(id, _) => {
                self.conversations.entry(id).or_default();
            }
            Touch::Deleted(id) => {
                self.conversations.insert(id, Some(touched.version));
            }
            Touch::Seen(id, member) if member == by => {
                self.conversations.entry(id).or_default();
            }
            Touch::Seen(..) => {}
            Touch::Member(id) => {
                self.members.insert(id);
            }
            Touch::CameOrWent(id) => {
                self.members.insert(id);
                self.anew |= id == by;
            }
            Touch::Permissions(id, granted) => {
                self.members.insert(id);
                if id == by {
                    self.permissions = true;
                    self.demoted = if granted { self.demoted } else { Some(touched.position) };
                }
            }
            Touch::Channel(id)
            | Touch::Connected(id, ..)
            | Touch::Visibility(id)
            | Touch::Installer { channel: id, .. } => {
                self.channels.entry(id).or_default().take(by, touched.touch);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.conversations.is_empty() && self.members.is_empty() && self.channels.is_empty()
    }
}

/// The inbox, followed.
pub(super) struct Inbox;

impl<S: Store + Clone> Followed<S> for Inbox {
    type Item = InboxChange;
    type Gathered = Gathered;

    fn gather(&self, by: Asker, touched: &[Touched]) -> (Gathered, usize) {
        let mut gathered = Gathered::default();
        for (taken, touched) in touched.iter().enumerate() {
            if !gathered.has_room_for(by.member, touched.touch) {
                return (gathered, taken);
            }
            gathered.take(by.member, touched);
        }
        (gathered, touched.len())
    }

    async fn item(
        &mut self,
        queries: &Queries<S>,
        seen: Seen<'_>,
        gathered: Gathered,
        to: Position,
        must: bool,
    ) -> Result<Option<InboxChange>, FrontError> {
        if gathered.is_empty() && !must {
            return Ok(None);
        }
        let change = queries.inbox_change(seen, gathered, to).await?;
        let tells = must || !change.is_quiet();
        Ok(tells.then_some(change))
    }
}

impl InboxChange {
    fn is_quiet(&self) -> bool {
        self.conversations.is_empty()
            && self.gone.is_empty()
            && self.channels_gone.is_empty()
            && self.channels_to_load.is_empty()
            && self.members.is_empty()
            && self.channels.is_empty()
    }
}

impl<S: Store + Clone> Queries<S> {
    /// See [`Front::inbox_changes`](crate::front::Front::inbox_changes).
    pub fn inbox_changes(&self, by: Asker, after: Option<Position>) -> Following<InboxChange> {
        self.follow(by, after, std::future::ready(Ok(Inbox)))
    }

    async fn inbox_change(
        &self,
        seen: Seen<'_>,
        gathered: Gathered,
        to: Position,
    ) -> Result<InboxChange, FrontError> {
        let Seen { by, known, .. } = seen;
        let mut change = InboxChange {
            position: to,
            conversations: Vec::new(),
            gone: Vec::new(),
            channels_gone: Vec::new(),
            channels_to_load: Vec::new(),
            members: Vec::new(),
            channels: Vec::new(),
        };
        let sight = self.sight_from(by, gathered.channels.keys().copied().collect(), known).await?;
        if gathered.anew {
            return Err(FrontError::Reload);
        }
        for (channel, moved) in &gathered.channels {
            if moved.concerns(sight.installed(*channel)) {
                match sight.sees(*channel) {
                    true => change.channels_to_load.push(*channel),
                    false => change.channels_gone.push(*channel),
                }
            }
        }
        if !gathered.members.is_empty() {
            change.members = self.members_by_id(by, gathered.members.into_iter().collect()).await?;
        }
        if gathered.permissions || !gathered.channels.is_empty() {
            let mut rows = self.channel_rows(by).await?;
            let all = rows.iter().map(|row| row.channel).collect();
            let sight = self.sight_from(by, all, known).await?;
            if let Some(demoted) = gathered.demoted {
                for row in rows.iter().filter(|row| !sight.lists(row.channel)) {
                    let told = change.channels_gone.contains(&row.channel);
                    if !told && self.began_before(by, row.channel, demoted).await? {
                        change.channels_gone.push(row.channel);
                    }
                }
            }
            rows.retain(|row| {
                sight.lists(row.channel)
                    && (gathered.permissions || gathered.channels.contains_key(&row.channel))
            });
            change.channels = self.channel_views(&sight, rows).await?;
        }
        self.conversations_of(seen, &gathered.conversations, &mut change).await?;
        Ok(change)
    }

    /// Whether a channel was there when something was recorded. Managers see all channels that are there.
    async fn began_before(&self, by: Asker, channel: ChannelId, at: Position) -> Result<bool, FrontError> {
        let first = self.store.read_stream(by.account, StreamRef::from(channel), 0, 1).await?;
        Ok(first.first().is_some_and(|first| first.position < at))
    }

    /// Rows and tombstones. Those of channels that are gone or to be loaded anew say nothing more.
    async fn conversations_of(
        &self,
        seen: Seen<'_>,
        touched: &BTreeMap<ConversationId, Option<u64>>,
        change: &mut InboxChange,
    ) -> Result<(), FrontError> {
        if touched.is_empty() {
            return Ok(());
        }
        let Seen { by, known, .. } = seen;
        let wanted: Vec<_> = touched.keys().copied().collect();
        let mut rows = self.opened_rows(seen, &wanted, change.position).await?;
        let there: BTreeSet<_> = rows.iter().map(|opened| opened.row.conversation).collect();
        let mut deleted = Vec::new();
        for (id, version) in touched.iter().filter(|(id, _)| !there.contains(id)) {
            if let Some(version) = version {
                let state = self.commands.peek_from::<Conversation>(by.account, id.uuid(), *version).await?;
                deleted.extend(state.channel.map(|channel| (*id, channel)));
            }
        }
        let channels =
            rows.iter().map(|opened| opened.row.channel).chain(deleted.iter().map(|(_, channel)| *channel));
        let sight = self.sight_from(by, channels.collect(), known).await?;
        let told = |channel| {
            sight.sees(channel)
                && !change.channels_to_load.contains(&channel)
                && !change.channels_gone.contains(&channel)
        };
        rows.retain(|opened| told(opened.row.channel));
        change.gone = deleted.into_iter().filter(|(_, channel)| told(*channel)).map(|(id, _)| id).collect();
        change.conversations = self.living(seen, &sight, &rows).await?;
        Ok(())
    }

    /// The rows, of those that there are, as the read models show them at `to` or later; read once for all who follow.
    pub(super) async fn opened_rows(
        &self,
        Seen { by, feed, .. }: Seen<'_>,
        wanted: &[ConversationId],
        to: Position,
    ) -> Result<Vec<Arc<OpenedRow>>, FrontError> {
        if let Some(found) = feed.rows.conversations(wanted, to) {
            return Ok(found.into_iter().flatten().collect());
        }
        let _reading = feed.rows.reading.lock().await;
        if let Some(found) = feed.rows.conversations(wanted, to) {
            return Ok(found.into_iter().flatten().collect());
        }
        // What is read from here on shows at least this.
        let shown = *self.projections.progress(by.account).borrow();
        let keys = wanted.iter().map(|id| key([id.uuid().into()])).collect();
        let rows = vec![Wanted { table: &CONVERSATIONS, keys }];
        let rows = self.store.find_rows(by.account, FIRST_GENERATION, rows).await?.concat();
        let (mut opening, mut gathered) = (Opening::default(), Vec::with_capacity(rows.len()));
        for row in &rows {
            let mut row = InboxRow::from_row(row)?;
            let profile = opening.add(row.profile.take());
            gathered.push((row, profile));
        }
        let opened = self.open(by.account, opening).await?;
        let found: Vec<_> = gathered
            .into_iter()
            .map(|(row, profile)| Arc::new(OpenedRow { contact: opened.value(profile), row }))
            .collect();
        let by_id: HashMap<_, _> = found.iter().map(|opened| (opened.row.conversation, opened)).collect();
        let read: Vec<_> = wanted.iter().map(|id| (*id, by_id.get(id).map(|row| Arc::clone(row)))).collect();
        feed.rows.keep(shown, &read);
        Ok(found)
    }

    /// Since when the asker has access to the channels, of which nobody's access has changed since it was read.
    async fn access_since(
        &self,
        Seen { by, feed, known }: Seen<'_>,
        channels: &[ChannelId],
    ) -> Result<Since, FrontError> {
        if let Some(since) = feed.rows.accesses(by.member, channels, known.access_changed) {
            return Ok(since);
        }
        let shown = *self.projections.progress(by.account).borrow();
        let access = vec![access_wanted(by, channels)];
        let access = self.store.find_rows(by.account, FIRST_GENERATION, access).await?;
        let since = since(&access.concat())?;
        feed.rows.keep_accesses(by.member, channels, &since, shown);
        Ok(since)
    }

    /// The rows as the asker sees them, but for those that were deleted since they were read: what is gone is not
    /// told of, not even late.
    pub(super) async fn living(
        &self,
        seen: Seen<'_>,
        sight: &Sight,
        rows: &[Arc<OpenedRow>],
    ) -> Result<Vec<ConversationView>, FrontError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let since = self.access_since(seen, &sight.seen()).await?;
        let mut living = Vec::with_capacity(rows.len());
        for opened in rows {
            let row = &opened.row;
            let id = row.conversation.uuid();
            let state = self.commands.peek::<Conversation>(seen.by.account, id).await?;
            // A state that is older than the row says nothing: another process was quicker.
            let ended = match state.incarnation.cmp(&row.incarnation) {
                Ordering::Less => false,
                Ordering::Equal => state.phase == Phase::Deleted,
                Ordering::Greater => true,
            };
            if !ended {
                living.push(view(sight, row, opened.contact.clone(), &since));
            }
        }
        Ok(living)
    }
}
