//! The store on a real PostgreSQL: the contract of every store, and what this one alone has: lost connections, several
//! processes, plans, hints between servers, what an erasure leaves.

mod beating;
mod contract;
mod doubt;
mod erasing;
mod falling;
mod migrating;
mod newer;
mod plans;
mod racing;
mod support;
mod telling;
