//! Software bills of materials: what an app is made of, in the formats that others read.

mod bill;
mod cyclonedx;
mod parts;
mod read;
mod spdx_document;
mod system;

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};

pub use bill::{Bill, Component, ComponentKind};
pub use cyclonedx::render as cyclonedx;
pub use parts::{AppParts, Executable, PackedFile, ServiceParts};
pub use read::parse;
pub use spdx_document::render as spdx;
pub use system::System;

/// A point in time as the documents write it (RFC 3339).
fn time(epoch: u64) -> Result<String> {
    let failed = || format!("`{epoch}` is no time in seconds since 1970");
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(epoch)).with_context(failed)?;
    let mut text = String::new();
    write!(text, "{}", humantime::format_rfc3339_seconds(time)).with_context(failed)?;
    Ok(text)
}
