//! Checks that the programs that an image is to run are in it.

use anyhow::{Result, bail};

use crate::app::{Facts, FileContent, Unit};
use crate::archive::normal;
use crate::diagnostic::Code;
use crate::oci::DEFAULT_PATH;

/// Looks for the commands of the units of one image: those that run instead of the executable, and those of health checks.
///
/// # Errors
/// Names each that is neither in the base nor packed.
pub fn check_programs(units: &[Unit<'_>]) -> Result<()> {
    let (mut wrong, mut facts) = (Vec::new(), None);
    for unit in units {
        let container = &unit.service.container;
        let health = container.health.as_ref().and_then(|health| health.command());
        let commands = [("command", container.command.as_deref()), ("healthcheck.command", health)];
        for (key, program) in commands.into_iter().filter_map(|(key, command)| Some((key, command?.first()?))) {
            if !is_there(program, unit, facts.get_or_insert_with(|| with_files(units))) {
                wrong.push(format!("`{key}` of the service `{}` runs `{program}`", unit.service.name));
            }
        }
    }
    let Some(base) = units.first().map(|unit| unit.base).filter(|_| !wrong.is_empty()) else { return Ok(()) };
    let of_health = wrong.iter().all(|line| line.starts_with("`healthcheck"));
    let help = if of_health {
        "check a `path` or a `port`, for which the image has a program, pack the program with `files`, or use a base that has it"
    } else {
        "pack the program with `files`, or use a base that has it"
    };
    bail!(Code::ProgramMissing.error(format!(
        "{}, which is no program of the base `{}` or of `files`\nhelp: {help}",
        wrong.join(" and "),
        base.choice
    )))
}

/// The file system of the image of these units.
fn with_files(units: &[Unit<'_>]) -> Facts {
    let Some(base) = units.first().map(|unit| unit.base) else { return Facts::default() };
    let mut own = Facts::default();
    for unit in units {
        own.programs.insert(base.facts.resolve(&unit.package.binary_path));
        for file in &unit.package.files {
            let path = file.to.trim_start_matches('/').to_owned();
            match &file.content {
                FileContent::Link(target) => drop(own.links.insert(path, target.clone())),
                FileContent::From(_) if file.mode & 0o111 != 0 => drop(own.programs.insert(path)),
                FileContent::From(_) | FileContent::Text(_) | FileContent::Folder => {}
            }
        }
    }
    let mut all = base.facts.clone();
    all.overlay(own);
    // As they are resolved in the image.
    all.programs = all.programs.iter().map(|path| all.resolve(path)).collect();
    all
}

fn is_there(program: &str, unit: &Unit<'_>, facts: &Facts) -> bool {
    let container = &unit.service.container;
    let has = |path: &str| {
        let found = facts.resolve(&normal(path));
        facts.programs.contains(&found) || facts.libraries.contains_key(&found) || is_mounted(path, unit)
    };
    if program.contains('/') {
        let workdir = container.workdir.as_deref().unwrap_or("/");
        return has(&if program.starts_with('/') { program.to_owned() } else { format!("{workdir}/{program}") });
    }
    let of_base = unit.base.config.variables().get("PATH").map(|path| (*path).to_owned());
    let path = container.environment.get("PATH").cloned().or(of_base).unwrap_or_else(|| DEFAULT_PATH.to_owned());
    path.split(':').any(|folder| has(&format!("{folder}/{program}")))
}

/// Whether a volume may hold it.
fn is_mounted(path: &str, unit: &Unit<'_>) -> bool {
    let volumes = &unit.service.container.volumes;
    volumes.iter().any(|volume| {
        path.strip_prefix(volume.target.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
