//! What screens are read by: pages in the order of places, each in one statement however many buckets or
//! conversations it is gathered from.

use std::future::Future;

use parlance_domain::{AccountId, ChannelId, ConversationId, MemberId, Position, Timestamp};
use parlance_projections::{Row, RowKey, Table, inbox::State};

use crate::{Generation, StoreError};

/// No page holds more rows, whatever is asked: a page of a screen, and one to tell whether there is more.
pub const PAGE_ROWS_MAX: usize = 256;
/// Keys, buckets or conversations that one question may name; more is `Refused`. An account's channels times
/// its members times two states bound the buckets; ten thousand seeks are some tens of milliseconds.
pub const NAMED_MAX: usize = 10_000;

/// A place in an order by time and position: of a section or a thread.
pub type Place = (Timestamp, Position);

/// Conversations that share channel, state and assignee; sections are made of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket {
    pub channel: ChannelId,
    pub state: State,
    /// `None`: nobody's.
    pub assignee: Option<MemberId>,
}

/// Rows of one table that are wanted by their keys, or by the beginnings of these; all keys equally long.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub table: &'static Table,
    pub keys: Vec<RowKey>,
}

/// Which way a thread is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadOrder {
    OldestFirst,
    NewestFirst,
}

/// Pages of the read models. Every answer is of one moment.
pub trait Pages: Send + Sync + 'static {
    /// For each of the wanted, its rows in the order of the keys, one statement each. `Refused` beyond
    /// [`NAMED_MAX`] keys.
    fn find_rows(
        &self,
        account: AccountId,
        generation: Generation,
        wanted: Vec<Wanted>,
    ) -> impl Future<Output = Result<Vec<Vec<Row>>, StoreError>> + Send;

    /// The conversations of these buckets, newest message first, after a place: at most `limit` (and
    /// [`PAGE_ROWS_MAX`]). One statement. `Refused` beyond [`NAMED_MAX`] buckets.
    fn section_page(
        &self,
        account: AccountId,
        generation: Generation,
        buckets: Vec<Bucket>,
        after: Option<Place>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// Rows as [`Self::find_rows`] has them, and the page of the buckets that are chosen by them, as
    /// [`Self::section_page`] has it: all of one moment. Where none is chosen the page is empty.
    fn chosen_section_page(
        &self,
        account: AccountId,
        generation: Generation,
        wanted: Vec<Wanted>,
        choose: impl FnOnce(&[Vec<Row>]) -> Result<Vec<Bucket>, StoreError> + Send + 'static,
        after: Option<Place>,
        limit: usize,
    ) -> impl Future<Output = Result<(Vec<Vec<Row>>, Vec<Row>), StoreError>> + Send;

    /// For each conversation the messages of its thread that are present, beyond a place: at most `limit` (and
    /// [`PAGE_ROWS_MAX`]) each. One statement. `Refused` beyond [`PAGE_ROWS_MAX`] conversations.
    fn thread_pages(
        &self,
        account: AccountId,
        generation: Generation,
        conversations: Vec<ConversationId>,
        order: ThreadOrder,
        beyond: Option<Place>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Vec<Row>>, StoreError>> + Send;

    /// Members who are not removed, in id order after `after`: at most `limit` (and [`PAGE_ROWS_MAX`]).
    fn present_members(
        &self,
        account: AccountId,
        generation: Generation,
        after: Option<MemberId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// Deliveries that were kept before a position, newest first: at most `limit` (and [`PAGE_ROWS_MAX`]).
    fn deliveries_page(
        &self,
        account: AccountId,
        generation: Generation,
        before: Option<Position>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;
}
