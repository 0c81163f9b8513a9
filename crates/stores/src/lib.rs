//! The stores there are, as one: [`AnyStore`] is whichever adapter a database URL names.

mod any;

pub use any::AnyStore;
