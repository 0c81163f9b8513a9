//! The interface from outside: queries, mutations, paging, refusals, faults and HTTP, over a front in memory.

mod crowds;
mod events;
mod fake;
mod faults;
mod http;
mod mutations;
mod paging;
mod queries;
mod sockets;
mod subscriptions;
mod web;
mod wire;
