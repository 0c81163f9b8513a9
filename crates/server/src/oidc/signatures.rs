//! Signatures of JSON web tokens (RFC 7518, section 3), checked by ring, which does TLS as well. Nothing is signed
//! here, and no symmetric algorithm is known: with one, whoever knows a public key could sign.

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind,
    crypto::{CryptoProvider, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature::{Error, Verifier},
};
use ring::signature::{
    self as by_ring, EcdsaVerificationAlgorithm, EdDSAParameters, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

/// Whatever an issuer may sign by. RSA keys have 2,048 bits at least.
const RSA: [(Algorithm, &RsaParameters); 6] = [
    (Algorithm::RS256, &by_ring::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RS384, &by_ring::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::RS512, &by_ring::RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::PS256, &by_ring::RSA_PSS_2048_8192_SHA256),
    (Algorithm::PS384, &by_ring::RSA_PSS_2048_8192_SHA384),
    (Algorithm::PS512, &by_ring::RSA_PSS_2048_8192_SHA512),
];
const EC: [(Algorithm, &EcdsaVerificationAlgorithm); 2] = [
    (Algorithm::ES256, &by_ring::ECDSA_P256_SHA256_FIXED),
    (Algorithm::ES384, &by_ring::ECDSA_P384_SHA384_FIXED),
];
const ED: &EdDSAParameters = &by_ring::ED25519;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes the crate `jsonwebtoken` check by ring, for the whole process.
pub fn by_ring() {
    // Asked again, it is there already.
    let _ = PROVIDER.install_default();
}

/// Whether an issuer may sign by it.
pub fn is_known(algorithm: Algorithm) -> bool {
    algorithm == Algorithm::EdDSA
        || RSA.iter().any(|(known, _)| *known == algorithm)
        || EC.iter().any(|(known, _)| *known == algorithm)
}

struct Check {
    algorithm: Algorithm,
    key: DecodingKey,
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if !is_known(*algorithm) || key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    Ok(Box::new(Check { algorithm: *algorithm, key: key.clone() }))
}

impl JwtVerifier for Check {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Check {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let rsa = RSA.iter().find(|(known, _)| *known == self.algorithm).map(|(_, rsa)| *rsa);
        let ec = EC.iter().find(|(known, _)| *known == self.algorithm).map(|(_, ec)| *ec);
        let checked = match (self.key.kind(), rsa, ec) {
            (DecodingKeyKind::RsaModulusExponent { n, e }, Some(rsa), _) => {
                RsaPublicKeyComponents { n: bare(n), e: bare(e) }.verify(rsa, message, signature)
            }
            (DecodingKeyKind::SecretOrDer(point), None, Some(ec)) => {
                UnparsedPublicKey::new(ec, point).verify(message, signature)
            }
            (DecodingKeyKind::SecretOrDer(point), None, None) => {
                UnparsedPublicKey::new(ED, point).verify(message, signature)
            }
            _ => return Err(Error::new()),
        };
        checked.map_err(|_| Error::new())
    }
}

/// A number without leading zeros, which some issuers send though they should not (RFC 7518, section 2).
fn bare(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
