//! The GraphQL API over the shell.
