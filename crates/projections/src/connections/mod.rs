//! Connections as settings show them. Their secrets stay sealed.

use parlance_domain::{
    ConnectionId, Event, Sealed, Timestamp,
    connection::{ChannelKind, ConnectionEvent},
};

use crate::{
    Column, FoldError, Folded, Projector, Row, RowReader, Rows, Table, Touch, Value, channels::kind, key,
};

/// One row a connection.
pub static CONNECTIONS: Table = Table {
    id: 9,
    name: "connections",
    key: &[Column::bytes("connection_id")],
    columns: &[
        Column::text("kind"),
        Column::int("added_at"),
        Column::int("rotated_at"),
        Column::bytes("secrets"),
    ],
    counters: false,
};

const ROTATED_AT: usize = 3;
const SECRETS: usize = 4;

/// A connection as settings show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRow {
    pub connection: ConnectionId,
    pub kind: ChannelKind,
    pub added_at: Timestamp,
    pub rotated_at: Option<Timestamp>,
    pub secrets: Option<Sealed>,
}

impl ConnectionRow {
    pub fn from_row(row: &Row) -> Result<Self, FoldError> {
        let mut read = RowReader::new(&CONNECTIONS, row);
        let wrong = FoldError::StoredRow { table: CONNECTIONS.name, column: 1 };
        Ok(Self {
            connection: ConnectionId::new(read.id()?),
            kind: kind(read.text()?).ok_or(wrong)?,
            added_at: Timestamp::from_micros(read.int()?),
            rotated_at: read.maybe_int()?.map(Timestamp::from_micros),
            secrets: read.maybe_sealed()?,
        })
    }
}

/// Folds connections' events into rows.
pub struct ConnectionsProjector;

impl Projector for ConnectionsProjector {
    fn name(&self) -> &'static str {
        "connections"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [&'static Table] {
        const TABLES: &[&Table] = &[&CONNECTIONS];
        TABLES
    }

    fn touches(&self, _rows: &Rows, event: &Folded<'_>) -> Result<Vec<Touch>, FoldError> {
        Ok(match event.event {
            Event::Connection(_) => vec![Touch::new(&CONNECTIONS, key([event.recorded.stream.id.into()]))],
            _ => Vec::new(),
        })
    }

    fn fold(&self, rows: &mut Rows, event: &Folded<'_>) -> Result<(), FoldError> {
        let recorded = event.recorded;
        let Event::Connection(event) = event.event else { return Ok(()) };
        let (id, at): (Value, Value) = (recorded.stream.id.into(), recorded.recorded_at.micros().into());
        let row = match event {
            ConnectionEvent::ConnectionAdded(e) => {
                vec![id, e.kind.code().into(), at, Value::Null, e.secrets.as_sealed().into()]
            }
            ConnectionEvent::SecretsRotated(e) => {
                let Some(mut row) = rows.get(&CONNECTIONS, &[id]).cloned() else {
                    let why = "an event of a connection that was never added";
                    return Err(FoldError::Refused(why.to_owned()));
                };
                row[ROTATED_AT] = at;
                row[SECRETS] = e.secrets.as_sealed().into();
                row
            }
        };
        rows.put(&CONNECTIONS, row);
        Ok(())
    }
}
