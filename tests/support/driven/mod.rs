//! A Parlance in a process of its own, so that it can be killed, traced and starved: what is said to the program
//! `driven` and what it answers ([`Order`], [`Answer`]), what it does with it ([`Crew`]), and the handle by which
//! a test holds it ([`Child`]).

mod child;
mod crew;
mod words;

pub use child::{Child, Launch};
pub use crew::{Crew, Members};
pub use words::{Answer, Order};
