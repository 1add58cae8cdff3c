//! `cargo appbundle new-service`: a member that compiles, is well, ends when asked to, and has a test.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use minijinja::{Environment, context};
use toml_edit::{Array, DocumentMut, Item, Table};

use crate::app::{Name, Port};
use crate::archive::confined;
use crate::shell::Shell;
use crate::workspace::{CargoOptions, Workspace};

/// What kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// Answers over HTTP.
    Http,
    /// Does its work at intervals.
    Worker,
    /// Runs once and ends.
    Cli,
    /// Brings a stack up, and takes it down when it ends.
    Stack,
}

/// What was typed.
#[derive(Clone, Debug)]
pub struct NewServiceOptions {
    /// How Cargo is called.
    pub cargo: CargoOptions,
    /// The service's and package's name.
    pub name: String,
    /// What kind.
    pub template: Template,
    /// The new folder, relative to the workspace; beside the other services if it is not given.
    pub path: Option<PathBuf>,
}

/// The first port that is tried.
const FIRST_PORT: u16 = 8080;

/// Writes the member and registers it; all or nothing.
pub fn run(options: &NewServiceOptions, shell: &Shell) -> Result<()> {
    let workspace = Workspace::read(&options.cargo)?;
    let name = Name::new(&options.name).map_err(anyhow::Error::msg)?;
    ensure!(
        !name.as_str().starts_with(|c: char| c.is_ascii_digit()),
        "`{name}` cannot be a package's name: it begins with a digit"
    );
    ensure!(
        !["build", "deps", "examples", "incremental"].contains(&name.as_str()),
        "`{name}` cannot be a program's name: Cargo has a folder of that name beside its programs"
    );
    if let Some(member) = workspace.members.iter().find(|member| member.name == options.name) {
        bail!("the workspace has a package `{name}` already, in `{}`", member.folder().display());
    }
    let folder = folder(options, &workspace);
    ensure!(!folder.exists(), "`{}` is there already\nhelp: choose another folder with `--path DIR`", folder.display());
    let manifest_path = workspace.manifest();
    let mut manifest: DocumentMut =
        fs_err::read_to_string(&manifest_path)?.parse().context("failed to parse the root manifest")?;
    let inside = folder.strip_prefix(&workspace.root).ok().and_then(|path| confined(&path.to_string_lossy()));
    let Some(relative) = inside else {
        bail!("`{}` is not below `{}`, where Cargo looks for members", folder.display(), workspace.root.display());
    };
    let port = free_port(&workspace);
    let files = render(options.template, &name, port, &inherited(&manifest))?;
    let registered = register(&mut manifest, &relative)?;
    let app_yml = app_yml(&workspace, &name)?;

    write_folder(&folder, &files)?;
    let written = (|| {
        if let Some((path, text)) = &app_yml {
            crate::fs::write(path, text.as_bytes())?;
        }
        if registered { crate::fs::write(&manifest_path, manifest.to_string().as_bytes()) } else { Ok(()) }
    })();
    if let Err(error) = written {
        let _ = std::fs::remove_dir_all(&folder);
        return Err(error);
    }
    shell.status("Created", format_args!("service `{name}` in `{relative}`"));
    if registered {
        shell.status("Registered", format_args!("in {}", manifest_path.display()));
    }
    if let Some((path, _)) = app_yml {
        shell.status("Added", format_args!("to {}", path.display()));
    }
    Ok(())
}

/// Where it was asked for, else beside most of the other services, else `services/`.
fn folder(options: &NewServiceOptions, workspace: &Workspace) -> PathBuf {
    if let Some(path) = &options.path {
        return workspace.root.join(path);
    }
    let services = workspace.members.iter().filter(|member| member.metadata.get("service").is_some());
    let mut parents: Vec<PathBuf> = services
        .filter_map(|member| member.folder().parent().map(Path::to_owned))
        .filter(|p| p.starts_with(&workspace.root))
        .collect();
    parents.sort();
    let most = parents.iter().max_by_key(|parent| parents.iter().filter(|other| other == parent).count());
    most.cloned().unwrap_or_else(|| workspace.root.join("services")).join(&options.name)
}

/// The first port from 8080 on that no service names.
fn free_port(workspace: &Workspace) -> u16 {
    let tables = workspace.members.iter().filter_map(|member| member.metadata.get("service")).flat_map(|value| match value {
        serde_json::Value::Array(list) => list.iter().collect::<Vec<_>>(),
        value => vec![value],
    });
    let ports = tables.filter_map(|table| table.get("ports")?.as_array()).flatten();
    let taken: Vec<u16> = ports
        .filter_map(|port| Port::parse(&port.as_str().map_or_else(|| port.to_string(), str::to_owned)).ok())
        .flat_map(|port| [Some(port.container), port.host_number()])
        .flatten()
        .collect();
    (FIRST_PORT..u16::MAX).find(|port| !taken.contains(port)).unwrap_or(FIRST_PORT)
}

