//! `libraries`: the shared libraries of the workspace that a service packs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Plan;
use super::report::Report;
use crate::app::{AppFile, Library, Service, Source};
use crate::config::{Step, schema};
use crate::diagnostic::Code;
use crate::workspace::{Member, MemberLibrary};

/// Finds the libraries of a service's table among the members, by the names of packages or of libraries. `files` are what the service
/// packs besides.
pub fn resolve(names: &[String], members: &[Member], files: &[AppFile], report: &mut Report<'_>) -> Vec<Library> {
    let mut found: Vec<Library> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let place = [Step::Key("libraries"), Step::Index(at)];
        let Some(library) = report.take(Code::UnknownLibrary, &place, of_name(name, members)) else { continue };
        if found.contains(&library) {
            report.wrong(Code::InvalidValue, &place, format!("the library `{name}` is given twice"));
        } else if files.iter().any(|file| file.to == library.place()) {
            let message = format!("the library `{name}` and an entry of `files` both go to `{}`", library.place());
            report.wrong(Code::InvalidFiles, &place, message);
        } else {
            found.push(library);
        }
    }
    found
}

fn of_name(name: &str, members: &[Member]) -> Result<Library, String> {
    let all = || members.iter().filter_map(|member| Some((member, member.library.as_ref()?)));
    let by_package = all().find(|(member, _)| member.name == name);
    let Some((member, library)) = by_package.or_else(|| all().find(|(_, library)| library.name == name)) else {
        if members.iter().any(|member| member.name == name) {
            return Err(format!("package `{name}` has no library"));
        }
        let shared = all().filter(|(_, library)| library.is_shared());
        let known: Vec<&str> = shared.flat_map(|(member, library)| [member.name.as_str(), library.name.as_str()]).collect();
        let near = schema::did_you_mean(name, &known);
        return Err(format!("the workspace has no package and no library `{name}`{near}"));
    };
    if !library.is_shared() {
        return Err(not_shared(member, library));
    }
    let has_default = member.has_feature("default");
    Ok(Library { file: format!("lib{}.so", library.name), package: member.name.clone(), has_default })
}

fn not_shared(member: &Member, library: &MemberLibrary) -> String {
    let types: Vec<String> = library.crate_types.iter().map(|of| format!("{:?}", of.to_string())).collect();
    let types = types.join(", ");
    format!(
        "the library of package `{}` is not a shared one: set `crate-type = [\"cdylib\", {types}]` under `[lib]` in its manifest",
        member.name
    )
}

/// Adds the libraries to the files of a service's package, from where they are kept after they are compiled. A library with another
/// name for the linker, of `sonames`, has a link of this name beside it.
pub fn give(service: &mut Service, output: &Path, sonames: &BTreeMap<String, String>) {
    let Source::Package(package) = &mut service.source else { return };
    for library in &package.libraries {
        package.files.push(AppFile::file(library.place(), path(output, &library.file), true));
        let soname = sonames.get(&library.file).filter(|soname| !soname.contains('/'));
        let link = soname.map(|name| AppFile::link(format!("{}/{name}", Library::FOLDER), library.file.clone()));
        // The service may have a file of its own there.
        package
            .files
            .extend(link.filter(|link| package.files.iter().all(|file| file.to != link.to)).into_iter().collect::<Vec<_>>());
    }
    package.files.sort();
}

fn path(output: &Path, file: &str) -> PathBuf {
    output.join("cache/libraries").join(file)
}

impl Plan {
    /// The libraries that services pack, each once.
    pub fn libraries(&self) -> Vec<&Library> {
        let mut all: Vec<&Library> = self.packages().flat_map(|(_, package)| &package.libraries).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Where a library has to be before images are packed that contain it, by the name of its file.
    pub fn library_file(&self, file: &str) -> PathBuf {
        path(&self.output, file)
    }
}
