//! A client as the documentation wants it: it holds what it loaded, and puts what it is told in its place.

use std::collections::{BTreeMap, VecDeque};

use parlance_app::{
    front::{ChannelView, ConversationView, Following, FrontError, InboxChange, MemberView, Page, Section},
    queries::Queries,
};
use parlance_domain::{ChannelId, ConversationId, MemberId, Position, member::Standing};
use parlance_stores::AnyStore;
use parlance_tests::Team;

use super::next;

/// What a client shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Screen {
    pub conversations: BTreeMap<ConversationId, ConversationView>,
    pub members: BTreeMap<MemberId, MemberView>,
    pub channels: BTreeMap<ChannelId, ChannelView>,
}

pub struct Client {
    pub member: MemberId,
    pub screen: Screen,
    /// The newest change that arrived, and everything before it.
    pub at: Option<Position>,
    following: Option<Following<InboxChange>>,
    /// Arrived, and not taken yet.
    arrived: VecDeque<InboxChange>,
    pub loads: usize,
    pub resumed: usize,
}

/// Whether the stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    On,
    Out,
}

async fn section(
    queries: &Queries<AnyStore>,
    team: &Team<'_>,
    member: MemberId,
    section: Section,
    channel: Option<ChannelId>,
) -> Result<Vec<ConversationView>, FrontError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let asked = queries.conversations(team.asker(member), section, channel, after, 7);
        let Page { items, more } = asked.await?;
        after = items.last().map(|view| view.place);
        all.extend(items);
        if !more {
            return Ok(all);
        }
    }
}

/// Everything that a member sees of some or all channels' conversations; other members' marks move `changed`,
/// and nothing else that this member sees.
async fn conversations(
    queries: &Queries<AnyStore>,
    team: &Team<'_>,
    member: MemberId,
    channel: Option<ChannelId>,
) -> Result<BTreeMap<ConversationId, ConversationView>, FrontError> {
    let mut all = BTreeMap::new();
    for of in Section::ALL {
        let found = section(queries, team, member, of, channel).await?;
        all.extend(found.into_iter().map(|view| (view.id, still(view))));
    }
    Ok(all)
}

fn still(view: ConversationView) -> ConversationView {
    ConversationView { changed: Position::START, ..view }
}

impl Screen {
    pub async fn load(
        queries: &Queries<AnyStore>,
        team: &Team<'_>,
        member: MemberId,
    ) -> Result<Self, FrontError> {
        let members = queries.members(team.asker(member), None, Page::<()>::ITEMS_MAX).await?.items;
        let channels = queries.channels(team.asker(member)).await?;
        Ok(Self {
            conversations: conversations(queries, team, member, None).await?,
            members: members.into_iter().map(|view| (view.id, view)).collect(),
            channels: channels.into_iter().map(|view| (view.id, view)).collect(),
        })
    }

    /// Conversations and unread ones of a section, as this screen has them.
    pub fn counts(&self, section: Section) -> (u64, u64) {
        let of = || self.conversations.values().filter(|view| view.section == section);
        (of().count() as u64, of().filter(|view| view.unread).count() as u64)
    }
}

impl Client {
    pub fn new(member: MemberId) -> Self {
        Self {
            member,
            screen: Screen::default(),
            at: None,
            following: None,
            arrived: VecDeque::new(),
            loads: 0,
            resumed: 0,
        }
    }

    /// The connection breaks: what has not been taken is lost.
    pub fn cut_off(&mut self) {
        self.following = None;
        self.arrived.clear();
        self.resumed += usize::from(self.at.is_some());
    }

    /// Whether everything up to a position has been taken.
    pub fn has(&self, position: Position) -> bool {
        self.at.is_some_and(|at| at >= position) && self.arrived.is_empty()
    }

    /// Waits for one change, and gives it; it is not taken yet.
    pub async fn arrive(
        &mut self,
        queries: &Queries<AnyStore>,
        team: &Team<'_>,
    ) -> Result<InboxChange, Goes> {
        let (asker, at) = (team.asker(self.member), self.at);
        let following = self.following.get_or_insert_with(|| queries.inbox_changes(asker, at));
        match next(following).await {
            Some(Ok(change)) => {
                let newest = self.arrived.back().map(|change| change.position).or(self.at);
                let first = newest.is_none_or(|newest| change.position >= newest);
                assert!(first, "{} after {newest:?}: a position goes back", change.position);
                self.arrived.push_back(change.clone());
                Ok(change)
            }
            Some(Err(FrontError::Reload)) => {
                self.forget();
                Err(Goes::On)
            }
            None | Some(Err(FrontError::NotFound)) => {
                self.forget();
                Err(Goes::Out)
            }
            Some(Err(error)) => panic!("{error}"),
        }
    }

    fn forget(&mut self) {
        (self.at, self.following, self.screen) = (None, None, Screen::default());
        self.arrived.clear();
    }

    /// Takes what has arrived.
    pub async fn take_all(&mut self, queries: &Queries<AnyStore>, team: &Team<'_>) {
        while let Some(change) = self.arrived.pop_front() {
            if self.take(queries, team, change).await.is_err() {
                self.forget();
                return;
            }
        }
    }

    async fn take(
        &mut self,
        queries: &Queries<AnyStore>,
        team: &Team<'_>,
        change: InboxChange,
    ) -> Result<(), FrontError> {
        if self.at.is_none() {
            self.screen = Screen::load(queries, team, self.member).await?;
            self.loads += 1;
        }
        self.at = Some(change.position);
        let screen = &mut self.screen;
        for channel in change.channels_gone.iter().chain(&change.channels_to_load) {
            screen.conversations.retain(|_, view| view.channel != *channel);
        }
        for channel in &change.channels_gone {
            screen.channels.remove(channel);
        }
        for id in &change.gone {
            screen.conversations.remove(id);
        }
        for channel in change.channels_to_load {
            match conversations(queries, team, self.member, Some(channel)).await {
                Ok(found) => screen.conversations.extend(found),
                Err(FrontError::NotFound) => {}
                Err(error) => panic!("{error}"),
            }
        }
        screen.conversations.extend(change.conversations.into_iter().map(|view| (view.id, still(view))));
        for view in change.members {
            match view.standing {
                Standing::Removed | Standing::Absent => drop(screen.members.remove(&view.id)),
                Standing::Invited | Standing::Active => drop(screen.members.insert(view.id, view)),
            }
        }
        screen.channels.extend(change.channels.into_iter().map(|view| (view.id, view)));
        Ok(())
    }
}
