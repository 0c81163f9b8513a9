//! The sections of the inbox, and how much each holds.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use parlance_app::front::SectionView;
use parlance_domain::ChannelId;

use crate::{
    scalars::{Position, count, id},
    session::Scope,
};

/// The sections of the inbox. A conversation stands in exactly one for each member who sees it.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "parlance_app::front::Section")]
pub enum Section {
    /// Open, and assigned to nobody.
    Unassigned,
    /// Open, and assigned to the member who asks.
    AssignedToMe,
    /// Open, and assigned to another member.
    AssignedToOthers,
    /// Closed, whoever it is assigned to.
    Closed,
}

/// How much a section of the inbox holds for the member who asks.
#[derive(SimpleObject)]
pub struct SectionSummary {
    /// The section.
    section: Section,
    /// How many conversations it holds.
    conversations: i32,
    /// How many of them are unread: the customer wrote after the member last marked the conversation as seen.
    unread: i32,
}

#[derive(Default)]
pub struct SectionsQuery;

#[Object]
impl SectionsQuery {
    /// The four sections with their counts. Null if the channel does not exist for the member who asks.
    #[graphql(complexity = "4 * child_complexity + 1")]
    async fn sections(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Count this channel's conversations only.")] channel: Option<ID>,
        #[graphql(desc = "Answer only once this position is shown.")] at_least: Option<Position>,
    ) -> Result<Option<Vec<SectionSummary>>> {
        let scope = Scope::at_least(ctx, at_least).await?;
        let channel =
            scope.checked(channel.map(|text| id::<ChannelId>(&text, "channel")).transpose()).await?;
        let found = scope.answer_if_any(scope.front().sections(scope.by(), channel).await).await?;
        Ok(found.map(|sections| sections.into_iter().map(SectionSummary::from).collect()))
    }
}

impl From<SectionView> for SectionSummary {
    fn from(view: SectionView) -> Self {
        Self {
            section: view.section.into(),
            conversations: count(view.conversations),
            unread: count(view.unread),
        }
    }
}
