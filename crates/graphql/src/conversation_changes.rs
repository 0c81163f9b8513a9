//! What members do with conversations: assign, close, reopen, delete, mark as seen.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use parlance_domain::{
    Command, ConversationId, MemberId,
    conversation::{ConversationCommand, Expected},
};

use crate::{
    conversations::Conversation,
    errors::{ErrorCode, Refused, UserError, Wrong},
    payload::{Outcome, done, payload},
    scalars::{Position, id},
    session::Scope,
};

/// To whom to assign a conversation.
#[derive(InputObject)]
pub struct AssignConversationInput {
    /// The conversation's id.
    conversation: ID,
    /// The id of the member who shall hold it. They need access to it, and their availability must be on.
    assignee: ID,
    /// Who held it when you looked: a member's id, or null for nobody. If somebody else holds it by now, nothing
    /// is changed and the error is `ALREADY_ASSIGNED`. Leave it out to assign whoever holds it.
    expect: MaybeUndefined<ID>,
}

/// Which conversation to take from its assignee.
#[derive(InputObject)]
pub struct UnassignConversationInput {
    /// The conversation's id.
    conversation: ID,
    /// Who held it when you looked: a member's id. If somebody else holds it by now, nothing is changed and the
    /// error is `ALREADY_ASSIGNED`. Leave it out to unassign whoever holds it.
    expect: MaybeUndefined<ID>,
}

/// Which conversation to close.
#[derive(InputObject)]
pub struct CloseConversationInput {
    /// The conversation's id.
    conversation: ID,
}

/// Which conversation to reopen.
#[derive(InputObject)]
pub struct ReopenConversationInput {
    /// The conversation's id.
    conversation: ID,
}

/// Which conversation to delete.
#[derive(InputObject)]
pub struct DeleteConversationInput {
    /// The conversation's id.
    conversation: ID,
}

/// Up to where the member who asks has seen a conversation.
#[derive(InputObject)]
pub struct MarkConversationSeenInput {
    /// The conversation's id.
    conversation: ID,
    /// The conversation's `changedAt`, as it was when it was shown. What came after stays unread.
    up_to: Position,
}

payload! {
    /// What came of `assignConversation`.
    AssignConversationPayload {
        /// The conversation as it is now.
        conversation: Conversation
    }
}

payload! {
    /// What came of `unassignConversation`.
    UnassignConversationPayload {
        /// The conversation as it is now.
        conversation: Conversation
    }
}

payload! {
    /// What came of `closeConversation`.
    CloseConversationPayload {
        /// The conversation as it is now.
        conversation: Conversation
    }
}

payload! {
    /// What came of `reopenConversation`.
    ReopenConversationPayload {
        /// The conversation as it is now.
        conversation: Conversation
    }
}

payload! {
    /// What came of `markConversationSeen`.
    MarkConversationSeenPayload {
        /// The conversation as it is now.
        conversation: Conversation
    }
}

pub struct DeleteConversationPayload(Outcome<ConversationId>);

/// What came of `deleteConversation`.
#[Object]
impl DeleteConversationPayload {
    /// The id of the conversation that is gone. Null if it was refused.
    async fn deleted_id(&self) -> Option<ID> {
        self.0.key().map(|id| id.to_string().into())
    }

    /// From this position on, queries do not show it any more. Null if it was refused.
    async fn position(&self) -> Result<Option<Position>> {
        self.0.position().await
    }

    /// Why it was refused. Empty if it was done, or was so already.
    async fn errors(&self) -> Vec<UserError> {
        self.0.errors()
    }
}

/// One command about a conversation, whose id stands in the input.
async fn on_conversation(
    ctx: &Context<'_>,
    conversation: ID,
    command: impl FnOnce() -> Result<ConversationCommand, Wrong> + Send,
) -> Result<Outcome<ConversationId>> {
    let scope = Scope::of(ctx).await?;
    let (by, front) = (scope.by(), scope.front().clone());
    let attempt = async move {
        let conversation: ConversationId = id(&conversation, "conversation")?;
        let command = Command::Conversation(conversation, command()?);
        Ok(front.command(by, command).await.map(done(conversation))?)
    };
    Outcome::of(scope, "conversation", attempt).await
}

