//! Numbers that look random, the same for the same seed.

use std::sync::Mutex;

use parlance_app::entropy::Entropy;

/// One for each who throws: what the others throw does not change it.
pub struct Dice(Mutex<Entropy>);

impl Dice {
    pub fn new(seed: u64, who: u64) -> Self {
        Self(Mutex::new(Entropy::seeded(seed.wrapping_mul(1_000_003).wrapping_add(who))))
    }

    /// A number below `bound`.
    pub fn below(&self, bound: usize) -> usize {
        let thrown = u64::from_le_bytes(self.0.lock().expect("no panic while locked").bytes());
        usize::try_from(thrown % bound as u64).expect("below a usize")
    }

    pub fn one_of<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
