//! Channels as settings show them: what they are, whose they are, how they fare.

use parlance_domain::{
    ChannelId, ConnectionId, Event, MemberId, Sealed, Timestamp,
    channel::{ChannelEvent, ReopenRule, Visibility},
    connection::ChannelKind,
};

use crate::{Column, FoldError, Folded, Projector, Row, RowReader, Rows, Table, Touch, Value, key};

/// One row a channel, disconnected ones included.
pub static CHANNELS: Table = Table {
    id: 7,
    name: "channels",
    key: &[Column::bytes("channel_id")],
    columns: &[
        Column::text("kind"),
        Column::bytes("connection_id"),
        Column::bytes("installer"),
        Column::text("health"),
        Column::text("visibility"),
        Column::text("reopen_rule"),
        Column::int("retention_days"),
        Column::int("connected_at"),
        Column::bytes("identity"),
    ],
    counters: false,
};

const INSTALLER: usize = 3;
const HEALTH: usize = 4;
const VISIBILITY: usize = 5;
const REOPEN_RULE: usize = 6;
const RETENTION_DAYS: usize = 7;
const IDENTITY: usize = 9;

/// Whether messages come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    Connected,
    Broken,
    Disconnected,
}

/// A channel as settings show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRow {
    pub channel: ChannelId,
    pub kind: ChannelKind,
    pub connection: ConnectionId,
    pub installer: MemberId,
    pub health: Health,
    pub visibility: Visibility,
    pub reopen_rule: ReopenRule,
    /// When it was connected for the first time.
    pub connected_at: Timestamp,
    pub identity: Option<Sealed>,
}

impl ChannelRow {
    pub fn from_row(row: &Row) -> Result<Self, FoldError> {
        let wrong = |column| FoldError::StoredRow { table: CHANNELS.name, column };
        let mut read = RowReader::new(&CHANNELS, row);
        let channel = ChannelId::new(read.id()?);
        let kind = kind(read.text()?).ok_or(wrong(1))?;
        let (connection, installer) = (ConnectionId::new(read.id()?), MemberId::new(read.id()?));
        let health = match read.text()? {
            "connected" => Health::Connected,
            "broken" => Health::Broken,
            "disconnected" => Health::Disconnected,
            _ => return Err(wrong(HEALTH)),
        };
        let visibility = match read.text()? {
            "shared" => Visibility::Shared,
            "private" => Visibility::Private,
            _ => return Err(wrong(VISIBILITY)),
        };
        let reopen_rule = match read.text()? {
            "keep_assignee" => ReopenRule::KeepAssignee,
            "unassign" => ReopenRule::Unassign,
            _ => return Err(wrong(REOPEN_RULE)),
        };
        read.skip(1);
        let connected_at = Timestamp::from_micros(read.int()?);
        let identity = read.maybe_sealed()?;
        Ok(Self {
            channel,
            kind,
            connection,
            installer,
            health,
            visibility,
            reopen_rule,
            connected_at,
            identity,
        })
    }
}

/// Folds channels' events into rows.
pub struct ChannelsProjector;

impl Projector for ChannelsProjector {
    fn name(&self) -> &'static str {
        "channels"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [&'static Table] {
        const TABLES: &[&Table] = &[&CHANNELS];
        TABLES
    }

    fn touches(&self, _rows: &Rows, event: &Folded<'_>) -> Result<Vec<Touch>, FoldError> {
        Ok(match event.event {
            Event::Channel(_) => vec![Touch::new(&CHANNELS, key([event.recorded.stream.id.into()]))],
            _ => Vec::new(),
        })
    }

    fn fold(&self, rows: &mut Rows, event: &Folded<'_>) -> Result<(), FoldError> {
        let recorded = event.recorded;
        let Event::Channel(event) = event.event else { return Ok(()) };
        let id: Value = recorded.stream.id.into();
        if let ChannelEvent::ChannelConnected(e) = event {
            let row: Row = vec![
                id,
                e.kind.code().into(),
                e.connection.uuid().into(),
                e.installer.uuid().into(),
                "connected".into(),
                visibility(e.visibility).into(),
                reopen_rule(e.reopen_rule).into(),
                Value::Null,
                recorded.recorded_at.micros().into(),
                e.identity.as_sealed().into(),
            ];
            rows.put(&CHANNELS, row);
            return Ok(());
        }
        let Some(mut row) = rows.get(&CHANNELS, &[id]).cloned() else {
            return Err(FoldError::Refused("an event of a channel that was never connected".to_owned()));
        };
        match event {
            ChannelEvent::ChannelConnected(_) => {}
            ChannelEvent::ChannelReconnected(e) => {
                row[2] = e.connection.uuid().into();
                row[HEALTH] = "connected".into();
            }
            ChannelEvent::ChannelRenamed(e) => row[IDENTITY] = e.identity.as_sealed().into(),
            ChannelEvent::VisibilityChanged(e) => row[VISIBILITY] = visibility(e.visibility).into(),
            ChannelEvent::ReopenRuleChanged(e) => row[REOPEN_RULE] = reopen_rule(e.rule).into(),
            ChannelEvent::InstallerChanged(e) => row[INSTALLER] = e.installer.uuid().into(),
            ChannelEvent::RetentionChanged(e) => row[RETENTION_DAYS] = e.days.map(i64::from).into(),
            ChannelEvent::ChannelBroken(_) => row[HEALTH] = "broken".into(),
            ChannelEvent::ChannelRestored(_) => row[HEALTH] = "connected".into(),
            ChannelEvent::ChannelDisconnected(_) => row[HEALTH] = "disconnected".into(),
        }
        rows.put(&CHANNELS, row);
        Ok(())
    }
}

fn visibility(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Shared => "shared",
        Visibility::Private => "private",
    }
}

fn reopen_rule(rule: ReopenRule) -> &'static str {
    match rule {
        ReopenRule::KeepAssignee => "keep_assignee",
        ReopenRule::Unassign => "unassign",
    }
}

/// The kind as the `kind` column has it; `None` for one this version does not know.
pub fn kind(code: &str) -> Option<ChannelKind> {
    ChannelKind::ALL.into_iter().find(|kind| kind.code() == code)
}
