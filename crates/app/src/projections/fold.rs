//! One account's projections on their way through the log, page by page. The same code serves live, rebuild
//! and verify; they differ in generation, page size and where they stop.

use std::collections::HashMap;

use parlance_domain::{AccountId, DecodeError, Event, Position, RecordedEvent, StreamRef};
use parlance_projections::{FoldError, Folded, Projector, Rows};
use parlance_store::{
    Checkpoint, EventLog, Fence, Generation, PageWrite, ParkedStream, ReadModels, StoreError,
};

/// Rows kept between pages; beyond it a projection starts with an empty working set again.
const ROWS_KEPT_MAX: usize = 200_000;

/// A projection of an account, in one generation.
struct Running {
    projector: &'static dyn Projector,
    checkpoint: Option<Checkpoint>,
    rows: Rows,
    parked: HashMap<StreamRef, ParkedStream>,
}

impl Running {
    fn position(&self) -> Position {
        self.checkpoint.map_or(Position::START, |checkpoint| checkpoint.position)
    }
}

/// The projections of one account.
pub(super) struct AccountFold {
    account: AccountId,
    generation: Generation,
    /// The fence of the lease that it is folded under; `None`: an operator's command.
    pub fence: Option<Fence>,
    running: Vec<Running>,
    /// The events that follow, read while the page before them was written.
    ahead: Vec<Decoded>,
}

type Decoded = (RecordedEvent, Result<Event, DecodeError>);

