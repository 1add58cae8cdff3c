//! `cargo appbundle init`: prepares an existing workspace.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::app::{Author, Name};
use crate::scaffold::tables::{self, WantedService};
use crate::scaffold::{self, Discovered, Installed};
use crate::shell::{Shell, ask_text, ask_yes, count};
use crate::workspace::{CargoOptions, Member, Workspace};

/// Options from the command line.
#[derive(Clone, Debug, Default)]
pub struct InitOptions {
    /// How to call Cargo.
    pub cargo: CargoOptions,
    /// Take all executables, and all that is known of them, without asking.
    pub all: bool,
    /// The app's name.
    pub name: Option<String>,
    /// The publisher.
    pub author: Option<String>,
}

/// Shows the missing tables and writes them; existing ones stay unchanged.
///
/// # Errors
/// When there is nobody to ask, an answer is missing, or the user wants nothing written.
pub fn run(options: &InitOptions, shell: &Shell) -> Result<()> {
    let workspace = Workspace::read(&options.cargo)?;
    let name = app_name(options, &workspace)?;
    let mut author = options.author.as_deref().map(Author::new).transpose().map_err(anyhow::Error::msg)?;
    let asks = !options.all;
    let has_table = |member: &Member| member.metadata.get("service").is_some();
    let open: Vec<&Member> = workspace.members.iter().filter(|member| !has_table(member)).collect();
    for member in workspace.members.iter().filter(|member| has_table(member)) {
        shell.status("Kept", format_args!("the service table of `{}`", member.name));
    }
    let bins: usize = workspace.members.iter().map(|member| member.bins.len()).sum();
    let mut chosen = Vec::new();
    for member in open {
        let services = choose(member, &workspace, (bins == 1, asks), shell)?;
        if !services.is_empty() {
            chosen.push((member, services));
        }
    }
    if asks && author.is_none() && bins > 0 && !has_app(&workspace) {
        author = ask_text("author, a reverse domain such as com.example; only AuterionOS needs one [none]", |text| {
            Author::new(text).map(drop)
        })?
        .map(|text| Author::new(&text))
        .transpose()
        .map_err(anyhow::Error::msg)?;
    }
    let prepared = tables::prepare(&workspace, &name, author.as_ref(), &chosen)?;
    for (path, old, new) in &prepared.changes {
        shell.status("To write", path.display());
        tables::added(old, new).iter().for_each(|line| shell.output(line));
    }
    if asks && !prepared.changes.is_empty() && !ask_yes("write this?")? {
        bail!("nothing is written, as you wish");
    }
    prepared.write()?;
    prepared.changes.iter().for_each(|(path, ..)| shell.status("Wrote", path.display()));
    if prepared.had_app {
        shell.status("Kept", "the app's table");
    }
    let installed = chosen.iter().flat_map(|(_, services)| services).flat_map(|service| service.found.installed.clone());
    let at_root = scaffold::installed(&workspace.root).into_iter();
    // Dockerfiles at the root may be of no service.
    let at_root = at_root.filter(|installed| installed.base.is_some() && !prepared.had_app);
    tell_installed(installed.chain(at_root), prepared.had_app, shell);
    shell.note(match bins {
        0 => "next: create a service with `cargo appbundle new-service NAME`",
        _ => "next: `cargo appbundle build`; `cargo appbundle doctor` shows what it needs",
    });
    Ok(())
}

fn app_name(options: &InitOptions, workspace: &Workspace) -> Result<Name> {
    if let Some(name) = &options.name {
        return Name::new(name).map_err(anyhow::Error::msg);
    }
    let folder = workspace.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Name::new(&Name::near(&folder))
        .map_err(|_| anyhow::anyhow!("the directory's name is not a valid app name\nhelp: choose one with `--name NAME`"))
}

fn has_app(workspace: &Workspace) -> bool {
    let of_root = workspace.root_package().is_some_and(|package| package.metadata.get("appbundle").is_some());
    workspace.metadata.get("appbundle").is_some() || of_root
}

/// The executables of a member that become services, each with what is known of it. `alone` is whether the workspace has only this one.
fn choose(member: &Member, workspace: &Workspace, (alone, asks): (bool, bool), shell: &Shell) -> Result<Vec<WantedService>> {
    let mut services = Vec::new();
    for bin in &member.bins {
        if asks && !ask_yes(&format!("make `{bin}` of package `{}` a service?", member.name))? {
            continue;
        }
        let near = Name::near(bin);
        let names = if member.bins.len() == 1 { vec![bin.as_str(), &near, &member.name] } else { vec![bin.as_str(), &near] };
        let found = scaffold::discover(&workspace.root, member.folder(), &names, alone);
        let sources = found.sources.join(" and ");
        let take = found.is_empty() || {
            shell.status("Found", format_args!("in {sources}: {}", summary(&found)));
            !asks || ask_yes(&format!("put this into the table of `{bin}`?"))?
        };
        let found = if take { found } else { Discovered { installed: found.installed, ..Discovered::default() } };
        services.push(WantedService { bin: bin.clone(), found });
    }
    Ok(services)
}

/// Says once of each Dockerfile that the packages it installs are not in the default base, and how to have them.
fn tell_installed(installed: impl Iterator<Item = Installed>, had_app: bool, shell: &Shell) {
    let mut told = BTreeSet::new();
    for Installed { source, packages, base } in installed {
        if !told.insert(source.clone()) {
            continue;
        }
        let packages = packages.join(", ");
        match base {
            Some(base) if !had_app => shell.note(format_args!(
                "`{source}` installs {packages}; to have the packages without Docker, set `{base}` in the app's table"
            )),
            _ => shell.note(format_args!(
                "`{source}` installs {packages}; the default base has the libraries that executables link, and CA certificates; for more, set `base = {{ dockerfile = \"…\" }}`"
            )),
        }
    }
}

/// `ports 8080, health check /healthz at 8080, 2 variables`
fn summary(found: &Discovered) -> String {
    let mut parts = Vec::new();
    if !found.ports.is_empty() {
        parts.push(format!("ports {}", found.ports.join(" ")));
    }
    parts.extend(found.health.iter().map(|(path, port)| format!("health check {path} at {port}")));
    if !found.environment.is_empty() {
        parts.push(count(found.environment.len(), "variable"));
    }
    parts.join(", ")
}
