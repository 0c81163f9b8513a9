//! Credentials that somebody waits for the end of: sockets, mostly, which have to be closed with them. However many
//! wait, each distinct credential is looked at by one task, all of an account's in one statement: at once when this
//! process ended something, when the next one's time is up, and every few seconds for what other servers did.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use parlance_domain::{AccountId, MemberId, Timestamp, member::Member};
use parlance_store::{Store, StoreError, TokenHash, TokenKind};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout_at},
};

use super::{SignIn, USE_WRITTEN_EVERY_MICROS};
use crate::{
    front::{Asker, Credential, Principal},
    tokens,
};

/// How often all credentials that are waited for are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Tokens looked up by one statement.
const LOOKED_UP_AT_ONCE: usize = 512;

/// The credentials that are waited for. Bounded by those who wait.
#[derive(Default)]
pub(super) struct Watched {
    list: Mutex<List>,
    news: Notify,
}

#[derive(Default)]
struct List {
    watches: HashMap<TokenHash, Watch>,
    /// Whether a task looks at them.
    looking: bool,
}

struct Watch {
    by: Asker,
    ended: watch::Sender<bool>,
    /// Something happened that may have ended it.
    news: bool,
    /// When its time is up, as far as is known.
    until: Option<Timestamp>,
}

/// Something is being done that may end credentials of a member: told when this goes, whether it was done or whoever
/// asked for it has given up in the middle.
pub(super) struct Telling<'a, S> {
    sign_in: &'a SignIn<S>,
    by: Asker,
}

impl<S> Drop for Telling<'_, S> {
    fn drop(&mut self) {
        self.sign_in.look_at_those(|other| other == self.by);
        (self.sign_in.0.tell)(self.by);
    }
}

impl<S> SignIn<S> {
    /// Held while something is done that may end credentials of a member.
    pub(super) fn telling(&self, by: Asker) -> Telling<'_, S> {
        Telling { sign_in: self, by }
    }

    /// Looks at all that are waited for now, instead of in a few seconds.
    pub fn look_at_all(&self) {
        self.look_at_those(|_| true);
    }

    /// Another server has ended something of a member's.
    pub(crate) fn ended_elsewhere(&self, by: Asker) {
        self.look_at_those(|other| other == by);
    }

    fn look_at_those(&self, concerned: impl Fn(Asker) -> bool) {
        self.0.known.forget(&concerned);
        let mut list = self.0.watched.list.lock().expect("no panic while locked");
        for watch in list.watches.values_mut().filter(|watch| concerned(watch.by)) {
            watch.news = true;
        }
        self.0.watched.news.notify_one();
    }
}

impl<S: Store + Clone> SignIn<S> {
    /// Resolves once the principal's credential does not count any more. In this process that is told at once; of
    /// what happens elsewhere within seconds.
    pub async fn ended(self, principal: Principal) {
        let Principal::Member(by, Credential { hash, .. }) = principal else {
            // An operator's token is never taken back.
            return std::future::pending().await;
        };
        let mut ended = self.watch(by, hash);
        drop(self);
        // The sender goes only after it has told the end.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// How many credentials are waited for at the moment.
    pub fn waited_for(&self) -> usize {
        self.0.watched.list.lock().expect("no panic while locked").watches.len()
    }

    fn watch(&self, by: Asker, hash: TokenHash) -> watch::Receiver<bool> {
        let mut list = self.0.watched.list.lock().expect("no panic while locked");
        let list = &mut *list;
        let watch = list.watches.entry(hash).or_insert_with(|| {
            // It may have ended between being known and being watched.
            Watch { by, ended: watch::Sender::new(false), news: true, until: None }
        });
        let receiver = watch.ended.subscribe();
        if !list.looking {
            list.looking = true;
            tokio::spawn(self.clone().look());
        }
        self.0.watched.news.notify_one();
        receiver
    }

    /// Looks until nobody waits any more.
    async fn look(self) {
        let mut all_at = Instant::now() + LOOK_AGAIN;
        loop {
            let next = self.next_end().map_or(all_at, |end| all_at.min(end));
            let news = timeout_at(next, self.0.watched.news.notified()).await.is_ok();
            let all = !news && Instant::now() >= all_at;
            if all {
                all_at = Instant::now() + LOOK_AGAIN;
            }
            let Some(wanted) = self.wanted(all) else { return };
            for (account, watched) in wanted {
                for some in watched.chunks(LOOKED_UP_AT_ONCE) {
                    if let Err(error) = self.look_up(account, some).await {
                        // A store that does not answer says nothing about a credential.
                        tracing::warn!(%error, %account, "credentials in use cannot be looked at; trying again");
                    }
                }
            }
        }
    }

    /// When the next credential's time is up.
    fn next_end(&self) -> Option<Instant> {
        let now = self.0.clock.now();
        let list = self.0.watched.list.lock().expect("no panic while locked");
        let next = list.watches.values().filter_map(|watch| watch.until).min()?;
        let micros = u64::try_from(next.micros().saturating_sub(now.micros())).unwrap_or(0);
        // A clock that stands still must not be asked all the time.
        Some(Instant::now() + Duration::from_micros(micros).clamp(Duration::from_millis(10), LOOK_AGAIN))
    }

    /// Those to look at now, by their accounts; `None`: nobody waits any more, and who looks may go.
    fn wanted(&self, all: bool) -> Option<HashMap<AccountId, Vec<(TokenHash, MemberId)>>> {
        let now = self.0.clock.now();
        let mut list = self.0.watched.list.lock().expect("no panic while locked");
        list.watches.retain(|_, watch| watch.ended.receiver_count() > 0);
        if list.watches.is_empty() {
            list.looking = false;
            list.watches.shrink_to_fit();
            return None;
        }
        let mut wanted: HashMap<_, Vec<_>> = HashMap::new();
        for (hash, watch) in &mut list.watches {
            if std::mem::take(&mut watch.news) || all || watch.until.is_some_and(|until| until <= now) {
                wanted.entry(watch.by.account).or_default().push((*hash, watch.by.member));
            }
        }
        Some(wanted)
    }

    async fn look_up(&self, account: AccountId, some: &[(TokenHash, MemberId)]) -> Result<(), StoreError> {
        let (store, now) = (&self.0.store, self.0.clock.now());
        let hashes = some.iter().map(|(hash, _)| *hash).collect();
        let found: HashMap<_, _> = store.find_tokens(account, hashes).await?.into_iter().collect();
        let (mut counting, mut in_use) = (HashMap::new(), Vec::new());
        for (hash, member) in some {
            let Some(token) = found.get(hash).filter(|token| token.member == *member) else { continue };
            let state = self.0.commands.peek::<Member>(account, member.uuid()).await?;
            if tokens::counts(token, &state, now) {
                counting.insert(*hash, tokens::ends_at(token));
                let written = token.last_used_at.unwrap_or(token.created_at);
                if token.kind == TokenKind::Session && written.plus_micros(USE_WRITTEN_EVERY_MICROS) <= now {
                    in_use.push(*hash);
                }
            }
        }
        {
            let mut list = self.0.watched.list.lock().expect("no panic while locked");
            for (hash, _) in some {
                match counting.get(hash) {
                    Some(until) => {
                        if let Some(watch) = list.watches.get_mut(hash) {
                            watch.until = *until;
                        }
                    }
                    None => {
                        if let Some(watch) = list.watches.remove(hash) {
                            watch.ended.send_replace(true);
                        }
                    }
                }
            }
        }
        // Who is connected is using their session.
        if !in_use.is_empty() {
            store.touch_tokens(account, in_use, now).await?;
        }
        Ok(())
    }
}
