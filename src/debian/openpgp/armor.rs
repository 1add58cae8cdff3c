//! ASCII armor (RFC 4880, 6.2).

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;

/// The bytes of all armored blocks of a kind: `PUBLIC KEY BLOCK` or `SIGNATURE`.
///
/// # Errors
/// When there is none, or one is not Base64 or has no end.
pub fn blocks(text: &str, kind: &str) -> Result<Vec<u8>> {
    let (begin, end) = (format!("-----BEGIN PGP {kind}-----"), format!("-----END PGP {kind}-----"));
    let mut bytes = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    let mut count = 0;
    while lines.by_ref().any(|line| line == begin) {
        // Headers end with an empty line.
        ensure!(lines.by_ref().any(str::is_empty), "its armor has no empty line after the headers");
        let mut body = String::new();
        loop {
            let line = lines.next().context("its armor has no end")?;
            if line == end {
                break;
            }
            // The sum of 24 bits guards against bad modems; the signature guards against all else.
            if !line.starts_with('=') {
                body.push_str(line);
            }
        }
        let decoded = base64::engine::general_purpose::STANDARD.decode(&body);
        bytes.extend(decoded.context("its armor is not Base64")?);
        count += 1;
    }
    ensure!(count > 0, "it has no `{begin}`");
    Ok(bytes)
}
