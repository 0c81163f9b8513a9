//! The GraphQL interface: the schema over `parlance_app::front`, and `POST /graphql`. Every object says what the
//! product is in its descriptions; `schema.graphql` at the repository's root is generated from them.
//!
//! A file has one area: its types, inputs, payloads and resolvers together. To add a query or mutation: write it
//! in its area's file, merge a new area in `schema.rs`, and generate `schema.graphql` anew (its test says how).

mod account;
mod authorisation;
mod channel_changes;
mod channels;
mod completion;
mod connections;
mod conversation_changes;
mod conversations;
pub mod cookie;
mod credentials;
mod cursor;
mod dead_letters;
mod ending;
mod errors;
mod gather;
mod http;
mod limits;
mod loaders;
mod member_changes;
mod members;
mod messages;
mod node;
mod paging;
mod payload;
mod places;
mod running;
mod scalars;
mod schema;
mod sections;
mod session;
mod signing_in;
mod sse;
mod subscriptions;
mod text_size;
mod visitor;
mod websocket;

pub use ending::{End, Ending, ending};
pub use errors::{ErrorCode, FaultCode};
pub use http::{HttpSettings, TrustedDocuments, TrustedDocumentsError, is_from_own_page, router};
pub use scalars::Position;
pub use schema::{Schema, schema, sdl};
pub use visitor::{ClientAddress, Visitor};
