//! Read models' rows: the statements' texts, values as parameters, pages as they are written.

mod pages;
mod texts;
mod values;

pub(crate) use self::{
    pages::{FENCE_MOVED, check_fence_of, write_pages},
    texts::{SQL, columns},
    values::{Array, arrays, check_named, find, given, place, row, values},
};
