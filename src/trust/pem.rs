//! PEM (RFC 7468): blocks with their labels.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One block. It has no `Debug`: it may be a private key.
pub struct PemBlock {
    /// `PRIVATE KEY`
    pub label: String,
    /// What it contains.
    pub bytes: Vec<u8>,
    /// Whether a header says that this is encrypted (RFC 1421, 4.6.1.1).
    pub is_encrypted: bool,
}

/// The blocks of a file, with whatever text between them; one that is not whole, or not base64, is none.
pub fn blocks(text: &[u8]) -> Vec<PemBlock> {
    let text = String::from_utf8_lossy(text);
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) else { continue };
        let end = format!("-----END {label}-----");
        let (mut base64, mut is_encrypted, mut whole) = (String::new(), false, false);
        for line in lines.by_ref() {
            whole = line == end;
            match line.split_once(':') {
                _ if whole => break,
                Some(header) => is_encrypted |= header.0 == "Proc-Type" && header.1.contains("ENCRYPTED"),
                None => base64.push_str(line),
            }
        }
        if let Some(bytes) = STANDARD.decode(&base64).ok().filter(|bytes| whole && !bytes.is_empty()) {
            blocks.push(PemBlock { label: label.to_owned(), bytes, is_encrypted });
        }
    }
    blocks
}

/// A block as text.
pub fn block(label: &str, bytes: &[u8]) -> String {
    let base64 = STANDARD.encode(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    for (at, letter) in base64.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text + &format!("\n-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back() {
        for length in [1usize, 47, 48, 49, 300] {
            let bytes: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let text = format!("words: of a tool\n{}\r\n{}", block("ONE", b"x"), block("TWO THREE", &bytes));
            let blocks = blocks(text.as_bytes());
            let found: Vec<_> = blocks.iter().map(|block| (block.label.as_str(), &block.bytes[..])).collect();
            assert_eq!(found, [("ONE", &b"x"[..]), ("TWO THREE", &bytes)]);
        }
    }

    #[test]
    fn what_is_not_whole_is_none() {
        let whole = block("ONE", b"some bytes");
        assert!(blocks(&whole.as_bytes()[..whole.len() - 5]).is_empty());
        assert!(blocks(whole.replace("END ONE", "END TWO").as_bytes()).is_empty());
        assert!(blocks(whole.replace('=', "!").as_bytes()).is_empty());
        assert!(blocks(b"").is_empty());
    }
}
