//! `cargo appbundle sbom`: prints the bill of materials of a bundle, or of one of its services.

mod of_bundle;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::bundle::{self, survey::printable};
use crate::diagnostic::Code;
use crate::shell::Shell;
use crate::trust::sbom::{self, Bill, ComponentKind};

/// Options of `sbom`.
#[derive(Clone, Debug)]
pub struct SbomOptions {
    /// The bundle.
    pub file: PathBuf,
    /// Only this service.
    pub service: Option<String>,
    /// The format of the document.
    pub format: SbomFormat,
    /// Where to write it; stdout if `None`.
    pub output: Option<PathBuf>,
}

/// The format of a bill of materials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SbomFormat {
    /// CycloneDX 1.6, as JSON.
    CycloneDx,
    /// SPDX 2.3, as JSON.
    Spdx,
}

/// Prints the document, or writes it to a file.
///
/// # Errors
/// When the file is not a bundle or has no such document, or there is no such service.
pub fn run(options: &SbomOptions, shell: &Shell) -> Result<()> {
    let bill = of(&options.file, shell)?;
    for gap in &bill.gaps {
        shell.note(printable(gap));
    }
    let bill = match &options.service {
        Some(service) => part(&bill, service, options)?,
        None => bill,
    };
    let document = match options.format {
        SbomFormat::CycloneDx => sbom::cyclonedx(&bill)?,
        SbomFormat::Spdx => sbom::spdx(&bill)?,
    };
    match &options.output {
        Some(path) => {
            crate::fs::write(path, document.as_bytes())?;
            shell.status("Created", path.display());
        }
        None => {
            let value: serde_json::Value = serde_json::from_str(&document)?;
            shell.result("appbundle-sbom", value, document.trim_end());
        }
    }
    Ok(())
}

/// The bill that a bundle carries, or else that of the lists and records in it.
///
/// # Errors
/// When the file is not a bundle, or what it carries is damaged.
pub(super) fn of(file: &Path, shell: &Shell) -> Result<Bill> {
    let progress = shell.progress("Reading", std::fs::metadata(file).map_or(0, |metadata| metadata.len()));
    let text = bundle::sbom_of(file, &|bytes| progress.advance(bytes))?;
    drop(progress);
    match text {
        Some(text) => sbom::parse(&text).with_context(|| format!("failed to read the bill of materials in `{}`", file.display())),
        None => of_bundle::bill(file, shell),
    }
}

/// The bill of one service.
fn part(bill: &Bill, service: &str, options: &SbomOptions) -> Result<Bill> {
    bill.service(service).with_context(|| {
        let services = bill.components.values().filter(|component| component.kind == ComponentKind::Application);
        let names: Vec<String> = services.map(|component| format!("`{}`", component.name)).collect();
        let shown = options.file.display();
        Code::UnknownService.error(format!("`{shown}` has no service `{service}`\nhelp: its services are {}", names.join(", ")))
    })
}
