//! `manifest` and `manifest.sig` (`docs/file-format.md`, sections 2.2 and 2.3).

use std::collections::BTreeMap;

use base64::Engine as _;

use super::Faults;
use crate::digest::Digest;

/// Text of `manifest` to the sums of the files that it lists.
pub fn parse(bytes: &[u8], faults: &mut Faults) -> BTreeMap<String, Digest> {
    let mut sums = BTreeMap::new();
    let Ok(text) = std::str::from_utf8(bytes) else {
        faults.add("`manifest` is not UTF-8");
        return sums;
    };
    if text.is_empty() {
        faults.add("`manifest` is empty");
    } else if !text.ends_with('\n') {
        faults.add("the last line of `manifest` does not end with a line feed, so readers ignore it");
    }
    for (at, line) in text.split_terminator('\n').enumerate() {
        let number = at + 1;
        if line.ends_with('\r') {
            faults.add(format!("line {number} of `manifest` ends in CR LF instead of LF"));
            continue;
        }
        let parsed = line.split_at_checked(64).and_then(|(sum, rest)| Some((Digest::from_hex(sum)?, rest)));
        let Some((sum, rest)) = parsed else {
            faults.add(format!("line {number} of `manifest` does not begin with 64 lower-case hexadecimal digits"));
            continue;
        };
        let Some(name) = rest.strip_prefix("  ").filter(|name| !name.is_empty() && !name.starts_with(' ')) else {
            faults.add(format!("line {number} of `manifest` does not have two spaces and a name after the digest"));
            continue;
        };
        if sums.insert(name.to_owned(), sum).is_some() {
            faults.add(format!("`manifest` lists `{name}` twice"));
        }
    }
    sums
}

/// Looks at the form of `manifest.sig`; whether it fits a key is not asked.
pub fn check_signature(bytes: &[u8], faults: &mut Faults) {
    match base64::engine::general_purpose::STANDARD.decode(bytes) {
        Err(_) => faults.add("`manifest.sig` is not one line of base64 with padding and no line feed"),
        // RSA of 2048, 3072 and 4096 bits; ECDSA P-256 as two numbers, or in DER.
        Ok(signature) if matches!(signature.len(), 256 | 384 | 512 | 64 | 70..=72) => {}
        Ok(signature) => faults
            .add(format!("`manifest.sig` has {} bytes, which fits neither an RSA nor an ECDSA P-256 signature", signature.len())),
    }
}
