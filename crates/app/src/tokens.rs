//! Tokens: how they are made, read and hashed, and when one counts. `prl_` (a member's), `prs_` (a
//! session's) and `pri_` (an invitation's), 32 hex digits of the account's id, `_`, 32 random bytes as 43 characters of base64url;
//! `pro_` (an operator's) and the same 43 characters. A token is shown once; only its hash is stored.
//!
//! A token is found by its hash, so nothing is compared that a clock could betray: how far the search for
//! another hash came says nothing about the text of any token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parlance_domain::{
    AccountId, MemberId, OperatorId, Timestamp, TokenId,
    member::{Member, Standing},
};
use parlance_store::{StoreError, StoredToken, TokenHash, TokenKind, Tokens};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::{entropy::Entropy, front::TokenScopes};

/// An invitation that nobody took for a week is likely forgotten, or in the wrong hands.
pub const INVITATION_LIFETIME_MICROS: i64 = 7 * DAY_MICROS;

/// A session ends this long after it began, however much it is used: people sign in again once a month.
pub const SESSION_LIFETIME_MICROS: i64 = 30 * DAY_MICROS;
/// A session that was not used for so long was left behind somewhere.
pub const SESSION_UNUSED_MICROS: i64 = 7 * DAY_MICROS;

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Random bytes of a token, and their length as text.
const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 43;
const ACCOUNT_CHARS: usize = 32;
const OPERATOR_PREFIX: &str = "pro_";

const fn prefix(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Api => "prl_",
        TokenKind::Invitation => "pri_",
        TokenKind::Session => "prs_",
    }
}

/// A token that was just made. Its text is never printed and nowhere kept.
pub struct Minted {
    pub text: String,
    pub hash: TokenHash,
}

/// A token as somebody shows it: well formed, and not yet known to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    Member { kind: TokenKind, account: AccountId, hash: TokenHash },
    Operator { hash: TokenHash },
}

/// SHA-256 of the whole text: 256 random bits need no salt and no slow hash.
pub fn hash(text: &str) -> TokenHash {
    TokenHash(Sha256::digest(text.as_bytes()).into())
}

/// Makes a member's token.
pub fn mint(entropy: &Entropy, account: AccountId, kind: TokenKind) -> Minted {
    minted(format!("{}{}_{}", prefix(kind), account.uuid().simple(), secret(entropy)))
}

/// Makes an operator's token.
pub fn mint_operator(entropy: &Entropy) -> Minted {
    minted(format!("{OPERATOR_PREFIX}{}", secret(entropy)))
}

fn minted(text: String) -> Minted {
    let hash = hash(&text);
    Minted { text, hash }
}

fn secret(entropy: &Entropy) -> String {
    URL_SAFE_NO_PAD.encode(entropy.bytes::<SECRET_BYTES>())
}

/// A secret that goes into no store: 32 random bytes as 43 characters of base64url.
pub fn random(entropy: &Entropy) -> String {
    secret(entropy)
}

/// Whether two secrets are the same; takes as long wherever they differ.
pub fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Reads a token's text; `None`: it cannot be one, and no store need be asked.
pub fn parse(text: &str) -> Option<Presented> {
    if let Some(secret) = text.strip_prefix(OPERATOR_PREFIX) {
        return is_secret(secret).then(|| Presented::Operator { hash: hash(text) });
    }
    let (kind, rest) =
        TokenKind::ALL.into_iter().find_map(|kind| Some((kind, text.strip_prefix(prefix(kind))?)))?;
    let (account, rest) = rest.split_at_checked(ACCOUNT_CHARS)?;
    let secret = rest.strip_prefix('_')?;
    // The digits that a minted token has: one account, one spelling.
    let lower_hex = account.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let account = lower_hex.then(|| Uuid::try_parse(account).ok()).flatten()?;
    let member = Presented::Member { kind, account: AccountId::new(account), hash: hash(text) };
    is_secret(secret).then_some(member)
}

