//! Signatures (RFC 4880, 5.2).

use anyhow::{Result, ensure};

use super::algorithm::PublicKey;
use super::packet::{Fields, SIGNATURE, packets, subpackets};

/// A signature of version 4.
#[derive(Clone, Debug)]
pub struct Signature {
    /// What it says: 0x01 of a text, 0x10 to 0x13 of a name, 0x18 of a subkey, …
    pub class: u8,
    /// When it was made, in seconds since the epoch.
    pub created: u64,
    /// Seconds after which it is void.
    pub lifetime: Option<u64>,
    /// Seconds after its creation at which the key that it speaks of is void.
    pub key_lifetime: Option<u64>,
    /// What the key that it speaks of is for.
    pub flags: Option<u8>,
    /// The last eight bytes of the fingerprint of the key that made it.
    pub issuer: Option<[u8; 8]>,
    /// A signature by the subkey that this one speaks of.
    pub back: Option<Box<Self>>,
    hash: u8,
    trailer: Vec<u8>,
    numbers: Vec<u8>,
}

impl Signature {
    /// Reads a packet's body; `None` for other versions.
    ///
    /// # Errors
    /// When it is cut short.
    pub fn read(body: &[u8]) -> Result<Option<Self>> {
        Self::within(body, false)
    }

    fn within(body: &[u8], inner: bool) -> Result<Option<Self>> {
        let mut fields = Fields(body);
        if fields.byte()? != 4 {
            return Ok(None);
        }
        let (class, _, hash) = (fields.byte()?, fields.byte()?, fields.byte()?);
        let length = fields.number(2)?;
        let hashed = fields.take(length)?;
        let mut trailer = body[..6 + length].to_vec();
        trailer.extend([4, 0xff]);
        trailer.extend((6 + length as u32).to_be_bytes());
        let length = fields.number(2)?;
        let unhashed = fields.take(length)?;
        fields.take(2)?;
        let mut signature = Self {
            class,
            created: 0,
            lifetime: None,
            key_lifetime: None,
            flags: None,
            issuer: None,
            back: None,
            hash,
            trailer,
            numbers: fields.0.to_vec(),
        };
        let number = |body: &[u8]| body.iter().take(4).fold(0, |number, byte| number << 8 | u64::from(*byte));
        for (kind, body) in subpackets(hashed)? {
            match kind {
                2 => signature.created = number(body),
                3 => signature.lifetime = Some(number(body)).filter(|seconds| *seconds > 0),
                9 => signature.key_lifetime = Some(number(body)).filter(|seconds| *seconds > 0),
                27 => signature.flags = body.first().copied(),
                _ => {}
            }
        }
        ensure!(signature.created > 0, "a signature has no time");
        // Who made it is only a hint: a wrong one verifies nothing.
        for (kind, body) in subpackets(hashed)?.into_iter().chain(subpackets(unhashed)?) {
            match kind {
                16 => signature.issuer = signature.issuer.or_else(|| body.try_into().ok()),
                33 if body.len() == 21 => signature.issuer = body[13..].try_into().ok(),
                32 if !inner => signature.back = Self::within(body, true)?.map(Box::new),
                _ => {}
            }
        }
        Ok(Some(signature))
    }

    /// All signatures in a stream of packets.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn all(bytes: &[u8]) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for (tag, body) in packets(bytes)? {
            if tag == SIGNATURE {
                all.extend(Self::read(body)?);
            }
        }
        Ok(all)
    }

    /// Whether a key made it over these bytes.
    pub fn is_by(&self, key: &PublicKey, bytes: &[u8]) -> bool {
        let whole = [bytes, &self.trailer].concat();
        key.verify(self.hash, &whole, &self.numbers).unwrap_or(false)
    }
}
