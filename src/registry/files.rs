//! Files of plain web servers, such as archives of packages: without credentials, and over plain HTTP too, since whoever asks knows
//! their sums.

use anyhow::{Context as _, Result, anyhow};

use super::Blobs;
use super::client::{Client, Content, REDIRECTS, Request, Response, header};
use super::connections::Failure;
use super::download::{Download, from, once_each};
use super::image::in_parallel;
use super::url::{host_of, located, shown};
use crate::digest::Digest;
use crate::oci::Descriptor;

impl Client<'_> {
    /// Gets a small file; `None` if the server has none of this name.
    ///
    /// # Errors
    /// When it cannot be reached, answers otherwise, or has more than `most` bytes.
    pub fn small_file(&self, url: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let mut response = self.get(url, 0)?;
        match response.status().as_u16() {
            200 => {
                let bytes = response.body_mut().with_config().limit(most).read_to_vec();
                bytes.map(Some).with_context(|| format!("failed to read `{}`", shown(url)))
            }
            404 | 410 => Ok(None),
            _ => Err(refused(url, &response)),
        }
    }

    /// Downloads a file into the cache under its sum; false if the server has none of this name.
    ///
    /// # Errors
    /// When it cannot be reached, or returns other bytes; then nothing is stored.
    fn file(&self, url: &str, wanted: &Descriptor, blobs: &Blobs, advance: &dyn Fn(u64)) -> Result<bool> {
        let mut download = Download::new(wanted, blobs)?;
        let failed = || format!("failed to get `{}`", shown(url));
        match download.fill(self, &host_of(url), |position| self.get(url, position), advance).with_context(failed)? {
            None => download.to.commit().map(|()| true),
            Some(response) if matches!(response.status().as_u16(), 404 | 410) => Ok(false),
            Some(response) => Err(refused(url, &response)),
        }
    }

    /// Asks for a file from a position on, and follows redirects.
    fn get(&self, url: &str, position: u64) -> Result<Response> {
        let host = host_of(url);
        self.online(&host)?;
        self.patiently(&host, || self.follow_file(url, position))
    }

    /// As [`Client::follow`], but plain HTTP may lead to plain HTTP.
    fn follow_file(&self, url: &str, position: u64) -> Result<Response, Failure> {
        let finally = |error| Failure { passing: false, error };
        let request = Request { method: "GET", url: url.to_owned(), headers: from(position), content: Content::None };
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS {
            let response = self.once(&request, &url, None)?;
            match header(&response, "location") {
                Some(location) if matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) => {
                    let next = located(&url, location).map_err(finally)?;
                    if url.starts_with("https:") && !next.starts_with("https:") {
                        let (from, to) = (shown(&url), shown(&next));
                        return Err(finally(anyhow!("`{from}` redirects to `{to}`, which is not encrypted")));
                    }
                    url = next;
                }
                _ => return Ok(response),
            }
        }
        Err(finally(anyhow!("`{}` redirects more than {REDIRECTS} times", shown(&request.url))))
    }
}

fn refused(url: &str, response: &Response) -> anyhow::Error {
    anyhow!("`{}` answered {}", shown(url), response.status())
}

/// Downloads files into the cache, several at a time. Each has the places where it may be, the best first; `missing` makes the error
/// of one that none of them has.
///
/// # Errors
/// When one cannot be had.
pub fn fetch_files(
    client: &Client<'_>,
    blobs: &Blobs,
    files: &[(Vec<String>, Descriptor)],
    advance: &(dyn Fn(u64) + Sync),
    missing: &(dyn Fn(usize) -> anyhow::Error + Sync),
) -> Result<()> {
    let numbers: Vec<usize> = (0..files.len()).collect();
    in_parallel(&numbers, |at| {
        let (urls, wanted) = &files[*at];
        let found = from_any(client, blobs, urls, wanted, advance)?;
        if found { Ok(()) } else { Err(missing(*at)) }
    })
}

fn from_any(client: &Client<'_>, blobs: &Blobs, urls: &[String], wanted: &Descriptor, advance: &dyn Fn(u64)) -> Result<bool> {
    let advance = once_each(advance);
    let mut failed = None;
    for url in urls {
        match client.file(url, wanted, blobs, &advance) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(false), Err)
}

/// A file by its sum and size.
pub fn described(digest: Digest, size: u64) -> Descriptor {
    Descriptor { media_type: String::new(), digest, size, platform: None, annotations: Default::default() }
}
