//! The bill of a bundle that has none of its own, from the lists and records in its images.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::bundle::survey::{ExecutableReport, ImageReport, Limits, Survey};
use crate::commands::audit::{services, unlisted};
use crate::commands::verify::look;
use crate::shell::Shell;
use crate::trust::sbom::{AppParts, Bill, Executable, ServiceParts, System};
use crate::trust::{CrateList, ServiceCrates};

/// Reads the bill. What crates' manifests say, such as licences, is not in a bundle.
///
/// # Errors
/// When the file cannot be read, is no bundle, or a list of crates in it is damaged.
pub fn bill(file: &Path, shell: &Shell) -> Result<Bill> {
    let survey = look(file, Limits { largest: 1, executables: true, ..Limits::default() }, "Reading", shell)?;
    let name = || file.file_name().map_or_else(|| "bundle".into(), |name| name.to_string_lossy().into_owned());
    let images = survey.images.iter().enumerate();
    let parts = AppParts {
        name: survey.name.clone().unwrap_or_else(name),
        version: survey.version.clone(),
        services: images.map(|(at, image)| parts(at, image, &survey)).collect::<Result<Vec<_>>>()?.concat(),
        ..AppParts::default()
    };
    let mut bill = parts.bill();
    bill.gaps.extend(survey.images.iter().enumerate().filter_map(|(at, image)| unlisted(at, image, &survey)));
    bill.gaps.push("the licences, suppliers and sums of crates are not in the bundle".to_owned());
    Ok(bill)
}

/// The services of an image. Several have one image if each has an executable in it.
fn parts(at: usize, image: &ImageReport, survey: &Survey) -> Result<Vec<ServiceParts>> {
    let names = services(image);
    let packages = survey.packages.iter().find(|packages| packages.images.contains(&at));
    let own = || survey.executables.iter().filter(|executable| executable.image == at && executable.found.list.is_some());
    let one = |name: &String| {
        let is_named = |executable: &&ExecutableReport| executable.path.rsplit('/').next() == Some(name);
        let named: Vec<&ExecutableReport> = own().filter(is_named).collect();
        let executables = if named.is_empty() || names.len() == 1 { own().collect() } else { named };
        let executable = |executable: &ExecutableReport| {
            let list = CrateList::parse(executable.found.list.as_deref().unwrap_or_default())
                .with_context(|| format!("failed to read `{}` of `{name}`", executable.path))?;
            Ok(Executable { path: executable.path.clone(), sha256: None, crates: ServiceCrates::listed(name, &list) })
        };
        Ok(ServiceParts {
            name: name.clone(),
            version: survey.version.clone(),
            executables: executables.into_iter().map(executable).collect::<Result<_>>()?,
            system: packages.and_then(|packages| packages.release.clone()).map(|release| System {
                id: "debian".to_owned(),
                name: None,
                version: Some(release),
            }),
            packages: packages.map(|packages| packages.list.clone()).unwrap_or_default(),
            ..ServiceParts::default()
        })
    };
    names.iter().map(one).collect()
}
