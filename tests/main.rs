//! The product as its users see it, one file an area. What is tested below this level stands in the crates.

mod api_clients;
mod both;
mod chaos;
mod commands;
mod conversations;
mod copying;
mod durability;
mod erasure;
mod event_store;
mod house;
mod keys;
mod logs;
mod members;
mod oidc;
mod projections;
mod queries;
mod races;
mod rights;
mod servers;
mod signing_in;
mod stories;
mod subscriptions;
mod webhooks;
