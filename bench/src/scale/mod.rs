//! An account of a million conversations and ten million messages on PostgreSQL, among many small ones: the plan of
//! every statement on a request's path, judged, and pages of it timed beside each other. Writes into RESULTS.md.

mod fill;
mod looked;
mod reads;
mod results;
mod sample;
mod timed;
mod told;
mod writes;

use parlance_private_postgres::{Options, Server};
use parlance_store_postgres::{PostgresOptions, PostgresStore};

use self::{looked::Looked, sample::Sample};
use crate::{databases::connect, world::Place};

/// Conversations and messages of a small account; how many of these there are is told.
const SMALL: [usize; 2] = [1_000, 3_000];
/// Of a message, sealed. Less than the 390 that the goals are about: ten million of those take 20 GB with all that
/// belongs to them, and how long a row is changes no plan.
const CONTENT_BYTES: usize = 160;
/// Enough for the upper levels of all indexes and whatever a run reads more than once.
const SETTINGS: [&str; 6] = [
    "shared_buffers = 2GB",
    "max_wal_size = 4GB",
    "maintenance_work_mem = 1GB",
    "work_mem = 256MB",
    "wal_level = minimal",
    "max_wal_senders = 0",
];

/// How large the accounts are.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub conversations: usize,
    pub messages: usize,
    /// Small accounts besides.
    pub others: usize,
}

/// What the goals are about.
pub const WHOLE: Size = Size { conversations: 1_000_000, messages: 10_000_000, others: 200 };

pub fn run(place: &Place, size: Size, url: Option<String>) -> anyhow::Result<()> {
    anyhow::ensure!(
        size.conversations >= 100 && size.messages >= 2 * size.conversations && size.others > 0,
        "a hundred conversations at least, two messages each, and another account"
    );
    let private = || {
        let settings = SETTINGS.map(str::to_owned).to_vec();
        Server::start(&Options { durable: false, tcp: false, settings })
    };
    // It goes with the process.
    let server = if url.is_none() { Some(private()?) } else { None };
    place.runtime()?.block_on(async {
        let url = match (&server, url) {
            (Some(server), None) => {
                connect(&server.url("postgres")).await?.batch_execute("CREATE DATABASE scale").await?;
                server.url("scale")
            }
            (_, url) => url.expect("without a server of its own there is an address"),
        };
        let client = connect(&url).await?;
        fill::fill(&url, &client, place.seed, size).await?;
        let sample =
            async |number| Sample::of(&client, fill::account(&client, place.seed, number).await?).await;
        let (large, small) = (sample(0).await?, sample(1).await?);
        // Timed before anything is written, and by a store whose statements nobody looks at.
        let store = PostgresStore::connect(&url, PostgresOptions::default()).await?;
        let timed = timed::run(&store, &client, &large, &small).await?;
        drop(store);
        told::listen()?;
        let and = if url.contains('?') { '&' } else { '?' };
        let store =
            PostgresStore::connect(&format!("{url}{and}{}", told::OPTIONS), PostgresOptions::default())
                .await?;
        let mut looked = Looked::default();
        reads::ask(&store, &client, &large, &mut looked).await?;
        writes::ask(&store, &client, &large, &mut looked).await?;
        let section = results::section(place, &client, size, &large, &timed, &looked).await?;
        println!("{section}");
        if is_whole(size) {
            results::write(&section)?;
        }
        let missed = timed.iter().filter(|timed| !timed.is_met()).count();
        anyhow::ensure!(looked.broken() == 0, "{} statements do more than they may", looked.broken());
        anyhow::ensure!(missed == 0, "{missed} goals are missed");
        Ok(())
    })
}

const fn is_whole(size: Size) -> bool {
    size.conversations >= WHOLE.conversations && size.messages >= WHOLE.messages
}
