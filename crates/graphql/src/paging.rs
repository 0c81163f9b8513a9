//! Pages of lists, as Relay's connections: what a page is asked with, and the types that hold one.

use async_graphql::SimpleObject;
use parlance_app::front::{Page, Place, ThreadPage, Towards};

use crate::{
    cursor::{self, Key, List},
    errors::{ErrorCode, Wrong},
};

/// How many items a page has that was asked for without a number: a screen's worth.
pub(crate) const ITEMS_DEFAULT: usize = 25;

/// What an item's fields count for in a list that is not paged: as many channels and connections few accounts have.
/// Three such lists within each other are refused.
pub(crate) const LISTED: usize = 25;

/// What a page's fields count for in a query's complexity: as many times as there may be items.
pub(crate) fn items(first: Option<i32>, last: Option<i32>) -> usize {
    let asked = first.or(last).map_or(ITEMS_DEFAULT, |number| usize::try_from(number).unwrap_or(1));
    asked.clamp(1, Page::<()>::ITEMS_MAX)
}

/// Where a page of a list stands.
#[derive(SimpleObject, Clone, Debug, PartialEq)]
pub struct PageInfo {
    /// Whether there are items after this page.
    pub has_next_page: bool,
    /// Whether there are items before this page.
    pub has_previous_page: bool,
    /// The cursor of the page's first item. Null if the page is empty.
    pub start_cursor: Option<String>,
    /// The cursor of the page's last item. Null if the page is empty.
    pub end_cursor: Option<String>,
}

/// A number of items within the bounds.
pub(crate) fn limit(asked: Option<i32>, field: &'static str) -> Result<usize, Wrong> {
    match asked.map(usize::try_from) {
        None => Ok(ITEMS_DEFAULT),
        Some(Ok(number)) if (1..=Page::<()>::ITEMS_MAX).contains(&number) => Ok(number),
        Some(_) => Err(Wrong::in_field(ErrorCode::PageSizeOutOfRange, field)),
    }
}

/// The place that a cursor names, if there is a cursor.
pub(crate) fn place<K: Key>(
    cursor: Option<&str>,
    list: List,
    epoch: u32,
    field: &'static str,
) -> Result<Option<K>, Wrong> {
    cursor
        .map(|text| cursor::read(text, list, epoch))
        .transpose()
        .map_err(|code| Wrong::in_field(code, field))
}

/// Relay's four arguments.
pub(crate) struct Window<'a> {
    pub first: Option<i32>,
    pub after: Option<&'a str>,
    pub last: Option<i32>,
    pub before: Option<&'a str>,
}

impl Window<'_> {
    /// A page of a thread. With no argument at all: the newest messages.
    pub fn of_thread(&self, list: List, epoch: u32) -> Result<ThreadPage, Wrong> {
        let forwards = self.first.is_some() || self.after.is_some();
        let backwards = self.last.is_some() || self.before.is_some();
        if forwards && backwards {
            return Err(Wrong::new(ErrorCode::PageDirectionMixed));
        }
        let (towards, asked, cursor, fields) = if forwards {
            (Towards::Newer, self.first, self.after, ("first", "after"))
        } else {
            (Towards::Older, self.last, self.before, ("last", "before"))
        };
        let from = place::<Place>(cursor, list, epoch, fields.1)?;
        Ok(ThreadPage { towards, from, limit: limit(asked, fields.0)? })
    }
}

/// A page's items with their cursors, and where it stands.
pub(crate) fn page<V, T, K: Key>(
    page: Page<V>,
    towards: Towards,
    began_at_a_cursor: bool,
    list: List,
    epoch: u32,
    key: impl Fn(&V) -> K,
    node: impl Fn(V) -> T,
) -> (Vec<(String, T)>, PageInfo) {
    let more = page.more;
    let edges: Vec<_> =
        page.items.into_iter().map(|view| (cursor::write(list, epoch, &key(&view)), node(view))).collect();
    let (has_next_page, has_previous_page) = match towards {
        Towards::Newer => (more, began_at_a_cursor),
        Towards::Older => (began_at_a_cursor, more),
    };
    let page_info = PageInfo {
        has_next_page,
        has_previous_page,
        start_cursor: edges.first().map(|(cursor, _)| cursor.clone()),
        end_cursor: edges.last().map(|(cursor, _)| cursor.clone()),
    };
    (edges, page_info)
}

/// The two types of a list's pages.
macro_rules! connection {
    ($(#[doc = $about:literal])+ $connection:ident, $edge:ident, $node:ident) => {
        $(#[doc = $about])+
        #[derive(async_graphql::SimpleObject)]
        pub struct $connection {
            /// The items of this page, each with its cursor.
            pub edges: Vec<$edge>,
            /// The items of this page.
            pub nodes: Vec<$node>,
            /// Where this page stands in the whole list.
            pub page_info: $crate::paging::PageInfo,
        }

        /// An item of a list's page, with its place in the list.
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// The item's place in the list, to be given as `after` or `before`. The text is opaque.
            pub cursor: String,
            /// The item.
            pub node: $node,
        }

        impl From<(Vec<(String, $node)>, $crate::paging::PageInfo)> for $connection {
            fn from((edges, page_info): (Vec<(String, $node)>, $crate::paging::PageInfo)) -> Self {
                let nodes = edges.iter().map(|(_, node)| node.clone()).collect();
                let edges = edges.into_iter().map(|(cursor, node)| $edge { cursor, node }).collect();
                Self { edges, nodes, page_info }
            }
        }
    };
}

pub(crate) use connection;

#[cfg(test)]
mod tests {
    use parlance_domain::{AccountId, ConversationId};

    use super::*;

    #[test]
    fn a_page_holds_1_to_100_items_and_25_unless_told() {
        assert_eq!(limit(None, "first"), Ok(25));
        assert_eq!(limit(Some(1), "first"), Ok(1));
        assert_eq!(limit(Some(100), "first"), Ok(100));
        for wrong in [0, -1, 101, i32::MAX, i32::MIN] {
            let refused = Wrong::in_field(ErrorCode::PageSizeOutOfRange, "last");
            assert_eq!(limit(Some(wrong), "last"), Err(refused), "{wrong}");
        }
        assert_eq!([items(None, None), items(Some(-3), None), items(None, Some(900))], [25, 1, 100]);
    }

    #[test]
    fn a_thread_is_read_from_its_newest_message_unless_told() {
        let list = List::Thread(AccountId::default(), ConversationId::default());
        let read = |first, last, before| Window { first, after: None, last, before }.of_thread(list, 1);
        let page = |towards, limit| Ok(ThreadPage { towards, from: None, limit });
        assert_eq!(read(None, None, None), page(Towards::Older, 25));
        assert_eq!(read(None, Some(3), None), page(Towards::Older, 3));
        assert_eq!(read(Some(3), None, None), page(Towards::Newer, 3));
        assert_eq!(read(Some(3), Some(3), None), Err(Wrong::new(ErrorCode::PageDirectionMixed)));
        assert_eq!(read(Some(3), None, Some("x")), Err(Wrong::new(ErrorCode::PageDirectionMixed)));
        assert_eq!(read(None, None, Some("x")), Err(Wrong::in_field(ErrorCode::CursorInvalid, "before")));
    }
}
