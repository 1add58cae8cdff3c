//! `cargo appbundle keygen`: makes a pair of keys.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::shell::Shell;
use crate::trust::SigningKey;

/// What was made. Keys are only added, never changed or removed.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct KeyPair {
    private_key: String,
    public_key: String,
    fingerprint: String,
}

/// Writes a private key to `file` and the public key beside it; prints the public key's fingerprint.
///
/// # Errors
/// When one of the files is there already: keys are never replaced.
pub fn run(file: &Path, shell: &Shell) -> Result<()> {
    let public = file.with_extension("pub");
    if public == file {
        bail!(
            "the public key is written to `{}`\nhelp: give the private key another name, such as `{}`",
            file.display(),
            file.with_extension("key").display()
        );
    }
    if public.exists() {
        bail!(there_already(&public));
    }
    let (key, pem) = SigningKey::generate()?;
    create(file, 0o600, &pem)?;
    create(&public, 0o644, &key.public().pem())?;
    let fingerprint = key.public().fingerprint().to_string();
    shell.status("Created", format_args!("{} (private key: keep it secret, and back it up)", file.display()));
    shell.status("Created", format_args!("{} (public key)", public.display()));
    let name = public.file_name().unwrap_or_default().to_string_lossy().into_owned();
    shell.note(format_args!(
        "for devices that are to accept only bundles signed with this key: copy `{}` to `/etc/mender/{name}` on the device, and add this \
         line to its `/etc/mender/mender.conf`:\n  \"ArtifactVerifyKey\": \"/etc/mender/{name}\"",
        public.display()
    ));
    let pair = KeyPair {
        private_key: file.display().to_string(),
        public_key: public.display().to_string(),
        fingerprint: fingerprint.clone(),
    };
    shell.result("appbundle-keys", pair, fingerprint);
    Ok(())
}

fn there_already(path: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "`{0}` already exists, and keys are never replaced\nhelp: choose another name: `cargo appbundle keygen FILE`",
        path.display()
    )
}

/// Creates a file that must not be there.
fn create(path: &Path, mode: u32, text: &str) -> Result<()> {
    let failed = || format!("failed to write `{}`", path.display());
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(there_already(path)),
        other => other.with_context(failed)?,
    };
    file.write_all(text.as_bytes()).with_context(failed)
}
