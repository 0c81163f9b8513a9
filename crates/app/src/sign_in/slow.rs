//! The slow hash of passwords: argon2id (RFC 9106), a few at once, behind a bounded queue.

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use argon2::{Algorithm, Argon2, Params, Version};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use zeroize::Zeroizing;

use super::password::Password;
use crate::front::FrontError;

/// Under way at once: each takes 19 MiB and a core for some tens of milliseconds. Half of the cores, so that
/// whoever tries passwords leaves room for those who work.
const AT_ONCE_MAX: usize = 4;
/// Waiting for their turn; the next is told to try again.
const WAITING_MAX: usize = 128;
/// Longer nobody waits for an answer.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// How a slow hash is computed. Stored with every password by its number: never change one, add another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    pub number: u32,
    pub memory_kib: u32,
    pub passes: u32,
}

/// OWASP's second choice for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
const FIRST: Recipe = Recipe { number: 1, memory_kib: 19 * 1024, passes: 2 };

/// All that were ever used; the last one is for new passwords, and for older ones at the next sign-in.
pub const RECIPES: &[Recipe] = &[FIRST];

pub(super) struct SlowHash {
    recipes: &'static [Recipe],
    waiting: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl SlowHash {
    pub fn new(recipes: &'static [Recipe]) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            recipes,
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            turns: Arc::new(Semaphore::new((cores / 2).clamp(1, AT_ONCE_MAX))),
        }
    }

    /// For new passwords.
    pub fn current(&self) -> Recipe {
        *self.recipes.last().expect("there is always one recipe")
    }

    pub fn recipe(&self, number: u32) -> Option<Recipe> {
        self.recipes.iter().copied().find(|recipe| recipe.number == number)
    }

    /// `Busy` where too many wait already, or this one waited too long.
    pub async fn hash(
        &self,
        recipe: Recipe,
        password: &Password,
        salt: [u8; 16],
    ) -> Result<Zeroizing<[u8; 32]>, FrontError> {
        let place = self.waiting.try_acquire().map_err(|_| FrontError::Busy)?;
        let turn = timeout(WAIT_MAX, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or(FrontError::Busy)?;
        drop(place);
        let password = password.clone();
        let hashed = spawn_blocking(move || {
            let hash = compute(recipe, &password, &salt);
            // Held to the end of the computation, also where whoever asked has given up.
            drop(turn);
            hash
        });
        hashed.await.map_err(|_| FrontError::Busy)
    }
}

fn compute(recipe: Recipe, password: &Password, salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    let params = Params::new(recipe.memory_kib, recipe.passes, 1, Some(out.len()));
    let params = params.expect("recipes are within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.bytes(), salt, &mut *out)
        .expect("a password and a salt of these lengths are hashed");
    out
}

#[cfg(test)]
mod tests {
    use super::{super::password::Typed, *};

    /// Whatever was ever stored is checked by these very bytes. (That the crate computes RFC 9106's argon2id is
    /// tested there, by the RFC's vectors.)
    #[test]
    fn a_recipe_is_for_ever() {
        let password = Typed::from("éljen soká".to_owned()).tried().unwrap();
        let hash = compute(FIRST, &password, b"0123456789abcdef");
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "d20bd7099349041c95c8ff3a66ea39202fd168f9108fda68c2a070def64cbd6e");
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_at_once() {
        let slow = SlowHash::new(RECIPES);
        let password = Typed::from("éljen soká".to_owned()).tried().unwrap();
        let all = slow.waiting.try_acquire_many(WAITING_MAX.try_into().unwrap()).unwrap();
        let refused = slow.hash(FIRST, &password, [1; 16]).await;
        assert_eq!(refused.err(), Some(FrontError::Busy));
        drop(all);
        assert!(slow.hash(FIRST, &password, [1; 16]).await.is_ok());
    }
}
