//! All tables of a workspace, read and held against their schemas.

use anyhow::Result;
use serde_json::Value;

use crate::config::schema::Schema;
use crate::config::tables::{AppTable, ServiceTable};
use crate::config::{Manifest, Problems, Step};
use crate::workspace::{Member, Workspace};

/// The app's table and where it stands.
pub struct AppSource {
    pub manifest: Manifest,
    pub path: Vec<Step<'static>>,
    pub table: AppTable,
}

/// A service's table and where it stands.
pub struct ServiceSource<'a> {
    pub member: &'a Member,
    pub manifest: Manifest,
    pub path: Vec<Step<'static>>,
    pub table: ServiceTable,
}

const SERVICE: [Step<'static>; 3] = [Step::Key("package"), Step::Key("metadata"), Step::Key("service")];

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
        problems.push(manifest.problem(&twice, "the app has two tables; keep `[workspace.metadata.appbundle]`"));
    }
    let mut table = AppTable::default();
    if let Some(value) = value
        && Schema::app().check(&manifest, &path, problems)
    {
        table = parse(value, &manifest, &path, problems).unwrap_or_default();
    }
    Ok(AppSource { manifest, path, table })
}

/// Reads the tables of all members.
pub fn services<'a>(workspace: &'a Workspace, problems: &mut Problems) -> Result<Vec<ServiceSource<'a>>> {
    let schema = Schema::service();
    let mut found = Vec::new();
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
            problems.push(manifest.problem(&SERVICE, "the list of services is empty"));
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
    Ok(found)
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
            problems.push(manifest.problem(path, error.to_string()));
            None
        }
    }
}
