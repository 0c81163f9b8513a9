//! Signing in by an OpenID Connect issuer: the authorization code flow with PKCE (OpenID Connect Core 1.0, section
//! 3.1; RFC 7636), for members who are there already. The issuer says whose e-mail address it is; who has it, and in
//! which accounts, is known here.
//!
//! `issuer` asks the issuer, `id_token` judges what it says, by `signatures`; `carried` is what the browser keeps
//! meanwhile, `routes` the way through, `pages` what a person sees where it ends.

mod carried;
mod id_token;
mod issuer;
mod pages;
mod routes;
mod settings;
mod signatures;

pub use self::{
    routes::{Oidc, router},
    settings::{Given, OidcSettings},
};
