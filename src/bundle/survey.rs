//! Inspects a bundle of any tool: an `.auterionos` file, a docker archive, or an OCI layout in a tar.
//!
//! The file is read once, front to back, and nothing is written. Its content decides what format it is. Everything wrong with it
//! becomes a fault; the rest is reported as far as it can be read.

pub(in crate::bundle) mod app;
mod check;
mod device;
mod executables;
mod image_executables;
pub(in crate::bundle) mod images;
mod layer;
mod layer_report;
mod layouts;
mod limits;
pub(in crate::bundle) mod members;
mod packages;
mod payload;
mod payload_contents;
mod report;
mod service_images;
mod tables;

use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

pub use self::executables::FoundExecutable;
pub use self::image_executables::ExecutableReport;
use self::images::FoundImages;
pub use self::layer_report::LayerReport;
pub use self::layouts::{Bytes, Layouts, Size};
pub use self::limits::Limits;
use self::members::ImageMembers;
pub use self::packages::ImagePackages;
pub use self::report::{Format, ImageReport, LargeFile, PayloadFileReport, Sharing, Survey};
pub use self::tables::tables;
use super::head;
use super::told::Told;
use crate::archive::Budget;
use crate::diagnostic::Code;
use crate::mender;

/// Inspects a file; `read` is called with the number of bytes read since the last call.
///
/// # Errors
/// When the file cannot be opened, or has none of the formats.
pub fn survey(path: &Path, limits: Limits, read: &dyn Fn(u64)) -> Result<Survey> {
    let shown = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("failed to read `{shown}`"))?;
    let metadata = file.metadata().with_context(|| format!("failed to read `{shown}`"))?;
    ensure!(!metadata.is_dir(), Code::NotABundle.error(format!("`{shown}` is a folder; a bundle is one file")));
    let mut survey =
        survey_reader(Told { reader: file, told: read }, limits).with_context(|| format!("failed to read `{shown}`"))?;
    survey.size = metadata.len();
    survey.notes.extend(path.file_name().and_then(|name| misnamed(&name.to_string_lossy(), &survey)));
    Ok(survey)
}

/// A note on an unusual file name: an `.auterionos` file is usually named after the app and its version (`docs/file-format.md`,
/// sections 4.7 and 5). Devices ignore the name, but people rely on it.
fn misnamed(file: &str, survey: &Survey) -> Option<String> {
    let (Format::Auterionos, Some(slug), Some(version)) = (survey.format, &survey.name, &survey.version) else { return None };
    let between = if survey.api_version.is_some() { '-' } else { '_' };
    let simulated = if survey.devices == ["simulation"] { "-simulation" } else { "" };
    let usual = format!("{slug}{between}{version}{simulated}");
    let stem = file.strip_suffix(".auterionos");
    if [slug, &usual, &format!("{slug}-{version}")].into_iter().any(|name| Some(name.as_str()) == stem) {
        return None;
    }
    Some(format!("the file is named `{}`; the usual name for its app is `{usual}.auterionos`", file.escape_debug()))
}

/// Inspects a stream; the reported size is 0.
///
/// # Errors
/// When it is none of the formats.
pub fn survey_reader(reader: impl Read, limits: Limits) -> Result<Survey> {
    let mut reader = BufReader::with_capacity(1 << 18, reader);
    let mut head = Vec::new();
    reader.by_ref().take(mender::HEAD).read_to_end(&mut head)?;
    let reader = std::io::Cursor::new(head.clone()).chain(reader);
    let budget = Budget::new(limits.unpacked);
    if mender::is_artifact(&head) {
        return Ok(payload::survey(reader, &budget, limits));
    }
    head::check(&head)?;
    let members = ImageMembers::read(reader, &budget, Some(limits));
    let mut images = FoundImages::resolve(&members, false);
    if !images.docker && !images.oci && members.whole {
        bail!(Code::NotABundle.error(
            "it is neither an `.auterionos` file nor an archive of images: it has no `manifest.json` and no `index.json`"
        ));
    }
    let mut faults = members.faults.clone();
    for fault in std::mem::take(&mut images.faults).into_vec() {
        faults.add(fault);
    }
    let mut survey = Survey::new(match (images.docker, images.oci) {
        (true, true) => Format::DockerAndOci,
        (false, true) => Format::Oci,
        _ => Format::Docker,
    });
    survey.describe(&images, &members, limits.largest);
    let annotation = |key: &str| images.annotations.get(key).cloned();
    survey.name = annotation("org.opencontainers.image.title");
    survey.version = annotation("org.opencontainers.image.version");
    survey.made_by = annotation("io.github.cargo-appbundle.made-by").or_else(|| made_by(&members, &images));
    survey.notes.extend(images.notes);
    survey.faults = faults.into_vec();
    Ok(survey)
}

/// Removes control characters from text of a bundle before it is printed to the terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A guess from habits of the tools that write such archives.
fn made_by(members: &ImageMembers, images: &FoundImages) -> Option<String> {
    let has = |end: &str| members.files().any(|(path, _)| path.ends_with(end));
    let guess = match (images.docker, images.oci) {
        (true, true) => "docker 25 or later",
        (true, false) if has("/VERSION") && has("/layer.tar") => "docker before 25",
        (true, false) if members.linked => "podman or skopeo",
        _ => return None,
    };
    Some(format!("{guess} (guessed from its files)"))
}
