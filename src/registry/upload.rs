//! Blobs and manifests to a registry (distribution-spec, "Push").

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};

use super::Reference;
use super::access::RegistryEndpoint;
use super::client::{Client, Content, Open, Request, Response, header};
use super::download::ACCEPTED;
use super::image::in_parallel;
use super::refused::refused;
use super::retry::{self, TRIES};
use super::url::query;
use crate::digest::Digest;
use crate::oci::Descriptor;

/// A blob that a repository is to have.
pub struct Upload<'a> {
    /// What it is.
    pub blob: &'a Descriptor,
    /// The repository.
    pub to: &'a Reference,
    /// A repository of the same registry that may have it already.
    pub mount: Option<&'a str>,
    /// Opens its bytes.
    pub open: Open<'a>,
}

/// Is told bytes that are done.
pub type Advance = Arc<dyn Fn(u64) + Send + Sync>;

impl Client<'_> {
    /// Sees to it that repositories have their blobs, several at a time; sends only what is not there. `advance` is told each
    /// byte once, sent or not; `sent` counts the bytes that were sent.
    ///
    /// # Errors
    /// The first one; what is there stays there, and is not sent again next time.
    pub fn push_blobs(&self, uploads: &[Upload<'_>], sent: &AtomicU64, advance: &Advance) -> Result<()> {
        in_parallel(uploads, |upload| {
            let told = Arc::new(AtomicU64::new(0));
            let open = || -> std::io::Result<Box<dyn Read>> {
                Ok(Box::new(Counting {
                    from: (upload.open)()?,
                    position: 0,
                    told: Arc::clone(&told),
                    advance: Arc::clone(advance),
                }))
            };
            self.push_blob(&Upload { open: &open, ..*upload }, sent)
                .with_context(|| format!("failed to push the blob `{}` to `{}`", upload.blob.digest, upload.to))?;
            advance(upload.blob.size.saturating_sub(told.load(Ordering::Relaxed)));
            Ok(())
        })
    }

    fn push_blob(&self, upload: &Upload<'_>, sent: &AtomicU64) -> Result<()> {
        let endpoint = self.origin(upload.to.host());
        let mut number = 1;
        loop {
            if self.has_blob(&endpoint, upload)? {
                return Ok(());
            }
            let Some(session) = self.begin(&endpoint, upload)? else { return Ok(()) };
            let failed = match self.put(&endpoint, upload, &session) {
                Ok(response) if matches!(response.status().as_u16(), 201 | 204) => {
                    sent.fetch_add(upload.blob.size, Ordering::Relaxed);
                    return Ok(());
                }
                // A session that broke off is not known any more.
                Ok(response)
                    if retry::is_passing(response.status().as_u16()) || matches!(response.status().as_u16(), 404 | 416) =>
                {
                    refused(&endpoint.host, response)
                }
                Ok(response) => return Err(refused(&endpoint.host, response)),
                Err(error) => error,
            };
            if number >= TRIES {
                return Err(failed);
            }
            self.pause(number, None, &format!("{failed:#}"));
            number += 1;
        }
    }

    fn has_blob(&self, endpoint: &RegistryEndpoint, upload: &Upload<'_>) -> Result<bool> {
        let url = self.url(endpoint, &format!("{}/blobs/{}", upload.to.repository, upload.blob.digest))?;
        let request = Request { method: "HEAD", url, headers: Vec::new(), content: Content::None };
        let response = self.send(endpoint, &push(upload.to, None), &request)?;
        match response.status().as_u16() {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(refused(&endpoint.host, response)),
        }
    }

    /// Opens a session; `None` when the registry took the blob from the other repository.
    fn begin(&self, endpoint: &RegistryEndpoint, upload: &Upload<'_>) -> Result<Option<String>> {
        let from = upload.mount.filter(|from| *from != upload.to.repository);
        let mut url = self.url(endpoint, &format!("{}/blobs/uploads/", upload.to.repository))?;
        if let Some(from) = from {
            url = format!("{url}?{}", query(&[("mount", &upload.blob.digest.to_string()), ("from", from)]));
        }
        let request = Request { method: "POST", url: url.clone(), headers: Vec::new(), content: Content::Bytes(&[]) };
        let response = self.send(endpoint, &push(upload.to, from), &request)?;
        match response.status().as_u16() {
            201 if from.is_some() => Ok(None),
            202 => {
                let location = header(&response, "location").context("its response has no `Location` for the upload")?;
                self.join(&url, location).map(Some)
            }
            _ => Err(refused(&endpoint.host, response)),
        }
    }

    /// All bytes in one request ("Pushing a blob monolithically").
    fn put(&self, endpoint: &RegistryEndpoint, upload: &Upload<'_>, session: &str) -> Result<Response> {
        let separator = if session.contains('?') { '&' } else { '?' };
        let url = format!("{session}{separator}{}", query(&[("digest", &upload.blob.digest.to_string())]));
        let headers = vec![("content-type", "application/octet-stream".to_owned())];
        let request = Request { method: "PUT", url, headers, content: Content::Stream(upload.blob.size, upload.open) };
        self.send(endpoint, &push(upload.to, None), &request)
    }

    /// Of references and manifests, those where the reference leads to that manifest already: then all that it names is there too.
    ///
    /// # Errors
    /// When the registry cannot be asked. One that does not say has none.
    pub fn manifests_there(&self, wanted: &[(&Reference, Digest)]) -> Result<BTreeSet<usize>> {
        let there = Mutex::new(BTreeSet::new());
        let numbers: Vec<usize> = (0..wanted.len()).collect();
        in_parallel(&numbers, |at| {
            let (to, digest) = wanted[*at];
            let endpoint = self.origin(to.host());
            let url = self.url(&endpoint, &format!("{}/manifests/{}", to.repository, to.version()))?;
            let headers = vec![("accept", ACCEPTED.join(", "))];
            let request = Request { method: "HEAD", url, headers, content: Content::None };
            let response = self.send(&endpoint, &push(to, None), &request)?;
            if response.status() == 200 && header(&response, "docker-content-digest") == Some(&digest.to_string()) {
                there.lock().unwrap_or_else(PoisonError::into_inner).insert(*at);
            }
            Ok(())
        })?;
        Ok(there.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives a manifest its tag; all that it names must be there.
    ///
    /// # Errors
    /// When the registry does not take it, or calls it by another digest.
    pub fn push_manifest(&self, to: &Reference, media_type: &str, bytes: &[u8]) -> Result<Digest> {
        Ok(self.put_manifest(to, media_type, bytes)?.0)
    }

    /// As [`Client::push_manifest`]; gives the answer too.
    pub(super) fn put_manifest(&self, to: &Reference, media_type: &str, bytes: &[u8]) -> Result<(Digest, Response)> {
        let endpoint = self.origin(to.host());
        let url = self.url(&endpoint, &format!("{}/manifests/{}", to.repository, to.version()))?;
        let headers = vec![("content-type", media_type.to_owned())];
        let request = Request { method: "PUT", url, headers, content: Content::Bytes(bytes) };
        let response = self.send(&endpoint, &push(to, None), &request)?;
        if !matches!(response.status().as_u16(), 200..=202) {
            return Err(refused(&endpoint.host, response)).with_context(|| format!("failed to push the manifest of `{to}`"));
        }
        let digest = Digest::of(bytes);
        if let Some(claimed) = header(&response, "docker-content-digest").filter(|claimed| claimed.starts_with("sha256:")) {
            ensure!(
                claimed == digest.to_string(),
                "`{}` reports the manifest's digest as `{}` instead of `{digest}`",
                endpoint.host,
                claimed.escape_debug()
            );
        }
        Ok((digest, response))
    }
}

/// What we want to do; mounting needs to read the other repository.
pub(super) fn push(to: &Reference, from: Option<&str>) -> Vec<String> {
    let own = format!("repository:{}:pull,push", to.repository);
    std::iter::once(own).chain(from.map(|from| format!("repository:{from}:pull"))).collect()
}

/// Tells how far it was read, each byte once, however often it is read from the beginning.
struct Counting<R> {
    from: R,
    position: u64,
    told: Arc<AtomicU64>,
    advance: Advance,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.position += count as u64;
        let before = self.told.fetch_max(self.position, Ordering::Relaxed);
        (self.advance)(self.position.saturating_sub(before));
        Ok(count)
    }
}
