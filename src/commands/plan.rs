//! `cargo appbundle plan`: prints the plan of a build.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use crate::app::{Health, Probe, Source};
use crate::compile::{self, CargoSettings, Stripping, variables};
use crate::config::lockfile::Lockfile;
use crate::debian::DebianPin;
use crate::pipeline::pulled::packages::{architecture, recipes};
use crate::pipeline::{Options, Session};
use crate::plan::Plan;
use crate::shell::{Shell, bytes};
use crate::workspace::{self, Unified};

/// Prints the plan to stdout, as text or JSON.
pub fn run(options: &Options, json: bool, shell: &Shell) -> Result<()> {
    let session = Session::start(options, shell)?;
    let plan = &session.plan;
    shell.notes(crate::render::files(plan)?.notes, &plan.allow);
    let services: Vec<_> = plan
        .packages()
        .map(|(service, p)| (service.name.as_str(), p.package.as_str(), p.features.as_slice(), p.default_features))
        .collect();
    if options.bin_dir.is_none() {
        workspace::fetch(&options.cargo, &plan.target.triple, &|line| shell.step(line))?;
    }
    // Binaries that were built elsewhere need no dependencies, and those may be out of reach here.
    let unified = match options.bin_dir {
        Some(_) => Vec::new(),
        None => workspace::unified(&options.cargo, &services, &plan.target.triple)?,
    };
    let pins = pins(plan)?;
    let stripping = match options.bin_dir {
        Some(_) => None,
        None => Some(compiling(&session, options, shell)?),
    };
    let text = text(plan, stripping.as_ref())? + &packages(&pins) + &shared(&unified);
    let debug_folder = (stripping == Some(Stripping::Split)).then(|| plan.debug_folder());
    shell.answer(json, "appbundle-plan", Printed { plan, unified, packages: pins, debug_folder }, text.trim_end())
}

/// Tells with `-v` what Cargo will be given; returns what will become of the executables' symbols.
fn compiling(session: &Session, options: &Options, shell: &Shell) -> Result<Stripping> {
    let (workspace, plan) = (&session.workspace, &session.plan);
    let settings = CargoSettings::read(&options.cargo.config)?;
    for flag in compile::flags(&settings, workspace, plan, shell)? {
        shell.detail("Passing", format_args!("`{}`", crate::process::words(&["--config".to_owned(), flag])));
    }
    for variables::Variable { name, value, why } in
        variables::of(&settings, &plan.target.triple, plan.builder, &workspace.target_dir).variables
    {
        shell.detail("Setting", format_args!("`{name}={value}`, which {why}"));
    }
    Stripping::of(&settings, workspace, &plan.profile)
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
    /// Where a build puts the symbols that it strips.
    #[serde(skip_serializing_if = "Option::is_none")]
    debug_folder: Option<PathBuf>,
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

/// `GET :8080/healthz every 10s`
fn health(health: &Health) -> String {
    let what = match &health.probe {
        Probe::Http(path, port) => format!("GET :{port}{path}"),
        Probe::Port(port) => format!("port {port}"),
        Probe::Grpc(port) => format!("gRPC at port {port}"),
        Probe::Command(command) => crate::process::words(command),
    };
    health.interval.as_ref().map_or_else(|| what.clone(), |interval| format!("{what} every {interval}"))
}

fn text(plan: &Plan, stripping: Option<&Stripping>) -> Result<String> {
    let mut out = String::new();
    writeln!(out, "{} {}", plan.slug(), plan.version)?;
    writeln!(out, "  target   {} ({}), profile {}", plan.target.triple, plan.target.platform, plan.profile)?;
    if let Some(variant) = &plan.variant {
        writeln!(out, "  variant  {variant}")?;
    }
    let mut bases: Vec<String> = plan.packages().map(|(_, package)| package.base.to_string()).collect();
    let mut seen = BTreeSet::new();
    bases.retain(|base| seen.insert(base.clone()));
    writeln!(out, "  base     {}", bases.join(", "))?;
    for format in &plan.formats {
        writeln!(out, "  writes   {}", plan.bundle_path(*format).display())?;
    }
    for preparation in plan.compilation.prepare.iter().filter(|_| stripping.is_some()) {
        writeln!(out, "  prepares with `{}`", preparation.run)?;
    }
    match stripping {
        Some(Stripping::Split) => {
            writeln!(out, "  strips   symbols, kept in {}", plan.debug_folder().join("SERVICE.debug").display())?;
        }
        Some(Stripping::Profile(strip)) => writeln!(out, "  strips   as the profile says, strip = {strip}")?,
        None => {}
    }
    if let Some(auterion) = &plan.auterion {
        writeln!(out, "  device   {} (API {})", auterion.device_types.join(", "), auterion.api_version)?;
    }
    for (at, service) in plan.services.iter().enumerate() {
        let container = &service.container;
        writeln!(out, "\n{}. {}", at + 1, service.name)?;
        match &service.source {
            Source::Package(package) => {
                writeln!(out, "  from     package {}, bin {}", package.package, package.bin)?;
                let without = (!package.default_features).then_some("without the default ones");
                let features: Vec<&str> = package.features.iter().map(String::as_str).chain(without).collect();
                if !features.is_empty() {
                    writeln!(out, "  features {}", features.join(", "))?;
                }
            }
            Source::Upstream(source) => writeln!(out, "  from     {}", source.upstream)?,
            Source::Dockerfile(source) => writeln!(out, "  from     dockerfile {}", source.dockerfile.written)?,
        }
        writeln!(out, "  image    {}", container.image)?;
        let command: Vec<String> = service.entrypoint().into_iter().chain(container.args.iter().cloned()).collect();
        let user = container.user.iter().map(|user| format!(" as {user}")).collect::<String>();
        if !command.is_empty() || !user.is_empty() {
            writeln!(out, "  runs     {}{user}", crate::process::words(&command))?;
        }
        let mut line = |name: &str, list: Vec<String>| {
            if list.is_empty() { Ok(()) } else { writeln!(out, "  {name:<8} {}", list.join(", ")) }
        };
        line("ports", container.ports.iter().map(|port| port.short()).collect())?;
        line("health", container.health.iter().map(health).collect())?;
        line("replicas", container.replicas.iter().map(ToString::to_string).collect())?;
        line("env", container.environment.iter().map(|(name, value)| format!("{name}={value}")).collect())?;
        let secrets = container.secrets.iter().map(|(name, at)| format!("{name} (key {} of {})", at.key, at.secret));
        line("secrets", secrets.collect())?;
        line("after", service.depends_on.clone())?;
        let libraries = service.package().into_iter().flat_map(|package| &package.libraries);
        line("loads", libraries.map(|library| format!("{} of package {}", library.file, library.package)).collect())?;
        let files = service.package().into_iter().flat_map(|package| &package.files);
        line("files", files.map(|file| file.to.clone()).collect())?;
    }
    Ok(out)
}
