//! Public keys, and what verifies with them.

use anyhow::{Result, ensure};
use ring::digest;
use ring::signature::{
    ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::packet::Fields;

/// The object identifier of Ed25519 in keys of algorithm 22.
const ED25519_OID: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

/// The key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Modulus and exponent.
    Rsa(Vec<u8>, Vec<u8>),
    /// The point.
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// Reads what stands behind the algorithm in a key; `None` for other algorithms.
    pub fn read(algorithm: u8, fields: &mut Fields<'_>) -> Result<Option<Self>> {
        Ok(match algorithm {
            1 | 3 => Some(Self::Rsa(fields.mpi()?.to_vec(), fields.mpi()?.to_vec())),
            22 => {
                let length = usize::from(fields.byte()?);
                let is_ed25519 = fields.take(length)? == ED25519_OID;
                match fields.mpi()? {
                    [0x40, point @ ..] if is_ed25519 && point.len() == 32 => Some(Self::Ed25519(point.to_vec())),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// Whether the numbers of a signature are this key's over these bytes, summed with a hash by its number.
    ///
    /// # Errors
    /// When the numbers are cut short.
    pub fn verify(&self, hash: u8, bytes: &[u8], numbers: &[u8]) -> Result<bool> {
        let mut fields = Fields(numbers);
        match self {
            Self::Rsa(n, e) => {
                let parameters = match hash {
                    8 => &RSA_PKCS1_2048_8192_SHA256,
                    9 => &RSA_PKCS1_2048_8192_SHA384,
                    10 => &RSA_PKCS1_2048_8192_SHA512,
                    _ => return Ok(false),
                };
                let signature = padded(fields.mpi()?, n.len())?;
                Ok(RsaPublicKeyComponents { n, e }.verify(parameters, bytes, &signature).is_ok())
            }
            Self::Ed25519(point) => {
                let algorithm = match hash {
                    8 => &digest::SHA256,
                    9 => &digest::SHA384,
                    10 => &digest::SHA512,
                    _ => return Ok(false),
                };
                let mut signature = padded(fields.mpi()?, 32)?;
                signature.extend(padded(fields.mpi()?, 32)?);
                let sum = digest::digest(algorithm, bytes);
                Ok(UnparsedPublicKey::new(&ED25519, point).verify(sum.as_ref(), &signature).is_ok())
            }
        }
    }
}

/// Numbers lose their leading zeros in OpenPGP.
fn padded(number: &[u8], length: usize) -> Result<Vec<u8>> {
    ensure!(number.len() <= length, "a signature has a number of {} instead of {length} bytes", number.len());
    let mut bytes = vec![0; length - number.len()];
    bytes.extend_from_slice(number);
    Ok(bytes)
}
