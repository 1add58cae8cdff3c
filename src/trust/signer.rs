//! Who signs: a private key, or a program that has access to one, such as that of an HSM or a key management service.

use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::signing_key::SigningKey;
use super::verifying_key::VerifyingKey;
use crate::diagnostic::Code;
use crate::process;

/// Who signs.
pub enum BundleSigner {
    /// A private key.
    Key(Box<SigningKey>),
    /// A program.
    Program(SigningProgram),
    /// Somebody did so elsewhere.
    Elsewhere(VerifyingKey, Vec<u8>),
}

/// A program that gets a SHA-256 sum, 32 bytes, on its stdin, and writes the signature to its stdout.
pub struct SigningProgram {
    words: Vec<String>,
    key: VerifyingKey,
    limit: Duration,
}

impl std::fmt::Debug for BundleSigner {
    /// Only the public key: arguments may contain a PIN.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BundleSigner(of {:?})", self.public())
    }
}

impl SigningProgram {
    /// A program from its command line; it makes signatures of `key` within the limit.
    ///
    /// # Errors
    /// When the command line is not one.
    pub fn new(line: &str, key: VerifyingKey, limit: Duration) -> Result<Self> {
        let words = process::split(line).ok().filter(|words| !words.is_empty());
        let words = words.context("the value of `--with` is not a valid command line")?;
        Ok(Self { words, key, limit })
    }

    fn answer(&self, digest: &[u8]) -> Result<Vec<u8>> {
        // Its arguments may contain a PIN, so no message shows them.
        let (program, arguments) = self.words.split_first().context("`--with` is empty")?;
        let failed =
            |text: String| anyhow::Error::from(Code::SignerFailed.error(format!("the signing program `{program}` {text}")));
        match process::exchange_within(Command::new(program).args(arguments), digest, self.limit) {
            Err(error) => Err(failed(format!("cannot be started: {}", error.root_cause()))),
            Ok(None) => Err(failed(format!(
                "did not end within {} seconds\nhelp: give it more time with `--with-timeout SECONDS`",
                self.limit.as_secs()
            ))),
            Ok(Some(Output { status, stderr, .. })) if !status.success() => {
                let stderr = String::from_utf8_lossy(&stderr);
                let lines: Vec<&str> = stderr.trim_end().lines().collect();
                let last = lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n");
                let told = if last.is_empty() { last } else { format!("\n--- stderr\n{last}") };
                Err(failed(format!("failed ({status}){told}")))
            }
            Ok(Some(output)) => Ok(output.stdout),
        }
    }
}

impl BundleSigner {
    /// The key that verifies what it signs.
    pub fn public(&self) -> &VerifyingKey {
        match self {
            Self::Key(key) => key.public(),
            Self::Program(program) => &program.key,
            Self::Elsewhere(key, _) => key,
        }
    }

    /// Signs a message, and verifies the signature; gives it in the form of [`SigningKey::sign`].
    ///
    /// # Errors
    /// When a program fails, hangs, or writes something else; when the signature is not one of this message with this key.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Key(key) => key.sign(message),
            Self::Program(program) => {
                let digest = ring::digest::digest(&ring::digest::SHA256, message);
                let answer = program.answer(digest.as_ref())?;
                recognized(&program.key, message, &answer).map_err(|why| {
                    let name = program.words.first().map_or("", String::as_str);
                    Code::SignerFailed.error(format!("the signing program `{name}` answered with {why}")).into()
                })
            }
            Self::Elsewhere(key, signature) => recognized(key, message, signature).map_err(|why| {
                Code::SignatureInvalid
                    .error(format!("the given signature cannot be used: it is {why}\nhelp: print what to sign with `cargo appbundle sign FILE --print-digest`"))
                    .into()
            }),
        }
    }
}

/// The signature in an answer: binary or base64, ECDSA as two numbers or DER. Otherwise what the answer is.
fn recognized(key: &VerifyingKey, message: &[u8], answer: &[u8]) -> Result<Vec<u8>, String> {
    if answer.is_empty() {
        return Err("nothing".into());
    }
    let letters: Vec<u8> = answer.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let decoded = STANDARD.decode(letters).ok();
    let forms: Vec<Vec<u8>> =
        [Some(answer.to_vec()), decoded].into_iter().flatten().filter_map(|bytes| key.normalized(&bytes)).collect();
    match forms.iter().find(|signature| key.verifies(message, signature)) {
        Some(signature) => Ok(signature.clone()),
        None if forms.is_empty() => Err(format!("{} bytes that are no {} signature", answer.len(), key.kind())),
        None => Err(format!("a signature that does not fit the public key {}", key.fingerprint())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::ecdsa;

    #[test]
    fn all_forms_of_an_answer_are_recognized() {
        let (key, _) = SigningKey::generate().expect("key");
        let public = key.public();
        let fixed = key.sign(b"message").expect("signed");
        let der = ecdsa::to_der(&fixed);
        for answer in [
            fixed.clone(),
            der.clone(),
            STANDARD.encode(&fixed).into_bytes(),
            format!("{}\n", STANDARD.encode(&der)).into_bytes(),
        ] {
            assert_eq!(recognized(public, b"message", &answer), Ok(fixed.clone()));
            assert!(recognized(public, b"massage", &answer).expect_err("other").contains("does not fit the public key sha256:"));
        }
        assert_eq!(recognized(public, b"message", b"rubbish"), Err("7 bytes that are no ECDSA P-256 signature".into()));
        assert_eq!(recognized(public, b"message", b""), Err("nothing".into()));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let (key, pem) = SigningKey::generate().expect("key");
        let program = SigningProgram::new("tool --pin 1234", key.public().clone(), Duration::from_secs(1)).expect("program");
        let shown = format!("{:?} {:?}", BundleSigner::Key(Box::new(key)), BundleSigner::Program(program));
        assert!(!shown.contains("1234") && !shown.contains(&pem[40..60]), "{shown}");
    }
}
