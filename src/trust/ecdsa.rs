//! The two forms of an ECDSA P-256 signature: two numbers of 32 bytes each, as Mender's client takes it, and DER, as OpenSSL and most
//! hardware write it, and as DSSE envelopes contain it.

use super::der::{self, Elements};

/// Bytes of `r` and of `s`.
const NUMBER: usize = 32;

/// DER to 64 bytes; `None` if it is no such signature.
pub fn to_fixed(der: &[u8]) -> Option<Vec<u8>> {
    let mut outer = Elements(der);
    let mut inner = outer.sequence()?;
    let (r, s) = (inner.positive()?, inner.positive()?);
    (outer.is_empty() && inner.is_empty() && r.len() <= NUMBER && s.len() <= NUMBER).then_some(())?;
    let mut fixed = Vec::with_capacity(2 * NUMBER);
    for number in [r, s] {
        fixed.resize(fixed.len() + NUMBER - number.len(), 0);
        fixed.extend_from_slice(number);
    }
    Some(fixed)
}

/// 64 bytes to DER.
pub fn to_der(fixed: &[u8]) -> Vec<u8> {
    let (r, s) = fixed.split_at(NUMBER.min(fixed.len()));
    der::element(der::SEQUENCE, &[&der::positive(r), &der::positive(s)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_the_same_signature() {
        for (r, s) in [(0x01u8, 0x80u8), (0xff, 0x7f), (0x80, 0xff)] {
            for zeros in [0, 1, 31] {
                let mut fixed = vec![0; 64];
                fixed[zeros] = r;
                fixed[31] |= 1;
                fixed[32 + zeros] = s;
                fixed[63] |= 1;
                let der = to_der(&fixed);
                assert_eq!(to_fixed(&der), Some(fixed));
                assert_eq!(to_fixed(&der[..der.len() - 1]), None);
                assert_eq!(to_fixed(&[&der[..], &[0]].concat()), None);
            }
        }
        assert_eq!(to_fixed(b""), None);
    }
}
