//! Members as the assign list and the settings show them.

use parlance_domain::{Event, MemberId, Sealed, member::MemberEvent};

use crate::{Column, FoldError, Folded, Projector, Row, RowReader, Rows, Table, Touch, Value, key};

/// One row a member, removed ones included: the past names them.
pub static MEMBERS: Table = Table {
    id: 8,
    name: "members",
    key: &[Column::bytes("member_id")],
    columns: &[
        Column::text("standing"),
        Column::int("settings_access"),
        Column::int("available"),
        Column::int("joined_at"),
        Column::bytes("profile"),
    ],
    counters: false,
};

const STANDING: usize = 1;
const SETTINGS_ACCESS: usize = 2;
const AVAILABLE: usize = 3;
const JOINED_AT: usize = 4;
const PROFILE: usize = 5;

/// A member as lists show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    pub member: MemberId,
    /// `invited`, `active` or `removed`.
    pub standing: String,
    pub settings_access: bool,
    pub available: bool,
    pub profile: Option<Sealed>,
}

impl MemberRow {
    pub fn from_row(row: &Row) -> Result<Self, FoldError> {
        let mut read = RowReader::new(&MEMBERS, row);
        let (member, standing) = (MemberId::new(read.id()?), read.text()?.to_owned());
        let (settings_access, available) = (read.int()? != 0, read.int()? != 0);
        read.skip(1);
        Ok(Self { member, standing, settings_access, available, profile: read.maybe_sealed()? })
    }
}

/// Folds members' events into rows.
pub struct MembersProjector;

impl Projector for MembersProjector {
    fn name(&self) -> &'static str {
        "members"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [&'static Table] {
        const TABLES: &[&Table] = &[&MEMBERS];
        TABLES
    }

    fn touches(&self, _rows: &Rows, event: &Folded<'_>) -> Result<Vec<Touch>, FoldError> {
        Ok(match event.event {
            Event::Member(_) => vec![Touch::new(&MEMBERS, key([event.recorded.stream.id.into()]))],
            _ => Vec::new(),
        })
    }

    fn fold(&self, rows: &mut Rows, event: &Folded<'_>) -> Result<(), FoldError> {
        let recorded = event.recorded;
        let Event::Member(event) = event.event else { return Ok(()) };
        let id: Value = recorded.stream.id.into();
        let mut row = match (event, rows.get(&MEMBERS, std::slice::from_ref(&id))) {
            (_, Some(row)) => row.clone(),
            (MemberEvent::MemberInvited(_), None) => {
                vec![id, "invited".into(), false.into(), false.into(), Value::Null, Value::Null]
            }
            (_, None) => {
                return Err(FoldError::Refused("an event of a member who was never invited".to_owned()));
            }
        };
        match event {
            MemberEvent::MemberInvited(e) => {
                row[STANDING] = "invited".into();
                row[SETTINGS_ACCESS] = e.settings_access.into();
                row[PROFILE] = e.profile.as_sealed().into();
            }
            MemberEvent::MemberJoined(_) => {
                row[STANDING] = "active".into();
                row[AVAILABLE] = true.into();
                row[JOINED_AT] = recorded.recorded_at.micros().into();
            }
            MemberEvent::MemberProfileChanged(e) => row[PROFILE] = e.profile.as_sealed().into(),
            MemberEvent::PermissionsChanged(e) => row[SETTINGS_ACCESS] = e.settings_access.into(),
            MemberEvent::AvailabilityChanged(e) => row[AVAILABLE] = e.available.into(),
            MemberEvent::MemberRemoved(_) => {
                row[STANDING] = "removed".into();
                row[SETTINGS_ACCESS] = false.into();
                row[AVAILABLE] = false.into();
            }
            MemberEvent::InstallationGained(_) | MemberEvent::InstallationLost(_) => {}
        }
        rows.put(&MEMBERS, row);
        Ok(())
    }
}
