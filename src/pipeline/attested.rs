//! Signs pushed images: an envelope about each manifest goes up beside it.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::pushed::Pushed;
use crate::registry::{Client, Reference, Referrer, Upload};
use crate::shell::Shell;
use crate::trust::{self, ARTIFACT_TYPE, BundleSigner, EnvelopeImage, KEY, Statement, Subject, Unsigned};

/// Signs images that were pushed. One that has a signature of the same key already gets no other.
///
/// # Errors
/// When one cannot be signed, or the registry does not take the signature.
pub fn attest(client: &Client<'_>, pushed: &[Pushed], signer: &BundleSigner, shell: &Shell) -> Result<()> {
    let key = signer.public().fingerprint();
    for image in pushed {
        let name = format!("{}:{}", image.repository, image.tag);
        let to: Reference = name.parse().map_err(anyhow::Error::msg)?;
        let of_this_key = |entry: &Value| {
            entry.get("annotations").and_then(|all| all.get(KEY)?.as_str()) == Some(&key.to_string())
                && entry.get("artifactType").and_then(Value::as_str) == Some(ARTIFACT_TYPE)
        };
        if client.referrers(&to, image.digest)?.iter().any(of_this_key) {
            shell.status("Fresh", format_args!("signature of {name}@{}", image.digest));
            continue;
        }
        let subjects = vec![Subject::new(&image.repository, image.digest)];
        let unsigned = Unsigned::new(&Statement::release(&image.repository, &image.tag, subjects))?;
        let envelope = trust::sealed(&unsigned, signer).with_context(|| format!("failed to sign `{name}`"))?;
        let made = EnvelopeImage::new(envelope, key, (&image.manifest.media_type, image.digest, image.manifest.size))?;
        let opens = made
            .blobs
            .each_ref()
            .map(|(_, bytes)| || -> std::io::Result<Box<dyn std::io::Read>> { Ok(Box::new(Cursor::new(bytes.clone()))) });
        let uploads: Vec<Upload<'_>> =
            made.blobs.iter().zip(&opens).map(|((blob, _), open)| Upload { blob, to: &to, mount: None, open }).collect();
        let advance: crate::registry::Advance = Arc::new(|_| ());
        client.push_blobs(&uploads, &AtomicU64::new(0), &advance)?;
        let referrer = Referrer { manifest: &made.manifest, artifact_type: ARTIFACT_TYPE, annotations: json!(made.annotations) };
        client.push_referrer(&to, image.digest, &referrer)?;
        shell.status("Signed", format_args!("{name}@{}", image.digest));
    }
    Ok(())
}
