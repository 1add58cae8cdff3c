//! `cargo appbundle init`: prepares an existing workspace.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::{doctor, plan};
use crate::app::{Author, Device, Name, Target};
use crate::doctor::Diagnosis;
use crate::pipeline::Options;
use crate::plan::DEFAULT_TARGET;
use crate::scaffold::tables::{self, WantedService};
use crate::scaffold::{self, AppKeys, BuiltFor, Discovered, FoundBin, Installed};
use crate::shell::{Shell, ask_text, ask_yes, ask_yes_or_no, count};
use crate::workspace::Workspace;

/// What `init` writes.
#[derive(Clone, Debug, Default)]
pub struct InitOptions {
    /// Take all services, and all that is known of them, without asking.
    pub all: bool,
    /// The app's name.
    pub name: Option<String>,
    /// The publisher.
    pub author: Option<String>,
}

/// Shows the missing tables and writes them; existing ones stay unchanged. Then prints the plan, and what is installed of what it needs.
///
/// # Errors
/// When there is nobody to ask, an answer is missing, or the user wants nothing written; when a table that was there is wrong.
pub fn run(options: &Options, init: &InitOptions, shell: &Shell) -> Result<()> {
    let workspace = Workspace::read(&options.cargo)?;
    let name = app_name(init, &workspace)?;
    let mut author = init.author.as_deref().map(Author::new).transpose().map_err(anyhow::Error::msg)?;
    let asks = !init.all;
    for member in workspace.members.iter().filter(|member| member.metadata.get("service").is_some()) {
        shell.status("Kept", format_args!("the service table of `{}`", member.name));
    }
    let bins: usize = workspace.members.iter().map(|member| member.bins.len()).sum();
    let chosen = scaffold::candidates(&workspace).into_iter().filter_map(|candidate| choose(candidate, asks, shell).transpose());
    let chosen: Vec<WantedService<'_>> = chosen.collect::<Result<_>>()?;
    if asks && author.is_none() && bins > 0 && !has_app(&workspace) {
        author = ask_text("author, a reverse domain such as com.example; only AuterionOS needs one [none]", |text| {
            Author::new(text).map(drop)
        })?
        .map(|text| Author::new(&text))
        .transpose()
        .map_err(anyhow::Error::msg)?;
    }
    let mut keys = AppKeys {
        name: (name.to_string(), init.name.is_some()),
        author: author.as_ref().map(|author| author.as_str().to_owned()),
        version: tables::version_of_app(&workspace, &chosen)?,
        ..AppKeys::default()
    };
    let asked_for =
        options.request.targets.iter().map(|triple| Ok(Target::new(triple)?.triple)).collect::<Result<Vec<_>, String>>();
    let asked_for = asked_for.map_err(anyhow::Error::msg)?;
    if has_app(&workspace) {
        keys.targets = asked_for;
    } else if !asked_for.is_empty() {
        give_targets(&mut keys, asked_for, shell);
    } else if let Some(BuiltFor { triples, source }) = scaffold::built_for(&workspace.root).filter(is_unusual) {
        shell.status("Found", format_args!("in {source}: target {}; `--target` gives the app another", triples.join(" and ")));
        give_targets(&mut keys, triples, shell);
    }
    let prepared = tables::prepare(&workspace, &keys, &chosen)?;
    for (path, old, new) in &prepared.changes {
        shell.status("To write", path.display());
        tables::added(old, new).iter().for_each(|line| shell.output(line));
    }
    if asks && !prepared.changes.is_empty() && !ask_yes("write this?")? {
        bail!("nothing is written, as you wish");
    }
    prepared.write()?;
    prepared.changes.iter().for_each(|(path, ..)| shell.status("Wrote", path.display()));
    if prepared.app.was_there {
        shell.status("Kept", "the app's table");
    }
    for (key, value) in &prepared.app.kept {
        let flag = key.trim_end_matches('s');
        shell.warning(format_args!("`--{flag}` is ignored: the app's table has `{key} = {value}`"));
    }
    let taken = chosen.iter().filter(|service| service.left_out.is_none());
    let installed = taken.flat_map(|service| service.candidate.found.installed.clone());
    let at_root = scaffold::installed(&workspace.root).into_iter();
    // Dockerfiles at the root may be of no service.
    let at_root = at_root.filter(|installed| installed.base.is_some() && !prepared.app.was_there);
    tell_installed(installed.chain(at_root), prepared.app.was_there, shell);
    for (unit, name) in scaffold::of_other_names(&workspace) {
        shell.note(format_args!(
            "`{unit}` starts `{name}`, which is no executable of the workspace; if it is another name of one, give that one a service with `argv0 = \"{name}\"`"
        ));
    }
    if bins == 0 {
        shell.note("next: create a service with `cargo appbundle new-service NAME`");
        return Ok(());
    }
    show(options, shell)
}

