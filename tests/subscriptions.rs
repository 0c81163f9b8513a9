//! What followers are told: rows from a position on, to each what they may see, until the end comes to the same as
//! loading anew.

mod client;
mod conversations;
mod positions;
mod random;
mod visibility;

use futures_util::StreamExt as _;
use parlance_app::{
    front::{Following, FrontError, InboxChange},
    queries::Queries,
};
use parlance_domain::{
    ChannelId, Command, ConversationId, MemberId, Position,
    channel::{ChannelCommand, Visibility},
    member::MemberCommand,
};
use parlance_store::EventLog as _;
use parlance_stores::AnyStore;
use parlance_tests::{PATIENCE, Team};

/// The next item; `None`: the stream has ended.
async fn next<T>(following: &mut Following<T>) -> Option<Result<T, FrontError>> {
    tokio::time::timeout(PATIENCE, following.next()).await.expect("something is told in time")
}

/// The next item, which there must be.
async fn told<T>(following: &mut Following<T>) -> T {
    next(following).await.expect("the stream goes on").expect("an item is told")
}

async fn head(team: &Team<'_>) -> Position {
    team.app.parlance.store.head(team.account).await.expect("the log has a head").position
}

/// Something that every member is told of: what was told before it is all there was.
async fn mark(team: &Team<'_>) -> Position {
    let state =
        team.app.parlance.commands.peek::<parlance_domain::member::Member>(team.account, team.admin.uuid());
    let available = !state.await.expect("the state is known").available;
    team.availability(team.admin, available).await.expect("the availability is set").position()
}

/// All that is told up to a mark that is made now, as one change; rows told again count once, the latest.
async fn up_to_now(team: &Team<'_>, following: &mut Following<InboxChange>) -> InboxChange {
    let mark = mark(team).await;
    let mut all = told(following).await;
    while all.position < mark {
        let more = told(following).await;
        assert!(more.position > all.position, "a position goes back or is told twice");
        all.position = more.position;
        let newer: Vec<_> = more.conversations.iter().map(|view| view.id).collect();
        all.conversations.retain(|view| !newer.contains(&view.id) && !more.gone.contains(&view.id));
        all.conversations.extend(more.conversations);
        all.gone.retain(|id| !newer.contains(id));
        all.gone.extend(more.gone);
        all.channels_gone.extend(more.channels_gone);
        all.channels_to_load.extend(more.channels_to_load);
        all.members.extend(more.members);
        all.channels.extend(more.channels);
    }
    all
}

/// What is told of everything after a position.
async fn since(
    queries: &Queries<AnyStore>,
    team: &Team<'_>,
    member: MemberId,
    after: Position,
) -> InboxChange {
    team.settled().await;
    let mut following = queries.inbox_changes(team.asker(member), Some(after));
    up_to_now(team, &mut following).await
}

fn ids(change: &InboxChange) -> Vec<ConversationId> {
    change.conversations.iter().map(|view| view.id).collect()
}

/// Every channel id that a change holds, by itself or in a row.
fn channels(change: &InboxChange) -> Vec<ChannelId> {
    let listed = change.channels.iter().map(|view| view.id);
    let rows = change.conversations.iter().map(|view| view.channel);
    let ids = change.channels_gone.iter().chain(&change.channels_to_load).copied();
    listed.chain(rows).chain(ids).collect()
}

async fn set(team: &Team<'_>, by: MemberId, channel: ChannelId, visibility: Visibility) {
    let set = Command::Channel(channel, ChannelCommand::SetVisibility { visibility });
    team.by(by, set).await.expect("the visibility is set");
}

async fn hand_over(team: &Team<'_>, by: MemberId, channel: ChannelId, to: MemberId) {
    let hand_over = Command::Channel(channel, ChannelCommand::HandOver { to });
    team.by(by, hand_over).await.expect("the channel is handed over");
}

async fn permit(team: &Team<'_>, member: MemberId, settings_access: bool) {
    let permit = Command::Member(member, MemberCommand::SetPermissions { settings_access });
    team.by(team.admin, permit).await.expect("the permissions are set");
}
