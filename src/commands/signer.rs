//! Who signs, from what the user says.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::process::SIGN_KEY;
use crate::shell::Shell;
use crate::trust::{BundleSigner, SigningKey, SigningProgram, VerifyingKey};

/// Who signs.
#[derive(Clone, Debug, Default)]
pub struct SignerOptions {
    /// The private key; the public one if a program signs. Without a path, the key's text is in the variable
    /// `APPBUNDLE_SIGN_KEY`.
    pub key: Option<PathBuf>,
    /// The command line of the program that signs. It may contain a PIN.
    pub with: Option<String>,
    /// How many seconds it may take.
    pub limit: u64,
}

impl SignerOptions {
    /// Reads the key.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub fn signer(&self, shell: &Shell) -> Result<Arc<BundleSigner>> {
        let signer = match (&self.with, &self.key) {
            (Some(line), Some(key)) => {
                let key = VerifyingKey::read(key)?;
                BundleSigner::Program(SigningProgram::new(line, key, Duration::from_secs(self.limit))?)
            }
            (Some(_), None) => bail!("`--with` needs the public key of what the program signs"),
            (None, Some(path)) => {
                let (key, warning) = SigningKey::read(path)?;
                warning.into_iter().for_each(|warning| shell.warning(warning));
                BundleSigner::Key(Box::new(key))
            }
            (None, None) => {
                let text = std::env::var(SIGN_KEY).unwrap_or_default();
                if text.trim().is_empty() {
                    bail!(
                        "there is no key to sign with: no file was given, and the variable `{SIGN_KEY}` is empty\nhelp: make a key with `cargo appbundle keygen`"
                    );
                }
                let key = SigningKey::parse(text.as_bytes())
                    .with_context(|| format!("failed to read the private key in the variable `{SIGN_KEY}`"))?;
                BundleSigner::Key(Box::new(key))
            }
        };
        Ok(Arc::new(signer))
    }
}
