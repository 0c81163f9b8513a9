//! The [`Front`] over a store: questions go to the queries, wishes become commands.

use std::sync::Arc;

use futures_util::FutureExt as _;
use parlance_domain::{
    AccountId, Actor, ChannelId, Command, CommandId, ConnectionId, ConversationId, CorrelationId, Email,
    MemberId, MessageId, Name, OperatorId, Position, Refusal,
    connection::ChannelKind,
    member::{Member, MemberCommand},
    permissions::{Action, permits},
    reading::{ReadingCommand, ReadingError},
};
use parlance_store::{Store, StoreError};

use super::{
    AccountView, Answer, Asker, ChannelView, ConnectChannel, ConnectionView, ConversationChange,
    ConversationView, DeadLetterView, Done, Following, Front, FrontError, InboxChange, Invitation,
    MemberView, MessageView, Page, Place, Section, SectionView, ThreadPage, connecting::Connecting,
};
use crate::{
    Parlance,
    clock::Clock,
    command::{Ask, CommandError, CommandPath, Receipt},
    entropy::Entropy,
    ingestion::Providers,
    keys::Keyring,
    queries::{Queries, QuerySettings},
    sign_in::SignIn,
    tokens,
};

/// What a desk needs to know besides its Parlance.
pub struct DeskSettings {
    pub providers: Providers,
    /// Where the world reaches this server, without a slash at its end.
    pub public_url: String,
    pub closed_kinds: Vec<ChannelKind>,
}

/// Answers what interfaces ask.
pub struct Desk<S> {
    pub(super) store: S,
    pub(super) keyring: Arc<Keyring>,
    pub(super) commands: CommandPath<S>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Entropy,
    pub(super) queries: Queries<S>,
    pub(super) sign_in: SignIn<S>,
    pub(super) providers: Providers,
    pub(super) closed_kinds: Vec<ChannelKind>,
}

impl<S: Store + Clone> Desk<S> {
    pub fn new(parlance: &Parlance<S>, settings: DeskSettings) -> Self {
        let DeskSettings { providers, public_url, closed_kinds } = settings;
        Self {
            store: parlance.store.clone(),
            keyring: Arc::clone(&parlance.keyring),
            commands: parlance.commands.clone(),
            clock: Arc::clone(&parlance.clock),
            entropy: parlance.entropy.clone(),
            sign_in: parlance.sign_in.clone(),
            queries: Queries::new(
                parlance,
                QuerySettings {
                    public_address: public_url,
                    address_fragments: ChannelKind::ALL
                        .map(|kind| (kind, providers.of(kind).address_fragment().to_owned()))
                        .to_vec(),
                    closed_kinds: closed_kinds.clone(),
                },
            ),
            providers,
            closed_kinds,
        }
    }

    pub(super) fn ask(&self, account: AccountId, by: Actor, commands: Vec<Command>) -> Ask {
        let now = self.clock.now();
        Ask {
            account,
            id: CommandId::new(self.entropy.id(now)),
            correlation: CorrelationId::new(self.entropy.id(now)),
            by,
            commands,
            create_account: None,
        }
    }

    pub(super) async fn one(&self, by: Asker, command: Command) -> Result<Receipt, CommandError> {
        self.commands.submit(self.ask(by.account, Actor::Member(by.member), vec![command])).await
    }

    pub(super) async fn member(
        &self,
        account: AccountId,
        member: MemberId,
    ) -> Result<Arc<Member>, StoreError> {
        self.commands.peek::<Member>(account, member.uuid()).await
    }

    pub(super) async fn judge(&self, by: Asker, action: Action) -> Result<(), FrontError> {
        let member = self.member(by.account, by.member).await?;
        let elsewhere = action.concerns_channel() && member.is_active();
        match elsewhere || permits(action, by.member, &member, None) {
            true => Ok(()),
            false if member.is_active() => Err(FrontError::NotPermitted),
            false => Err(FrontError::NotFound),
        }
    }

    async fn invite(
        &self,
        by: Asker,
        email: Email,
        name: Name,
        settings_access: bool,
    ) -> Result<Done<Invitation>, FrontError> {
        let ring = self.keyring.account(&self.store, by.account).await?.ok_or(FrontError::NotFound)?;
        let member = ring.ids.member(&email);
        let invite = MemberCommand::Invite { account: by.account, email, name, settings_access };
        // Whoever is invited already is invited as they are wanted now, with a new token.
        let position = self.one(by, Command::Member(member, invite)).await?.position();
        let now = self.clock.now();
        let (token, expires_at) =
            tokens::issue_invitation(&self.store, &self.entropy, by.account, member, now).await?;
        Ok(Done { value: Invitation { member, token, expires_at }, position })
    }

