//! Downloads manifests and blobs, and checks them (distribution-spec, "Pull").

use std::io::{Read as _, Seek as _, Write as _};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::access::RegistryEndpoint;
use super::client::{Client, Content, Request, Response, header};
use super::refused::refused;
use super::retry::TRIES;
use super::{Blobs, Reference};
use crate::digest::{Digest, Hasher};
use crate::oci::{self, Descriptor};

/// The size of a manifest that registries must accept (distribution-spec, "Pushing Manifests").
const LARGEST_MANIFEST: u64 = 4 << 20;

/// The media types of supported manifests.
pub(super) const ACCEPTED: [&str; 4] = [
    oci::INDEX,
    oci::MANIFEST,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

impl Client<'_> {
    /// Gets the manifest or index that a reference names, and its digest.
    ///
    /// # Errors
    /// When neither a mirror nor the registry has it, or it does not match its digest.
    pub fn manifest(&self, reference: &Reference) -> Result<(Digest, Vec<u8>)> {
        self.of_any(reference, |endpoint| self.manifest_of(endpoint, reference))
    }

    fn manifest_of(&self, endpoint: &RegistryEndpoint, reference: &Reference) -> Result<(Digest, Vec<u8>)> {
        let url = self.url(endpoint, &format!("{}/manifests/{}", reference.repository, reference.version()))?;
        let request = Request { method: "GET", url, headers: vec![("accept", ACCEPTED.join(", "))], content: Content::None };
        let mut response = self.send(endpoint, &pull(reference), &request)?;
        if response.status() != 200 {
            return Err(refused(&endpoint.host, response));
        }
        let claimed = header(&response, "docker-content-digest").map(str::to_owned);
        let bytes = response.body_mut().with_config().limit(LARGEST_MANIFEST).read_to_vec();
        let bytes = bytes.with_context(|| format!("failed to read the manifest from `{}`", endpoint.host))?;
        let digest = Digest::of(&bytes);
        if let Some(asked) = reference.digest {
            ensure!(digest == asked, "`{}` returned a manifest with the digest `{digest}` instead of `{asked}`", endpoint.host);
        }
        if let Some(claimed) = claimed.filter(|claimed| claimed.starts_with("sha256:")) {
            ensure!(
                claimed == digest.to_string(),
                "`{}` returned a manifest with the digest `{digest}`, but claims `{}`",
                endpoint.host,
                claimed.escape_debug()
            );
        }
        Ok((digest, bytes))
    }

    /// Downloads a blob into the cache, unless it is there. `advance` is called once for each new byte.
    ///
    /// # Errors
    /// When neither a mirror nor the registry returns exactly the descriptor's bytes; then nothing is stored.
    pub fn blob(&self, reference: &Reference, blob: &Descriptor, blobs: &Blobs, advance: &dyn Fn(u64)) -> Result<()> {
        if blobs.has(blob) {
            advance(blob.size);
            return Ok(());
        }
        let advance = once_each(advance);
        self.of_any(reference, |endpoint| {
            let failed = || format!("failed to get the blob `{}`", blob.digest);
            let url = self.url(endpoint, &format!("{}/blobs/{}", reference.repository, blob.digest)).with_context(failed)?;
            let mut download = Download::new(blob, blobs)?;
            let ask = |position| {
                let request = Request { method: "GET", url: url.clone(), headers: from(position), content: Content::None };
                self.send(endpoint, &pull(reference), &request)
            };
            match download.fill(self, &endpoint.host, ask, &advance).with_context(failed)? {
                None => download.to.commit(),
                Some(response) => Err(refused(&endpoint.host, response)).with_context(failed),
            }
        })
    }

    /// Asks the servers in order; the last one is the registry itself, and its error is returned.
    fn of_any<T>(&self, reference: &Reference, mut ask: impl FnMut(&RegistryEndpoint) -> Result<T>) -> Result<T> {
        let endpoints = self.endpoints(&reference.registry, reference.host())?;
        let (origin, mirrors) = endpoints.split_last().context("there is no server to ask")?;
        for mirror in mirrors {
            match ask(mirror) {
                Ok(value) => return Ok(value),
                Err(error) => self.warn(format!("the mirror `{}` failed, trying the next server: {error:#}", mirror.host)),
            }
        }
        ask(origin)
    }
}

