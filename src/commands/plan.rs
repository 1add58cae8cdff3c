//! `cargo appbundle plan`: prints the plan of a build.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

use crate::compile::{CargoSettings, linker, variables};
use crate::config::lockfile::Lockfile;
use crate::debian::DebianPin;
use crate::pipeline::pulled::packages::{architecture, recipes};
use crate::pipeline::{Options, Session};
use crate::plan::{Builder, Plan};
use crate::shell::{Shell, bytes};
use crate::workspace::{self, Unified};

/// Prints the plan to stdout, as text or JSON.
pub fn run(options: &Options, json: bool, shell: &Shell) -> Result<()> {
    let session = Session::start(options, shell)?;
    let plan = &session.plan;
    shell.notes(crate::render::files(plan)?.notes, &plan.allow);
    let services: Vec<_> =
        plan.packages().map(|(service, p)| (service.name.as_str(), p.package.as_str(), p.features.as_slice())).collect();
    // Binaries that were built elsewhere need no dependencies, and those may be out of reach here.
    let unified = match options.bin_dir {
        Some(_) => Vec::new(),
        None => workspace::unified(&options.cargo, &services, &plan.target.triple)
            .inspect_err(|error| {
                shell.note(format_args!("failed to find out which features of dependencies are shared: {error:#}"))
            })
            .unwrap_or_default(),
    };
    if options.bin_dir.is_none() {
        compiling(options, plan, shell)?;
    }
    let pins = pins(plan)?;
    let text = text(plan)? + &packages(&pins) + &shared(&unified);
    shell.answer(json, "appbundle-plan", Printed { plan, unified, packages: pins }, text.trim_end())
}

/// What Cargo will be told of the target's tools, for `-v`.
fn compiling(options: &Options, plan: &Plan, shell: &Shell) -> Result<()> {
    let (settings, triple) = (CargoSettings::read(&options.cargo.config)?, &plan.target.triple);
    if let Some(linker) = linker::own_choice(&settings, triple).filter(|_| plan.builder == Builder::Cargo) {
        shell.detail("Linking", format_args!("with `{linker}`"));
    }
    for variables::Variable { name, value, why } in variables::of(&settings, triple, plan.builder) {
        shell.detail("Setting", format_args!("`{name}={value}`, which {why}"));
    }
    Ok(())
}

/// The JSON output.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    /// Dependencies with features that only some of the services that use them request.
    unified: Vec<Unified>,
    /// The Debian packages of bases, as far as they are pinned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    packages: Vec<DebianPin>,
}

/// The pins of the plan's bases of packages.
fn pins(plan: &Plan) -> Result<Vec<DebianPin>> {
    let recipes = recipes(plan);
    if recipes.is_empty() {
        return Ok(Vec::new());
    }
    let lockfile = Lockfile::read(&plan.workspace)?;
    Ok(recipes.into_iter().filter_map(|recipe| lockfile.debian(recipe, &architecture(&plan.target)).cloned()).collect())
}

/// The packages of each base, the largest first, each with the one that depends on it.
fn packages(pins: &[DebianPin]) -> String {
    let mut out = String::new();
    for pin in pins {
        let installed: u64 = pin.packages.iter().map(|package| package.installed << 10).sum();
        out.push_str(&format!(
            "\nPackages of {} for {}: {} compressed, {} with all files\n",
            pin.suite,
            pin.architecture,
            bytes(pin.size()),
            bytes(installed)
        ));
        let mut packages: Vec<_> = pin.packages.iter().collect();
        packages.sort_by_key(|package| (std::cmp::Reverse(package.installed), &package.name));
        for package in packages {
            let why = package.needed_by.as_ref().map(|by| format!(", for {by}")).unwrap_or_default();
            out.push_str(&format!("  {:>10}  {} {}{why}\n", bytes(package.installed << 10), package.name, package.version));
        }
    }
    out
}

/// All services are compiled together, so a dependency gets the features that any of them requests.
fn shared(unified: &[Unified]) -> String {
    let mut out = String::new();
    for Unified { package, features } in unified {
        let mut by_services: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (feature, who) in features {
            by_services.entry(who.iter().map(String::as_str).collect::<Vec<_>>().join(", ")).or_default().push(feature);
        }
        let parts: Vec<String> = by_services.iter().map(|(who, which)| format!("{} for {who}", which.join(", "))).collect();
        out.push_str(&format!("  {package}: {}\n", parts.join("; ")));
    }
    if out.is_empty() {
        out
    } else {
        format!("\nShared dependencies that are compiled with features only some services enable\n{out}")
    }
}

fn text(plan: &Plan) -> Result<String> {
    let mut out = String::new();
    writeln!(out, "{} {}", plan.slug(), plan.version)?;
    writeln!(out, "  target   {} ({}), profile {}", plan.target.triple, plan.target.platform, plan.profile)?;
    let bases: Vec<String> = plan.bases().into_iter().map(ToString::to_string).collect();
    writeln!(out, "  base     {}", bases.join(", "))?;
    for format in &plan.formats {
        writeln!(out, "  writes   {}", plan.bundle_path(*format).display())?;
    }
    if let Some(auterion) = &plan.auterion {
        writeln!(out, "  device   {} (API {})", auterion.device_types.join(", "), auterion.api_version)?;
    }
    for (at, (service, package)) in plan.packages().enumerate() {
        let container = &service.container;
        writeln!(out, "\n{}. {}", at + 1, service.name)?;
        writeln!(out, "  from     package {}, bin {}", package.package, package.bin)?;
        writeln!(out, "  image    {}", container.image)?;
        let command: Vec<String> = service.entrypoint().into_iter().chain(container.args.iter().cloned()).collect();
        let user = container.user.as_deref().unwrap_or_default();
        writeln!(out, "  runs     {} as {user}", crate::process::words(&command))?;
        let mut line = |name: &str, list: Vec<String>| {
            if list.is_empty() { Ok(()) } else { writeln!(out, "  {name:<8} {}", list.join(", ")) }
        };
        line("ports", container.ports.iter().map(|port| port.short()).collect())?;
        line("replicas", container.replicas.iter().map(ToString::to_string).collect())?;
        line("env", container.environment.iter().map(|(name, value)| format!("{name}={value}")).collect())?;
        let secrets = container.secrets.iter().map(|(name, at)| format!("{name} (key {} of {})", at.key, at.secret));
        line("secrets", secrets.collect())?;
        line("after", service.depends_on.clone())?;
        line("files", package.files.iter().map(|file| file.to.clone()).collect())?;
    }
    Ok(out)
}
