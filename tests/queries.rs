//! What interfaces are answered: sections, threads, settings and tokens, as each member may see them.

mod counts;
mod sections;
mod settings;
mod statements;
mod threads;
mod tokens;

use parlance_app::{
    entropy::Entropy,
    front::{ConversationView, Page, Section},
    queries::Queries,
};
use parlance_domain::{
    Actor, ChannelId, Command, ConversationId, MemberId, Timestamp, conversation::ConversationCommand,
};
use parlance_stores::AnyStore;
use parlance_tests::Team;

type Asking = Queries<AnyStore>;

/// Repeatable throws.
struct Dice(Entropy);

impl Dice {
    fn of(seed: u64) -> Self {
        Self(Entropy::seeded(seed))
    }

    fn below(&self, bound: usize) -> usize {
        let [byte, more] = self.0.bytes();
        usize::from(u16::from_be_bytes([byte, more])) % bound
    }

    fn one_of<'a, T>(&self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }
}

/// A contact writes to a channel at the provider's time `at`.
async fn write(
    team: &Team<'_>,
    channel: ChannelId,
    contact: &str,
    mid: &str,
    at: Timestamp,
) -> ConversationId {
    let conversation = team.ring.ids.conversation(channel, contact);
    let mut incoming = team.incoming(contact, mid, mid);
    incoming.channel = channel;
    incoming.message = team.ring.ids.message(channel, mid);
    incoming.provider_at = Some(at);
    let command = Command::Conversation(conversation, ConversationCommand::Receive(incoming));
    team.app.ask(team.account, Actor::Contact(conversation), command).await.expect("the message is taken");
    conversation
}

/// A whole section as one member sees it.
async fn whole(
    queries: &Asking,
    team: &Team<'_>,
    member: MemberId,
    section: Section,
) -> Vec<ConversationView> {
    let page = queries.conversations(team.asker(member), section, None, None, Page::<()>::ITEMS_MAX).await;
    let page = page.expect("the section is answered");
    assert!(!page.more, "a section of this test is one page");
    page.items
}
