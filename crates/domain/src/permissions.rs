//! Who may do what: SPEC section 3 as one pure table. Decisions ask it with guarded states; queries and
//! subscriptions ask the same table.

use crate::{
    Actor, MemberId, Surroundings,
    channel::{Channel, Visibility},
    member::Member,
};

/// What a member wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// See the account's name, its members, and the channels that exist for the asker.
    SeeAccount,
    /// Connect, reconnect, rename, disconnect a channel; its reopen rule; secrets.
    ManageChannels,
    /// Change a channel's visibility, hand its installation over, set its retention.
    GovernChannel,
    /// See, search, answer, assign, unassign, close, reopen, link, unlink, mark seen.
    UseConversation,
    DeleteConversation,
    /// Create, edit, archive CRM items; read, edit, delete notes.
    UseCrm,
    /// Own availability, notifications, password, sessions, tokens.
    OwnSettings,
    /// Invite, change permissions of, remove members; the account's name, language, time zone.
    ManageAccount,
    /// Timeline, as-of, export, verify; content only with [`Action::UseConversation`] besides.
    ReadAudit,
    EraseContact,
}

impl Action {
    pub const ALL: [Self; 10] = [
        Self::SeeAccount,
        Self::ManageChannels,
        Self::GovernChannel,
        Self::UseConversation,
        Self::DeleteConversation,
        Self::UseCrm,
        Self::OwnSettings,
        Self::ManageAccount,
        Self::ReadAudit,
        Self::EraseContact,
    ];

    /// Whether it is permitted channel by channel.
    pub const fn concerns_channel(self) -> bool {
        matches!(self, Self::GovernChannel | Self::UseConversation | Self::DeleteConversation)
    }
}

/// The table. `channel` is the channel concerned; an action on a channel is refused without one.
pub fn permits(action: Action, id: MemberId, member: &Member, channel: Option<&Channel>) -> bool {
    if !member.is_active() {
        return false;
    }
    let installer = channel.is_some_and(|channel| channel.installer == Some(id));
    match action {
        Action::ManageChannels | Action::ManageAccount | Action::ReadAudit | Action::EraseContact => {
            member.settings_access
        }
        Action::GovernChannel => installer && member.settings_access,
        Action::UseConversation => channel.is_some_and(|channel| has_access(id, member, channel)),
        Action::DeleteConversation => installer,
        Action::SeeAccount | Action::UseCrm | Action::OwnSettings => true,
    }
}

/// Access to a conversation is access to its channel, disconnected ones included.
pub fn has_access(id: MemberId, member: &Member, channel: &Channel) -> bool {
    member.is_active()
        && match channel.visibility {
            _ if channel.installer.is_none() => false,
            Visibility::Shared => true,
            Visibility::Private => channel.installer == Some(id),
        }
}

/// The acting member, if it is one whom the table permits `action`.
pub(crate) fn permitted(
    action: Action,
    by: Actor,
    around: &Surroundings,
    channel: Option<&Channel>,
) -> Option<MemberId> {
    by.member().filter(|id| permits(action, *id, &around.member(*id), channel))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::member::Standing;

    /// The expectations, written by hand: rows are actions, columns the members below.
    ///   0 installer with settings access   1 installer without   2 admin, not installer
    ///   3 plain member                     4 invited             5 removed
    const SHARED: [(Action, [bool; 6]); 10] = [
        (Action::SeeAccount, [true, true, true, true, false, false]),
        (Action::ManageChannels, [true, false, true, false, false, false]),
        (Action::GovernChannel, [true, false, false, false, false, false]),
        (Action::UseConversation, [true, true, true, true, false, false]),
        (Action::DeleteConversation, [true, true, false, false, false, false]),
        (Action::UseCrm, [true, true, true, true, false, false]),
        (Action::OwnSettings, [true, true, true, true, false, false]),
        (Action::ManageAccount, [true, false, true, false, false, false]),
        (Action::ReadAudit, [true, false, true, false, false, false]),
        (Action::EraseContact, [true, false, true, false, false, false]),
    ];

    fn check(visibility: Visibility, use_conversation: [bool; 6]) {
        let member = |n: u128, standing, settings_access| {
            (MemberId::new(Uuid::from_u128(n)), Member { standing, settings_access, ..Member::default() })
        };
        let members = [
            member(1, Standing::Active, true),
            member(1, Standing::Active, false),
            member(2, Standing::Active, true),
            member(3, Standing::Active, false),
            member(1, Standing::Invited, true),
            member(1, Standing::Removed, true),
        ];
        let channel = Channel { installer: Some(members[0].0), visibility, ..Channel::default() };
        assert_eq!(SHARED.map(|(action, _)| action), Action::ALL);
        for (action, expected) in SHARED {
            let expected = if action == Action::UseConversation { use_conversation } else { expected };
            for ((id, member), expected) in members.iter().zip(expected) {
                assert_eq!(permits(action, *id, member, Some(&channel)), expected, "{action:?} {member:?}");
            }
        }
    }

    #[test]
    fn the_table_is_the_specification_for_a_shared_channel() {
        check(Visibility::Shared, [true, true, true, true, false, false]);
    }

    #[test]
    fn a_private_channel_is_its_installers_alone() {
        check(Visibility::Private, [true, true, false, false, false, false]);
    }

    #[test]
    fn without_a_channel_nothing_on_channels_is_permitted() {
        let id = MemberId::new(Uuid::from_u128(1));
        let admin = Member { standing: Standing::Active, settings_access: true, ..Member::default() };
        let concerning = Action::ALL.into_iter().filter(|action| action.concerns_channel());
        let governing = [Action::GovernChannel, Action::UseConversation, Action::DeleteConversation];
        assert!(concerning.eq(governing));
        for action in governing {
            assert!(!permits(action, id, &admin, None));
            assert!(!permits(action, id, &admin, Some(&Channel::default())), "a channel that never was");
        }
    }
}
