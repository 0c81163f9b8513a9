//! What servers on one store tell each other, so that nobody has to ask all the time. A hint may be lost, or come late
//! or twice: whoever is told one looks, and whoever is told none looks all the same, now and then.

use parlance_domain::{AccountId, MemberId, Position};
use tokio::sync::broadcast;

/// Hints that a receiver may be behind; one that is further behind takes it as [`Hint::Missed`].
pub const HINTS_BEHIND_MAX: usize = 4_096;

/// Something another process did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hint {
    /// An account's log ends at this position, or further on.
    Appended { account: AccountId, position: Position },
    /// All read models of an account show this position, or more.
    Shown { account: AccountId, position: Position },
    /// Sessions or tokens of a member have ended.
    Ended { account: AccountId, member: MemberId },
    /// Some hints were lost: anything may have been done.
    Missed,
}

/// The way of the hints.
pub trait Hints: Send + Sync + 'static {
    /// Whether other processes may write to this store. Where not, hints go nowhere and nothing known can be stale.
    fn is_shared(&self) -> bool;

    /// Tells the others, soon; what waits is gathered, bounded, and the newest of its kind stands for the older.
    /// Never waits, and is never told to the process itself.
    fn tell(&self, hint: Hint);

    /// What the others tell from now on.
    fn told(&self) -> broadcast::Receiver<Hint>;
}
