//! Manifests about other manifests (distribution-spec, "Pushing Manifests with Subject" and "Unavailable Referrers API").

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::client::{Client, Content, Request, Response, header};
use super::refused::refused;
use super::{Reference, upload};
use crate::digest::Digest;
use crate::oci::{self, LARGEST_DOCUMENT};

/// A manifest that is about another one.
pub struct Referrer<'a> {
    /// Its bytes.
    pub manifest: &'a [u8],
    /// Its `artifactType`.
    pub artifact_type: &'a str,
    /// Its annotations, which lists of referrers repeat.
    pub annotations: Value,
}

impl Client<'_> {
    /// Pushes a manifest with a subject; what it names besides that must be there. A registry that does not know subjects gets a
    /// tag, `sha256-` and the subject's digest, with an index of all such manifests.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub fn push_referrer(&self, to: &Reference, subject: Digest, referrer: &Referrer<'_>) -> Result<Digest> {
        let (digest, response) = self.put_manifest(&to.at(Digest::of(referrer.manifest)), oci::MANIFEST, referrer.manifest)?;
        if header(&response, "oci-subject").is_none() {
            self.list_by_tag(to, subject, digest, referrer)
                .with_context(|| format!("failed to list what refers to `{subject}`"))?;
        }
        Ok(digest)
    }

    /// Descriptors of what is about a manifest, as the registry lists them; none of a registry that has no list.
    ///
    /// # Errors
    /// When the registry cannot be asked.
    pub fn referrers(&self, to: &Reference, subject: Digest) -> Result<Vec<Value>> {
        let endpoint = self.origin(to.host());
        let url = self.url(&endpoint, &format!("{}/referrers/{subject}", to.repository))?;
        let listed = self.index(to, url)?;
        let by_tag = match &listed {
            Some(_) => None,
            None => self.index(to, self.url(&endpoint, &format!("{}/manifests/{}", to.repository, tag(subject)))?)?,
        };
        let index = listed.or(by_tag).unwrap_or_default();
        Ok(index.get("manifests").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// Adds a manifest to the index that the tag leads to. What others wrote there stays as it is.
    fn list_by_tag(&self, to: &Reference, subject: Digest, digest: Digest, referrer: &Referrer<'_>) -> Result<()> {
        let at = Reference { tag: Some(tag(subject)), digest: None, ..to.clone() };
        let url = self.url(&self.origin(to.host()), &format!("{}/manifests/{}", at.repository, at.version()))?;
        let empty = || json!({ "schemaVersion": 2, "mediaType": oci::INDEX, "manifests": [] });
        let mut index = self.index(to, url)?.unwrap_or_else(empty);
        let list = index.get_mut("manifests").and_then(Value::as_array_mut).context("its tag does not lead to an index")?;
        if list.iter().any(|entry| entry.get("digest").and_then(Value::as_str) == Some(&digest.to_string())) {
            return Ok(());
        }
        list.push(json!({
            "mediaType": oci::MANIFEST,
            "digest": digest,
            "size": referrer.manifest.len(),
            "artifactType": referrer.artifact_type,
            "annotations": referrer.annotations,
        }));
        self.put_manifest(&at, oci::INDEX, &serde_json::to_vec(&index)?).map(drop)
    }

    /// An index at an address; `None` if nothing is there, or the registry does not know such addresses.
    fn index(&self, to: &Reference, url: String) -> Result<Option<Value>> {
        let endpoint = self.origin(to.host());
        let request = Request { method: "GET", url, headers: vec![("accept", oci::INDEX.to_owned())], content: Content::None };
        let mut response: Response = self.send(&endpoint, &upload::push(to, None), &request)?;
        match response.status().as_u16() {
            200 => {
                let bytes = response.body_mut().with_config().limit(LARGEST_DOCUMENT).read_to_vec();
                let bytes = bytes.context("failed to read its list of referrers")?;
                // A registry that answers everything with a page has no list.
                Ok(serde_json::from_slice(&bytes).ok().filter(|index: &Value| index.get("manifests").is_some()))
            }
            400 | 404 | 405 => Ok(None),
            _ => Err(refused(&endpoint.host, response)),
        }
    }
}

/// The tag of a manifest's referrers ("Referrers Tag Schema").
fn tag(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}
