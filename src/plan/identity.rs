//! The app's name and version.

use super::Request;
use super::manifests::{AppSource, ServiceSource};
use super::report::Report;
use super::variant::Variant;
use crate::app::{Name, Version};
use crate::config::Step;
use crate::diagnostic::Code;
use crate::workspace::Workspace;

/// The app's name, or that of its variant.
pub fn name(app: &AppSource, variant: Option<&Variant>, workspace: &Workspace, report: &mut Report<'_>) -> Option<Name> {
    let name = of_app(app, workspace, report)?;
    match variant {
        None => Some(name),
        Some(variant) => {
            let place = [Step::Key("variants"), Step::Key(variant.name.as_str())];
            report.take(Code::InvalidName, &place, variant.rename(&name))
        }
    }
}

fn of_app(app: &AppSource, workspace: &Workspace, report: &mut Report<'_>) -> Option<Name> {
    if let Some(name) = &app.table.name {
        return report.take(Code::InvalidName, &[Step::Key("name")], Name::new(name));
    }
    let folder = workspace.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let near = Name::near(&folder);
    let why = format!("the workspace's folder is named `{folder}`, which is not a valid app name: set `name`");
    report.take(Code::InvalidName, &[], Name::new(&near).map_err(|_| why))
}

/// The app's version.
pub fn version(app: &AppSource, sources: &[ServiceSource<'_>], request: &Request, report: &mut Report<'_>) -> Option<Version> {
    if let Some(version) = &request.version {
        return report.take_from(Some("--app-version"), Code::InvalidName, &[], Version::new(version));
    }
    if let Some(version) = &app.table.version {
        return report.take(Code::InvalidName, &[Step::Key("version")], Version::new(version));
    }
    if let Some(version) = app.manifest.workspace_version() {
        return report.take(Code::InvalidName, &[], Version::new(&version));
    }
    let members = sources.iter().filter_map(ServiceSource::member);
    let mut versions: Vec<String> = members.map(|member| member.version.to_string()).collect();
    versions.sort();
    versions.dedup();
    match &versions[..] {
        [only] => report.take(Code::InvalidName, &[], Version::new(only)),
        [] => None,
        several => {
            let message = format!("the services have the versions {}: set the app's `version`", several.join(", "));
            report.wrong(Code::AppVersion, &[], message);
            None
        }
    }
}
