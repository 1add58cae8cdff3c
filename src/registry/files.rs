//! Files of plain web servers, such as archives of packages: without credentials, and over plain HTTP too, since whoever asks knows
//! their sums.

use std::io::{Read as _, Seek as _, Write as _};
use std::time::SystemTime;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use ureq::http::Request;

use super::Blobs;
use super::client::{Client, Response, header};
use super::connections::{Failure, judge};
use super::retry::{self, TRIES};
use super::url::{host_of, located, shown};
use crate::digest::{Digest, Hasher};
use crate::oci::Descriptor;

/// The most redirects of one request.
const REDIRECTS: u32 = 5;

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

    /// Downloads a file into the cache under its sum; false if the server has none of this name. `advance` is called with new bytes.
    ///
    /// # Errors
    /// When it cannot be reached, or returns other bytes; then nothing is stored.
    pub fn file(&self, url: &str, wanted: &Descriptor, blobs: &Blobs, advance: &dyn Fn(u64)) -> Result<bool> {
        let mut to = blobs.begin(&wanted.digest)?;
        let mut sum = Hasher::default();
        let mut told = 0;
        let mut number = 1;
        loop {
            let position = sum.size();
            let response = self.get(url, position)?;
            match response.status().as_u16() {
                200 => {
                    sum = Hasher::default();
                    to.file().set_len(0)?;
                    to.file().rewind()?;
                }
                206 if position > 0 => {}
                404 | 410 => return Ok(false),
                _ => return Err(refused(url, &response)),
            }
            let mut from = response.into_body().into_reader();
            let mut buffer = vec![0; 128 * 1024];
            let broken = loop {
                match from.read(&mut buffer) {
                    Ok(0) => break None,
                    Ok(count) => {
                        let size = sum.size() + count as u64;
                        ensure!(size <= wanted.size, "`{}` has more than the expected {} bytes", shown(url), wanted.size);
                        to.file().write_all(&buffer[..count])?;
                        sum.update(&buffer[..count]);
                        advance(size.saturating_sub(told));
                        told = told.max(size);
                    }
                    Err(error) => break Some(anyhow::Error::from(error)),
                }
            };
            if sum.size() == wanted.size {
                break;
            }
            number = if sum.size() > position { 1 } else { number + 1 };
            let why = broken.unwrap_or_else(|| anyhow!("it ended after {} of {} bytes", sum.size(), wanted.size));
            ensure!(number < TRIES, "`{}` could not be read: {why:#}", shown(url));
            self.pause(number, None, &format!("`{}`: {why:#}", shown(url)));
        }
        let found = sum.finish();
        ensure!(found == wanted.digest, "`{}` has the sum `{found}` instead of `{}`", shown(url), wanted.digest);
        to.commit()?;
        Ok(true)
    }

    /// Asks for a file from a position on, patiently, and follows redirects.
    fn get(&self, url: &str, position: u64) -> Result<Response> {
        self.online(&host_of(url))?;
        let mut number = 1;
        loop {
            let (why, asked) = match self.follow_file(url, position) {
                Ok(response) if retry::is_passing(response.status().as_u16()) && number < TRIES => {
                    let asked = header(&response, "retry-after").and_then(|value| retry::retry_after(value, SystemTime::now()));
                    (format!("`{}` answered {}", host_of(url), response.status()), asked)
                }
                Ok(response) => return Ok(response),
                Err(failure) if failure.passing && number < TRIES => (format!("{:#}", failure.error), None),
                Err(failure) => return Err(failure.error),
            };
            self.pause(number, asked, &why);
            number += 1;
        }
    }

    fn follow_file(&self, url: &str, position: u64) -> Result<Response, Failure> {
        let finally = |error| Failure { passing: false, error };
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS {
            let host = host_of(&url);
            let (scheme, _) = url.split_once("://").unwrap_or(("https", ""));
            let agent = self.agent(scheme, &host).map_err(finally)?;
            let mut builder = Request::builder().method("GET").uri(&url);
            if position > 0 {
                builder = builder.header("range", format!("bytes={position}-"));
            }
            let request = builder.body(()).map_err(|_| finally(anyhow!("`{}` is not a URL", shown(&url))))?;
            let response = agent.run(request).map_err(|error| judge(&host, error))?;
            match header(&response, "location") {
                Some(location) if matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) => {
                    let next = located(&url, location).map_err(finally)?;
                    if url.starts_with("https:") && !next.starts_with("https:") {
                        return Err(finally(anyhow!(
                            "`{}` redirects to `{}`, which is not encrypted",
                            shown(&url),
                            shown(&next)
                        )));
                    }
                    url = next;
                }
                _ => return Ok(response),
            }
        }
        Err(finally(anyhow!("`{}` redirects more than {REDIRECTS} times", shown(&url))))
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
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failed = std::sync::Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(files.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((urls, wanted)) = files.get(at) else { return };
                    let fetched = from_any(client, blobs, urls, wanted, advance)
                        .and_then(|found| if found { Ok(()) } else { bail!(missing(at)) });
                    if let Err(error) = fetched {
                        next.store(files.len(), std::sync::atomic::Ordering::Relaxed);
                        failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// How many files are downloaded at a time.
const AT_A_TIME: usize = 6;

fn from_any(client: &Client<'_>, blobs: &Blobs, urls: &[String], wanted: &Descriptor, advance: &dyn Fn(u64)) -> Result<bool> {
    let mut failed = None;
    for url in urls {
        match client.file(url, wanted, blobs, advance) {
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
