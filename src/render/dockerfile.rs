//! Dockerfiles that make by hand what the native images are, and what their contexts hold.

use std::path::PathBuf;

use anyhow::Result;
use minijinja::{Environment, context};

use crate::app::{Base, BaseChoice, Dockerfile, GeneratedFile, Part, Service, VolumeSource};
use crate::plan::{Layout, Plan, PlannedImage};

/// What engines set where an image says nothing.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The argument by which a base's Dockerfile is told of another image to begin with.
pub const BASE_ARG: &str = "BASE";

/// One `docker build`: a Dockerfile and the rest of its folder.
#[derive(Debug)]
pub struct Context {
    /// The Dockerfile, relative to the output folder.
    pub dockerfile: GeneratedFile,
    /// The service whose image it makes; none for a base.
    pub service: Option<String>,
    /// The image's name.
    pub image: String,
    /// What is copied from elsewhere; paths relative to the Dockerfile's folder.
    pub copied: Vec<(String, Copied)>,
}

/// Something that a context holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The executable of this service.
    Binary(String),
    /// A file, and whether it may be executed.
    File(PathBuf, bool),
    /// A symbolic link.
    Link(String),
    /// An empty folder.
    Folder,
    /// The compressed tar of the only layer of the base of this service.
    BaseLayer(String),
}

/// The contexts of all bases and services. `bases` go with the plan's services, one for one.
pub fn contexts(plan: &Plan, bases: &[&Base]) -> Result<Vec<Context>> {
    let mut contexts = Vec::new();
    let mut choices: Vec<&BaseChoice> = Vec::new();
    for image in plan.images() {
        let services: Vec<&Service> = image.services.iter().map(|at| &plan.services[*at]).collect();
        let (Some(at), Some(service)) = (image.services.first().copied(), services.first()) else { continue };
        let known = choices.iter().position(|choice| **choice == bases[at].choice);
        let number = known.unwrap_or(choices.len());
        if known.is_none() {
            choices.push(&bases[at].choice);
            contexts.push(base(plan, service, bases[at], number)?);
        }
        contexts.push(of_image(plan, &image, &services, bases[at], number)?);
    }
    Ok(contexts)
}

fn base_image(plan: &Plan, number: usize) -> String {
    let ending = if number == 0 { String::new() } else { (number + 1).to_string() };
    format!("{}.base{ending}:{}", plan.slug(), plan.version)
}

fn environment() -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.add_template("Dockerfile.base", include_str!("../../templates/Dockerfile.base"))?;
    environment.add_template("Dockerfile.service", include_str!("../../templates/Dockerfile.service"))?;
    Ok(environment)
}

fn base(plan: &Plan, first: &Service, base: &Base, number: usize) -> Result<Context> {
    let ending = if number == 0 { String::new() } else { (number + 1).to_string() };
    let named = !matches!(base.choice, BaseChoice::Auto | BaseChoice::Scratch | BaseChoice::Rootfs(_));
    let tar = format!("base{ending}.tar.gz");
    let has_layer = !named && !base.layers.is_empty();
    let archive_path = if let BaseChoice::Archive(path) = &base.choice { path.display().to_string() } else { String::new() };
    let contents = environment()?.get_template("Dockerfile.base")?.render(context! {
        app => plan.name.as_str(),
        platform => plan.target.platform.to_string(),
        base_image => base_image(plan, number),
        kind => match base.choice {
            BaseChoice::Archive(_) => "archive",
            BaseChoice::Dockerfile(_) => "dockerfile",
            BaseChoice::Image(_) | BaseChoice::Daemon(_) => "image",
            _ => "tar",
        },
        archive => archive_path,
        first => if let BaseChoice::Dockerfile(source) = &base.choice { by_hand(plan, source, base) } else { String::new() },
        from => base.reference.clone().unwrap_or_else(|| "scratch".into()),
        tar => has_layer.then_some(&tar),
        path => (!base.config.env.iter().any(|variable| variable.starts_with("PATH="))).then_some(PATH),
    })?;
    let copied = if has_layer { vec![(tar, Copied::BaseLayer(first.name.to_string()))] } else { Vec::new() };
    let path = format!("docker/Dockerfile.base{ending}");
    let image = base_image(plan, number);
    Ok(Context { dockerfile: GeneratedFile { path, contents: contents + "\n" }, service: None, image, copied })
}

/// The command that builds the user's own Dockerfile.
fn by_hand(plan: &Plan, source: &Dockerfile, base: &Base) -> String {
    let mut words = vec!["docker".to_owned(), "build".into(), "--platform".into(), plan.target.platform.to_string()];
    words.extend(base.reference.iter().flat_map(|reference| ["-t".to_owned(), reference.clone()]));
    words.extend(source.args.iter().flat_map(|(name, value)| ["--build-arg".to_owned(), format!("{name}={value}")]));
    words.extend(source.target.iter().flat_map(|target| ["--target".to_owned(), target.clone()]));
    words.extend(["-f".to_owned(), source.path.display().to_string(), source.context.display().to_string()]);
    crate::process::words(&words)
}