impl AccountFold {
    /// Takes up where the checkpoints are.
    pub async fn resume(
        store: &impl ReadModels,
        account: AccountId,
        generation: Generation,
        fence: Option<Fence>,
        projectors: &[&'static dyn Projector],
    ) -> Result<Self, StoreError> {
        let mut running = Vec::with_capacity(projectors.len());
        for projector in projectors.iter().copied() {
            let checkpoint = store.checkpoint(account, projector.name(), generation).await?;
            let parked = store.parked_streams(account, generation, Some(projector.name())).await?;
            let parked = parked.into_iter().map(|parked| (parked.stream, parked)).collect();
            // Rows are written with a checkpoint and never without.
            let rows = match checkpoint {
                Some(_) => Rows::default(),
                None => Rows::of_nothing(projector.tables()),
            };
            running.push(Running { projector, checkpoint, rows, parked });
        }
        Ok(Self { account, generation, fence, running, ahead: Vec::new() })
    }

    /// How far the slowest projection is.
    pub fn position(&self) -> Position {
        self.running.iter().map(Running::position).min().unwrap_or_default()
    }

    /// Folds one page of at most `limit` events, none beyond `until`; `false`: there was nothing to fold.
    /// After an error the account has to be resumed anew.
    pub async fn page(
        &mut self,
        store: &(impl EventLog + ReadModels),
        limit: usize,
        until: Option<Position>,
    ) -> Result<bool, StoreError> {
        let from = self.position();
        let limit = until.map_or(limit, |until| {
            usize::try_from(until.number().saturating_sub(from.number())).unwrap_or(limit).min(limit)
        });
        if limit == 0 {
            return Ok(false);
        }
        let mut page = match std::mem::take(&mut self.ahead) {
            ahead if ahead.is_empty() => read(store, self.account, from, limit).await?,
            ahead => ahead,
        };
        page.truncate(limit);
        let Some(last) = page.last().map(|(recorded, _)| recorded.position) else { return Ok(false) };
        self.load(store, &page).await?;
        let mut writes = Vec::with_capacity(self.running.len());
        for running in &mut self.running {
            if let Some(write) = fold_page(running, self.account, self.generation, &page, last) {
                writes.push(PageWrite { fence: self.fence, ..write });
            }
        }
        let reached: Vec<_> = writes.iter().map(|write| (write.projection, write.to)).collect();
        // A page that is not full ends the log; otherwise more is read while this one is written.
        let more = if page.len() == limit { limit } else { 0 };
        let ahead = async {
            match more {
                0 => Ok(Vec::new()),
                more => read(store, self.account, last, more).await,
            }
        };
        let (written, ahead) = tokio::join!(store.write_pages(writes), ahead);
        written?;
        self.ahead = ahead?;
        for (projection, to) in reached {
            let running = self.running.iter_mut().find(|running| running.projector.name() == projection);
            let running = running.expect("a write comes from a running projection");
            running.checkpoint = Some(to);
            if running.rows.len() > ROWS_KEPT_MAX {
                running.rows = Rows::default();
            }
        }
        Ok(true)
    }

    /// Loads what the folds will look at: what events name, then what those rows name, and so on.
    async fn load(&mut self, store: &impl ReadModels, page: &[Decoded]) -> Result<(), StoreError> {
        for _ in 0..=Rows::ROUNDS_MAX {
            let mut wanted = Vec::new();
            for running in &self.running {
                for (recorded, event) in
                    page.iter().filter(|(recorded, _)| recorded.position > running.position())
                {
                    let Ok(event) = event else { continue };
                    // A fold that cannot say what it touches will fail in the same way when it folds.
                    let touches = running.projector.touches(&running.rows, &Folded { recorded, event });
                    wanted.extend(
                        touches.unwrap_or_default().into_iter().filter(|touch| !running.rows.knows(touch)),
                    );
                }
            }
            wanted.sort_unstable();
            wanted.dedup();
            if wanted.is_empty() {
                return Ok(());
            }
            for (touch, rows) in store.load_rows(self.account, self.generation, wanted).await? {
                for running in &mut self.running {
                    if running.projector.tables().iter().any(|table| table.id == touch.table) {
                        running.rows.insert_loaded(touch, rows);
                        break;
                    }
                }
            }
        }
        // More rounds than any fold is allowed: what it has not seen it would take for absent.
        Err(StoreError::Corrupt(format!(
            "{}: the rows to fold with name further rows without end",
            self.account
        )))
    }
}

async fn read(
    store: &impl EventLog,
    account: AccountId,
    after: Position,
    limit: usize,
) -> Result<Vec<Decoded>, StoreError> {
    let decoded = |recorded: RecordedEvent| {
        let event = recorded.decode();
        (recorded, event)
    };
    Ok(store.read(account, after, limit).await?.into_iter().map(decoded).collect())
}

/// Folds the page for one projection. An event it cannot take parks its stream; everything else goes on.
fn fold_page(
    running: &mut Running,
    account: AccountId,
    generation: Generation,
    page: &[Decoded],
    last: Position,
) -> Option<PageWrite> {
    let start = running.position();
    if last <= start {
        return None;
    }
    let mut taken = running.checkpoint.map_or(0, |checkpoint| checkpoint.taken);
    let mut parked = HashMap::new();
    for (recorded, event) in page.iter().filter(|(recorded, _)| recorded.position > start) {
        taken += 1;
        if let Some(waiting) = running.parked.get_mut(&recorded.stream) {
            waiting.events += 1;
            parked.insert(recorded.stream, waiting.clone());
            continue;
        }
        running.rows.begin();
        let folded = match event {
            Ok(event) => running.projector.fold(&mut running.rows, &Folded { recorded, event }),
            Err(error) => Err(FoldError::Refused(error.to_string())),
        };
        if let Err(error) = folded {
            running.rows.undo();
            let waiting = ParkedStream {
                projection: running.projector.name().to_owned(),
                stream: recorded.stream,
                position: recorded.position,
                events: 1,
                reason: error.to_string(),
            };
            tracing::error!(
                projection = running.projector.name(), %account, stream = %recorded.stream,
                position = %recorded.position, reason = %error,
                "an event cannot be folded; its stream is parked"
            );
            running.parked.insert(recorded.stream, waiting.clone());
            parked.insert(recorded.stream, waiting);
        }
    }
    Some(PageWrite {
        account,
        generation,
        projection: running.projector.name(),
        fence: None,
        from: running.checkpoint,
        to: Checkpoint { position: last, taken, version: running.projector.version() },
        changes: running.rows.take_changes(),
        parked: parked.into_values().collect(),
    })
}
