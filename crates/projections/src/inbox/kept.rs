//! The rows of kept counts and of access, as queries read them.

use parlance_domain::{ChannelId, MemberId, Position};

use super::{ACCESS, COUNTS, SEEN, State};
use crate::{FoldError, Row, RowReader, Table};

/// What is kept of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub channel: ChannelId,
    pub state: State,
    /// `None`: nobody's.
    pub assignee: Option<MemberId>,
    pub conversations: u64,
    /// Those of them in which a contact ever wrote.
    pub contacted: u64,
}

/// Contacted conversations of a bucket that a member has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub channel: ChannelId,
    pub member: MemberId,
    pub state: State,
    pub assignee: Option<MemberId>,
    pub seen: u64,
}

/// Since when a member has access to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    pub channel: ChannelId,
    pub member: MemberId,
    pub since: Position,
}

impl Kept {
    pub fn from_row(row: &Row) -> Result<Self, FoldError> {
        let mut read = RowReader::new(&COUNTS, row);
        Ok(Self {
            channel: ChannelId::new(read.id()?),
            state: state(&COUNTS, &mut read, 1)?,
            assignee: assignee(&COUNTS, &mut read, 2)?,
            conversations: read.number()?,
            contacted: read.number()?,
        })
    }
}

impl Seen {
    pub fn from_row(row: &Row) -> Result<Self, FoldError> {
        let mut read = RowReader::new(&SEEN, row);
        Ok(Self {
            channel: ChannelId::new(read.id()?),
            member: MemberId::new(read.id()?),
            state: state(&SEEN, &mut read, 2)?,
            assignee: assignee(&SEEN, &mut read, 3)?,
            seen: read.number()?,
        })
    }
}

impl Access {
    pub fn from_row(row: &Row) -> Result<Self, FoldError> {
        let mut read = RowReader::new(&ACCESS, row);
        Ok(Self {
            channel: ChannelId::new(read.id()?),
            member: MemberId::new(read.id()?),
            since: Position::new(read.number()?),
        })
    }
}

fn state(table: &'static Table, read: &mut RowReader<'_>, column: usize) -> Result<State, FoldError> {
    State::parse(read.text()?).ok_or(FoldError::StoredRow { table: table.name, column })
}

fn assignee(
    table: &'static Table,
    read: &mut RowReader<'_>,
    column: usize,
) -> Result<Option<MemberId>, FoldError> {
    match read.bytes()? {
        [] => Ok(None),
        bytes => match <[u8; 16]>::try_from(bytes) {
            Ok(id) => Ok(Some(MemberId::from_bytes(id))),
            Err(_) => Err(FoldError::StoredRow { table: table.name, column }),
        },
    }
}
