//! What the tests of the read models share: random logs by the domain's own rules, the protocol of the runner
//! over maps, and a model that computes every row from the stored JSON by definition.

pub mod asking;
pub mod driver;
pub mod log;
pub mod model;
#[expect(dead_code, reason = "the domain's own properties look at more of the world than a log needs")]
#[path = "../../../domain/tests/properties/world.rs"]
pub mod world;

use std::hash::{BuildHasher, RandomState};

use proptest::test_runner::{Config, RngSeed};

/// A configuration whose seed is printed: `PROPTEST_RNG_SEED` brings a failed run back.
pub fn config(cases: u32) -> Config {
    let mut config = Config { cases, failure_persistence: None, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one(cases));
    }
    println!("PROPTEST_RNG_SEED={}", config.rng_seed);
    config
}
