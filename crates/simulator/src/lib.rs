//! Messenger and WhatsApp by Twilio as their documentation describes them: what demo and tests talk to over HTTP.
//! Shares no code with the rest of Parlance, so that a misunderstanding of a protocol is not confirmed by itself.
//!
//! ```
//! use parlance_simulator::Messenger;
//!
//! let page = Messenger::new("app secret", "682498302938465");
//! let request = page.deliver(&[page.message("psid-1", "mid-1", "Szia!", 1_700_000_000_000)]);
//! let forged = request.clone().with_body("{}");
//! assert_eq!(forged.header("X-Hub-Signature-256"), request.header("X-Hub-Signature-256"));
//! ```

pub mod api;
pub mod messenger;
mod request;
pub mod sender;
pub mod signature;
pub mod town;
pub mod traffic;
pub mod twilio;

pub use api::{Api, Number, Page};
pub use messenger::Messenger;
pub use request::{Provider, Request};
pub use sender::{Answer, Failure, Report, Sender};
pub use town::Town;
pub use traffic::Traffic;
pub use twilio::Twilio;
