//! A service that is built from a Dockerfile.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Map;

use super::given::Given;
use crate::app::{Container, Dockerfile, DockerfileSource, ImageRef, Name, Needs, Service, Source};
use crate::config::tables::{BuildTable, Scalar};
use crate::config::{Step, schema};
use crate::diagnostic::Code;
use crate::plan::report::Report;
use crate::plan::{container, routes};

/// Resolves the service's table; `env` has the stack's build arguments.
pub fn resolve(
    given: Given<'_>,
    name: &str,
    table: &BuildTable,
    env: &BTreeMap<String, Scalar>,
    report: &mut Report<'_>,
) -> Option<Service> {
    let own = report.take(Code::InvalidName, &[], Name::new(name))?;
    if given.services.contains_key(name) {
        report.wrong(Code::DuplicateService, &[], format!("the workspace already has a service `{name}`"));
        return None;
    }
    let written = table.dir.as_deref().unwrap_or(".");
    let file = table.file.as_deref().unwrap_or("Dockerfile");
    let context = given.workspace.root.join(written).canonicalize().ok().filter(|folder| folder.is_dir());
    if context.is_none() {
        report.wrong(Code::FileNotFound, &[Step::Key("dir")], format!("the folder `{written}` does not exist"));
    }
    let context = context?;
    if !context.join(file).is_file() {
        report.wrong(Code::FileNotFound, &[Step::Key("file")], format!("the file `{file}` is not in `{written}`"));
    }
    let image = report.take(Code::InvalidName, &[Step::Key("tag")], image(given, name, table.tag.as_deref()))?;
    for key in table.env.keys().filter(|key| key.is_empty() || key.contains(['=', '\0'])) {
        report.wrong(Code::InvalidName, &[Step::Key("env")], format!("`{key}` is not a valid variable name"));
    }
    let container = container::resolve(&table.container, image, &given.workspace.root, report);
    let args = command_line(table, report).unwrap_or(container.args);
    let packages = packages(given, table, report);
    let mut build_args: BTreeMap<String, String> = BTreeMap::new();
    for env in [env, &table.env] {
        build_args.extend(env.iter().map(|(key, value)| (key.clone(), value.to_string())));
    }
    build_args.extend(given.request.env.iter().cloned());
    let path = context.join(file);
    let dockerfile = Dockerfile { path, written: file.to_owned(), context, args: build_args, target: None };
    Some(Service {
        name: own,
        source: Source::Dockerfile(DockerfileSource { dockerfile, packages }),
        container: Container { args, ..container },
        depends_on: table.depends_on.clone(),
        routes: routes::resolve(&table.routes, report),
        test: None,
        dev: Needs::default(),
        controls: None,
        compose: table.compose.clone().unwrap_or_default(),
        auterion: Map::new(),
        kubernetes: Map::new(),
    })
}

/// Splits `cmd` into words.
fn command_line(table: &BuildTable, report: &mut Report<'_>) -> Option<Vec<String>> {
    let line = table.cmd.as_deref()?;
    if !table.container.args.is_empty() {
        report.wrong(Code::ConflictingKeys, &[Step::Key("cmd")], "`cmd` and `args` exclude each other: keep one of them");
    }
    match crate::process::split(line) {
        Ok(words) if !words.is_empty() => Some(words),
        _ => {
            report.wrong(Code::InvalidValue, &[Step::Key("cmd")], format!("`{line}` is not a valid command line"));
            None
        }
    }
}

fn image(given: Given<'_>, name: &str, tag: Option<&str>) -> Result<ImageRef, String> {
    match tag {
        None => Ok(ImageRef::new(&format!("{}.{name}", given.slug), &given.version.tag)),
        Some(tag) if tag.rsplit('/').next().is_some_and(|last| last.contains(':')) => ImageRef::parse(tag),
        Some(tag) => ImageRef::parse(&format!("{tag}:{}", given.version.tag)),
    }
}

/// The folders of the packages to add to the build context.
fn packages(given: Given<'_>, table: &BuildTable, report: &mut Report<'_>) -> BTreeMap<String, PathBuf> {
    let members = &given.workspace.members;
    let known: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut packages = BTreeMap::new();
    for (at, name) in table.packages.iter().enumerate() {
        match members.iter().find(|member| member.name == *name) {
            Some(member) => drop(packages.insert(name.clone(), member.folder().to_owned())),
            None => {
                let near = schema::did_you_mean(name, &known);
                report.wrong(
                    Code::UnknownPackage,
                    &[Step::Key("packages"), Step::Index(at)],
                    format!("there is no package `{name}`{near}"),
                );
            }
        }
    }
    packages
}
