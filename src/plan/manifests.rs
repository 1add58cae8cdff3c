//! Reads all tables of a workspace and checks them against their schemas.

use anyhow::Result;
use serde_json::Value;

use super::report::Report;
use crate::config::schema::Schema;
use crate::config::tables::{AppTable, ServiceTable};
use crate::config::{Manifest, Problems, Step, stray};
use crate::diagnostic::{Code, Diagnostic};
use crate::workspace::{Member, Workspace};

/// The app's table and its location.
pub struct AppSource {
    pub manifest: Manifest,
    pub path: Vec<Step<'static>>,
    pub table: AppTable,
}

/// A service's table and its location.
pub struct ServiceSource<'a> {
    pub member: &'a Member,
    pub manifest: Manifest,
    pub path: Vec<Step<'static>>,
    pub table: ServiceTable,
}

impl AppSource {
    /// Creates a reporter for problems in the table.
    pub fn report<'a>(&'a self, problems: &'a mut Problems) -> Report<'a> {
        Report { manifest: &self.manifest, path: &self.path, problems }
    }
}

impl ServiceSource<'_> {
    /// The service's name, if it is valid.
    pub fn name(&self) -> &str {
        self.table.name.as_deref().unwrap_or(&self.member.name)
    }

    /// Creates a reporter for problems in the table.
    pub fn report<'a>(&'a self, problems: &'a mut Problems) -> Report<'a> {
        Report { manifest: &self.manifest, path: &self.path, problems }
    }
}

/// The table of the service of this name; `None` if it is not in the workspace.
pub fn of<'a, 'b>(sources: &'a [ServiceSource<'b>], name: &str) -> Option<&'a ServiceSource<'b>> {
    sources.iter().find(|source| source.name() == name)
}

const SERVICE: [Step<'static>; 3] = [Step::Key("package"), Step::Key("metadata"), Step::Key("service")];

/// Reports tables that were meant for this program but are not read, in all manifests of the workspace.
pub fn stray(workspace: &Workspace, problems: &mut Problems) -> Result<()> {
    let root = workspace.manifest();
    let members = workspace.members.iter().map(|member| &member.manifest).filter(|manifest| **manifest != root);
    for path in std::iter::once(&root).chain(members) {
        stray::report(&Manifest::read(path)?, *path == root, problems);
    }
    Ok(())
}

/// Reads the root manifest's table. A single package may have it under `package.metadata`.
pub fn app(workspace: &Workspace, problems: &mut Problems) -> Result<AppSource> {
    let manifest = Manifest::read(&workspace.manifest())?;
    let of_package = workspace.root_package().and_then(|member| member.metadata.get("appbundle"));
    let (first, value) = match (workspace.metadata.get("appbundle"), of_package) {
        (None, Some(value)) => ("package", Some(value)),
        (value, _) => ("workspace", value),
    };
    let path = vec![Step::Key(first), Step::Key("metadata"), Step::Key("appbundle")];
    if let (Some(_), Some(_)) = (workspace.metadata.get("appbundle"), of_package) {
        let twice = [Step::Key("package"), Step::Key("metadata"), Step::Key("appbundle")];
        problems.push(manifest.problem(
            Code::ConflictingKeys,
            &twice,
            "the app has two tables; keep `[workspace.metadata.appbundle]`",
        ));
    }
    let mut table = AppTable::default();
    if let Some(value) = value
        && Schema::app().check(&manifest, &path, problems)
    {
        table = parse(value, &manifest, &path, problems).unwrap_or_default();
    }
    Ok(AppSource { manifest, path, table })
}

/// Reads the tables of all members; returns whether all of them could be read.
pub fn services<'a>(workspace: &'a Workspace, problems: &mut Problems) -> Result<(Vec<ServiceSource<'a>>, bool)> {
    let schema = Schema::service();
    let (mut found, before) = (Vec::new(), problems.len());
    for member in &workspace.members {
        let Some(value) = member.metadata.get("service") else { continue };
        let manifest = Manifest::read(&member.manifest)?;
        let tables: Vec<(Vec<Step<'static>>, &Value)> = match value {
            Value::Array(list) => {
                list.iter().enumerate().map(|(at, v)| (SERVICE.into_iter().chain([Step::Index(at)]).collect(), v)).collect()
            }
            value => vec![(SERVICE.to_vec(), value)],
        };
        if tables.is_empty() {
            problems.push(manifest.problem(Code::MissingKey, &SERVICE, "the list of services is empty"));
        }
        for (path, value) in tables {
            if !schema.check(&manifest, &path, problems) {
                continue;
            }
            if let Some(table) = parse(value, &manifest, &path, problems) {
                found.push(ServiceSource { member, manifest: manifest.clone(), path, table });
            }
        }
    }
    Ok((found, problems.len() == before))
}

fn parse<T: serde::de::DeserializeOwned>(
    value: &Value,
    manifest: &Manifest,
    path: &[Step<'_>],
    problems: &mut Problems,
) -> Option<T> {
    match T::deserialize(value) {
        Ok(table) => Some(table),
        Err(error) => {
            problems.push(manifest.problem(Code::InvalidValue, path, error.to_string()));
            None
        }
    }
}

/// The error where no package is a service.
pub fn no_services(workspace: &Workspace) -> Diagnostic {
    let has_bins = workspace.members.iter().any(|member| !member.bins.is_empty());
    let start = if has_bins { "run `cargo appbundle init`" } else { "run `cargo appbundle new-service NAME`" };
    Code::NoServices.error(format!(
        "no package of the workspace `{}` has a table `[package.metadata.service]`\nhelp: {start}",
        workspace.root.display()
    ))
}
