//! The stores there are, as one: [`AnyStore`] is whichever adapter a [`DatabaseUrl`] names. [`copy`] takes everything
//! from one to another.

mod any;
mod copy;
mod open;
mod postgres_url;
mod url;

pub use self::{
    any::AnyStore,
    copy::{CopyError, Progress, copy},
    open::{Migrated, OpenOptions},
    postgres_url::PostgresUrl,
    url::{DatabaseUrl, DatabaseUrlError},
};
