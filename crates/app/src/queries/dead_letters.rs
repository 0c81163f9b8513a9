//! Kept deliveries as operators see them, without their content.

use parlance_domain::{AccountId, OperatorId, Position};
use parlance_projections::{FoldError, deliveries::DeliveryRow};
use parlance_store::{FIRST_GENERATION, Store};

use super::{Queries, cut};
use crate::front::{DeadLetterView, FrontError, Page};

impl<S: Store + Clone> Queries<S> {
    /// Kept deliveries of an account, newest first. Any operator may ask; `NotFound`: there is no such account.
    pub async fn dead_letters(
        &self,
        _by: OperatorId,
        account: AccountId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Page<DeadLetterView>, FrontError> {
        self.keyring.account(&self.store, account).await?.ok_or(FrontError::NotFound)?;
        let limit = limit.min(Page::<DeadLetterView>::ITEMS_MAX);
        let mut rows = self.store.deliveries_page(account, FIRST_GENERATION, before, limit + 1).await?;
        let more = cut(&mut rows, limit);
        let view = |row: DeliveryRow| DeadLetterView {
            id: row.delivery,
            account,
            connection: row.connection,
            because: row.because,
            bytes: row.bytes,
            kept_at: row.kept_at,
            expires_at: row.expires_at,
            position: row.position,
            fate: row.fate,
        };
        let items = rows.iter().map(|row| DeliveryRow::from_row(row).map(view));
        Ok(Page { items: items.collect::<Result<_, FoldError>>()?, more })
    }
}
