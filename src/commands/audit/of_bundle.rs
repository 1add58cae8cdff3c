//! What a bundle lists of itself: the crates of its executables, and the Debian packages of its images.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::subject::AuditSubject;
use crate::bundle::survey::{ExecutableReport, ImageReport, Limits, Survey};
use crate::commands::verify::look;
use crate::debian::{self, InstalledPackage};
use crate::shell::Shell;
use crate::trust::CrateList;
use crate::trust::audit::{AuditedCrates, AuditedPackage, AuditedPackages, Inventory};
use crate::trust::purl::Purl;

/// Folders in which a program without a folder is looked for (`PATH` of most images).
const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Reads a bundle.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn subject(file: &Path, shell: &Shell) -> Result<AuditSubject> {
    let survey = look(file, Limits { largest: 1, executables: true, ..Limits::default() }, "Auditing", shell)?;
    let mut incomplete = Vec::new();
    if let Some(fault) = survey.faults.first() {
        let verify = format!("`cargo appbundle verify {}` tells more", file.display());
        incomplete.push(format!("the bundle is damaged: {fault}; {verify}"));
    }
    let mut inventory = Inventory { products: products(&survey), ..Inventory::default() };
    for executable in &survey.executables {
        match crates(executable, &survey) {
            Ok(Some(set)) => inventory.crates.push(set),
            Ok(None) => {}
            Err(error) => incomplete.push(format!("{}: {error:#}", executable.path)),
        }
    }
    for (at, image) in survey.images.iter().enumerate() {
        incomplete.extend(unlisted(at, image, &survey));
    }
    for packages in &survey.packages {
        let images = packages.images.iter().filter_map(|at| survey.images.get(*at));
        let package = |package: &InstalledPackage| AuditedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            source: package.source.clone(),
            source_version: package.source_version.clone(),
        };
        inventory.packages.push(AuditedPackages {
            services: images.flat_map(services).collect(),
            base: None,
            release: packages.release.clone(),
            list: packages.list.iter().map(package).collect(),
        });
    }
    // By itself, it says too little to call the bundle listed.
    if !inventory.crates.is_empty() || !inventory.packages.is_empty() {
        inventory.packages.extend(c_libraries(&survey));
    }
    Ok(AuditSubject { file: file.display().to_string(), author: survey.name.clone(), inventory, incomplete })
}

/// Debian's C library in images without dpkg's records, as in those of the base `auto`.
fn c_libraries(survey: &Survey) -> Vec<AuditedPackages> {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for executable in &survey.executables {
        let has_records = survey.packages.iter().any(|packages| packages.images.contains(&executable.image));
        let Some(version) = executable.found.glibc.as_deref().filter(|_| !has_records) else { continue };
        let services = survey.images.get(executable.image).map(services).unwrap_or_default();
        let known = found.entry(version).or_default();
        known.extend(services.into_iter().filter(|service| !known.contains(service)).collect::<Vec<_>>());
    }
    let set = |(version, services): (&str, Vec<String>)| AuditedPackages {
        services,
        base: None,
        release: debian::edition_of_glibc(version).map(str::to_owned),
        list: vec![AuditedPackage {
            name: "libc6".to_owned(),
            version: version.to_owned(),
            source: "glibc".to_owned(),
            source_version: version.to_owned(),
        }],
    };
    found.into_iter().map(set).collect()
}

/// Names by which a VEX document may mean the whole.
fn products(survey: &Survey) -> Vec<Purl> {
    let version = survey.version.clone();
    let kinds = ["generic", "oci", "docker", "auterionos"].into_iter();
    let named =
        |kind: &str, name: &String| Purl { kind: kind.to_owned(), namespace: None, name: name.clone(), version: version.clone() };
    survey.name.iter().flat_map(|name| kinds.clone().map(move |kind| named(kind, name))).collect()
}

/// The services that run an image; without any, its names stand for them.
pub fn services(image: &ImageReport) -> Vec<String> {
    let names = if image.services.is_empty() { &image.names } else { &image.services };
    if names.is_empty() { vec![image.id.short()] } else { names.clone() }
}

fn crates(executable: &ExecutableReport, survey: &Survey) -> Result<Option<AuditedCrates>> {
    let Some(section) = &executable.found.list else { return Ok(None) };
    let list = CrateList::parse(section)?;
    let mut services = survey.images.get(executable.image).map(services).unwrap_or_default();
    // One image for all services: an executable is that of the service that it is named after.
    let name = executable.path.rsplit('/').next().unwrap_or_default();
    if services.iter().any(|service| service == name) {
        services.retain(|service| service == name);
    }
    let arch = executable.found.architecture.as_deref().and_then(rust_arch).map(str::to_owned);
    Ok(Some(AuditedCrates { services, file: Some(executable.path.clone()), arch, list }))
}

/// Rust's name (`cfg(target_arch)`) of a processor that OCI names.
pub fn rust_arch(name: &str) -> Option<&'static str> {
    Some(match name {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "386" => "x86",
        "arm" => "arm",
        "riscv64" => "riscv64",
        "ppc64le" => "powerpc64",
        "s390x" => "s390x",
        _ => return None,
    })
}

/// What is said of an image whose program has no list.
pub fn unlisted(at: usize, image: &ImageReport, survey: &Survey) -> Option<String> {
    let own = || survey.executables.iter().filter(|executable| executable.image == at);
    let of = services(image).join(", ");
    let build = "executables that `cargo appbundle build` compiles have one";
    let program = image.entrypoint.first().or(image.cmd.first());
    if let Some(program) = program.and_then(|program| own().find(|executable| is_at(&executable.path, program))) {
        let path = &program.path;
        return match (&program.found.list, &program.found.fault) {
            (Some(_), _) => None,
            (None, Some(fault)) => Some(format!("`{path}` of {of} cannot be read: {fault}")),
            (None, None) => Some(format!("`{path}` of {of} has no list of its crates; {build}")),
        };
    }
    if own().any(|executable| executable.found.list.is_some()) {
        return None;
    }
    Some(match program {
        Some(program) => format!("`{program}`, which {of} runs, is no executable in the image"),
        None => format!("no executable in the image of {of} has a list of its crates; {build}"),
    })
}

/// Whether a file is the program that a command names. In many images `/bin` is a link to `/usr/bin`.
fn is_at(path: &str, program: &str) -> bool {
    match program.starts_with('/') {
        true => path == program || path.strip_prefix("/usr") == Some(program),
        false => PATH.iter().any(|folder| path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) == Some(program)),
    }
}
