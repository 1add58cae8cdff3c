//! A new member of a workspace: a folder with a package that is a service, registered in the root manifest.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use toml_edit::DocumentMut;

use super::template::{self, Blanks, ServiceTemplate, render};
use super::{app_yml, root_manifest};
use crate::app::{Name, Port};
use crate::archive::confined;
use crate::diagnostic::Code;
use crate::workspace::Workspace;

/// The first port that is tried.
const FIRST_PORT: u16 = 8080;

/// What a new member is to be.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// The service's and package's name.
    pub name: String,
    /// What kind.
    pub template: ServiceTemplate,
    /// The new folder, relative to the workspace; beside the other services if it is not given.
    pub path: Option<PathBuf>,
}

/// Where a new member was put.
#[derive(Debug)]
pub struct CreatedMember {
    /// Its folder, relative to the workspace.
    pub folder: String,
    /// The root manifest, if the member had to be added to it.
    pub registered: Option<PathBuf>,
    /// The workspace's own `app.yml`, if it has one: the service was added to it.
    pub app_yml: Option<PathBuf>,
}

/// Writes a member and registers it; all or nothing.
///
/// # Errors
/// When the name or the folder cannot be a new member's, or something cannot be written.
pub fn create(workspace: &Workspace, wanted: &NewMember) -> Result<CreatedMember> {
    let name = Name::new(&wanted.name).map_err(anyhow::Error::msg)?;
    ensure!(
        !name.as_str().starts_with(|c: char| c.is_ascii_digit()),
        "`{name}` is not a valid package name: it begins with a digit"
    );
    ensure!(
        !["build", "deps", "examples", "incremental"].contains(&name.as_str()),
        "`{name}` is not a valid executable name: Cargo's target folder has a folder of that name"
    );
    if let Some(member) = workspace.members.iter().find(|member| member.name == wanted.name) {
        bail!("the workspace already has a package `{name}` in `{}`", member.folder().display());
    }
    if wanted.template == ServiceTemplate::Stack {
        has_stack(workspace, &name)?;
    }
    let folder = folder(wanted, workspace);
    ensure!(!folder.exists(), "`{}` already exists\nhelp: choose another folder with `--path DIR`", folder.display());
    let manifest_path = workspace.manifest();
    let mut manifest: DocumentMut =
        fs_err::read_to_string(&manifest_path)?.parse().context("failed to parse the root manifest")?;
    let inside = folder.strip_prefix(&workspace.root).ok().and_then(|path| confined(&path.to_string_lossy()));
    let Some(relative) = inside else {
        bail!("`{}` is not below `{}`, where Cargo looks for members", folder.display(), workspace.root.display());
    };
    let files = render(
        wanted.template,
        &Blanks { name: &name, port: free_port(workspace), inherited: &root_manifest::inherited(&manifest, &version(workspace)) },
    )?;
    let registered = root_manifest::register(&mut manifest, &relative)?;
    let app_yml = app_yml::with_service(workspace, &name)?;

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
    Ok(CreatedMember {
        folder: relative,
        registered: registered.then_some(manifest_path),
        app_yml: app_yml.map(|(path, _)| path),
    })
}

/// Checks that the stack is there that the service is to control.
fn has_stack(workspace: &Workspace, name: &Name) -> Result<()> {
    let stack = template::controlled(name);
    let of_root = || workspace.root_package()?.metadata.get("appbundle");
    let app = workspace.metadata.get("appbundle").or_else(of_root);
    let table = app.and_then(|app| app.get("stacks")?.get(stack));
    let header = format!(
        "[{}.metadata.appbundle.stacks.{stack}]",
        if workspace.root_package().is_some() { "package" } else { "workspace" }
    );
    let Some(table) = table else {
        bail!(Code::StackController.error(format!(
            "there is no stack `{stack}` for `{name}` to control\nhelp: add `{header}` with `stack-image = true` to `{}`, or name the service STACK-stack",
            workspace.manifest().display()
        )));
    };
    ensure!(
        table.get("stack-image").and_then(serde_json::Value::as_bool) == Some(true),
        Code::StackController
            .error(format!("the stack `{stack}` is not an image\nhelp: add `stack-image = true` below `{header}`"))
    );
    Ok(())
}

/// The version of the services, if they agree on one, so that the app still has one; else the first of any package.
fn version(workspace: &Workspace) -> String {
    let services = workspace.members.iter().filter(|member| member.metadata.get("service").is_some());
    let mut versions: Vec<String> = services.map(|member| member.version.to_string()).collect();
    versions.dedup();
    if let [only] = &versions[..] { only.clone() } else { "0.1.0".to_owned() }
}

/// Where it was asked for, else beside most of the other services, else `services/`.
fn folder(wanted: &NewMember, workspace: &Workspace) -> PathBuf {
    if let Some(path) = &wanted.path {
        return workspace.root.join(path);
    }
    let services = workspace.members.iter().filter(|member| member.metadata.get("service").is_some());
    let mut parents: Vec<PathBuf> = services
        .filter_map(|member| member.folder().parent().map(Path::to_owned))
        .filter(|p| p.starts_with(&workspace.root))
        .collect();
    parents.sort();
    let most = parents.iter().max_by_key(|parent| parents.iter().filter(|other| other == parent).count());
    most.cloned().unwrap_or_else(|| workspace.root.join("services")).join(&wanted.name)
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
