//! `cargo appbundle init`: prepares an existing workspace.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Result, bail};

use crate::app::{Author, Name};
use crate::scaffold::apt;
use crate::scaffold::tables::{self, AddedTables};
use crate::shell::Shell;
use crate::workspace::{CargoOptions, Member, Workspace};

/// Options from the command line.
#[derive(Clone, Debug, Default)]
pub struct InitOptions {
    /// How to call Cargo.
    pub cargo: CargoOptions,
    /// Take all executables without asking.
    pub all: bool,
    /// The app's name.
    pub name: Option<String>,
    /// The publisher.
    pub author: Option<String>,
}

/// Writes the missing tables; existing ones stay unchanged.
pub fn run(options: &InitOptions, shell: &Shell) -> Result<()> {
    let workspace = Workspace::read(&options.cargo)?;
    let name = match &options.name {
        Some(name) => Name::new(name).map_err(anyhow::Error::msg)?,
        None => {
            let folder = workspace.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Name::new(&Name::near(&folder)).map_err(|_| {
                anyhow::anyhow!("the directory's name is not a valid app name\nhelp: choose one with `--name NAME`")
            })?
        }
    };
    let author = options.author.as_deref().map(Author::new).transpose().map_err(anyhow::Error::msg)?;
    let mut chosen = Vec::new();
    for member in &workspace.members {
        if member.metadata.get("service").is_some() {
            shell.status("Kept", format_args!("the service table of `{}`", member.name));
            continue;
        }
        let bins = choose(member, options.all)?;
        if !bins.is_empty() {
            chosen.push((member, bins));
        }
    }
    let AddedTables { changed, had_app } = tables::add(&workspace, &name, author.as_ref(), &chosen)?;
    changed.iter().for_each(|path| shell.status("Wrote", path.display()));
    if had_app {
        shell.status("Kept", "the app's table");
    }
    for name in ["Dockerfile.base", "Dockerfile"] {
        let text = std::fs::read_to_string(workspace.root.join(name)).unwrap_or_default();
        if let Some(base) = apt::base_of(&text).filter(|_| !had_app) {
            shell.note(format_args!(
                "`{name}` installs packages: `{base}` in the app's table makes a base of them without Docker"
            ));
        }
    }
    let has_service = !chosen.is_empty() || workspace.members.iter().any(|member| member.metadata.get("service").is_some());
    shell.note(match has_service {
        true => "next: `cargo appbundle doctor`, then `cargo appbundle build`",
        false => "next: create a service with `cargo appbundle new-service NAME`",
    });
    Ok(())
}

/// Chooses the executables of a member that become services.
fn choose(member: &Member, all: bool) -> Result<Vec<String>> {
    if all {
        return Ok(member.bins.clone());
    }
    let mut chosen = Vec::new();
    for bin in &member.bins {
        if !std::io::stdin().is_terminal() {
            bail!(
                "cannot ask which executables become services: stdin is not a terminal\nhelp: choose all with `cargo appbundle init --all`"
            );
        }
        eprint!("make `{bin}` of package `{}` a service? [Y/n] ", member.name);
        std::io::stderr().flush()?;
        let mut answer = String::new();
        if std::io::stdin().read_line(&mut answer)? == 0 {
            bail!("the question was not answered; nothing was changed");
        }
        if !answer.trim().to_lowercase().starts_with('n') {
            chosen.push(bin.clone());
        }
    }
    Ok(chosen)
}
