//! The inbox over GraphQL: a section's page of 25 conversations with 10 fields each, contents opened, of a
//! large inbox and a small one, by turns with the same schema answering from memory.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use parlance_domain::{Command, conversation::ConversationCommand};
use parlance_store::EventLog as _;
use serde_json::{Value, json};

use crate::{
    http::{CONNECTIONS, Office, ask_all, asking},
    measure::{median, millis, per_second, percentile, rate, ratio},
    report::Report,
    served::{Kind, Served},
    wire::{Wire, graphql},
    world::{Place, World, profile},
};

const SMALL: usize = 1_000;
const FEW: usize = 4;
/// Of a turn's pages so many are asked for at few connections, besides.
const FEW_OF: usize = 4;
/// Asked before the clock starts: caches fill, and connections are made.
const WARM_UP: usize = 200;
const ITEMS: usize = 25;
/// The page that is far from the first, where there are as many.
const FAR: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(300);

const QUERY: &str = "query($after: String, $first: Int) {
    conversations(section: UNASSIGNED, first: $first, after: $after) {
        nodes {
            id
            contact { name }
            channel { name }
            lastMessage { text }
            lastMessageAt
            messageCount
            unread
            section
            replyWindowEndsAt
            changedAt
        }
        pageInfo { endCursor hasNextPage }
    }
}";

fn request(token: &str, after: Option<&str>, first: usize) -> Vec<u8> {
    graphql(token, QUERY, &json!({ "after": after, "first": first }))
}

/// An inbox of so many conversations, closed.
fn fill(place: &Place, conversations: usize) -> anyhow::Result<Office> {
    place.runtime()?.block_on(async {
        let mut world = World::create(place, 1).await?;
        world.parlance.start();
        let mut messages = world.messages(conversations, conversations);
        for (contact, ask) in messages.iter_mut().enumerate() {
            if let [Command::Conversation(_, ConversationCommand::Receive(incoming))] = &mut ask.commands[..]
            {
                incoming.profile = Some(profile(contact));
            }
        }
        world.run(messages, CONNECTIONS).await?;
        let account = world.accounts[0].id;
        let head = world.parlance.store.head(account).await?;
        world.parlance.visible(account, head.position, PATIENCE).await?;
        let token = world.token(&world.accounts[0], world.accounts[0].admin).await?;
        let (home, accounts) = world.closed().await?;
        // An inbox that has been there for a while.
        home.tidy()?;
        Ok(Office { home, accounts, token })
    })
}

/// A server that is asked for pages.
struct Side {
    served: Served,
    request: Vec<u8>,
    few: Vec<Duration>,
    rates: Vec<f64>,
    /// Of a page at many connections.
    worked: Vec<Duration>,
    bytes: usize,
}

impl Side {
    async fn start(kind: Kind, office: &Office) -> anyhow::Result<Self> {
        let served = Served::start(kind, &office.home)?;
        let request = request(&office.token, None, ITEMS);
        let mut wire = Wire::connect(served.address).await?;
        wire.ask_well(&request).await?;
        let answer: Value = serde_json::from_slice(wire.body())?;
        let nodes = answer["data"]["conversations"]["nodes"].as_array().context("a page")?;
        anyhow::ensure!(nodes.len() == ITEMS, "{} conversations on the page", nodes.len());
        let whole = nodes.iter().all(|node| {
            node["contact"]["name"].is_string()
                && node["channel"]["name"].is_string()
                && node["lastMessage"]["text"].is_string()
        });
        anyhow::ensure!(whole && answer["errors"].is_null(), "a page with gaps: {}", nodes[0]);
        let bytes = wire.body().len();
        Ok(Self { served, request, few: Vec::new(), rates: Vec::new(), worked: Vec::new(), bytes })
    }

    async fn turn(&mut self, pages: usize) -> anyhow::Result<()> {
        let ask = |count| ask_all(&self.served, vec![self.request.clone(); count], FEW);
        ask(WARM_UP.min(pages)).await?;
        let few = ask(pages / FEW_OF).await?;
        self.few.extend(few);
        let (begin, worked) = (Instant::now(), self.served.worked()?);
        ask_all(&self.served, vec![self.request.clone(); pages], CONNECTIONS).await?;
        self.rates.push(rate(pages, begin.elapsed()));
        self.worked.push((self.served.worked()? - worked) / u32::try_from(pages)?);
        Ok(())
    }