/// What a package takes from its workspace, as lines of its manifest.
fn inherited(manifest: &DocumentMut) -> String {
    let of_workspace = |key: &str| manifest.get("workspace").and_then(|w| w.get("package")).and_then(|p| p.get(key)).is_some();
    let lines = [
        ("version", Some("\"0.1.0\"")),
        ("edition", Some("\"2024\"")),
        ("rust-version", None),
        ("license", None),
        ("publish", Some("false")),
    ];
    let line = |(key, default): (&str, Option<&str>)| match (of_workspace(key), default) {
        (true, _) => Some(format!("{key}.workspace = true")),
        (false, Some(default)) => Some(format!("{key} = {default}")),
        (false, None) => None,
    };
    lines.into_iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

fn render(template: Template, name: &Name, port: u16, inherited: &str) -> Result<Vec<(&'static str, String)>> {
    let (manifest, main) = match template {
        Template::Http => {
            (include_str!("../../templates/service-http/manifest.toml"), include_str!("../../templates/service-http/src/main.rs"))
        }
        Template::Worker => (
            include_str!("../../templates/service-worker/manifest.toml"),
            include_str!("../../templates/service-worker/src/main.rs"),
        ),
        Template::Stack => (
            include_str!("../../templates/service-stack/manifest.toml"),
            include_str!("../../templates/service-stack/src/main.rs"),
        ),
        Template::Cli => {
            (include_str!("../../templates/service-cli/manifest.toml"), include_str!("../../templates/service-cli/src/main.rs"))
        }
    };
    let stack = name.as_str().strip_suffix("-stack").unwrap_or(name.as_str());
    let mut environment = Environment::new();
    let mut text = |file: &'static str, source: &'static str| -> Result<(&'static str, String)> {
        environment.add_template(file, source)?;
        let text = environment
            .get_template(file)?
            .render(context! { name => name.as_str(), stack => stack, port => port, inherited => inherited })?;
        Ok((file, text.trim_end().to_owned() + "\n"))
    };
    let mut files = vec![text("Cargo.toml", manifest)?, text("src/main.rs", main)?];
    if template == Template::Stack {
        files.push(text("src/certificate.rs", include_str!("../../templates/service-stack/src/certificate.rs"))?);
        files.push(text("src/requests.rs", include_str!("../../templates/service-stack/src/requests.rs"))?);
        files.push(text("src/stack.rs", include_str!("../../templates/service-stack/src/stack.rs"))?);
    }
    Ok(files)
}

/// Makes the folder under another name first, so that it appears whole.
fn write_folder(folder: &Path, files: &[(&str, String)]) -> Result<()> {
    let parent = folder.parent().context("the new folder has no parent")?;
    fs_err::create_dir_all(parent)?;
    let pending = tempfile::Builder::new().prefix(".new-service-").tempdir_in(parent)?;
    for (name, text) in files {
        crate::fs::write(&pending.path().join(name), text.as_bytes())?;
    }
    #[cfg(unix)]
    fs_err::set_permissions(pending.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    fs_err::rename(pending.path(), folder)?;
    Ok(())
}

/// Adds a member to the root manifest, unless a pattern covers it; says whether it changed anything.
fn register(manifest: &mut DocumentMut, relative: &str) -> Result<bool> {
    let workspace = manifest.entry("workspace").or_insert_with(|| Item::Table(Table::new()));
    let workspace = workspace.as_table_like_mut().context("`workspace` in the root manifest is not a table")?;
    let members = workspace.entry("members").or_insert_with(|| Item::Value(Array::new().into()));
    let members = members.as_array_mut().context("`workspace.members` in the root manifest is not an array")?;
    let covers = |pattern: &str| {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        let glob = globset::GlobBuilder::new(pattern).literal_separator(true).build();
        glob.is_ok_and(|glob| glob.compile_matcher().is_match(relative))
    };
    if members.iter().filter_map(|member| member.as_str()).any(covers) {
        return Ok(false);
    }
    // As the members before it are written, each on a line of its own or all on one.
    let prefix = members.iter().last().and_then(|last| last.decor().prefix()?.as_str().map(str::to_owned));
    members.push(relative);
    if let (Some(prefix), Some(last)) = (prefix.filter(|p| p.contains('\n')), members.len().checked_sub(1))
        && let Some(value) = members.get_mut(last)
    {
        // A comment before the last member stays with that one.
        let indent: String = prefix.rsplit('\n').next().unwrap_or_default().to_owned();
        value.decor_mut().set_prefix(format!("\n{indent}"));
        members.set_trailing_comma(true);
    }
    Ok(true)
}

/// The workspace's own `app.yml` with the service at the end of `services`; comments and all else stay.
fn app_yml(workspace: &Workspace, name: &Name) -> Result<Option<(PathBuf, String)>> {
    let path = workspace.root.join("app.yml");
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs_err::read_to_string(&path)?;
    let lines: Vec<&str> = text.lines().collect();
    let by_hand =
        || format!("failed to add the service to `app.yml`\nhelp: add it under `services`, with `image: {name}:#VERSION#`");
    let start = lines.iter().position(|line| line.trim_end() == "services:").with_context(by_hand)?;
    let is_content = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let end = lines[start + 1..]
        .iter()
        .position(|line| is_content(line) && !line.starts_with(' '))
        .map_or(lines.len(), |at| start + 1 + at);
    let last = lines[start + 1..end].iter().rposition(is_content).map_or(start, |at| start + 1 + at);
    let first = lines[start + 1..end].iter().find(|line| is_content(line));
    let indent: String = first.map_or("  ".into(), |line| line.chars().take_while(|c| *c == ' ').collect());
    let added = [
        format!("{indent}{name}:"),
        format!("{indent}{indent}image: {name}:#VERSION#"),
        format!("{indent}{indent}container_name: {name}"),
    ];
    let mut all: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    all.splice(last + 1..last + 1, added);
    Ok(Some((path, all.join("\n") + "\n")))
}
