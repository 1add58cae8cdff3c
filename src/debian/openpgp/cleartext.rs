//! Messages signed in the clear (RFC 4880, 7).

use anyhow::{Context as _, Result, bail, ensure};

use super::armor;
use super::signature::Signature;

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";

/// The text of a message, and what signs it.
pub struct Cleartext {
    /// The text that the signatures are over. Nothing else of the message is kept.
    pub text: String,
    /// The signatures.
    pub signatures: Vec<Signature>,
}

impl Cleartext {
    /// Reads a message that begins and ends with its own marks: what stands outside of them is not signed, and an error.
    ///
    /// # Errors
    /// When it is not such a message.
    pub fn parse(message: &[u8]) -> Result<Self> {
        let message = std::str::from_utf8(message).context("it is not text")?;
        let mut lines = message.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r']));
        ensure!(lines.next() == Some(BEGIN), "it is not signed: it does not begin with `{BEGIN}`");
        for line in lines.by_ref() {
            match line {
                "" => break,
                line if line.starts_with("Hash: ") => {}
                _ => bail!("it has the line `{}` before the signed text", line.escape_debug()),
            }
        }
        let mut text = Vec::new();
        loop {
            match lines.next().context("it has no signature")? {
                SIGNATURE => break,
                line if line.starts_with("- ") => text.push(&line[2..]),
                line if line.starts_with('-') => bail!("the signed text has a line that begins with `-`"),
                line => text.push(line),
            }
        }
        let rest: Vec<&str> = lines.collect();
        let end = rest.iter().position(|line| *line == END).context("its signature has no end")?;
        ensure!(rest[end + 1..].iter().all(|line| line.is_empty()), "it has text after its signature");
        let armored = format!("{SIGNATURE}\n{}\n", rest[..=end].join("\n"));
        let signatures = Signature::all(&armor::blocks(&armored, "SIGNATURE")?)?;
        Ok(Self { text: text.join("\n"), signatures })
    }

    /// The bytes that are summed: lines end with CR and LF, the last one with neither.
    pub fn canonical(&self) -> Vec<u8> {
        self.text.replace('\n', "\r\n").into_bytes()
    }
}
