//! What is asked for: some of everything that the accounts hold.

use parlance_domain::{AccountId, ChannelId, ConversationId, MemberId, Position, Timestamp};
use parlance_projections::inbox::State;
use parlance_store::{Bucket, Place, TokenHash};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

/// Conversations of a page.
pub const ITEMS: usize = 25;
/// The page that is far from the first.
pub const FAR: usize = 1_000;

/// Some of what an account holds.
pub struct Sample {
    pub account: AccountId,
    /// All buckets that hold anything, the largest first, and how much they hold.
    pub buckets: Vec<(Bucket, usize)>,
    pub channels: Vec<ChannelId>,
    /// Whoever holds most.
    pub busy: MemberId,
    pub busy_holds: usize,
    pub conversations: Vec<ConversationId>,
    /// The longest of all, how many messages it has, and where its far page begins.
    pub long: ConversationId,
    pub long_far: Option<Place>,
    pub tokens: Vec<TokenHash>,
    pub position: Position,
}

fn id(row: &Row, column: usize) -> Uuid {
    let bytes: &[u8] = row.get(column);
    Uuid::from_slice(bytes).expect("ids are 16 bytes long")
}

fn place(row: &Row) -> Place {
    let position = u64::try_from(row.get::<_, i64>(1)).expect("positions are above zero");
    (Timestamp::from_micros(row.get(0)), Position::new(position))
}

impl Sample {
    pub async fn of(client: &Client, account: AccountId) -> anyhow::Result<Self> {
        let of = account.uuid();
        let ask = async |text: &str| client.query(text, &[&of]).await;
        let buckets =
            ask("SELECT channel_id, assignee, state, conversations FROM inbox_counts WHERE account_id = $1
             ORDER BY conversations DESC")
            .await?;
        let bucket = |row: &Row| {
            let bytes: &[u8] = row.get(1);
            let bucket = Bucket {
                channel: ChannelId::new(id(row, 0)),
                state: State::parse(row.get(2)).expect("there are two states"),
                assignee: (!bytes.is_empty()).then(|| MemberId::new(id(row, 1))),
            };
            (bucket, usize::try_from(row.get::<_, i64>(3)).unwrap_or(0))
        };
        let busy = ask(
            "SELECT assignee, count(*) FROM inbox_conversations WHERE account_id = $1 AND assignee IS NOT NULL
             GROUP BY assignee ORDER BY count(*) DESC LIMIT 1",
        )
        .await?;
        let long = ask(
            "SELECT conversation_id FROM inbox_conversations WHERE account_id = $1 ORDER BY messages DESC LIMIT 1",
        )
        .await?;
        let long = id(&long[0], 0);
        let far = client
            .query(
                "SELECT at, position FROM thread_messages
                 WHERE account_id = $1 AND generation = 1 AND conversation_id = $2 AND present = 1
                 ORDER BY at, position OFFSET $3 LIMIT 1",
                &[&of, &long.as_bytes().as_slice(), &i64::try_from((FAR - 1) * ITEMS - 1)?],
            )
            .await?;
        let conversations =
            ask("SELECT conversation_id FROM inbox_conversations WHERE account_id = $1 AND messages < 100 LIMIT 100")
                .await?;
        let channels = ask("SELECT channel_id FROM inbox_channels WHERE account_id = $1").await?;
        let tokens = ask("SELECT token_hash FROM tokens WHERE account_id = $1 LIMIT 100").await?;
        let hash = |row: &Row| row.get::<_, &[u8]>(0).try_into().map(TokenHash);
        let head = ask("SELECT last_position FROM log_heads WHERE account_id = $1").await?;
        Ok(Self {
            account,
            buckets: buckets.iter().map(bucket).collect(),
            channels: channels.iter().map(|row| ChannelId::new(id(row, 0))).collect(),
            busy: MemberId::new(id(&busy[0], 0)),
            busy_holds: usize::try_from(busy[0].get::<_, i64>(1))?,
            conversations: conversations.iter().map(|row| ConversationId::new(id(row, 0))).collect(),
            long: ConversationId::new(long),
            long_far: far.first().map(place),
            tokens: tokens.iter().map(hash).collect::<Result<_, _>>()?,
            position: Position::new(u64::try_from(head[0].get::<_, i64>(0))?),
        })
    }

    /// The buckets that make up a section.
    pub fn section(&self, is_in: impl Fn(&Bucket) -> bool) -> Vec<Bucket> {
        self.buckets.iter().map(|(bucket, _)| *bucket).filter(|bucket| is_in(bucket)).collect()
    }

    pub fn unassigned(&self) -> Vec<Bucket> {
        self.section(|bucket| bucket.state == State::Open && bucket.assignee.is_none())
    }
}

/// Where the far page of a section begins, found by walking everything before it; `None`: it is not that long.
pub async fn far(client: &Client, account: AccountId, buckets: &[Bucket]) -> anyhow::Result<Option<Place>> {
    let bytes = |id: Uuid| id.as_bytes().to_vec();
    let channels: Vec<_> = buckets.iter().map(|bucket| bytes(bucket.channel.uuid())).collect();
    let states: Vec<_> = buckets.iter().map(|bucket| bucket.state.as_str()).collect();
    let assignees: Vec<_> = buckets
        .iter()
        .map(|bucket| bucket.assignee.map(|member| bytes(member.uuid())).unwrap_or_default())
        .collect();
    let before = i64::try_from((FAR - 1) * ITEMS - 1)?;
    let found = client
        .query(
            "SELECT c.last_message_at, c.last_message_position FROM inbox_conversations c
             JOIN unnest($2::bytea[], $3::text[], $4::bytea[]) AS b(channel, state, assignee)
               ON c.channel_id = b.channel AND c.state = b.state AND coalesce(c.assignee, '') = b.assignee
             WHERE c.account_id = $1
             ORDER BY c.last_message_at DESC, c.last_message_position DESC OFFSET $5 LIMIT 1",
            &[&account.uuid(), &channels, &states, &assignees, &before],
        )
        .await?;
    Ok(found.first().map(place))
}