    async fn seen(
        &self,
        by: Asker,
        conversation: ConversationId,
        up_to: Position,
    ) -> Result<Receipt, FrontError> {
        let ring = self.keyring.account(&self.store, by.account).await?.ok_or(FrontError::NotFound)?;
        let state = self
            .commands
            .peek::<parlance_domain::conversation::Conversation>(by.account, conversation.uuid())
            .await?;
        let not_found = || CommandError::Refused(Refusal::Reading(ReadingError::NotFound));
        let channel = state.channel.ok_or_else(not_found)?;
        let mark = ReadingCommand::MarkSeen { conversation, channel, up_to };
        Ok(self.one(by, Command::Reading(ring.ids.reading(by.member, conversation), mark)).await?)
    }
}

impl<S: Store + Clone> Front for Desk<S> {
    fn permitted(&self, by: Asker, action: Action) -> Answer<'_, ()> {
        self.judge(by, action).boxed()
    }

    fn epoch(&self, account: AccountId) -> Answer<'_, u32> {
        self.queries.epoch(account).boxed()
    }

    fn shown(&self, account: AccountId, position: Position) -> Answer<'_, ()> {
        self.queries.shown(account, position).boxed()
    }

    fn account(&self, by: Asker) -> Answer<'_, AccountView> {
        self.queries.account(by).boxed()
    }

    fn sections(&self, by: Asker, channel: Option<ChannelId>) -> Answer<'_, Vec<SectionView>> {
        self.queries.sections(by, channel).boxed()
    }

    fn conversations(
        &self,
        by: Asker,
        section: Section,
        channel: Option<ChannelId>,
        after: Option<Place>,
        limit: usize,
    ) -> Answer<'_, Page<ConversationView>> {
        self.queries.conversations(by, section, channel, after, limit).boxed()
    }

    fn conversations_by_id(
        &self,
        by: Asker,
        wanted: Vec<ConversationId>,
    ) -> Answer<'_, Vec<ConversationView>> {
        self.queries.conversations_by_id(by, wanted).boxed()
    }

    fn threads(
        &self,
        by: Asker,
        wanted: Vec<ConversationId>,
        page: ThreadPage,
    ) -> Answer<'_, Vec<(ConversationId, Page<MessageView>)>> {
        self.queries.threads(by, wanted, page).boxed()
    }

    fn messages_by_id(
        &self,
        by: Asker,
        wanted: Vec<(ConversationId, MessageId)>,
    ) -> Answer<'_, Vec<MessageView>> {
        self.queries.messages_by_id(by, wanted).boxed()
    }

    fn channels(&self, by: Asker) -> Answer<'_, Vec<ChannelView>> {
        self.queries.channels(by).boxed()
    }

    fn channel_kinds(&self) -> Vec<(ChannelKind, bool)> {
        self.queries.channel_kinds()
    }

    fn connections(&self, by: Asker) -> Answer<'_, Vec<ConnectionView>> {
        self.queries.connections(by).boxed()
    }

    fn members(&self, by: Asker, after: Option<MemberId>, limit: usize) -> Answer<'_, Page<MemberView>> {
        self.queries.members(by, after, limit).boxed()
    }

    fn members_by_id(&self, by: Asker, wanted: Vec<MemberId>) -> Answer<'_, Vec<MemberView>> {
        self.queries.members_by_id(by, wanted).boxed()
    }

    fn dead_letters(
        &self,
        by: OperatorId,
        account: AccountId,
        before: Option<Position>,
        limit: usize,
    ) -> Answer<'_, Page<DeadLetterView>> {
        self.queries.dead_letters(by, account, before, limit).boxed()
    }

    fn inbox_changes(&self, by: Asker, after: Option<Position>) -> Following<InboxChange> {
        self.queries.inbox_changes(by, after)
    }

    fn conversation_changes(
        &self,
        by: Asker,
        conversation: ConversationId,
        after: Option<Position>,
    ) -> Following<ConversationChange> {
        self.queries.conversation_changes(by, conversation, after)
    }

    fn command(&self, by: Asker, command: Command) -> Answer<'_, Receipt> {
        async move { Ok(self.one(by, command).await?) }.boxed()
    }

    fn connect_channel(&self, by: Asker, asked: ConnectChannel) -> Answer<'_, Done<ChannelId>> {
        async move { Connecting::new(self, by, asked).await?.run().await }.boxed()
    }

    fn rotate_secrets(
        &self,
        by: Asker,
        connection: ConnectionId,
        signing: String,
    ) -> Answer<'_, Done<ConnectionId>> {
        self.rotate(by, connection, signing).boxed()
    }

    fn invite_member(
        &self,
        by: Asker,
        email: Email,
        name: Name,
        settings_access: bool,
    ) -> Answer<'_, Done<Invitation>> {
        self.invite(by, email, name, settings_access).boxed()
    }

    fn mark_seen(&self, by: Asker, conversation: ConversationId, up_to: Position) -> Answer<'_, Receipt> {
        self.seen(by, conversation, up_to).boxed()
    }
}
