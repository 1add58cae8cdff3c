//! What readers of public and of private keys share.

use std::io::Read as _;
use std::path::Path;

use anyhow::Result;

use super::der;
use crate::diagnostic::Code;

/// Bytes of a key file; one of RSA with 8192 bits has 6.5 kB.
const LARGEST: u64 = 1 << 16;

/// The fewest bits of an RSA key: ring has the same limit.
const FEWEST_BITS: usize = 2048;

/// An error about a key.
pub(super) fn wrong(text: impl Into<String>) -> anyhow::Error {
    Code::KeyUnusable.error(text).into()
}

pub(super) fn contents(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST { Err(wrong("it is too large for a key")) } else { Ok(bytes) }
}

/// A warning if users other than the owner may read a file.
pub(super) fn exposed(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let shown = path.display();
    (mode & 0o044 != 0)
        .then(|| format!("other users can read the private key `{shown}`\nhelp: forbid that with `chmod 600 {shown}`"))
}

pub(super) fn bits(modulus: &[u8]) -> usize {
    (modulus.len() * 8).saturating_sub(modulus.first().map_or(0, |first| first.leading_zeros() as usize))
}

pub(super) fn long_enough(bits: usize) -> Result<()> {
    if bits >= FEWEST_BITS {
        return Ok(());
    }
    Err(wrong(format!(
        "its RSA key has {bits} bits; at least {FEWEST_BITS} are needed\nhelp: make a key with `cargo appbundle keygen`"
    )))
}

pub(super) fn unsupported(algorithm: &str) -> anyhow::Error {
    wrong(format!(
        "its algorithm is {algorithm}; devices accept ECDSA P-256 and RSA\nhelp: make a key with `cargo appbundle keygen`"
    ))
}

pub(super) fn not_pem(text: &[u8], help: &str) -> anyhow::Error {
    match text {
        [] => wrong("it is empty"),
        [der::SEQUENCE, ..] => wrong(format!("it is DER, not PEM\nhelp: convert it with `{help}`")),
        _ => wrong("it is not a key in PEM, which has a line such as `-----BEGIN PUBLIC KEY-----`"),
    }
}
