//! One service's table becomes one service.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::files;
use super::manifests::ServiceSource;
use super::template::{self, VERSION_MARK};
use super::{deployment, needs, paths, registries};
use crate::app::{AppFile, BaseChoice, Dockerfile, Health, ImageRef, Name, Port, Route, Service, Volume};
use crate::config::tables::{BaseName, BaseSource, BaseTable, OneOrMany, PortValue, RouteTable, ServiceTable};
use crate::config::{Manifest, Problems, Step, schema};

/// Where executables stand in an image.
const BIN_FOLDER: &str = "/usr/local/bin";

/// Not root, and a number, so that it needs no entry in `/etc/passwd`.
const USER: &str = "65532:65532";

/// Begins the names of files in a layer that take away what layers below have (OCI image-spec, layer.md, "Whiteouts").
const WHITEOUT: &str = ".wh.";

/// Says what is wrong with one key of one table.
pub struct Report<'a> {
    pub manifest: &'a Manifest,
    pub path: &'a [Step<'a>],
    pub problems: &'a mut Problems,
}

impl Report<'_> {
    /// Keeps what is right, and reports what is not at the end of `steps`.
    pub fn take<T>(&mut self, steps: &[Step<'_>], value: Result<T, String>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(message) => {
                self.wrong(steps, message);
                None
            }
        }
    }

    pub fn wrong(&mut self, steps: &[Step<'_>], message: impl Into<String>) {
        let path: Vec<Step<'_>> = self.path.iter().copied().chain(steps.iter().copied()).collect();
        self.problems.push(self.manifest.problem(&path, message));
    }
}

/// The service's name; it is needed before anything else of it.
pub fn name(source: &ServiceSource<'_>, problems: &mut Problems) -> Option<Name> {
    let mut report = source.report(problems);
    match &source.table.name {
        Some(name) => report.take(&[Step::Key("name")], Name::new(name)),
        None => report.take(&[], Name::new(&source.member.name)),
    }
}