fn of_image(plan: &Plan, image: &PlannedImage<'_>, services: &[&Service], base: &Base, number: usize) -> Result<Context> {
    let mut copied: Vec<(String, Copied)> = Vec::new();
    let mut copies: Vec<String> = Vec::new();
    for service in services {
        let mut put = |place: String, what: Copied| {
            if copied.iter().all(|(other, _)| *other != place) {
                copied.push((place, what));
            }
        };
        let Some(package) = service.package() else { continue };
        put(in_context("rootfs", &package.binary_path), Copied::Binary(service.name.to_string()));
        for file in &package.files {
            let what = match &file.link {
                Some(link) => Copied::Link(link.clone()),
                None => Copied::File(file.from.clone(), file.executable),
            };
            put(in_context("rootfs", &file.to), what);
        }
    }
    let files = services
        .iter()
        .filter_map(|service| service.package())
        .flat_map(|package| package.files.iter().map(|file| file.to.as_str()).chain([package.binary_path.as_str()]));
    for part in base.facts.parts(files) {
        let (Part::Folder(path) | Part::File(path)) = part;
        copies.push(words(&[&format!("rootfs/{path}"), &format!("/{path}")]));
    }
    for service in services {
        let owner = service.container.uid();
        let named = service.container.volumes.iter().filter(|volume| matches!(volume.source, VolumeSource::Named(_)));
        for volume in named.filter(|volume| !base.facts.folders.contains(&base.facts.resolve(&volume.target))) {
            let place = in_context("volumes", &volume.target);
            if copied.iter().all(|(other, _)| *other != place) {
                copies
                    .push(format!("--chown={owner}:{owner} {}", words(&[&format!("{place}/"), &format!("{}/", volume.target)])));
                copied.push((place, Copied::Folder));
            }
        }
    }
    let Some(service) = services.first().filter(|_| plan.layout == Layout::ImagePerService) else {
        return of_app(plan, image, services, base_image(plan, number), (copies, copied));
    };
    let contents = environment()?.get_template("Dockerfile.service")?.render(context! {
        service => service.name.as_str(),
        version => plan.version.to_string(),
        platform => plan.target.platform.to_string(),
        image => service.container.image.to_string(),
        base_image => base_image(plan, number),
        copies => copies,
        args => build_args(service).map(|(name, _)| name.to_owned()).collect::<Vec<_>>(),
        env => service
            .container
            .environment
            .iter()
            .map(|(name, value)| if value.contains('\n') { format!("{name}=\"${name}\"") } else { format!("{name}={}", quoted(value)) })
            .collect::<Vec<_>>(),
        labels => labels(plan, service),
        ports => service.container.ports.iter().map(|port| port.exposed()).collect::<Vec<_>>(),
        workdir => &service.container.workdir,
        user => &service.container.user,
        entrypoint => words(&service.entrypoint()),
        cmd => words(&service.container.args),
    })?;
    Ok(Context {
        dockerfile: GeneratedFile { path: format!("docker/{}/Dockerfile", service.name), contents: contents + "\n" },
        service: Some(service.name.to_string()),
        image: service.container.image.to_string(),
        copied,
    })
}

/// The image of all services: it says nothing that only one of them wants.
fn of_app(
    plan: &Plan,
    image: &PlannedImage<'_>,
    services: &[&Service],
    base_image: String,
    (copies, copied): (Vec<String>, Vec<(String, Copied)>),
) -> Result<Context> {
    let own =
        [("org.opencontainers.image.title", plan.name.as_str()), ("org.opencontainers.image.version", &plan.version.written)];
    let user = services.first().and_then(|first| first.container.user.as_ref());
    let user = user.filter(|user| services.iter().all(|other| other.container.user.as_ref() == Some(*user)));
    let mut ports: Vec<String> =
        services.iter().flat_map(|service| &service.container.ports).map(|port| port.exposed()).collect();
    ports.sort();
    ports.dedup();
    let contents = environment()?.get_template("Dockerfile.service")?.render(context! {
        service => image.name,
        version => plan.version.to_string(),
        platform => plan.target.platform.to_string(),
        image => image.reference.to_string(),
        base_image,
        copies,
        labels => own.iter().map(|(name, value)| format!("{}={}", quoted(name), quoted(value))).collect::<Vec<_>>(),
        ports,
        workdir => "/",
        user,
    })?;
    Ok(Context {
        dockerfile: GeneratedFile { path: format!("docker/{}/Dockerfile", image.name), contents: contents + "\n" },
        service: Some(image.name.to_owned()),
        image: image.reference.to_string(),
        copied,
    })
}

/// Variables whose values a Dockerfile cannot say, since they have several lines: they come as arguments of the build.
pub fn build_args(service: &Service) -> impl Iterator<Item = (&str, &str)> {
    let pairs = service.container.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    pairs.filter(|(_, value)| value.contains('\n'))
}

/// What Dockerfiles cannot say.
pub fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    for service in &plan.services {
        let name = &service.name;
        let args: Vec<&str> = build_args(service).map(|(name, _)| name).collect();
        if !args.is_empty() {
            let all = args.join("`, `");
            notes.push(format!("`docker/{name}/Dockerfile` cannot say values of several lines: give `{all}` with `--build-arg`"));
        }
        for (label, _) in service.container.labels.iter().filter(|(_, value)| value.contains('\n')) {
            notes.push(format!("`docker/{name}/Dockerfile` cannot say a label of several lines: `{label}` is left out"));
        }
    }
    notes
}

fn labels(plan: &Plan, service: &Service) -> Vec<String> {
    let own =
        [("org.opencontainers.image.title", service.name.as_str()), ("org.opencontainers.image.version", &plan.version.written)];
    let labels = own.into_iter().chain(service.container.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    labels.filter(|(_, value)| !value.contains('\n')).map(|(name, value)| format!("{}={}", quoted(name), quoted(value))).collect()
}

fn in_context(folder: &str, path: &str) -> String {
    format!("{folder}/{}", path.trim_start_matches('/'))
}

/// The exec form: a JSON list.
fn words<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    serde_json::Value::from(words).to_string()
}

/// In double quotes, in which a Dockerfile still replaces variables (Dockerfile reference, "Environment replacement").
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
    format!("\"{escaped}\"")
}
