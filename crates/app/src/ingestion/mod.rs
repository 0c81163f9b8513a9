//! What providers tell, on its way into the log.

mod told;

pub use told::{
    Alone, CheckError, Checked, Checking, Credentials, News, NotAuthentic, Part, Provider, SignedRequest,
    Told, ToldKind, ToldMessage,
};
