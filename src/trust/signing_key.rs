//! Private keys, with which signatures are made.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};

use super::algorithm::Algorithm;
use super::der::{self, Elements};
use super::key::{bits, contents, exposed, long_enough, not_pem, unsupported, wrong};
use super::pem;
use super::verifying_key::VerifyingKey;

/// A private key. It is never printed, and leaves this module only as signatures.
pub struct SigningKey {
    pair: Pair,
    public: VerifyingKey,
}

enum Pair {
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {:?})", self.public)
    }
}

impl SigningKey {
    /// Reads a PEM file; also gives a warning if others may read it too.
    ///
    /// # Errors
    /// When it cannot be read, or as [`SigningKey::parse`].
    pub fn read(path: &Path) -> Result<(Self, Option<String>)> {
        let failed = || format!("failed to read the private key `{}`", path.display());
        let key = Self::parse(&contents(path).with_context(failed)?).with_context(failed)?;
        Ok((key, exposed(path)))
    }

    /// A private key in PEM, not encrypted: PKCS#8, SEC1 with or without its parameters in front, or PKCS#1.
    ///
    /// # Errors
    /// When it is something else, or of an algorithm that Mender does not have.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let blocks = pem::blocks(text);
        if blocks.iter().any(|block| block.is_encrypted || block.label == "ENCRYPTED PRIVATE KEY") {
            return Err(wrong(
                "it is encrypted with a passphrase\nhelp: decrypt it with `openssl pkey -in KEY -out PLAIN`, or let another program sign, with `--with`",
            ));
        }
        let Some(block) = blocks.iter().find(|block| block.label != "EC PARAMETERS") else {
            return Err(not_pem(text, "openssl pkey -inform DER -in KEY -out KEY.pem"));
        };
        match block.label.as_str() {
            "PRIVATE KEY" => Self::of_pkcs8(&block.bytes),
            "EC PRIVATE KEY" => {
                let parameters = blocks.iter().find(|block| block.label == "EC PARAMETERS");
                Self::of_sec1(&block.bytes, parameters.map(|block| &block.bytes[..]))
            }
            "RSA PRIVATE KEY" => Self::of_pkcs1(&block.bytes),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Err(wrong("it is a public key; signing needs the private one")),
            "CERTIFICATE" => Err(wrong("it is a certificate; signing needs the private key that belongs to it")),
            "OPENSSH PRIVATE KEY" => {
                Err(wrong("it is in the format of OpenSSH\nhelp: make a key for signing with `cargo appbundle keygen`"))
            }
            label => Err(wrong(format!("it is a `{}`, not a private key", label.escape_debug()))),
        }
    }

    /// A new P-256 pair: the key, and its PKCS#8 in PEM.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn generate() -> Result<(Self, String)> {
        let random = || anyhow::anyhow!("the system gives no random numbers");
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).map_err(|_| random())?;
        Ok((Self::of_pkcs8(pkcs8.as_ref())?, pem::block("PRIVATE KEY", pkcs8.as_ref())))
    }

    fn of_pkcs8(bytes: &[u8]) -> Result<Self> {
        let damaged = || wrong("it is damaged");
        let mut info = Elements(bytes).sequence().ok_or_else(damaged)?;
        info.take(der::INTEGER).ok_or_else(damaged)?;
        match Algorithm::of(info.sequence().ok_or_else(damaged)?).map_err(unsupported)? {
            Algorithm::Rsa => Self::of_pkcs1(info.take(der::OCTET_STRING).ok_or_else(damaged)?),
            Algorithm::P256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes, &SystemRandom::new());
                // ring wants the public half next to the private one; some tools leave it out.
                let pair = pair.map_err(|_| {
                    wrong("it is damaged, or lacks its public half\nhelp: write it anew with `openssl ec -in KEY -out NEW`")
                })?;
                let public = VerifyingKey::of_point(pair.public_key().as_ref());
                Ok(Self { pair: Pair::P256(pair), public })
            }
        }
    }

    /// SEC1 (RFC 5915): its curve is in it, or in the parameters before it.
    fn of_sec1(bytes: &[u8], parameters: Option<&[u8]>) -> Result<Self> {
        let damaged = || wrong("it is damaged");
        let mut key = Elements(bytes).sequence().ok_or_else(damaged)?;
        key.take(der::INTEGER).and_then(|_| key.take(der::OCTET_STRING)).ok_or_else(damaged)?;
        let inner = key.take(0xa0);
        if let Some(parameters) = inner.or(parameters) {
            let curve = Elements(parameters).take(der::OID).ok_or_else(|| unsupported("ECDSA with explicit parameters"))?;
            Algorithm::of_curve(curve).map_err(unsupported)?;
        }
        let version = der::element(der::INTEGER, &[&[0]]);
        let key = der::element(der::OCTET_STRING, &[bytes]);
        Self::of_pkcs8(&der::element(der::SEQUENCE, &[&version, &Algorithm::P256.identifier(), &key]))
    }

    fn of_pkcs1(bytes: &[u8]) -> Result<Self> {
        let mut numbers = Elements(bytes).sequence().ok_or_else(|| wrong("it is damaged"))?;
        let modulus = numbers.take(der::INTEGER).and_then(|_| numbers.positive()).ok_or_else(|| wrong("it is damaged"))?;
        long_enough(bits(modulus))?;
        let pair = RsaKeyPair::from_der(bytes).map_err(|why| wrong(format!("it cannot be used: {why}")))?;
        let public = VerifyingKey::of_rsa(pair.public_key().as_ref())?;
        Ok(Self { pair: Pair::Rsa(pair), public })
    }

    /// Its public half.
    pub fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// Signs a message: ECDSA as 64 bytes, RSA as long as the modulus.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let failed = |_| anyhow::anyhow!("the key failed to sign");
        match &self.pair {
            Pair::P256(pair) => Ok(pair.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }
}
