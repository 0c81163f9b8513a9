//! Who has access to which channel, and since when: gaining it copies the channel's totals into what the
//! member has seen, losing it takes them away.

use parlance_domain::{
    ChannelId, MemberId, Position,
    channel::{ChannelEvent, Visibility},
    member::MemberEvent,
};

use super::{ACCESS, CHANNELS, COUNTS, MEMBERS, SEEN};
use crate::{FoldError, RowReader, Rows, Touch, Value, key};

#[derive(Clone, Copy)]
struct ChannelRow {
    visibility: Visibility,
    installer: MemberId,
    last_access_since: Position,
}

fn channel_row(rows: &Rows, channel: ChannelId) -> Result<Option<ChannelRow>, FoldError> {
    let Some(stored) = rows.get(&CHANNELS, &[channel.uuid().into()]) else { return Ok(None) };
    let mut read = RowReader::new(&CHANNELS, stored);
    read.skip(1);
    Ok(Some(ChannelRow {
        visibility: match read.text()? {
            "shared" => Visibility::Shared,
            "private" => Visibility::Private,
            _ => return Err(FoldError::StoredRow { table: CHANNELS.name, column: 1 }),
        },
        installer: MemberId::new(read.id()?),
        last_access_since: Position::new(read.number()?),
    }))
}

fn put_channel(rows: &mut Rows, channel: ChannelId, row: ChannelRow) {
    let visibility = match row.visibility {
        Visibility::Shared => "shared",
        Visibility::Private => "private",
    };
    let values: [Value; 4] = [
        channel.uuid().into(),
        visibility.into(),
        row.installer.uuid().into(),
        row.last_access_since.number().into(),
    ];
    rows.put(&CHANNELS, values.into());
}

/// The newest gaining of access to the channel by anybody.
pub(super) fn last_gained(rows: &Rows, channel: ChannelId) -> Result<Position, FoldError> {
    Ok(channel_row(rows, channel)?.map_or(Position::START, |row| row.last_access_since))
}

/// Since when the member has access; `None`: has none.
pub(super) fn since(
    rows: &Rows,
    channel: ChannelId,
    member: MemberId,
) -> Result<Option<Position>, FoldError> {
    let Some(stored) = rows.get(&ACCESS, &[channel.uuid().into(), member.uuid().into()]) else {
        return Ok(None);
    };
    let mut read = RowReader::new(&ACCESS, stored);
    read.skip(2);
    Ok(Some(Position::new(read.number()?)))
}

fn ids(rows: &Rows, table: &'static crate::Table) -> Result<Vec<uuid::Uuid>, FoldError> {
    rows.scan(table, &[]).iter().map(|stored| RowReader::new(table, stored).id()).collect()
}

pub(super) fn member_touches(
    rows: &Rows,
    member: MemberId,
    event: &MemberEvent,
) -> Result<Vec<Touch>, FoldError> {
    if !matches!(event, MemberEvent::MemberJoined(_) | MemberEvent::MemberRemoved(_)) {
        return Ok(Vec::new());
    }
    let mut touches =
        vec![Touch::new(&MEMBERS, key([member.uuid().into()])), Touch::new(&CHANNELS, Vec::new())];
    for channel in ids(rows, &CHANNELS)? {
        touches.push(Touch::new(&ACCESS, key([channel.into(), member.uuid().into()])));
        touches.push(Touch::new(&COUNTS, key([channel.into()])));
        touches.push(Touch::new(&SEEN, key([channel.into(), member.uuid().into()])));
    }
    Ok(touches)
}

pub(super) fn channel_touches(channel: ChannelId, event: &ChannelEvent) -> Vec<Touch> {
    let channel = || key([channel.uuid().into()]);
    match event {
        ChannelEvent::ChannelConnected(_)
        | ChannelEvent::VisibilityChanged(_)
        | ChannelEvent::InstallerChanged(_) => vec![
            Touch::new(&CHANNELS, channel()),
            Touch::new(&MEMBERS, Vec::new()),
            Touch::new(&ACCESS, channel()),
            Touch::new(&COUNTS, channel()),
            Touch::new(&SEEN, channel()),
        ],
        _ => Vec::new(),
    }
}

pub(super) fn fold_member(
    rows: &mut Rows,
    member: MemberId,
    event: &MemberEvent,
    position: Position,
) -> Result<(), FoldError> {
    let active = match event {
        MemberEvent::MemberJoined(_) => true,
        MemberEvent::MemberRemoved(_) => false,
        _ => return Ok(()),
    };
    if active {
        rows.put(&MEMBERS, vec![member.uuid().into(), position.number().into()]);
    } else {
        rows.remove(&MEMBERS, &[member.uuid().into()]);
    }
    for channel in ids(rows, &CHANNELS)?.into_iter().map(ChannelId::new) {
        let Some(row) = channel_row(rows, channel)? else { continue };
        let wanted = active && (row.visibility == Visibility::Shared || row.installer == member);
        set_access(rows, channel, member, wanted, position)?;
    }
    Ok(())
}

pub(super) fn fold_channel(
    rows: &mut Rows,
    channel: ChannelId,
    event: &ChannelEvent,
    position: Position,
) -> Result<(), FoldError> {
    let row = match (event, channel_row(rows, channel)?) {
        (ChannelEvent::ChannelConnected(e), _) => ChannelRow {
            visibility: e.visibility,
            installer: e.installer,
            last_access_since: Position::START,
        },
        (ChannelEvent::VisibilityChanged(e), Some(row)) => ChannelRow { visibility: e.visibility, ..row },
        (ChannelEvent::InstallerChanged(e), Some(row)) => ChannelRow { installer: e.installer, ..row },
        _ => return Ok(()),
    };
    put_channel(rows, channel, row);
    for member in ids(rows, &MEMBERS)?.into_iter().map(MemberId::new) {
        let wanted = row.visibility == Visibility::Shared || row.installer == member;
        set_access(rows, channel, member, wanted, position)?;
    }
    Ok(())
}

/// Gives or takes access where that changes anything.
fn set_access(
    rows: &mut Rows,
    channel: ChannelId,
    member: MemberId,
    wanted: bool,
    position: Position,
) -> Result<(), FoldError> {
    let has = since(rows, channel, member)?.is_some();
    if wanted && !has {
        rows.put(&ACCESS, vec![channel.uuid().into(), member.uuid().into(), position.number().into()]);
        if let Some(row) = channel_row(rows, channel)? {
            put_channel(rows, channel, ChannelRow { last_access_since: position, ..row });
        }
        for stored in rows.scan(&COUNTS, &[channel.uuid().into()]) {
            let mut read = RowReader::new(&COUNTS, &stored);
            let (_, state, assignee) = (read.id()?, read.text()?, read.bytes()?.to_vec());
            let (_, contacted) = (read.int()?, read.int()?);
            let seen_key = key([channel.uuid().into(), member.uuid().into(), state.into(), assignee.into()]);
            rows.add(&SEEN, seen_key, &[contacted]);
        }
    } else if !wanted && has {
        rows.remove(&ACCESS, &[channel.uuid().into(), member.uuid().into()]);
        for stored in rows.scan(&SEEN, &[channel.uuid().into(), member.uuid().into()]) {
            let seen_key = stored[..SEEN.key.len()].to_vec();
            let mut read = RowReader::new(&SEEN, &stored);
            read.skip(SEEN.key.len());
            rows.add(&SEEN, seen_key, &[-read.int()?]);
        }
    }
    Ok(())
}
