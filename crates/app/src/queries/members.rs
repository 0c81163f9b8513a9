//! Members as the assign list and the settings show them. Who is a member, and how to reach them, is seen by
//! every member.

use std::collections::BTreeSet;

use parlance_domain::{
    MemberId,
    member::{MemberProfile, Standing},
};
use parlance_projections::{
    FoldError, Row, key,
    members::{MEMBERS, MemberRow},
};
use parlance_store::{FIRST_GENERATION, Store, Wanted};

use super::{Queries, cut, opening::Opening};
use crate::front::{Asker, FrontError, MemberView, Page};

impl<S: Store + Clone> Queries<S> {
    /// Invited and active members in id order.
    pub async fn members(
        &self,
        by: Asker,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Page<MemberView>, FrontError> {
        self.asker(by).await?;
        let limit = limit.min(Page::<MemberView>::ITEMS_MAX);
        let mut rows = self.store.present_members(by.account, FIRST_GENERATION, after, limit + 1).await?;
        let more = cut(&mut rows, limit);
        Ok(Page { items: self.member_views(by, &rows).await?, more })
    }

    /// Those of the wanted that there are or were; of a list that is longer than a page its beginning.
    pub async fn members_by_id(
        &self,
        by: Asker,
        wanted: Vec<MemberId>,
    ) -> Result<Vec<MemberView>, FrontError> {
        self.asker(by).await?;
        let wanted: BTreeSet<_> = wanted.into_iter().take(Page::<MemberView>::ITEMS_MAX).collect();
        let keys = wanted.iter().map(|member| key([member.uuid().into()])).collect();
        let wanted = vec![Wanted { table: &MEMBERS, keys }];
        let rows = self.store.find_rows(by.account, FIRST_GENERATION, wanted).await?.concat();
        self.member_views(by, &rows).await
    }

    async fn member_views(&self, by: Asker, rows: &[Row]) -> Result<Vec<MemberView>, FrontError> {
        let (mut wanted, mut gathered) = (Opening::default(), Vec::with_capacity(rows.len()));
        for row in rows {
            let mut row = MemberRow::from_row(row)?;
            let profile = wanted.add(row.profile.take());
            gathered.push((row, profile));
        }
        let opened = self.open(by.account, wanted).await?;
        let view = |(row, profile): (MemberRow, _)| {
            let profile = opened.value::<MemberProfile>(profile);
            let (name, email) = profile
                .map(|profile| (profile.name.as_str().to_owned(), profile.email.as_str().to_owned()))
                .unzip();
            Ok(MemberView {
                id: row.member,
                name,
                email,
                standing: standing(&row.standing)?,
                settings_access: row.settings_access,
                available: row.available,
            })
        };
        gathered.into_iter().map(view).collect()
    }
}

fn standing(stored: &str) -> Result<Standing, FrontError> {
    match stored {
        "invited" => Ok(Standing::Invited),
        "active" => Ok(Standing::Active),
        "removed" => Ok(Standing::Removed),
        _ => Err(FoldError::StoredRow { table: MEMBERS.name, column: 1 }.into()),
    }
}