/// Decides everything about a service but its image's name, which `image` is.
pub fn resolve(
    source: &ServiceSource<'_>,
    name: Name,
    (image, shared_image): (ImageRef, Option<String>),
    workspace: &Path,
    problems: &mut Problems,
) -> Option<Service> {
    let ServiceSource { member, manifest, path, table } = source;
    let mut report = Report { manifest, path, problems };
    let folder = member.folder();
    let bin = bin(source, &mut report)?;
    for (at, feature) in table.features.iter().flatten().enumerate() {
        if !member.features.contains(feature) {
            let known: Vec<&str> = member.features.iter().map(String::as_str).collect();
            let near = schema::nearest(feature, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let message = format!("package `{}` has no feature `{feature}`{near}", member.name);
            report.wrong(&[Step::Key("features"), Step::Index(at)], message);
        }
    }
    let ports = ports(&table.ports, &mut report);
    let volumes = volumes(&table.volumes, &mut report);
    for key in table.environment.keys() {
        let fits = !key.is_empty() && !key.contains(['=', '\0']);
        if !fits {
            report.wrong(&[Step::Key("environment"), Step::Key(key)], format!("`{key}` cannot be the name of a variable"));
        }
    }
    let binary_path = format!("{BIN_FOLDER}/{bin}");
    let files = packed_files(table, folder, workspace, &binary_path, &mut report);
    let mut env_files = Vec::new();
    for file in table.env_file.clone().map(OneOrMany::into_vec).unwrap_or_default() {
        let path = folder.join(&file);
        if !path.is_file() {
            report.wrong(&[Step::Key("env-file")], format!("`{file}` is not there"));
        }
        env_files.push(path);
    }
    if table.command.as_ref().is_some_and(Vec::is_empty) {
        report.wrong(&[Step::Key("command")], "`command` is empty");
    }
    if let Some(workdir) = &table.workdir
        && !workdir.starts_with('/')
    {
        report.wrong(&[Step::Key("workdir")], format!("`{workdir}` is not an absolute path"));
    }
    for (key, value, choices) in [
        ("restart", &table.restart, &["no", "always", "on-failure", "unless-stopped"][..]),
        ("network-mode", &table.network_mode, &["host", "bridge", "none"][..]),
    ] {
        if let Some(value) = value
            && !choices.contains(&value.as_str())
        {
            let near = schema::nearest(value, choices).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            report.wrong(&[Step::Key(key)], format!("`{key}` cannot be `{value}`{near} (it can be {})", choices.join(", ")));
        }
    }
    let user = table.user.clone().unwrap_or_else(|| USER.into());
    if user.is_empty() || user.contains(char::is_whitespace) || user.matches(':').count() > 1 {
        report.wrong(&[Step::Key("user")], format!("`{user}` is not `USER` or `UID:GID`"));
    }
    let (test, dev) = needs::resolve(source, &mut report);
    let service = Service {
        name,
        package: member.name.clone(),
        folder: folder.to_owned(),
        bin,
        features: table.features.clone().unwrap_or_default(),
        image,
        shared_image,
        binary_path,
        command: table.command.clone(),
        args: table.args.clone(),
        environment: table.environment.iter().map(|(key, value)| (key.clone(), value.to_string())).collect(),
        secrets: deployment::secrets(table, &mut report),
        env_files,
        ports,
        volumes,
        files,
        depends_on: table.depends_on.clone(),
        routes: routes(&table.routes, &mut report),
        user,
        workdir: table.workdir.clone().unwrap_or_else(|| "/".into()),
        health: health(table, &mut report),
        restart: table.restart.clone(),
        network_mode: table.network_mode.clone(),
        devices: table.devices.clone(),
        privileged: table.privileged,
        labels: table.labels.clone(),
        replicas: table.replicas,
        controls: table.controls.clone(),
        resources: deployment::resources(table, &mut report),
        stop_grace_period: deployment::grace_period(table, &mut report),
        test,
        dev,
        compose: table.compose.clone().unwrap_or_default(),
        auterion: table.auterion.clone().unwrap_or_default(),
        kubernetes: table.kubernetes.clone().unwrap_or_default(),
    };
    if serde_json::to_string(&service).is_ok_and(|text| text.contains(VERSION_MARK)) {
        report.wrong(&[], template::not_in_tables());
    }
    Some(service)
}

fn bin(source: &ServiceSource<'_>, report: &mut Report<'_>) -> Option<String> {
    let member = source.member;
    let bins: Vec<&str> = member.bins.iter().map(String::as_str).collect();
    if let Some(bin) = &source.table.bin {
        if bins.contains(&bin.as_str()) {
            return Some(bin.clone());
        }
        let near = schema::nearest(bin, &bins).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        report.wrong(&[Step::Key("bin")], format!("package `{}` has no bin `{bin}`{near}", member.name));
        return None;
    }
    match (&member.default_run, &bins[..]) {
        (Some(bin), _) => Some(bin.clone()),
        (None, [only]) => Some((*only).to_owned()),
        (None, []) => {
            report.wrong(&[], format!("package `{}` has no executable", member.name));
            None
        }
        (None, several) => {
            report.wrong(&[], format!("package `{}` has several bins: set `bin` to one of {}", member.name, several.join(", ")));
            None
        }
    }
}

fn packed_files(table: &ServiceTable, folder: &Path, workspace: &Path, binary: &str, report: &mut Report<'_>) -> Vec<AppFile> {
    let mut all: BTreeMap<String, AppFile> = BTreeMap::new();
    for (at, entry) in table.files.iter().enumerate() {
        let place = [Step::Key("files"), Step::Index(at)];
        let Some(found) = report.take(&place, files::expand(entry, folder, workspace)) else { continue };
        for file in found {
            if file.to == binary {
                report.wrong(&place, format!("`{}` is where the executable stands", file.to));
            } else if file.to.split('/').any(|part| part.starts_with(WHITEOUT)) {
                let message =
                    format!("`{}` cannot be in an image: there, `{WHITEOUT}` before a name removes what has it", file.to);
                report.wrong(&place, message);
            } else if let Some(other) = all.get(&file.to) {
                let message = format!("`{}` and `{}` both go to `{}`", other.from.display(), file.from.display(), file.to);
                report.wrong(&place, message);
            } else {
                all.insert(file.to.clone(), file);
            }
        }
    }
    if let Some((file, inner)) = paths::in_a_file(&all.keys().map(String::as_str).chain([binary]).collect()) {
        report.wrong(&[Step::Key("files")], format!("`{file}` is a file, and `{inner}` would be in it"));
    }
    all.into_values().collect()
}

/// The ports of a table.
pub fn ports(written: &[PortValue], report: &mut Report<'_>) -> Vec<Port> {
    let mut ports = Vec::new();
    for (at, port) in written.iter().enumerate() {
        let text = match port {
            PortValue::Text(text) => text.clone(),
            PortValue::Number(number) => number.to_string(),
        };
        ports.extend(report.take(&[Step::Key("ports"), Step::Index(at)], Port::parse(&text)));
    }
    ports
}

/// The volumes of a table.
pub fn volumes(written: &[String], report: &mut Report<'_>) -> Vec<Volume> {
    let mut volumes: Vec<Volume> = Vec::new();
    for (at, text) in written.iter().enumerate() {
        let place = [Step::Key("volumes"), Step::Index(at)];
        if let Some(volume) = report.take(&place, Volume::parse(text)) {
            if volumes.iter().any(|other| other.target == volume.target) {
                report.wrong(&place, format!("two volumes at `{}`", volume.target));
            }
            volumes.push(volume);
        }
    }
    volumes
}

/// The routes of a table.
pub fn routes(written: &BTreeMap<String, RouteTable>, report: &mut Report<'_>) -> BTreeMap<String, Route> {
    let mut routes = BTreeMap::new();
    for (path, route) in written {
        let place = [Step::Key("routes"), Step::Key(path)];
        if !path.starts_with('/') {
            report.wrong(&place, format!("the route `{path}` does not begin with `/`"));
        }
        match (route.port, &route.static_root) {
            (Some(port), None) => drop(routes.insert(path.clone(), Route::Port(port))),
            (None, Some(root)) => drop(routes.insert(path.clone(), Route::StaticRoot(root.clone()))),
            _ => report.wrong(&place, format!("the route `{path}` needs `port` or `static-root`, and not both")),
        }
    }
    routes
}

fn health(table: &ServiceTable, report: &mut Report<'_>) -> Option<Health> {
    let table = table.healthcheck.as_ref()?;
    let place = [Step::Key("healthcheck")];
    let http = match (&table.path, table.port, &table.command) {
        (Some(path), Some(port), None) if path.starts_with('/') => Some((path.clone(), port)),
        (None, None, Some(command)) if !command.is_empty() => None,
        _ => {
            report.wrong(&place, "`healthcheck` needs `path` (from `/` on) and `port`, or else `command`");
            return None;
        }
    };
    let mut time = |key: &'static str, text: &Option<String>| {
        text.as_deref().and_then(|text| report.take(&[place[0], Step::Key(key)], deployment::duration(text)))
    };
    Some(Health {
        http,
        command: table.command.clone(),
        interval: time("interval", &table.interval),
        timeout: time("timeout", &table.timeout),
        retries: table.retries,
        start_period: time("start-period", &table.start_period),
    })
}

