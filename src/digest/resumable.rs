//! Sums that are taken up in the middle of a stream, so that an unchanged beginning is hashed once in its life.
//!
//! The fastest implementation of SHA-256 does not let its state be kept. It need not: the sum of a message is the state behind
//! the message *and its padding* (FIPS 180-4, 5.1.1 and 6.2.2). Where a stream goes on with that padding, at a mark,
//! the sum up to there is all that is needed to go on.

use serde::{Deserialize, Serialize};
use sha2::block_api::compress256;

use super::{Digest, Hasher};

/// What SHA-256 ends a message of `size` bytes with.
pub fn padding(size: u64) -> Vec<u8> {
    let zeros = (64 + 55 - size % 64) % 64;
    let mut padding = vec![0; 1 + zeros as usize];
    padding[0] = 0x80;
    padding.extend((8 * size).to_be_bytes());
    padding
}

/// A running sum that gives a [`Mark`] where the stream has one.
pub struct ResumableHasher(Sum);

enum Sum {
    /// Of a stream from its beginning.
    Whole(Hasher),
    /// Of one whose beginning was summed another time.
    Resumed { state: [u32; 8], size: u64, part: Vec<u8> },
}

impl Default for ResumableHasher {
    fn default() -> Self {
        Self(Sum::Whole(Hasher::default()))
    }
}

impl ResumableHasher {
    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Sum::Whole(hasher) => hasher.update(bytes),
            Sum::Resumed { state, size, part } => {
                *size += bytes.len() as u64;
                take_in(state, part, bytes);
            }
        }
    }

    /// The place behind a mark, which is the [`padding`] of what went in until now: the stream has to go on with it.
    pub fn mark(&self) -> Mark {
        let size = self.size();
        Mark { sum: self.sum(), size: size + padding(size).len() as u64 }
    }

    /// The sum of all that went in.
    pub fn finish(self) -> Digest {
        self.sum()
    }

    fn size(&self) -> u64 {
        match &self.0 {
            Sum::Whole(hasher) => hasher.size(),
            Sum::Resumed { size, .. } => *size,
        }
    }

    fn sum(&self) -> Digest {
        match &self.0 {
            Sum::Whole(hasher) => hasher.clone().finish(),
            Sum::Resumed { state, size, part } => {
                let (mut state, mut part) = (*state, part.clone());
                take_in(&mut state, &mut part, &padding(*size));
                let mut sum = [0; 32];
                sum.as_chunks_mut().0.iter_mut().zip(state).for_each(|(bytes, word)| *bytes = word.to_be_bytes());
                Digest(sum)
            }
        }
    }
}

/// Takes in all whole blocks; what is left over stays in `part`.
fn take_in(state: &mut [u32; 8], part: &mut Vec<u8>, mut bytes: &[u8]) {
    if !part.is_empty() {
        let missing = bytes.len().min(64 - part.len());
        part.extend(&bytes[..missing]);
        bytes = &bytes[missing..];
        let (blocks, _) = part.as_chunks();
        if blocks.is_empty() {
            return;
        }
        compress256(state, blocks);
        part.clear();
    }
    let (blocks, rest) = bytes.as_chunks();
    compress256(state, blocks);
    part.extend(rest);
}

/// A place in a stream where its sum can be taken up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    sum: Digest,
    /// Bytes up to there.
    size: u64,
}

impl Mark {
    /// The sum as it was there.
    pub fn resume(&self) -> ResumableHasher {
        let (words, _) = self.sum.0.as_chunks();
        let state = std::array::from_fn(|at| u32::from_be_bytes(words[at]));
        ResumableHasher(Sum::Resumed { state, size: self.size, part: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_goes_on_behind_a_mark() {
        let bytes: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
        for cut in [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 500, 1000] {
            let mut stream = bytes[..cut].to_vec();
            stream.extend(padding(cut as u64));
            assert_eq!(stream.len() % 64, 0);
            let mut first = ResumableHasher::default();
            first.update(&bytes[..cut]);
            let mut second = first.mark().resume();
            // A mark behind a mark, and pieces of all sizes.
            for piece in bytes.chunks(cut.max(7)) {
                second.update(piece);
            }
            stream.extend(&bytes);
            let mut third = second.mark().resume();
            assert_eq!(second.finish(), Digest::of(&stream));
            stream.extend(padding(stream.len() as u64));
            third.update(b"end");
            stream.extend(b"end");
            assert_eq!(third.finish(), Digest::of(&stream));
        }
    }
}