/// Prints the plan, and what is installed of what it needs.
fn show(options: &Options, shell: &Shell) -> Result<()> {
    let workspace = Workspace::read(&options.cargo)?;
    for triple in crate::plan::targets(&workspace, &options.request)? {
        let mut of_target = options.clone();
        of_target.request.targets = vec![triple];
        plan::run(&of_target, false, shell)?;
    }
    let Diagnosis { findings, missing, wrong, .. } = crate::doctor::examine(options, &|line| shell.step(line))?;
    doctor::show(&findings, shell);
    match missing {
        None => shell.note("next: `cargo appbundle build`"),
        // The tables are written all the same.
        Some(missing) => {
            let missing = missing.to_string();
            let (what, help) = missing.split_once("\nhelp: ").unwrap_or((&missing, "install it as shown above"));
            shell.note(format_args!("{what}\nhelp: {help}, and then `cargo appbundle build`"));
        }
    }
    wrong.map_or(Ok(()), Err)
}

/// Whether these are not the targets that an app has anyway.
fn is_unusual(found: &BuiltFor) -> bool {
    found.triples != [DEFAULT_TARGET]
}

/// Gives the app its targets; and formats, if no device runs them.
fn give_targets(keys: &mut AppKeys, triples: Vec<String>, shell: &Shell) {
    let runs = |triple: &String| {
        let target = Target::new(triple).ok();
        target.is_some_and(|target| Device::ALL.iter().any(|device| device.architecture == target.platform.architecture))
    };
    if keys.author.is_some() && !triples.iter().all(runs) {
        keys.formats = vec!["docker".to_owned()];
        shell.note("no AuterionOS device runs this target, so the format is `docker`");
    }
    keys.targets = triples;
}

fn app_name(init: &InitOptions, workspace: &Workspace) -> Result<Name> {
    if let Some(name) = &init.name {
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

/// Whether an executable becomes a service, and whether with what is known of it; none if the user does not want it.
fn choose<'a>(mut candidate: FoundBin<'a>, asks: bool, shell: &Shell) -> Result<Option<WantedService<'a>>> {
    let (bin, package) = (&candidate.bin, &candidate.member.name);
    let doubt = candidate.doubt.take();
    if asks {
        let looks = doubt.as_ref().map(|doubt| format!(" It looks like none: {doubt}")).unwrap_or_default();
        if !ask_yes_or_no(&format!("make `{bin}` of package `{package}` a service?{looks}"), doubt.is_none())? {
            return Ok(None);
        }
    } else if let Some(why) = doubt {
        shell.status("Left out", format_args!("`{bin}` of package `{package}`: {why}"));
        return Ok(Some(WantedService { candidate, left_out: Some(why) }));
    }
    let sources = candidate.found.sources.join(" and ");
    let take = candidate.found.is_empty() || {
        shell.status("Found", format_args!("in {sources}: {}", summary(&candidate.found)));
        !asks || ask_yes(&format!("put this into the table of `{bin}`?"))?
    };
    if !take {
        candidate.found = Discovered { installed: candidate.found.installed, ..Discovered::default() };
    }
    Ok(Some(WantedService { candidate, left_out: None }))
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

/// `arguments --verbose, ports 8080, health check /healthz at 8080, 2 variables`
fn summary(found: &Discovered) -> String {
    let mut parts = Vec::new();
    if !found.args.is_empty() {
        parts.push(format!("arguments {}", found.args.join(" ")));
    }
    if !found.ports.is_empty() {
        parts.push(format!("ports {}", found.ports.join(" ")));
    }
    parts.extend(found.health.iter().map(|(path, port)| format!("health check {path} at {port}")));
    if !found.environment.is_empty() {
        parts.push(count(found.environment.len(), "variable"));
    }
    if !found.files.is_empty() {
        parts.push(count(found.files.len(), "file"));
    }
    parts.extend(found.workdir.iter().map(|folder| format!("folder {folder}")));
    if !found.after.is_empty() {
        parts.push(format!("starts after {}", found.after.join(" ")));
    }
    parts.join(", ")
}
