//! What is derived from the installation's sign-in key: hashes of e-mail addresses, salts, verifiers, the seals of
//! tokens' names and of what browsers carry for us. The key is random, made once, wrapped by the master key; without it nothing of the tables of
//! signing in can be guessed at, nor read.

use hmac::{Hmac, KeyInit as _, Mac as _};
use parlance_domain::{AccountId, Email, TokenId};
use parlance_store::{EmailHash, SignIns, StoreError};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{
    entropy::Entropy,
    front::Asker,
    keys::{Cipher, Keyring},
};

const WRAPPING: &[u8] = b"sign-in key";

pub(super) struct Secrets {
    key: Zeroizing<[u8; 32]>,
    names: Cipher,
    carried: Cipher,
}

impl Secrets {
    /// The installation's; made if there is none yet.
    pub async fn load(
        store: &impl SignIns,
        keyring: &Keyring,
        entropy: &Entropy,
    ) -> Result<Self, StoreError> {
        let new = Zeroizing::new(entropy.bytes::<32>());
        let wrapped = store.sign_in_key(keyring.wrap(WRAPPING, &*new)).await?;
        let corrupt = || StoreError::Corrupt("the sign-in key does not open".to_owned());
        let opened = Zeroizing::new(keyring.unwrap(WRAPPING, &wrapped).map_err(|_| corrupt())?);
        Ok(Self::new(opened.as_slice().try_into().map_err(|_| corrupt())?))
    }

    fn new(key: [u8; 32]) -> Self {
        let key = Zeroizing::new(key);
        let names = Cipher::new(&mac(&key, "names", &[]));
        let carried = Cipher::new(&mac(&key, "carried", &[]));
        Self { key, names, carried }
    }

    /// What the directory knows an address by.
    pub fn email(&self, email: &Email) -> EmailHash {
        EmailHash(*mac(&self.key, "email", &[email.folded().as_bytes()]))
    }

    /// The salt of everything that is tried for an address: one slow hash checks all of its memberships.
    pub fn salt(&self, email: &Email) -> [u8; 16] {
        let mut salt = [0; 16];
        salt.copy_from_slice(&mac(&self.key, "salt", &[email.folded().as_bytes()])[..16]);
        salt
    }

    /// What a membership's slow hash is stored as. Its own salt lets nobody see in the table that one person has
    /// one password in two accounts.
    pub fn verifier(&self, by: Asker, recipe: u32, salt: &[u8; 16], slow: &[u8; 32]) -> [u8; 32] {
        let (account, member) = (by.account.bytes(), by.member.bytes());
        *mac(&self.key, "verifier", &[&account, &member, &recipe.to_be_bytes(), salt, slow])
    }

    pub fn seal_name(&self, entropy: &Entropy, account: AccountId, id: TokenId, name: &str) -> Vec<u8> {
        self.names.seal(entropy, &name_place(account, id), name.as_bytes())
    }

    /// `None`: it was not sealed for this token.
    pub fn open_name(&self, account: AccountId, id: TokenId, sealed: &[u8]) -> Option<String> {
        let opened = self.names.open(&name_place(account, id), sealed).ok()?;
        String::from_utf8(opened).ok()
    }

    /// What browsers carry for us, for one purpose.
    pub fn seal_carried(&self, entropy: &Entropy, purpose: &'static str, plain: &[u8]) -> Vec<u8> {
        self.carried.seal(entropy, purpose.as_bytes(), plain)
    }

    /// `None`: it was not sealed for this purpose.
    pub fn open_carried(&self, purpose: &'static str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.carried.open(purpose.as_bytes(), sealed).ok()
    }
}

fn name_place(account: AccountId, id: TokenId) -> Vec<u8> {
    [b"token name".as_slice(), &account.bytes(), &id.bytes()].concat()
}

/// Whether two verifiers are the same; takes as long wherever they differ.
pub(super) fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.ct_eq(other).into()
}

/// HMAC-SHA-256 of a label and fields, each behind its length.
fn mac(key: &[u8; 32], label: &str, fields: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for field in std::iter::once(label.as_bytes()).chain(fields.iter().copied()) {
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use parlance_domain::MemberId;
    use uuid::Uuid;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn by(account: u128) -> Asker {
        Asker { account: AccountId::new(Uuid::from_u128(account)), member: MemberId::new(Uuid::from_u128(2)) }
    }

    /// The expected bytes are Python's `hmac`'s.
    #[test]
    fn what_is_derived_is_for_ever() {
        let secrets = Secrets::new([1; 32]);
        let eva = Email::new("Éva@example.hu").unwrap();
        assert_eq!(secrets.email(&eva), secrets.email(&Email::new("éva@EXAMPLE.hu").unwrap()));
        assert_eq!(hex(&secrets.email(&eva).0[..8]), "ee289055d6a8585f");
        assert_eq!(hex(&secrets.salt(&eva)), "cb35c416c19e78334aaf99ebdb50dd53");
        assert_eq!(hex(&secrets.verifier(by(1), 1, &[3; 16], &[4; 32])[..8]), "2cb6e8e52441ce62");
        assert_ne!(secrets.email(&eva).0[..16], secrets.salt(&eva));
        assert_ne!(secrets.email(&eva), Secrets::new([2; 32]).email(&eva));
    }

    #[test]
    fn one_password_in_two_accounts_looks_like_two() {
        let secrets = Secrets::new([1; 32]);
        let one = secrets.verifier(by(1), 1, &[3; 16], &[4; 32]);
        assert!(same(&one, &secrets.verifier(by(1), 1, &[3; 16], &[4; 32])));
        for other in [
            secrets.verifier(by(2), 1, &[3; 16], &[4; 32]),
            secrets.verifier(by(1), 2, &[3; 16], &[4; 32]),
            secrets.verifier(by(1), 1, &[5; 16], &[4; 32]),
            secrets.verifier(by(1), 1, &[3; 16], &[5; 32]),
        ] {
            assert!(!same(&one, &other));
        }
    }

    #[test]
    fn a_token_s_name_opens_in_its_place_only() {
        let (secrets, entropy) = (Secrets::new([1; 32]), Entropy::seeded(1));
        let (account, id) = (by(1).account, TokenId::new(Uuid::from_u128(9)));
        let sealed = secrets.seal_name(&entropy, account, id, "Éva gépe");
        assert_eq!(secrets.open_name(account, id, &sealed).as_deref(), Some("Éva gépe"));
        assert_eq!(secrets.open_name(by(2).account, id, &sealed), None);
        assert_eq!(secrets.open_name(account, TokenId::default(), &sealed), None);
    }

    #[test]
    fn what_browsers_carry_opens_for_its_purpose_only() {
        let (secrets, entropy) = (Secrets::new([1; 32]), Entropy::seeded(1));
        let sealed = secrets.seal_carried(&entropy, "one", b"carried");
        assert_eq!(secrets.open_carried("one", &sealed).as_deref(), Some(b"carried".as_slice()));
        assert_eq!(secrets.open_carried("another", &sealed), None);
        assert_eq!(Secrets::new([2; 32]).open_carried("one", &sealed), None);
    }
}