/// Turns the positions that a download reaches into counts of new bytes, also when it begins again.
pub(super) fn once_each(advance: &dyn Fn(u64)) -> impl Fn(u64) {
    let told = std::cell::Cell::new(0);
    move |position: u64| {
        advance(position.saturating_sub(told.get()));
        told.set(told.get().max(position));
    }
}

/// The header that asks for the bytes from a position on.
pub(super) fn from(position: u64) -> Vec<(&'static str, String)> {
    if position > 0 { vec![("range", format!("bytes={position}-"))] } else { Vec::new() }
}

/// A partly downloaded blob.
pub(super) struct Download<'a> {
    pub to: crate::fs::Pending,
    sum: Hasher,
    blob: &'a Descriptor,
}

impl<'a> Download<'a> {
    pub fn new(blob: &'a Descriptor, blobs: &Blobs) -> Result<Self> {
        Ok(Self { to: blobs.begin(&blob.digest)?, sum: Hasher::default(), blob })
    }

    /// Reads until the blob is complete; continues after a broken connection. `ask` requests the bytes from a position on. A response
    /// that has none of them is returned.
    pub fn fill(
        &mut self,
        client: &Client<'_>,
        host: &str,
        ask: impl Fn(u64) -> Result<Response>,
        advance: &dyn Fn(u64),
    ) -> Result<Option<Response>> {
        let size = self.blob.size;
        let mut number = 1;
        loop {
            let position = self.sum.size();
            let response = ask(position)?;
            match response.status().as_u16() {
                200 => self.restart()?,
                206 if position > 0 && continues(&response, position) => {}
                206 | 416 => bail!("`{host}` ignored the range request"),
                _ => return Ok(Some(response)),
            }
            let rest = size - self.sum.size();
            if let Some(length) = header(&response, "content-length").and_then(|length| length.parse::<u64>().ok()) {
                ensure!(length == rest, "`{host}` returned {length} bytes instead of {rest}");
            }
            let broken = self.read(response, advance)?;
            if self.sum.size() == size {
                break;
            }
            // Progress resets the number of tries.
            number = if self.sum.size() > position { 1 } else { number + 1 };
            let why = broken.unwrap_or_else(|| anyhow!("the connection ended after {} of {size} bytes", self.sum.size()));
            if number >= TRIES {
                return Err(why.context(format!("`{host}` closed the connection early")));
            }
            client.pause(number, None, &format!("`{host}` closed the connection early: {why:#}"));
        }
        let sum = std::mem::take(&mut self.sum).finish();
        ensure!(sum == self.blob.digest, "`{host}` returned bytes with the digest `{sum}`");
        Ok(None)
    }

    fn restart(&mut self) -> Result<()> {
        self.sum = Hasher::default();
        let file = self.to.file();
        file.set_len(0)?;
        file.rewind()?;
        Ok(())
    }

    /// Reads a response's body; returns the error that ended it early, if any.
    fn read(&mut self, response: Response, advance: &dyn Fn(u64)) -> Result<Option<anyhow::Error>> {
        let mut from = response.into_body().into_reader();
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => count,
                Err(error) => return Ok(Some(error.into())),
            };
            ensure!(self.sum.size() + count as u64 <= self.blob.size, "it has more than the expected {} bytes", self.blob.size);
            self.to
                .file()
                .write_all(&buffer[..count])
                .with_context(|| format!("failed to write `{}`", self.to.path().display()))?;
            self.sum.update(&buffer[..count]);
            advance(self.sum.size());
        }
    }
}

/// Whether `Content-Range: bytes 100-199/200` starts at `position` (RFC 9110, 14.4).
fn continues(response: &Response, position: u64) -> bool {
    header(response, "content-range").is_some_and(|range| range.starts_with(&format!("bytes {position}-")))
}

fn pull(reference: &Reference) -> [String; 1] {
    [format!("repository:{}:pull", reference.repository)]
}
