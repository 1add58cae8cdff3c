//! Dockerfiles that build the same images as the built-in image builder, and the contents of their contexts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use minijinja::{Environment, context};

use super::instructions::Instructions;
use crate::app::{AppFile, Base, BaseChoice, Bases, CopiedPath, Dockerfile, FileContent, GeneratedFile, Owner, UserLists};
use crate::debian::Recipe;
use crate::diagnostic::{Code, Note};
use crate::oci::DEFAULT_PATH;
use crate::plan::{Plan, PlannedImage};

/// The build argument that replaces the image in a base's `FROM`.
pub const BASE_ARG: &str = "BASE";

/// The tar in a context of what `COPY` cannot say.
const MEMBERS: &str = "members.tar";

/// One `docker build`: a Dockerfile and the rest of its folder.
#[derive(Debug)]
pub struct Context {
    /// The Dockerfile, relative to the output folder.
    pub dockerfile: GeneratedFile,
    /// The service whose image it builds; `None` for a base.
    pub service: Option<String>,
    /// The image's name.
    pub image: String,
    /// Entries to copy into the context, by path relative to the Dockerfile's folder.
    pub copied: Vec<(String, Copied)>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
}

/// An entry of a build context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The executable of this service.
    Binary(String),
    /// A file, and whether it is executable.
    File(PathBuf, bool),
    /// A symbolic link.
    Link(String),
    /// A tar of what `COPY` cannot say: links, folders, and files with modes and owners of their own.
    Members(BaseChoice, Vec<AppFile>),
    /// The compressed tar of the only layer of this base.
    BaseLayer(BaseChoice),
}

/// Renders the build contexts of all bases and images.
///
/// # Errors
/// When a base is not among `bases`.
pub fn contexts(plan: &Plan, bases: &Bases) -> Result<Vec<Context>> {
    let mut contexts = Vec::new();
    let mut choices: Vec<&BaseChoice> = Vec::new();
    for image in plan.images() {
        let base = bases.get(image.base)?;
        if image.is_upstream {
            contexts.push(of_upstream(plan, &image, base));
            continue;
        }
        let known = choices.iter().position(|choice| *choice == image.base);
        let number = known.unwrap_or(choices.len());
        if known.is_none() {
            choices.push(image.base);
            contexts.push(of_base(plan, base, number)?);
        }
        contexts.push(of_image(plan, &image, base, number)?);
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

fn of_base(plan: &Plan, base: &Base, number: usize) -> Result<Context> {
    let ending = if number == 0 { String::new() } else { (number + 1).to_string() };
    let named = !matches!(base.choice, BaseChoice::Auto | BaseChoice::Scratch | BaseChoice::Rootfs(_) | BaseChoice::Debian(_));
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
        first => match &base.choice {
            BaseChoice::Dockerfile(source) => by_hand(plan, source, base),
            BaseChoice::Debian(recipe) => by_apt(recipe),
            _ => String::new(),
        },
        from => base.reference.clone().unwrap_or_else(|| "scratch".into()),
        tar => has_layer.then_some(&tar),
        path => (!base.config.env.iter().any(|variable| variable.starts_with("PATH="))).then_some(DEFAULT_PATH),
    })?;
    let copied = if has_layer { vec![(tar, Copied::BaseLayer(base.choice.clone()))] } else { Vec::new() };
    let path = format!("docker/Dockerfile.base{ending}");
    let image = base_image(plan, number);
    let dockerfile = GeneratedFile { path, contents: contents + "\n" };
    Ok(Context { dockerfile, service: None, image, copied, args: BTreeMap::new() })
}

/// The image that others made, pinned, and nothing else.
fn of_upstream(plan: &Plan, image: &PlannedImage<'_>, base: &Base) -> Context {
    let mut contents = format!("# The image of {}, which others made.\n", image.name);
    if let BaseChoice::Archive(path) = &base.choice {
        contents += &format!("# First: docker load -i {}\n", path.display());
    }
    contents += &format!("# docker build --platform {} -t {} .\n", plan.target.platform, image.reference);
    contents += &format!("FROM {}\n", base.reference.as_deref().unwrap_or("scratch"));
    let path = format!("docker/{}/Dockerfile", image.name);
    Context {
        dockerfile: GeneratedFile { path, contents },
        service: Some(image.name.to_owned()),
        image: image.reference.to_string(),
        copied: Vec::new(),
        args: BTreeMap::new(),
    }
}

