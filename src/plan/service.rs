//! Turns a service's table into a service.

use std::path::PathBuf;

use super::files::Places;
use super::manifests::{ServiceSource, TableOrigin};
use super::needs::OfImages;
use super::report::Report;
use super::template::{self, VERSION_MARK};
use super::{base, container, features, files, libraries, needs, probe, routes, upstream};
use crate::app::{AboutPackage, AppFile, BaseChoice, Container, ImageRef, License, Name, Package, Service, Source};
use crate::config::tables::ServiceTable;
use crate::config::{Problems, Step, schema};
use crate::diagnostic::{Code, Note};
use crate::workspace::{Member, Workspace};

/// The directory of executables in an image.
const BIN_FOLDER: &str = "/usr/local/bin";

/// Not root, and numeric, so that it needs no entry in `/etc/passwd`.
const USER: &str = "65532:65532";

/// The service's name; it is needed before anything else of it.
pub fn name(source: &ServiceSource<'_>, problems: &mut Problems) -> Option<Name> {
    let mut report = source.report(problems);
    match &source.table.name {
        Some(name) => report.take(Code::InvalidName, source.name_place(), Name::new(name)),
        None => report.take(Code::InvalidName, &[], Name::new(source.name())),
    }
}

/// Settings of the app that apply to its services.
pub struct OfApp<'a> {
    /// The app's name, if one image holds all services.
    pub shared_image: Option<String>,
    /// The base of services without a `base` key.
    pub base: &'a BaseChoice,
    /// The workspace.
    pub workspace: &'a Workspace,
    /// The services whose images others made.
    pub images: OfImages<'a>,
    /// Files that commands write before Cargo runs, which need not be there yet.
    pub made: &'a [PathBuf],
}

/// Resolves a service's table; `image` is the name of its image. Adds notes on the files that it packs.
pub fn resolve(
    source: &ServiceSource<'_>,
    name: Name,
    image: ImageRef,
    app: &OfApp<'_>,
    problems: &mut Problems,
    notes: &mut Vec<Note>,
) -> Option<Service> {
    let ServiceSource { origin, manifest, path, table } = source;
    let mut report = Report { manifest, path, problems };
    let TableOrigin::Member(member) = origin else { return upstream::resolve(source, name, image, &mut report) };
    let folder = member.folder();
    let own_base = table.base.as_ref().map(|table| base::resolve(table, folder));
    let own_base = own_base.and_then(|base| report.take(Code::InvalidBase, &[Step::Key("base")], base));
    let bin = bin(member, table, &mut report)?;
    features::known(source, &mut report);
    let binary_path = format!("{BIN_FOLDER}/{bin}");
    let argv0 = argv0(table, &bin, &mut report);
    let started_as = argv0.as_ref().map(|link| link.to.clone());
    let places = Places { folder, workspace: &app.workspace.root, made: app.made };
    let files = files::resolve(&table.files, &places, (&binary_path, argv0), &mut report, |(code, text)| {
        notes.push(code.note(format!("`files` of `{name}`: {text}")));
    });
    let libraries = libraries::resolve(&table.libraries, &app.workspace.members, &files, &mut report);
    let (test, dev) = needs::resolve(table, folder, &app.images, &mut report);
    let container = container::resolve(&table.container, image, folder, &mut report);
    let mut health = container.health;
    if let (Some(health), Some(table)) = (&mut health, &table.container.healthcheck) {
        probe::ask_for(health, table);
    }
    let container = Container {
        health,
        user: container.user.or_else(|| Some(USER.into())),
        workdir: container.workdir.or_else(|| Some("/".into())),
        ..container
    };
    let package = Package {
        package: member.name.clone(),
        folder: folder.to_owned(),
        bin,
        features: table.features.clone().unwrap_or_default(),
        default_features: table.default_features.unwrap_or(true),
        has_default: member.has_feature("default"),
        base: own_base.unwrap_or_else(|| app.base.clone()),
        binary_path,
        argv0: started_as,
        libraries,
        files,
        about: AboutPackage {
            license: member.license.as_deref().map(|words| License::parse(words).to_string()),
            repository: member.repository.clone(),
        },
        shared_image: app.shared_image.clone(),
    };
    let service = Service {
        name,
        source: Source::Package(Box::new(package)),
        container,
        depends_on: table.depends_on.clone(),
        routes: routes::resolve(&table.routes, &mut report),
        test,
        dev,
        controls: table.controls.clone(),
        compose: table.compose.clone().unwrap_or_default(),
        auterion: table.auterion.clone().unwrap_or_default(),
        kubernetes: table.kubernetes.clone().unwrap_or_default(),
    };
    if serde_json::to_string(&service).is_ok_and(|text| text.contains(VERSION_MARK)) {
        report.wrong(Code::InvalidValue, &[], template::not_in_tables());
    }
    Some(service)
}

fn bin(member: &Member, table: &ServiceTable, report: &mut Report<'_>) -> Option<String> {
    let bins: Vec<&str> = member.bins.iter().map(String::as_str).collect();
    if let Some(bin) = &table.bin {
        if bins.contains(&bin.as_str()) {
            return Some(bin.clone());
        }
        let near = schema::did_you_mean(bin, &bins);
        report.wrong(Code::UnknownBin, &[Step::Key("bin")], format!("package `{}` has no bin `{bin}`{near}", member.name));
        return None;
    }
    match (&member.default_run, &bins[..]) {
        (Some(bin), _) => Some(bin.clone()),
        (None, [only]) => Some((*only).to_owned()),
        (None, []) => {
            report.wrong(Code::UnknownBin, &[], format!("package `{}` has no executable", member.name));
            None
        }
        (None, several) => {
            report.wrong(
                Code::UnknownBin,
                &[],
                format!("package `{}` has several bins: set `bin` to one of {}", member.name, several.join(", ")),
            );
            None
        }
    }
}

/// The link under which the executable starts, if the table asks for one of another name.
fn argv0(table: &ServiceTable, bin: &str, report: &mut Report<'_>) -> Option<AppFile> {
    let name = table.argv0.as_ref()?;
    let place = [Step::Key("argv0")];
    if table.container.command.is_some() {
        let message = "`argv0` and `command` exclude each other: `command` runs instead of the executable";
        report.wrong(Code::ConflictingKeys, &place, message);
    }
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "._+-@[]".contains(c));
    if !is_plain || name.trim_matches('.').is_empty() || name.starts_with(files::WHITEOUT) {
        report.wrong(Code::InvalidName, &place, format!("`{name}` is not the name of a program"));
        return None;
    }
    (name != bin).then(|| AppFile::link(format!("{BIN_FOLDER}/{name}"), format!("{BIN_FOLDER}/{bin}")))
}
