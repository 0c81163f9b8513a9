//! The stores there are, as one: [`AnyStore`] is whichever adapter a database URL names.

mod any;
mod copy;

pub use self::{
    any::AnyStore,
    copy::{CopyError, Progress, copy},
};