/// The lines of a Dockerfile that make a similar base with apt.
fn by_apt(recipe: &Recipe) -> String {
    format!(
        "FROM {}:{}\n#   RUN apt-get update && apt-get install -y --no-install-recommends {}",
        recipe.distribution.name(),
        recipe.suite,
        recipe.packages.join(" ")
    )
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

fn of_image(plan: &Plan, image: &PlannedImage<'_>, base: &Base, number: usize) -> Result<Context> {
    let (copies, copied) = copies(image, base)?;
    let Instructions { args, env, labels, ports, workdir, user, healthcheck, entrypoint, cmd } =
        Instructions::between(&base.config, &image.config.over(&base.config));
    let contents = environment()?.get_template("Dockerfile.service")?.render(context! {
        service => image.name,
        version => plan.version.to_string(),
        platform => plan.target.platform.to_string(),
        image => image.reference.to_string(),
        base_image => base_image(plan, number),
        copies,
        args => args.keys().cloned().collect::<Vec<_>>(),
        env,
        labels,
        ports,
        workdir,
        user,
        healthcheck,
        entrypoint => entrypoint.as_deref().map(words),
        cmd => cmd.as_deref().map(words),
    })?;
    Ok(Context {
        dockerfile: GeneratedFile { path: format!("docker/{}/Dockerfile", image.name), contents: contents + "\n" },
        service: Some(image.name.to_owned()),
        image: image.reference.to_string(),
        copied,
        args,
    })
}

/// `COPY` instructions, and the context entries that they need.
type Copies = (Vec<String>, Vec<(String, Copied)>);

/// What copies the files of an image to it.
fn copies(image: &PlannedImage<'_>, base: &Base) -> Result<Copies> {
    let users = UserLists::of(&image.services, &base.facts)?;
    let mut copied: BTreeMap<String, Copied> = BTreeMap::new();
    let mut paths: Vec<&str> = Vec::new();
    let folders = image.services.iter().flat_map(|service| service.volume_folders(&base.facts, &users));
    let mut others: Vec<AppFile> = folders.chain(users.files(&image.services, &base.facts)).collect();
    for (service, package) in image.services.iter().filter_map(|service| Some((service, service.package()?))) {
        copied.insert(in_context(&package.binary_path), Copied::Binary(service.name.to_string()));
        paths.push(&package.binary_path);
        for file in &package.files {
            match copied_as(file, base) {
                Some(what) => {
                    copied.entry(in_context(&file.to)).or_insert(what);
                    paths.push(&file.to);
                }
                None => others.push(file.clone()),
            }
        }
    }
    let mut copies: Vec<String> = Vec::new();
    for part in base.facts.parts(paths) {
        let (CopiedPath::Folder(path) | CopiedPath::File(path)) = part;
        copies.push(format!("COPY {}", words(&[&format!("rootfs/{path}"), &format!("/{path}")])));
    }
    // Last, so that no folder that is copied around its members takes a mode away.
    if !others.is_empty() {
        copies.push(format!("ADD {MEMBERS} /"));
        copied.insert(MEMBERS.to_owned(), Copied::Members(base.choice.clone(), others));
    }
    Ok((copies, copied.into_iter().collect()))
}

/// What `COPY` makes a file of; `None` if it cannot.
fn copied_as(file: &AppFile, base: &Base) -> Option<Copied> {
    if file.owner != Owner::default() {
        return None;
    }
    match (&file.content, file.mode) {
        (FileContent::From(from), 0o644 | 0o755) => Some(Copied::File(from.clone(), file.is_executable())),
        // By itself, not what it leads to; only as a part of a folder it stays a link.
        (FileContent::Link(target), _) => {
            let parts = base.facts.parts([file.to.as_str()]);
            let is_in_folder = parts.iter().all(|part| matches!(part, CopiedPath::Folder(_)));
            is_in_folder.then(|| Copied::Link(target.clone()))
        }
        _ => None,
    }
}

/// Notes on what Dockerfiles cannot express.
pub fn notes(plan: &Plan) -> Vec<Note> {
    let mut notes = Vec::new();
    for image in plan.own_images() {
        let name = image.name;
        let args: Vec<&str> = several_lines(image.config.variables()).collect();
        if !args.is_empty() {
            let all = args.join("`, `");
            let text = format!("`docker/{name}/Dockerfile` cannot contain multi-line values: pass `{all}` with `--build-arg`");
            notes.push(Code::SeveralLines.note(text));
        }
        let labels = image.config.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for label in several_lines(labels) {
            let text = format!("`docker/{name}/Dockerfile` cannot contain a multi-line label: `{label}` is left out");
            notes.push(Code::SeveralLines.note(text));
        }
    }
    notes
}

/// The names of values that have several lines.
fn several_lines<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> impl Iterator<Item = &'a str> {
    pairs.into_iter().filter(|(_, value)| value.contains('\n')).map(|(name, _)| name)
}

fn in_context(path: &str) -> String {
    format!("rootfs/{}", path.trim_start_matches('/'))
}

/// The exec form: a JSON list.
fn words<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    serde_json::Value::from(words).to_string()
}
