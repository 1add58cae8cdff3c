//! Packets (RFC 4880, 4.2) and the fields inside them.

use anyhow::{Context as _, Result, bail, ensure};

/// A signature.
pub const SIGNATURE: u8 = 2;
/// A primary key.
pub const PUBLIC_KEY: u8 = 6;
/// The name of a primary key's owner.
pub const USER_ID: u8 = 13;
/// A key that a primary key vouches for.
pub const PUBLIC_SUBKEY: u8 = 14;

/// Reads fields front to back.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The next bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        ensure!(count <= self.0.len(), "a packet is cut short");
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(taken)
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// A number of so many bytes, the highest first.
    pub fn number(&mut self, bytes: usize) -> Result<usize> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    /// A number of any length: its bits are counted first (RFC 4880, 3.2).
    pub fn mpi(&mut self) -> Result<&'a [u8]> {
        let bits = self.number(2)?;
        self.take(bits.div_ceil(8))
    }
}

/// The packets of a stream: tag and body.
///
/// # Errors
/// When it is cut short, or a packet has no length of its own.
pub fn packets(bytes: &[u8]) -> Result<Vec<(u8, &[u8])>> {
    let mut fields = Fields(bytes);
    let mut packets = Vec::new();
    while !fields.0.is_empty() {
        let first = fields.byte()?;
        ensure!(first & 0x80 != 0, "it is not made of OpenPGP packets");
        let (tag, length) = if first & 0x40 != 0 {
            (first & 0x3f, new_length(&mut fields)?)
        } else {
            let length = match first & 3 {
                kind @ 0..=2 => fields.number(1 << kind)?,
                _ => bail!("a packet has no length"),
            };
            (first >> 2 & 0x0f, length)
        };
        packets.push((tag, fields.take(length)?));
    }
    Ok(packets)
}

fn new_length(fields: &mut Fields<'_>) -> Result<usize> {
    match fields.byte()? {
        short @ 0..=191 => Ok(short.into()),
        long @ 192..=223 => Ok(((usize::from(long) - 192) << 8) + usize::from(fields.byte()?) + 192),
        255 => fields.number(4),
        _ => bail!("a packet has its length in parts"),
    }
}

/// The subpackets of a signature (RFC 4880, 5.2.3.1): type without the critical bit, and body.
///
/// # Errors
/// When they are cut short, or a critical one is unknown: then the signature means something else than it seems.
pub fn subpackets(bytes: &[u8]) -> Result<Vec<(u8, &[u8])>> {
    let mut fields = Fields(bytes);
    let mut subpackets = Vec::new();
    while !fields.0.is_empty() {
        let length = match fields.byte()? {
            short @ 0..=191 => short.into(),
            255 => fields.number(4)?,
            long => ((usize::from(long) - 192) << 8) + usize::from(fields.byte()?) + 192,
        };
        let (kind, body) = fields.take(length)?.split_first().context("a subpacket is empty")?;
        let (critical, kind) = (kind & 0x80 != 0, kind & 0x7f);
        ensure!(!critical || matches!(kind, 2..=4 | 7 | 9 | 11 | 12 | 16 | 20..=27 | 29..=33), "a critical subpacket is unknown");
        ensure!(!critical || kind != 20, "a critical notation is unknown");
        subpackets.push((kind, body));
    }
    Ok(subpackets)
}
