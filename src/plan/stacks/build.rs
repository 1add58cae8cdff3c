//! A service that is built of a Dockerfile.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Given;
use crate::app::{Built, ImageRef, Name, Service};
use crate::config::tables::{BuildTable, Scalar};
use crate::config::{Step, schema};
use crate::plan::service::{self, Report};

/// Decides everything about it; `env` is what the stack says for all its builds.
pub fn resolve(
    given: Given<'_>,
    name: &str,
    table: &BuildTable,
    env: &BTreeMap<String, Scalar>,
    report: &mut Report<'_>,
) -> Option<Built> {
    let own = report.take(&[], Name::new(name))?;
    if given.services.contains_key(name) {
        report.wrong(&[], format!("`{name}` is a service of the workspace already"));
        return None;
    }
    let written = table.dir.as_deref().unwrap_or(".");
    let file = table.file.as_deref().unwrap_or("Dockerfile");
    let context = given.workspace.root.join(written).canonicalize().ok().filter(|folder| folder.is_dir());
    if context.is_none() {
        report.wrong(&[Step::Key("dir")], format!("the folder `{written}` is not there"));
    }
    let context = context?;
    if !context.join(file).is_file() {
        report.wrong(&[Step::Key("file")], format!("the file `{file}` is not in `{written}`"));
    }
    let args = match table.cmd.as_deref().map(crate::process::split) {
        None => Vec::new(),
        Some(Ok(words)) if !words.is_empty() => words,
        Some(_) => {
            report.wrong(&[Step::Key("cmd")], format!("`{}` is not a command line", table.cmd.clone().unwrap_or_default()));
            Vec::new()
        }
    };
    let image = report.take(&[Step::Key("tag")], image(given, name, table.tag.as_deref()))?;
    for key in table.environment.keys().chain(table.env.keys()) {
        if key.is_empty() || key.contains(['=', '\0']) {
            report.wrong(&[], format!("`{key}` cannot be the name of a variable"));
        }
    }
    let ports = service::ports(&table.ports, report);
    let volumes = service::volumes(&table.volumes, report);
    let routes = service::routes(&table.routes, report);
    let packages = packages(given, table, report);
    let text = |map: &BTreeMap<String, Scalar>| -> BTreeMap<String, String> {
        map.iter().map(|(key, value)| (key.clone(), value.to_string())).collect()
    };
    let mut build_args = text(env);
    build_args.extend(text(&table.env));
    build_args.extend(given.request.env.iter().cloned());
    let service = Service {
        image,
        args,
        environment: text(&table.environment),
        ports,
        volumes,
        routes,
        depends_on: table.depends_on.clone(),
        replicas: table.replicas,
        ..Service::of_image(own)
    };
    Some(Built { service, context, dockerfile: file.to_owned(), args: build_args, packages })
}

fn image(given: Given<'_>, name: &str, tag: Option<&str>) -> Result<ImageRef, String> {
    match tag {
        None => Ok(ImageRef { name: format!("{}.{name}", given.slug), tag: given.version.tag.clone() }),
        Some(tag) if tag.rsplit('/').next().is_some_and(|last| last.contains(':')) => ImageRef::parse(tag),
        Some(tag) => ImageRef::parse(&format!("{tag}:{}", given.version.tag)),
    }
}

/// The folders of the packages that are copied into the context.
fn packages(given: Given<'_>, table: &BuildTable, report: &mut Report<'_>) -> BTreeMap<String, PathBuf> {
    let members = &given.workspace.members;
    let known: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut packages = BTreeMap::new();
    for (at, name) in table.packages.iter().enumerate() {
        match members.iter().find(|member| member.name == *name) {
            Some(member) => drop(packages.insert(name.clone(), member.folder().to_owned())),
            None => {
                let near = schema::nearest(name, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                report.wrong(&[Step::Key("packages"), Step::Index(at)], format!("there is no package `{name}`{near}"));
            }
        }
    }
    packages
}
