//! Cursors: opaque texts that carry a place in a list and which list that is, so that one of another list is
//! refused instead of misread.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parlance_app::front::{Place, Section};
use parlance_domain::{AccountId, ChannelId, ConversationId, MemberId, Position, Timestamp};

use crate::errors::ErrorCode;

/// The first byte, so that another form can follow.
const VERSION: u8 = 1;

/// Which list, in its one order, a cursor belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum List {
    Section(AccountId, Section, Option<ChannelId>),
    Thread(AccountId, ConversationId),
    Members(AccountId),
    DeadLetters(AccountId),
}

impl List {
    /// Different for different lists, whatever their key's length.
    fn tag(self) -> Vec<u8> {
        let parts: (u8, AccountId, u8, [u8; 16]) = match self {
            Self::Section(account, section, channel) => {
                let section = match section {
                    Section::Unassigned => 0,
                    Section::AssignedToMe => 1,
                    Section::AssignedToOthers => 2,
                    Section::Closed => 3,
                };
                let filtered = if channel.is_some() { 8 } else { 0 };
                (1, account, section + filtered, channel.unwrap_or_default().bytes())
            }
            Self::Thread(account, conversation) => (2, account, 0, conversation.bytes()),
            Self::Members(account) => (3, account, 0, [0; 16]),
            Self::DeadLetters(account) => (4, account, 0, [0; 16]),
        };
        let (kind, account, variant, of) = parts;
        [&[kind], &account.bytes()[..], &[variant], &of].concat()
    }
}

/// What a list is ordered by.
pub(crate) trait Key: Sized {
    fn bytes(&self) -> Vec<u8>;
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Key for Place {
    fn bytes(&self) -> Vec<u8> {
        [self.at.micros().to_be_bytes(), self.position.number().to_be_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (at, position) = bytes.split_first_chunk()?;
        Some(Self {
            at: Timestamp::from_micros(i64::from_be_bytes(*at)),
            position: Position::read(position)?,
        })
    }
}

impl Key for Position {
    fn bytes(&self) -> Vec<u8> {
        self.number().to_be_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self::new(u64::from_be_bytes(bytes.try_into().ok()?)))
    }
}

impl Key for MemberId {
    fn bytes(&self) -> Vec<u8> {
        (*self).bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_bytes(bytes.try_into().ok()?))
    }
}

/// A cursor's text.
pub(crate) fn write(list: List, epoch: u32, key: &impl Key) -> String {
    let bytes = [&[VERSION], &epoch.to_be_bytes()[..], &list.tag(), &key.bytes()].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that a cursor of this list names.
pub(crate) fn read<K: Key>(text: &str, list: List, epoch: u32) -> Result<K, ErrorCode> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ErrorCode::CursorInvalid)?;
    let Some((&VERSION, rest)) = bytes.split_first() else { return Err(ErrorCode::CursorInvalid) };
    let (of, rest) = rest.split_first_chunk().ok_or(ErrorCode::CursorInvalid)?;
    if rest.len() < list.tag().len() {
        return Err(ErrorCode::CursorInvalid);
    }
    let key = rest.strip_prefix(&list.tag()[..]).ok_or(ErrorCode::CursorOfAnotherList)?;
    if u32::from_be_bytes(*of) != epoch {
        return Err(ErrorCode::Reload);
    }
    K::read(key).ok_or(ErrorCode::CursorInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_its_place_in_its_own_list_only() {
        let place = Place { at: Timestamp::from_micros(-5), position: Position::new(9) };
        let account = AccountId::from_bytes([1; 16]);
        let of_a_channel = Some(ChannelId::default());
        let lists = [
            List::Section(account, Section::Closed, None),
            List::Section(account, Section::Unassigned, None),
            List::Section(account, Section::Closed, of_a_channel),
            List::Section(AccountId::default(), Section::Closed, None),
            List::Thread(account, ConversationId::default()),
            List::Thread(account, ConversationId::from_bytes([2; 16])),
            List::Members(account),
            List::DeadLetters(account),
        ];
        for written in lists {
            let text = write(written, 2, &place);
            for asked in lists {
                let expected = if asked == written { Ok(place) } else { Err(ErrorCode::CursorOfAnotherList) };
                assert_eq!(read::<Place>(&text, asked, 2), expected, "{written:?} {asked:?}");
            }
            assert_eq!(read::<Place>(&text, written, 3), Err(ErrorCode::Reload));
            assert_eq!(read::<Position>(&text, written, 2), Err(ErrorCode::CursorInvalid), "another key");
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let list = List::Members(AccountId::default());
        for wrong in ["", "x", "AQ", "conv_00000000000000000000000000000007", "****"] {
            assert_eq!(read::<MemberId>(wrong, list, 1), Err(ErrorCode::CursorInvalid), "{wrong}");
        }
    }
}
