//! Whom credentials name, and what they may be used for.

use parlance_domain::{AccountId, MemberId, OperatorId};
use parlance_store::TokenHash;

/// A member who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Asker {
    pub account: AccountId,
    pub member: MemberId,
}

/// Whom a credential names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    Member(Asker, Credential),
    Operator(OperatorId),
}

/// By what a member is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credential {
    pub hash: TokenHash,
    pub kind: CredentialKind,
    /// What it may be used for.
    pub scopes: TokenScopes,
}

/// How a member came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// Signed in: may do everything that the member may, their own password and tokens included.
    Session,
    /// For programs: may do what its scopes say, and never change how the member signs in.
    ApiToken,
}

/// Something that an API token can be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenScope {
    /// See what the member sees.
    Read,
    /// Change conversations: assign, close, delete, mark as seen.
    Conversations,
    /// Change settings: the account's, the channels', the members', and the member's own availability.
    Settings,
}

impl TokenScope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Conversations, Self::Settings];

    /// Its stored name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Conversations => "conversations",
            Self::Settings => "settings",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Conversations => 2,
            Self::Settings => 4,
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TokenScopes(u8);

impl TokenScopes {
    pub fn all() -> Self {
        TokenScope::ALL.into_iter().collect()
    }

    pub fn has(self, scope: TokenScope) -> bool {
        self.0 & scope.bit() != 0
    }

    pub fn iter(self) -> impl Iterator<Item = TokenScope> {
        TokenScope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// As it is stored: the scopes' codes with a space between.
    pub fn stored(self) -> String {
        self.iter().map(TokenScope::code).collect::<Vec<_>>().join(" ")
    }

    /// What was stored. A scope of a later release counts for nothing in this one.
    pub fn from_stored(text: &str) -> Self {
        TokenScope::ALL.into_iter().filter(|scope| text.split(' ').any(|code| code == scope.code())).collect()
    }
}

impl FromIterator<TokenScope> for TokenScopes {
    fn from_iter<I: IntoIterator<Item = TokenScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_stored_by_name_and_read_back() {
        let some: TokenScopes = [TokenScope::Settings, TokenScope::Read].into_iter().collect();
        assert_eq!(some.stored(), "read settings");
        assert_eq!(TokenScopes::from_stored("read settings"), some);
        assert_eq!(TokenScopes::from_stored(&TokenScopes::all().stored()), TokenScopes::all());
        assert_eq!(TokenScopes::from_stored("settings read a-later-one"), some);
        assert!(TokenScopes::from_stored("").is_empty() && !some.has(TokenScope::Conversations));
    }
}