fn is_secret(text: &str) -> bool {
    text.len() == SECRET_CHARS
        && text.bytes().all(|char| char.is_ascii_alphanumeric() || matches!(char, b'-' | b'_'))
}

/// Whether a stored token counts for a member as they stand at `now`.
pub fn counts(token: &StoredToken, member: &Member, now: Timestamp) -> bool {
    let in_time = ends_at(token).is_none_or(|end| now < end);
    in_time
        && match token.kind {
            TokenKind::Api | TokenKind::Session => {
                // One from before they joined (again) is none of theirs any more.
                member.is_active() && member.joined_at.is_some_and(|joined| joined <= token.created_at)
            }
            TokenKind::Invitation => member.standing == Standing::Invited,
        }
}

/// When a token's time is up; a session's, unless it is used before. `None`: never.
pub fn ends_at(token: &StoredToken) -> Option<Timestamp> {
    let unused = (token.kind == TokenKind::Session).then(|| {
        let used = token.last_used_at.map_or(token.created_at, |used| used.max(token.created_at));
        used.plus_micros(SESSION_UNUSED_MICROS)
    });
    [token.expires_at, unused].into_iter().flatten().min()
}

/// When something that a member is given counts as made. Recorded times never go back, so this clock may be behind
/// the one that recorded the joining.
pub(crate) fn created_at(state: &Member, now: Timestamp) -> Timestamp {
    state.joined_at.map_or(now, |joined| joined.max(now))
}

/// An API token that may be used for everything.
fn api(entropy: &Entropy, member: MemberId, created_at: Timestamp) -> StoredToken {
    StoredToken {
        id: TokenId::new(entropy.id(created_at)),
        kind: TokenKind::Api,
        member,
        name: None,
        scopes: TokenScopes::all().stored(),
        created_at,
        expires_at: None,
        last_used_at: None,
    }
}

/// Makes and stores an API token for a member; gives its text. `state`: the member's, active by now. `Refused`
/// beyond [`parlance_store::TOKENS_PER_MEMBER_MAX`].
pub async fn issue_api(
    store: &impl Tokens,
    entropy: &Entropy,
    account: AccountId,
    (member, state): (MemberId, &Member),
    now: Timestamp,
) -> Result<String, StoreError> {
    let minted = mint(entropy, account, TokenKind::Api);
    let token = api(entropy, member, created_at(state, now));
    store.put_token(account, minted.hash, token).await?;
    Ok(minted.text)
}

/// Makes and stores an invitation for a member, whose earlier ones are void; gives its text and its end.
pub async fn issue_invitation(
    store: &impl Tokens,
    entropy: &Entropy,
    account: AccountId,
    member: MemberId,
    now: Timestamp,
) -> Result<(String, Timestamp), StoreError> {
    store.remove_tokens(account, member, TokenKind::Invitation, None).await?;
    let minted = mint(entropy, account, TokenKind::Invitation);
    let expires_at = now.plus_micros(INVITATION_LIFETIME_MICROS);
    let token = StoredToken {
        id: TokenId::new(entropy.id(now)),
        kind: TokenKind::Invitation,
        member,
        name: None,
        scopes: String::new(),
        created_at: now,
        expires_at: Some(expires_at),
        last_used_at: None,
    };
    store.put_token(account, minted.hash, token).await?;
    Ok((minted.text, expires_at))
}

/// Exchanges an invitation for an API token, once its member has joined; gives the token's text. `state`: the
/// member's, active by now. Of several who come with one invitation exactly one is given a token; the API tokens of
/// an earlier membership go with it. `None`: the invitation is gone.
pub async fn accept_invitation(
    store: &impl Tokens,
    entropy: &Entropy,
    account: AccountId,
    invitation: TokenHash,
    (member, state): (MemberId, &Member),
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let minted = mint(entropy, account, TokenKind::Api);
    let token = api(entropy, member, created_at(state, now));
    let exchanged = store.exchange_token(account, invitation, minted.hash, token, None).await?;
    Ok(exchanged.then_some(minted.text))
}

