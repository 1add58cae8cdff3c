//! As much of DER (X.690) as keys and signatures need: definite lengths, tags of one byte.

/// OBJECT IDENTIFIER.
pub const OID: u8 = 0x06;
/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// NULL.
pub const NULL: u8 = 0x05;
/// SEQUENCE.
pub const SEQUENCE: u8 = 0x30;

/// Elements that follow one another.
#[derive(Clone, Copy)]
pub struct Elements<'a>(pub &'a [u8]);

impl<'a> Elements<'a> {
    /// Takes the next element if it has this tag: its content. `None` leaves everything as it was.
    pub fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        let (first, rest) = (*found == tag).then(|| rest.split_first())??;
        let (length, rest) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            // One or two bytes of length reach further than any key does. The shortest form is the only one (10.1).
            0x81 => {
                let (byte, rest) = rest.split_first()?;
                (usize::from(*byte), (*byte >= 0x80).then_some(rest)?)
            }
            0x82 => {
                let (bytes, rest) = rest.split_first_chunk::<2>()?;
                let length = usize::from(u16::from_be_bytes(*bytes));
                (length, (length > 0xff).then_some(rest)?)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// Takes a SEQUENCE: its elements.
    pub fn sequence(&mut self) -> Option<Self> {
        self.take(SEQUENCE).map(Self)
    }

    /// Takes a positive INTEGER: its bytes without leading zeros.
    pub fn positive(&mut self) -> Option<&'a [u8]> {
        match self.take(INTEGER)? {
            // A zero stands in front only where the number would be negative without (8.3.2).
            [0, rest @ ..] if rest.first().is_some_and(|byte| *byte >= 0x80) => Some(rest),
            bytes if bytes.first().is_some_and(|byte| (1..0x80).contains(byte)) => Some(bytes),
            _ => None,
        }
    }

    /// Whether nothing follows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An element of these parts; at most 65,535 bytes.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    match length {
        0..=0x7f => bytes.push(length as u8),
        0x80..=0xff => bytes.extend([0x81, length as u8]),
        _ => bytes.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// A positive INTEGER of big-endian bytes.
pub fn positive(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = bytes.get(zeros..).unwrap_or_default();
    let sign: &[u8] = if bytes.first().is_none_or(|byte| *byte >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for length in [1usize, 31, 32, 127, 128, 255, 256, 500] {
            for first in [1, 0x7f, 0x80, 0xff] {
                let mut number = vec![0; length];
                number[0] = first;
                let bytes = positive(&[&[0; 3], &number[..]].concat());
                let mut elements = Elements(&bytes);
                assert_eq!(elements.positive(), Some(&number[..]));
                assert!(elements.is_empty());
            }
        }
    }

    #[test]
    fn only_the_shortest_form_is_read() {
        let long = [&[INTEGER, 0x81, 3][..], &[1, 2, 3]].concat();
        for bad in [&[INTEGER, 2, 0, 1][..], &[INTEGER, 1, 0x80], &[INTEGER, 0], &[INTEGER, 2, 1], &[INTEGER], &long] {
            assert_eq!(Elements(bad).positive(), None, "{bad:?}");
        }
    }
}
