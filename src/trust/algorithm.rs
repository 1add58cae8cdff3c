//! The algorithms of keys: the two that Mender knows, and the names of the others, so that an error can tell.

use super::der::{self, Elements};

/// `id-ecPublicKey` (RFC 5480, 2.1.1).
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// `secp256r1`, which is P-256 (RFC 5480, 2.1.1.1).
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// `rsaEncryption` (RFC 8017, A.1).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Others, by their object identifiers.
const OTHERS: [(&[u8], &str); 9] = [
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], "ECDSA P-384"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], "ECDSA P-521"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x21], "ECDSA P-224"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x0a], "ECDSA secp256k1"),
    (&[0x2b, 0x65, 0x70], "Ed25519"),
    (&[0x2b, 0x65, 0x71], "Ed448"),
    (&[0x2b, 0x65, 0x6e], "X25519"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a], "RSA-PSS"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], "DSA"),
];

/// What Mender verifies with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA P-256 with SHA-256.
    P256,
    /// RSA, PKCS#1 v1.5 with SHA-256.
    Rsa,
}

impl Algorithm {
    /// Of an `AlgorithmIdentifier` (RFC 5280, 4.1.1.2); an error is another one's name.
    pub fn of(mut identifier: Elements<'_>) -> Result<Self, &'static str> {
        match identifier.take(der::OID) {
            Some(EC) => identifier.take(der::OID).ok_or("ECDSA with explicit parameters").and_then(Self::of_curve),
            Some(RSA) => Ok(Self::Rsa),
            other => Err(name(other)),
        }
    }

    /// Of a curve's object identifier.
    pub fn of_curve(curve: &[u8]) -> Result<Self, &'static str> {
        if curve == P256 { Ok(Self::P256) } else { Err(name(Some(curve))) }
    }

    /// As an `AlgorithmIdentifier`.
    pub fn identifier(self) -> Vec<u8> {
        let (kind, parameters) = match self {
            Self::P256 => (EC, der::element(der::OID, &[P256])),
            Self::Rsa => (RSA, der::element(der::NULL, &[])),
        };
        der::element(der::SEQUENCE, &[&der::element(der::OID, &[kind]), &parameters])
    }
}

fn name(oid: Option<&[u8]>) -> &'static str {
    OTHERS.iter().find(|(other, _)| Some(*other) == oid).map_or("an unknown algorithm", |(_, name)| name)
}
