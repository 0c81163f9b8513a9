//! Where every projection of an account stands.

use parlance_domain::{AccountId, Position};
use parlance_projections::PROJECTORS;
use parlance_store::{Checkpoint, EventLog, FIRST_GENERATION, ParkedStream, ReadModels, StoreError};

/// One account's projections.
#[derive(Clone, Debug)]
pub struct AccountStatus {
    pub account: AccountId,
    pub head: Position,
    /// Name, and checkpoint if the projection has begun.
    pub projections: Vec<(&'static str, Option<Checkpoint>)>,
    pub parked: Vec<ParkedStream>,
}

/// Looks at one account.
pub async fn status(
    store: &(impl EventLog + ReadModels),
    account: AccountId,
) -> Result<AccountStatus, StoreError> {
    let head = store.head(account).await?.position;
    let mut projections = Vec::with_capacity(PROJECTORS.len());
    for projector in PROJECTORS {
        let checkpoint = store.checkpoint(account, projector.name(), FIRST_GENERATION).await?;
        projections.push((projector.name(), checkpoint));
    }
    let parked = store.parked_streams(account, FIRST_GENERATION, None).await?;
    Ok(AccountStatus { account, head, projections, parked })
}