/// What a `base` key means; paths begin at `folder`.
///
/// # Errors
/// In words for the user.
pub fn base(table: &BaseTable, folder: &Path) -> Result<BaseChoice, String> {
    let there = |path: &str| -> Result<PathBuf, String> {
        let full = folder.join(path);
        if full.exists() { Ok(full) } else { Err(format!("`{path}` is not there")) }
    };
    match table {
        BaseTable::Named(BaseName::Auto) => Ok(BaseChoice::Auto),
        BaseTable::Named(BaseName::Scratch) => Ok(BaseChoice::Scratch),
        BaseTable::From(source) if source.dockerfile.is_some() => dockerfile(source, folder).map(BaseChoice::Dockerfile),
        BaseTable::From(source) => match (&source.rootfs, &source.archive, &source.image) {
            _ if source.context.is_some() || source.target.is_some() || !source.args.is_empty() => {
                Err("`context`, `args` and `target` of `base` need a `dockerfile`".into())
            }
            (Some(path), None, None) => there(path).map(BaseChoice::Rootfs),
            (None, Some(path), None) => there(path).map(BaseChoice::Archive),
            (None, None, Some(name)) => registries::image(name),
            _ => Err("`base` needs exactly one of `rootfs`, `archive`, `dockerfile` and `image`".into()),
        },
    }
}

fn dockerfile(source: &BaseSource, folder: &Path) -> Result<Dockerfile, String> {
    if *source != (BaseSource { rootfs: None, archive: None, image: None, ..source.clone() }) {
        return Err("`base` with a `dockerfile` takes only `context`, `args` and `target` beside it".into());
    }
    let written = source.dockerfile.clone().unwrap_or_default();
    let path = folder.join(&written);
    if !path.is_file() {
        return Err(format!("the file `{written}` is not there"));
    }
    let context = match &source.context {
        Some(context) => folder.join(context),
        None => path.parent().unwrap_or(folder).to_owned(),
    };
    let context = context.canonicalize().ok().filter(|context| context.is_dir());
    let context = context.ok_or_else(|| format!("the folder `{}` is not there", source.context.clone().unwrap_or_default()))?;
    let path = path.canonicalize().map_err(|error| format!("`{written}` cannot be read: {error}"))?;
    let args = source.args.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    Ok(Dockerfile { path, written, context, args, target: source.target.clone() })
}
