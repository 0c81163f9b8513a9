//! When a provider calls again, and how long it waits for an answer. Pure: no clock, no network.

use std::time::Duration;

use super::{Answer, Failure};
use crate::request::Provider;

/// Times that one delivery of Meta's is tried: at once twice, then eleven times with the wait doubled. With a minute as
/// the first wait the last try falls 34 hours after the first; Meta gives up after 36 (PROTOCOLS 4.1).
pub const META_TRIES_MAX: u32 = 13;

/// Times that Twilio calls again at most, whatever the address asks for (`rc`, PROTOCOLS 4.2).
pub const TWILIO_RETRIES_MAX: u32 = 5;

/// Meta wants an answer within 20 seconds, as is commonly told; Meta's own page names no figure.
pub const META_ANSWER_MAX: Duration = Duration::from_secs(20);

/// Twilio's defaults of `rt` and `tt`, which are also their bounds: 15 seconds for one answer, and for all tries.
pub const TWILIO_ANSWER_MAX: Duration = Duration::from_secs(15);

/// Twilio does not tell how long it waits between tries; five retries must fit into its 15 seconds.
const TWILIO_WAIT_MAX: Duration = Duration::from_secs(1);

/// How one delivery is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Longest wait for one answer.
    pub answer_max: Duration,
    /// Longest time for all tries together.
    pub total_max: Option<Duration>,
    tries_max: u32,
    provider: Provider,
    on: Occasions,
}

/// What Twilio calls again for (`rp`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Occasions {
    client_error: bool,
    server_error: bool,
    connect: bool,
    read: bool,
    all: bool,
}

impl Policy {
    /// The policy of that provider for that address: Twilio's is in the fragment (`#rc=5&rp=all&rt=2000`, times in
    /// milliseconds), and without one it calls again once, only if it could not connect. What cannot be read, or is
    /// out of bounds, counts as not given.
    pub fn of(provider: Provider, url: &str) -> Self {
        if provider == Provider::Meta {
            return Self {
                answer_max: META_ANSWER_MAX,
                total_max: None,
                tries_max: META_TRIES_MAX,
                provider,
                on: Occasions { all: true, ..Occasions::default() },
            };
        }
        let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
        let asked = |name: &str| {
            form_urlencoded::parse(fragment.as_bytes())
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.into_owned())
        };
        let millis = |name: &str| {
            let asked = Duration::from_millis(asked(name)?.parse().ok()?);
            (asked > Duration::ZERO && asked <= TWILIO_ANSWER_MAX).then_some(asked)
        };
        let retries = asked("rc").and_then(|count| count.parse().ok());
        Self {
            answer_max: millis("rt").unwrap_or(TWILIO_ANSWER_MAX),
            total_max: Some(millis("tt").unwrap_or(TWILIO_ANSWER_MAX)),
            tries_max: 1 + retries.filter(|count| *count <= TWILIO_RETRIES_MAX).unwrap_or(1),
            provider,
            on: Occasions::read(&asked("rp").unwrap_or_else(|| "ct".to_owned())),
        }
    }

    /// Whether the provider takes this answer for a success: Meta wants a 200, Twilio any 2xx.
    pub fn accepts(&self, answer: &Answer) -> bool {
        match self.provider {
            Provider::Meta => answer.status == 200,
            Provider::Twilio => (200..300).contains(&answer.status),
        }
    }

    /// The wait before the next try after `tries` of them, the last with that outcome; `None` when it was the last.
    pub fn again(
        &self,
        tries: u32,
        last: &Result<Answer, Failure>,
        base_delay: Duration,
    ) -> Option<Duration> {
        if tries >= self.tries_max || !self.on.include(last) {
            return None;
        }
        match self.provider {
            // At once, then with falling frequency.
            Provider::Meta if tries == 1 => Some(Duration::ZERO),
            Provider::Meta => Some(base_delay.saturating_mul(1 << (tries - 2))),
            Provider::Twilio => Some(base_delay.min(TWILIO_WAIT_MAX)),
        }
    }
}

impl Occasions {
    fn read(asked: &str) -> Self {
        let mut on = Self::default();
        for occasion in asked.split(',') {
            match occasion.trim() {
                "4xx" => on.client_error = true,
                "5xx" => on.server_error = true,
                "ct" => on.connect = true,
                "rt" => on.read = true,
                "all" => on.all = true,
                _ => {}
            }
        }
        on
    }

    fn include(self, outcome: &Result<Answer, Failure>) -> bool {
        self.all
            || match outcome {
                Ok(Answer { status: 400..500, .. }) => self.client_error,
                Ok(Answer { status: 500..600, .. }) => self.server_error,
                Err(Failure::Connect) => self.connect,
                Err(Failure::TimedOut) => self.read,
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_secs(60);

    fn answered(status: u16) -> Result<Answer, Failure> {
        Ok(Answer { status, body: String::new() })
    }

    #[test]
    fn meta_calls_again_at_once_and_then_ever_more_rarely_for_34_hours() {
        let policy = Policy::of(Provider::Meta, "http://inbox/hook#rc=0");
        let mut waits = Vec::new();
        while let Some(wait) = policy.again(u32::try_from(waits.len()).unwrap() + 1, &answered(500), BASE) {
            waits.push(wait.as_secs() / 60);
        }
        assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024]);
        assert_eq!(waits.iter().sum::<u64>() / 60, 34);
    }

    #[test]
    fn twilio_calls_again_by_default_only_if_it_could_not_connect() {
        let policy = Policy::of(Provider::Twilio, "http://inbox/hook");
        assert_eq!(policy.again(1, &Err(Failure::Connect), BASE), Some(TWILIO_WAIT_MAX));
        assert_eq!(policy.again(2, &Err(Failure::Connect), BASE), None);
        for outcome in [answered(500), answered(404), Err(Failure::TimedOut), Err(Failure::Cut)] {
            assert_eq!(policy.again(1, &outcome, BASE), None, "{outcome:?}");
        }
    }

    #[test]
    fn twilio_calls_again_as_the_address_asks() {
        let all = Policy::of(Provider::Twilio, "http://inbox/hook#rc=5&rp=all&rt=2000");
        assert_eq!(all.answer_max, Duration::from_secs(2));
        assert_eq!(all.again(5, &answered(404), BASE), Some(TWILIO_WAIT_MAX));
        assert_eq!(all.again(6, &answered(404), BASE), None);
        let some = Policy::of(Provider::Twilio, "http://inbox/hook#rp=5xx,rt&rc=2");
        assert!(
            some.again(2, &answered(503), BASE).is_some()
                && some.again(2, &Err(Failure::TimedOut), BASE).is_some()
        );
        assert!(
            some.again(1, &answered(404), BASE).is_none()
                && some.again(1, &Err(Failure::Connect), BASE).is_none()
        );
    }

    #[test]
    fn what_an_address_asks_out_of_bounds_counts_as_not_given() {
        let policy = Policy::of(Provider::Twilio, "http://inbox/hook#rc=50&rt=99999&tt=none");
        assert_eq!(policy, Policy::of(Provider::Twilio, "http://inbox/hook"));
    }

    #[test]
    fn only_a_200_satisfies_meta() {
        let (meta, twilio) = (Policy::of(Provider::Meta, ""), Policy::of(Provider::Twilio, ""));
        let answer = Answer { status: 204, body: String::new() };
        assert!(!meta.accepts(&answer) && twilio.accepts(&answer));
    }
}