    /// The request for a page far from the first.
    async fn far(&self, office: &Office, page: usize) -> anyhow::Result<Vec<u8>> {
        let mut wire = Wire::connect(self.served.address).await?;
        let (mut after, mut before) = (None::<String>, (page - 1) * ITEMS);
        while before > 0 {
            let first = before.min(100);
            wire.ask_well(&request(&office.token, after.as_deref(), first)).await?;
            let answer: Value = serde_json::from_slice(wire.body())?;
            let info = &answer["data"]["conversations"]["pageInfo"];
            anyhow::ensure!(info["hasNextPage"] == true, "the inbox ends before page {page}: {answer}");
            after = info["endCursor"].as_str().map(str::to_owned);
            before -= first;
        }
        Ok(request(&office.token, after.as_deref(), ITEMS))
    }
}

pub fn run(
    place: &Place,
    report: &mut Report,
    rounds: usize,
    large: usize,
    pages: usize,
) -> anyhow::Result<()> {
    let (small_office, large_office) = (fill(place, SMALL)?, fill(place, large)?);
    asking()?.block_on(async {
        let mut sides = [
            Side::start(Kind::FromMemory, &small_office).await?,
            Side::start(Kind::Whole, &small_office).await?,
            Side::start(Kind::Whole, &large_office).await?,
        ];
        for _ in 0..rounds {
            for side in &mut sides {
                side.turn(pages).await?;
            }
        }
        report.head(&[
            "conversations",
            "bytes",
            "4 connections p50",
            "p99",
            "64 connections",
            "CPU a page",
            "of memory",
            "of small",
            "goals",
        ]);
        let of = |one: &Side, other: &Side| {
            median(one.rates.iter().zip(&other.rates).map(|(one, other)| one / other).collect())
        };
        let names = ["from memory".to_owned(), SMALL.to_string(), large.to_string()];
        // The small inbox's rate as a multiple of each: how many times as long each takes.
        let ratios: Vec<_> = sides.iter().map(|side| (of(side, &sides[0]), of(&sides[1], side))).collect();
        for (number, ((side, name), (memory, small))) in sides.iter_mut().zip(names).zip(ratios).enumerate() {
            let p99 = percentile(&mut side.few, 99);
            let mut goals = Vec::new();
            if number > 0 {
                goals.push(report.at_least("of memory", report.goals.of_memory, memory));
                goals.push(report.at_most_ms("p99", report.goals.page_ms, p99));
            }
            if number > 1 {
                goals.push(report.at_most("of small", report.goals.of_few, " ×", small));
            }
            report.row([
                name,
                side.bytes.to_string(),
                millis(percentile(&mut side.few, 50)),
                millis(p99),
                per_second(median(side.rates.clone())),
                millis(percentile(&mut side.worked, 50)),
                ratio(memory),
                ratio(small),
                goals.join("; "),
            ]);
        }
        report.line("");
        far(report, &sides[2], &large_office, rounds, (large / ITEMS).min(FAR), pages).await
    })
}

/// A page far from the first beside the first, by turns.
async fn far(
    report: &mut Report,
    side: &Side,
    office: &Office,
    rounds: usize,
    page: usize,
    pages: usize,
) -> anyhow::Result<()> {
    let far = side.far(office, page).await?;
    let (mut first_times, mut far_times) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (request, times) in [(&side.request, &mut first_times), (&far, &mut far_times)] {
            ask_all(&side.served, vec![request.clone(); WARM_UP.min(pages)], FEW).await?;
            times.extend(ask_all(&side.served, vec![request.clone(); pages / FEW_OF], FEW).await?);
        }
    }
    report.head(&["page", "p50", "p99"]);
    for (name, times) in [("1".to_owned(), &mut first_times), (page.to_string(), &mut far_times)] {
        report.row([name, millis(percentile(times, 50)), millis(percentile(times, 99))]);
    }
    let of = percentile(&mut far_times, 50).as_secs_f64() / percentile(&mut first_times, 50).as_secs_f64();
    let goal = report.at_most(&format!("{of:.2}"), report.goals.of_few, " ×", of);
    report.line(&format!("\nPage {page} beside page 1: {goal}."));
    Ok(())
}
