//! Attaches documents to pushed images: signatures and bills of materials go up beside what they are about.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::pushed::Pushed;
use crate::digest::Digest;
use crate::registry::{Client, Reference, Referrer, Upload};
use crate::shell::Shell;
use crate::trust::{self, Attachment, BundleSigner, DocumentImage, KEY, Statement, Subject, Unsigned};

/// Signs images that were pushed. One that has a signature of the same key already gets no other.
///
/// # Errors
/// When one cannot be signed, or the registry does not take the signature.
pub fn attest(client: &Client<'_>, pushed: &[Pushed], signer: &BundleSigner, shell: &Shell) -> Result<()> {
    let key = signer.public().fingerprint();
    for image in pushed {
        let (name, to) = reference(image)?;
        let of_this_key = |entry: &Value| {
            entry.get("annotations").and_then(|all| all.get(KEY)?.as_str()) == Some(&key.to_string())
                && entry.get("artifactType").and_then(Value::as_str) == Some(Attachment::Envelope.artifact_type())
        };
        if client.referrers(&to, image.digest)?.iter().any(of_this_key) {
            shell.status("Fresh", format_args!("signature of {name}@{}", image.digest));
            continue;
        }
        let subjects = vec![Subject::new(&image.repository, image.digest)];
        let unsigned = Unsigned::new(&Statement::release(&image.repository, &image.tag, subjects))?;
        let envelope = trust::sealed(&unsigned, signer).with_context(|| format!("failed to sign `{name}`"))?;
        let annotations = BTreeMap::from([(KEY.to_owned(), key.to_string())]);
        let subject = image.manifests.last().context("an image was pushed without a manifest")?;
        attach(client, &to, subject.digest, &DocumentImage::new(Attachment::Envelope, envelope, annotations, subject)?)?;
        shell.status("Signed", format_args!("{name}@{}", image.digest));
    }
    Ok(())
}

/// Puts bills of materials beside images that were pushed: `bills` has them, as CycloneDX, by the digest of the manifest of each
/// image. What is there already is not sent again.
///
/// # Errors
/// When the registry does not take one.
pub fn list(client: &Client<'_>, pushed: &[Pushed], bills: &BTreeMap<Digest, String>, shell: &Shell) -> Result<()> {
    for image in pushed {
        let (name, to) = reference(image)?;
        for subject in &image.manifests {
            let Some(bill) = bills.get(&subject.digest) else { continue };
            let made = DocumentImage::new(Attachment::Sbom, bill.clone(), BTreeMap::new(), subject)?;
            let digest = Digest::of(&made.manifest).to_string();
            let is_it = |entry: &Value| entry.get("digest").and_then(Value::as_str) == Some(&digest);
            let shown = format!("SBOM of {name}@{}", subject.digest);
            if client.referrers(&to, subject.digest)?.iter().any(is_it) {
                shell.status("Fresh", shown);
                continue;
            }
            attach(client, &to, subject.digest, &made)?;
            shell.status("Attached", shown);
        }
    }
    Ok(())
}

/// The name of a pushed image, and the same as a reference.
fn reference(image: &Pushed) -> Result<(String, Reference)> {
    let name = format!("{}:{}", image.repository, image.tag);
    let to = name.parse().map_err(anyhow::Error::msg)?;
    Ok((name, to))
}

fn attach(client: &Client<'_>, to: &Reference, subject: Digest, made: &DocumentImage) -> Result<()> {
    let opens = made
        .blobs
        .each_ref()
        .map(|(_, bytes)| || -> std::io::Result<Box<dyn std::io::Read>> { Ok(Box::new(Cursor::new(bytes.clone()))) });
    let uploads: Vec<Upload<'_>> =
        made.blobs.iter().zip(&opens).map(|((blob, _), open)| Upload { blob, to, mount: None, open }).collect();
    let advance: crate::registry::Advance = Arc::new(|_| ());
    client.push_blobs(&uploads, &AtomicU64::new(0), &advance)?;
    let referrer = Referrer {
        manifest: &made.manifest,
        artifact_type: made.attachment.artifact_type(),
        annotations: json!(made.annotations),
    };
    client.push_referrer(to, subject, &referrer).map(drop)
}
