//! Kept deliveries as operators see them: why and when, how large, what became of them. Never their content.

use parlance_domain::{
    ConnectionId, DeliveryId, Event, Position, Timestamp,
    delivery::{DeliveryEvent, Fate, KeptBecause},
};

use crate::{Column, FoldError, Folded, Projector, Row, RowReader, Rows, Table, Touch, Value, key};

/// One row a delivery that was ever kept.
pub static DELIVERIES: Table = Table {
    id: 10,
    name: "deliveries",
    key: &[Column::bytes("delivery_id")],
    columns: &[
        Column::bytes("connection_id"),
        Column::text("because"),
        Column::int("bytes"),
        Column::int("kept_at"),
        Column::int("expires_at"),
        Column::int("position"),
        Column::text("fate"),
    ],
    counters: false,
};

const FATE: usize = 7;

/// A kept delivery as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    pub delivery: DeliveryId,
    pub connection: ConnectionId,
    pub because: KeptBecause,
    /// Of the raw body.
    pub bytes: u64,
    pub kept_at: Timestamp,
    pub expires_at: Timestamp,
    /// Of the event that kept it: the list's order.
    pub position: Position,
    pub fate: Fate,
}

impl DeliveryRow {
    pub fn from_row(row: &Row) -> Result<Self, FoldError> {
        let mut read = RowReader::new(&DELIVERIES, row);
        let wrong = |column| FoldError::StoredRow { table: DELIVERIES.name, column };
        Ok(Self {
            delivery: DeliveryId::new(read.id()?),
            connection: ConnectionId::new(read.id()?),
            because: match read.text()? {
                "unparsable" => KeptBecause::Unparsable,
                "unknown_kind" => KeptBecause::UnknownKind,
                "unknown_channel" => KeptBecause::UnknownChannel,
                "refused" => KeptBecause::Refused,
                _ => return Err(wrong(2)),
            },
            bytes: read.number()?,
            kept_at: Timestamp::from_micros(read.int()?),
            expires_at: Timestamp::from_micros(read.int()?),
            position: Position::new(read.number()?),
            fate: match read.text()? {
                "kept" => Fate::Kept,
                "replayed" => Fate::Replayed,
                "skipped" => Fate::Skipped,
                _ => return Err(wrong(FATE)),
            },
        })
    }
}

/// Folds deliveries' events into rows.
pub struct DeliveriesProjector;

impl Projector for DeliveriesProjector {
    fn name(&self) -> &'static str {
        "deliveries"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [&'static Table] {
        const TABLES: &[&Table] = &[&DELIVERIES];
        TABLES
    }

    fn touches(&self, _rows: &Rows, event: &Folded<'_>) -> Result<Vec<Touch>, FoldError> {
        Ok(match event.event {
            Event::Delivery(_) => vec![Touch::new(&DELIVERIES, key([event.recorded.stream.id.into()]))],
            _ => Vec::new(),
        })
    }

    fn fold(&self, rows: &mut Rows, event: &Folded<'_>) -> Result<(), FoldError> {
        let recorded = event.recorded;
        let Event::Delivery(event) = event.event else { return Ok(()) };
        let id: Value = recorded.stream.id.into();
        let fate = match event {
            DeliveryEvent::DeliveryKept(e) => {
                let row: Row = vec![
                    id,
                    e.connection.uuid().into(),
                    because(e.because).into(),
                    e.bytes.into(),
                    recorded.recorded_at.micros().into(),
                    e.expires_at.micros().into(),
                    recorded.position.number().into(),
                    "kept".into(),
                ];
                rows.put(&DELIVERIES, row);
                return Ok(());
            }
            DeliveryEvent::DeliveryReplayed(_) => "replayed",
            DeliveryEvent::DeliverySkipped(_) => "skipped",
        };
        let Some(mut row) = rows.get(&DELIVERIES, &[id]).cloned() else {
            return Err(FoldError::Refused("an event of a delivery that was never kept".to_owned()));
        };
        row[FATE] = fate.into();
        rows.put(&DELIVERIES, row);
        Ok(())
    }
}

fn because(because: KeptBecause) -> &'static str {
    match because {
        KeptBecause::Unparsable => "unparsable",
        KeptBecause::UnknownKind => "unknown_kind",
        KeptBecause::UnknownChannel => "unknown_channel",
        KeptBecause::Refused => "refused",
    }
}