fn expected(expect: &MaybeUndefined<ID>) -> Result<Expected, Wrong> {
    Ok(match expect {
        MaybeUndefined::Undefined => Expected::Anybody,
        MaybeUndefined::Null => Expected::Nobody,
        MaybeUndefined::Value(member) => Expected::Member(id(member, "expect")?),
    })
}

#[derive(Default)]
pub struct ConversationsMutation;

#[Object]
impl ConversationsMutation {
    /// Assigns a conversation to a member, closed or not, and whoever holds it. For members with access to it.
    async fn assign_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which conversation, and to whom.")] input: AssignConversationInput,
    ) -> Result<Option<AssignConversationPayload>> {
        let command = || {
            let to: MemberId = id(&input.assignee, "assignee")?;
            Ok(ConversationCommand::Assign { to, expect: expected(&input.expect)? })
        };
        let outcome = on_conversation(ctx, input.conversation.clone(), command).await?;
        Ok(Some(AssignConversationPayload(outcome)))
    }

    /// Takes a conversation from its assignee, so that nobody holds it. For members with access to it.
    async fn unassign_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which conversation.")] input: UnassignConversationInput,
    ) -> Result<Option<UnassignConversationPayload>> {
        let command = || Ok(ConversationCommand::Unassign { expect: expected(&input.expect)? });
        let outcome = on_conversation(ctx, input.conversation.clone(), command).await?;
        Ok(Some(UnassignConversationPayload(outcome)))
    }

    /// Closes a conversation. It reopens by itself when the customer writes. For members with access to it.
    async fn close_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which conversation.")] input: CloseConversationInput,
    ) -> Result<Option<CloseConversationPayload>> {
        let outcome = on_conversation(ctx, input.conversation, || Ok(ConversationCommand::Close)).await?;
        Ok(Some(CloseConversationPayload(outcome)))
    }

    /// Reopens a closed conversation. Whoever held it holds it again, if they still have access. For members
    /// with access to it.
    async fn reopen_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which conversation.")] input: ReopenConversationInput,
    ) -> Result<Option<ReopenConversationPayload>> {
        let outcome = on_conversation(ctx, input.conversation, || Ok(ConversationCommand::Reopen)).await?;
        Ok(Some(ReopenConversationPayload(outcome)))
    }

    /// Deletes a conversation with its messages, for good. If the customer writes again it begins anew, empty.
    /// For the channel's installer.
    async fn delete_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which conversation.")] input: DeleteConversationInput,
    ) -> Result<Option<DeleteConversationPayload>> {
        let outcome = on_conversation(ctx, input.conversation, || Ok(ConversationCommand::Delete)).await?;
        Ok(Some(DeleteConversationPayload(outcome)))
    }

    /// Marks a conversation as seen by the member who asks, up to what was shown. For members with access to it.
    async fn mark_conversation_seen(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which conversation, and up to where.")] input: MarkConversationSeenInput,
    ) -> Result<Option<MarkConversationSeenPayload>> {
        let scope = Scope::of(ctx).await?;
        let (by, front, epoch) = (scope.by(), scope.front().clone(), scope.epoch().await?);
        let attempt = async move {
            let conversation: ConversationId = id(&input.conversation, "conversation")?;
            if input.up_to.epoch != epoch {
                return Err(Refused::from(Wrong::in_field(ErrorCode::Reload, "upTo")));
            }
            let receipt = front.mark_seen(by, conversation, input.up_to.position).await?;
            Ok(done(conversation)(receipt))
        };
        let outcome = Outcome::of(scope, "conversation", attempt).await?;
        Ok(Some(MarkConversationSeenPayload(outcome)))
    }
}
