//! What a file contains, in the documents that others read.

mod bill;
mod crate_list;
mod cyclonedx;
mod licence;
mod parts;
mod purl;
mod spdx_document;

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};

pub use bill::{Bill, Component, ComponentKind, Sums};
pub use crate_list::{CrateKind, CrateList, ListedCrate};
pub use cyclonedx::render as cyclonedx;
pub use licence::Licence;
pub use parts::{AppParts, CrateDetails, Executable, PackedFile, ServiceParts};
pub use purl::Purl;
pub use spdx_document::render as spdx;

/// A point in time as the documents write it (RFC 3339).
fn time(epoch: u64) -> Result<String> {
    let failed = || format!("`{epoch}` is no time in seconds since 1970");
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(epoch)).with_context(failed)?;
    let mut text = String::new();
    write!(text, "{}", humantime::format_rfc3339_seconds(time)).with_context(failed)?;
    Ok(text)
}
