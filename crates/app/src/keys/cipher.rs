//! Sealing bytes: format byte (1), nonce (24), ciphertext with its tag (16 more than the plaintext).

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};

use crate::entropy::Entropy;

const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;

/// The bytes were not sealed by this key for this place, or were changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed bytes do not open with this key")]
pub struct NotOpened;

/// A key, ready to seal and open. Its bytes are wiped when it is dropped.
pub struct Cipher(XChaCha20Poly1305);

impl Cipher {
    pub fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Seals `plaintext` for the place that `associated` names.
    pub fn seal(&self, entropy: &Entropy, associated: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = entropy.bytes();
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad: associated })
            .expect("a plaintext far below the cipher's limit of 256 GiB is always sealed");
        let mut out = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        out.push(FORMAT);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let (format, rest) = sealed.split_first().ok_or(NotOpened)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(NotOpened)?;
        if *format != FORMAT {
            return Err(NotOpened);
        }
        self.0
            .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: associated })
            .map_err(|_| NotOpened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_only_whole_with_its_key_and_in_its_place() {
        let entropy = Entropy::seeded(1);
        let cipher = Cipher::new(&[7; 32]);
        let sealed = cipher.seal(&entropy, b"here", "szöveg".as_bytes());
        assert_eq!(cipher.open(b"here", &sealed).as_deref(), Ok("szöveg".as_bytes()));
        assert_eq!(cipher.open(b"there", &sealed), Err(NotOpened));
        assert_eq!(Cipher::new(&[8; 32]).open(b"here", &sealed), Err(NotOpened));
        for place in 0..sealed.len() {
            let mut other = sealed.clone();
            other[place] ^= 1;
            assert_eq!(cipher.open(b"here", &other), Err(NotOpened), "byte {place}");
            assert_eq!(cipher.open(b"here", &sealed[..place]), Err(NotOpened), "cut at {place}");
        }
        assert_ne!(cipher.seal(&entropy, b"here", b"x"), cipher.seal(&entropy, b"here", b"x"));
    }

    /// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn the_cipher_is_xchacha20_poly1305() {
        let key: [u8; 32] = std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let associated = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let plaintext: &[u8] = b"Ladies and Gentlemen of the class of '99: If I could offer you \
            only one tip for the future, sunscreen would be it.";
        let tag =
            [0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49];
        let cipher = Cipher::new(&key);
        let sealed =
            cipher.0.encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad: &associated }).unwrap();
        assert_eq!(sealed[plaintext.len()..], tag);
        assert_eq!(sealed[..4], [0xbd, 0x6d, 0x17, 0x9d]);
    }
}
