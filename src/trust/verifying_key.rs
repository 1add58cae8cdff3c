//! Public keys, with which signatures are verified.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result};
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm};

use super::algorithm::Algorithm;
use super::der::{self, Elements};
use super::ecdsa;
use super::key::{bits, contents, long_enough, not_pem, unsupported, wrong};
use super::pem::{self, PemBlock};
use crate::digest::Digest;

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    /// The point, uncompressed; or `RSAPublicKey` (RFC 8017, A.1.1).
    material: Vec<u8>,
    /// Bytes of a signature.
    signature_size: usize,
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.fingerprint())
    }
}

impl VerifyingKey {
    /// Reads a PEM file.
    ///
    /// # Errors
    /// When it cannot be read, or as [`VerifyingKey::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        let failed = || format!("failed to read the public key `{}`", path.display());
        Self::parse(&contents(path).with_context(failed)?).with_context(failed)
    }

    /// A `PUBLIC KEY` (RFC 5280, `SubjectPublicKeyInfo`) or `RSA PUBLIC KEY` (PKCS#1) in PEM.
    ///
    /// # Errors
    /// When it is something else, or of an algorithm that Mender does not have.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let blocks = pem::blocks(text);
        let Some(PemBlock { label, bytes, .. }) = blocks.iter().find(|block| block.label != "EC PARAMETERS") else {
            return Err(not_pem(text, "openssl pkey -pubin -inform DER -in KEY -out PUBLIC"));
        };
        match label.as_str() {
            "PUBLIC KEY" => Self::of_info(bytes),
            "RSA PUBLIC KEY" => Self::of_rsa(bytes),
            "CERTIFICATE" => Err(wrong(
                "it is a certificate, not a key\nhelp: extract its key with `openssl x509 -in CERTIFICATE -noout -pubkey`",
            )),
            label if label.ends_with("PRIVATE KEY") => Err(wrong(
                "it is a private key, where the public one is needed\nhelp: extract the public one with `openssl pkey -in KEY -pubout -out PUBLIC`",
            )),
            label => Err(wrong(format!("it is a `{}`, not a public key", label.escape_debug()))),
        }
    }

    fn of_info(bytes: &[u8]) -> Result<Self> {
        let damaged = || wrong("it is damaged");
        let mut info = Elements(bytes).sequence().ok_or_else(damaged)?;
        let algorithm = Algorithm::of(info.sequence().ok_or_else(damaged)?).map_err(unsupported)?;
        let [0, material @ ..] = info.take(der::BIT_STRING).ok_or_else(damaged)? else { return Err(damaged()) };
        match algorithm {
            Algorithm::Rsa => Self::of_rsa(material),
            Algorithm::P256 if matches!(material, [4, ..]) && material.len() == 65 => Ok(Self::of_point(material)),
            Algorithm::P256 => Err(wrong(
                "its point is compressed or damaged\nhelp: write it with `openssl pkey -pubin -in KEY -pubout -ec_conv_form uncompressed`",
            )),
        }
    }

    pub(super) fn of_point(point: &[u8]) -> Self {
        Self { algorithm: Algorithm::P256, material: point.to_vec(), signature_size: 64 }
    }

    pub(super) fn of_rsa(material: &[u8]) -> Result<Self> {
        let mut outer = Elements(material);
        let modulus = outer.sequence().and_then(|mut numbers| numbers.positive()).ok_or_else(|| wrong("it is damaged"))?;
        let bits = bits(modulus);
        long_enough(bits)?;
        Ok(Self { algorithm: Algorithm::Rsa, material: material.to_vec(), signature_size: bits.div_ceil(8) })
    }

    /// `SubjectPublicKeyInfo` in DER.
    fn info(&self) -> Vec<u8> {
        let bits = der::element(der::BIT_STRING, &[&[0], &self.material]);
        der::element(der::SEQUENCE, &[&self.algorithm.identifier(), &bits])
    }

    /// As a `PUBLIC KEY` in PEM.
    pub fn pem(&self) -> String {
        pem::block("PUBLIC KEY", &self.info())
    }

    /// The SHA-256 sum of the key in DER, which `openssl pkey -pubin -outform DER | sha256sum` prints too.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(self.info())
    }

    /// Bytes of the signatures that [`super::SigningKey::sign`] makes: 64, or as long as the modulus.
    pub fn signature_size(&self) -> usize {
        self.signature_size
    }

    /// Whether a signature is this key's over a message. One of ECDSA may have either form.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some(signature) = self.normalized(signature) else { return false };
        let algorithm: &'static dyn VerificationAlgorithm = match self.algorithm {
            Algorithm::P256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::Rsa => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, &self.material).verify(message, &signature).is_ok()
    }

    /// A signature in the form of [`super::SigningKey::sign`]; `None` if it has none of the forms for this key.
    pub fn normalized(&self, signature: &[u8]) -> Option<Vec<u8>> {
        match self.algorithm {
            _ if signature.len() == self.signature_size => Some(signature.to_vec()),
            Algorithm::P256 => ecdsa::to_fixed(signature),
            Algorithm::Rsa => None,
        }
    }

    /// A normalized signature as DSSE envelopes have it: ECDSA in DER.
    pub fn for_envelope(&self, signature: &[u8]) -> Vec<u8> {
        match self.algorithm {
            Algorithm::P256 => ecdsa::to_der(signature),
            Algorithm::Rsa => signature.to_vec(),
        }
    }

    /// `ECDSA P-256`, `RSA 3072`
    pub fn kind(&self) -> String {
        match self.algorithm {
            Algorithm::P256 => "ECDSA P-256".into(),
            Algorithm::Rsa => format!("RSA {}", self.signature_size * 8),
        }
    }
}