/// Makes and stores a token for an operator; gives its text.
pub async fn issue_operator(
    store: &impl Tokens,
    entropy: &Entropy,
    operator: OperatorId,
    now: Timestamp,
) -> Result<String, StoreError> {
    let minted = mint_operator(entropy);
    store.put_operator_token(minted.hash, operator, now).await?;
    Ok(minted.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountId {
        AccountId::new(Uuid::from_u128(0xA1))
    }

    #[test]
    fn a_token_reads_back_as_what_it_was_made_for() {
        let entropy = Entropy::seeded(1);
        for kind in TokenKind::ALL {
            let minted = mint(&entropy, account(), kind);
            assert_eq!(minted.text.len(), 4 + ACCOUNT_CHARS + 1 + SECRET_CHARS);
            let presented = Presented::Member { kind, account: account(), hash: minted.hash };
            assert_eq!(parse(&minted.text), Some(presented));
        }
        let operator = mint_operator(&entropy);
        assert_eq!(parse(&operator.text), Some(Presented::Operator { hash: operator.hash }));
        assert_ne!(mint_operator(&entropy).hash, operator.hash);
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        let entropy = Entropy::seeded(2);
        let token = mint(&entropy, account(), TokenKind::Api).text;
        let operator = mint_operator(&entropy).text;
        let others = [
            String::new(),
            "prl_".to_owned(),
            token[..token.len() - 1].to_owned(),
            format!("{token}A"),
            token.replace("prl_", "prx_"),
            token.replace("a1_", "A1_"),
            token.replace("a1_", "á_"),
            format!("{}=", &token[..token.len() - 1]),
            format!("{operator}x"),
            format!(" {operator}"),
        ];
        for other in others {
            assert_eq!(parse(&other), None, "{other}");
        }
    }

    #[test]
    fn a_token_counts_only_for_who_its_member_is_now() {
        let at = |micros| Timestamp::from_micros(micros);
        let member = |standing| Member { standing, joined_at: Some(at(10)), ..Member::default() };
        let token = |kind, created, expires: Option<i64>| StoredToken {
            kind,
            expires_at: expires.map(at),
            ..api(&Entropy::seeded(3), MemberId::default(), at(created))
        };
        let (active, invited) = (member(Standing::Active), member(Standing::Invited));
        let removed = member(Standing::Removed);
        let api = token(TokenKind::Api, 10, None);
        assert!(counts(&api, &active, at(11)));
        assert!(!counts(&api, &removed, at(11)) && !counts(&api, &invited, at(11)));
        assert!(!counts(&token(TokenKind::Api, 9, None), &active, at(11)), "from before they joined");
        let invitation = token(TokenKind::Invitation, 5, Some(20));
        assert!(counts(&invitation, &invited, at(19)));
        assert!(!counts(&invitation, &invited, at(20)), "too old");
        assert!(!counts(&invitation, &active, at(19)) && !counts(&invitation, &removed, at(19)));
    }

    #[test]
    fn a_session_ends_after_a_month_and_after_a_week_unused() {
        let day = |n: i64| Timestamp::from_micros(n * DAY_MICROS);
        let (standing, joined_at) = (Standing::Active, Some(day(0)));
        let member = Member { standing, joined_at, ..Member::default() };
        let session = |used: Option<i64>| StoredToken {
            kind: TokenKind::Session,
            expires_at: Some(day(1).plus_micros(SESSION_LIFETIME_MICROS)),
            last_used_at: used.map(day),
            ..api(&Entropy::seeded(4), MemberId::default(), day(1))
        };
        let just_before = |at: Timestamp| at.plus_micros(-1);
        for (used, end) in [(None, 8), (Some(5), 12), (Some(20), 27), (Some(28), 31)] {
            assert_eq!(ends_at(&session(used)), Some(day(end)));
            assert!(counts(&session(used), &member, just_before(day(end))));
            assert!(!counts(&session(used), &member, day(end)), "used on day {used:?}");
        }
        let removed = Member { standing: Standing::Removed, ..member };
        assert!(!counts(&session(None), &removed, day(2)));
    }
}
