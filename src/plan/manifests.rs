//! Reads all tables of a workspace and checks them against their schemas.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::report::Report;
use crate::config::schema::Schema;
use crate::config::tables::{AppTable, ImageServiceTable, ImageTable, ServiceTable};
use crate::config::{Manifest, Problems, Step, stray};
use crate::diagnostic::{Code, Diagnostic};
use crate::workspace::{Member, Workspace};

/// The app's table and its location.
pub struct AppSource {
    pub manifest: Manifest,
    pub path: Vec<Step<'static>>,
    pub table: AppTable,
}

/// Where a service comes from.
pub enum TableOrigin<'a> {
    /// A member of the workspace, whose manifest has the table.
    Member(&'a Member),
    /// An image that others made, and the folder to which its paths are relative. The app's table has it.
    Image { image: Option<ImageTable>, folder: &'a Path },
}

/// A service's table and its location.
pub struct ServiceSource<'a> {
    pub origin: TableOrigin<'a>,
    pub manifest: Manifest,
    pub path: Vec<Step<'a>>,
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
        self.table.name.as_deref().or_else(|| Some(&self.member()?.name)).unwrap_or_default()
    }

    /// The member that has it, if one does.
    pub fn member(&self) -> Option<&Member> {
        match self.origin {
            TableOrigin::Member(member) => Some(member),
            TableOrigin::Image { .. } => None,
        }
    }

    /// Where its name is written, below its table.
    pub fn name_place(&self) -> &'static [Step<'static>] {
        if self.table.name.is_some() && self.member().is_some() { &[Step::Key("name")] } else { &[] }
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
                found.push(ServiceSource { origin: TableOrigin::Member(member), manifest: manifest.clone(), path, table });
            }
        }
    }
    Ok((found, problems.len() == before))
}

/// The services of the app's own table: images that others made.
pub fn images<'a>(app: &'a AppSource, workspace: &'a Workspace) -> Vec<ServiceSource<'a>> {
    let source = |(name, table): (&'a String, &ImageServiceTable)| {
        let path = app.path.iter().copied().chain([Step::Key("services"), Step::Key(name)]).collect();
        let ImageServiceTable { image, container, depends_on, routes, compose, auterion, kubernetes } = table.clone();
        let origin = TableOrigin::Image { image, folder: &workspace.root };
        let name = Some(name.clone());
        let table =
            ServiceTable { name, container, depends_on, routes, compose, auterion, kubernetes, ..ServiceTable::default() };
        ServiceSource { origin, manifest: app.manifest.clone(), path, table }
    };
    app.table.services.iter().map(source).collect()
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
