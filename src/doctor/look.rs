//! Looks for each tool.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::needs::BuildNeeds;
use super::{ToolFinding, ToolState, native};
use crate::app::{BaseChoice, Target};
use crate::base::{Sysroot, of_cross_compiler};
use crate::compile::{CargoSettings, LinkerFound, builder, linker};
use crate::debian::{self, Recipe};
use crate::elf::Elf;
use crate::os;
use crate::pipeline::Options;
use crate::plan::Builder;

/// What is there of what a build needs, and of what else is of use.
pub fn at(needs: &BuildNeeds, options: &Options) -> Result<Vec<ToolFinding>> {
    let settings = CargoSettings::read(&options.cargo.config)?;
    let triple = &needs.target.triple;
    let mut findings = vec![compiler(&options.cargo.program), standard_library(&settings, triple)];
    findings.push(match needs.builder {
        Builder::Cargo => the_linker(&settings, triple),
        other => the_builder(other, &needs.target),
    });
    if needs.bases.contains(&BaseChoice::Auto) && !needs.target.is_musl() {
        let sysroot = Sysroot::new(&linker::used(&settings, triple));
        findings.push(c_library(&sysroot, &needs.target));
        findings.extend(updates(&sysroot));
    }
    findings.extend(native::at(needs));
    findings.extend(needs.bases.iter().filter_map(base));
    findings.push(engine(needs.engine));
    findings.push(emulation(&needs.target.platform.architecture));
    if needs.auterionos {
        findings.push(optional(
            "mender-artifact",
            "mender-artifact",
            "checks `.auterionos` files once more",
            "`verify` still works",
        ));
    }
    findings.push(optional("kubectl", "kubernetes-client", "runs `deploy --to kubernetes`", "`build` and `generate` work"));
    Ok(findings)
}

fn compiler(cargo: &Path) -> ToolFinding {
    let version = first_line(Command::new(cargo).arg("--version"));
    let state = version.map_or_else(|| ToolState::Missing("install Rust from https://rustup.rs".into()), ToolState::Good);
    ToolFinding::new("cargo", "compiles the services", "nothing builds", state)
}

fn standard_library(settings: &CargoSettings, triple: &str) -> ToolFinding {
    let state = match linker::has_std(&settings.rustc(), triple) {
        Some(true) => ToolState::Good("installed".into()),
        _ => ToolState::Missing(format!("run `rustup target add {triple}`")),
    };
    let what = format!("standard library for {triple}");
    ToolFinding::new(what, "is linked into every executable", "`build` stops at once", state)
}

fn the_linker(settings: &CargoSettings, triple: &str) -> ToolFinding {
    let state = match linker::look(settings, triple) {
        LinkerFound::At(path) => ToolState::Good(path.display().to_string()),
        LinkerFound::Unknown => ToolState::Good("chosen by Cargo's configuration or by flags of the compiler".into()),
        LinkerFound::Missing { help, .. } => ToolState::Missing(help),
    };
    let packages = linker::debian_packages(triple).unwrap_or_default();
    ToolFinding::new(format!("linker for {triple}"), "links the executables", "only `--no-compile` works", state).of(packages)
}

/// `cross` or `cargo zigbuild`, with what is known to be wrong between their versions and the compiler's.
fn the_builder(builder: Builder, target: &Target) -> ToolFinding {
    let (program, install) = match builder {
        Builder::Zigbuild => ("cargo-zigbuild", "pip install cargo-zigbuild"),
        _ => ("cross", "cargo install cross --locked"),
    };
    let rustc = builder::version(Path::new("rustc"), &["--version"]);
    let state = match (builder::version(Path::new(program), &["--version"]), rustc) {
        (Some(version), Some(rustc)) => match builder::bad_pair(builder, &version, &rustc, target) {
            Some(why) => ToolState::Missing(why),
            None => ToolState::Good(version.to_string()),
        },
        (Some(version), None) => ToolState::Good(version.to_string()),
        (None, _) => ToolState::Missing(format!("run `{install}`")),
    };
    let without = "use `--builder cargo`";
    ToolFinding::new(program, "compiles and links the services", without, state)
}

/// The C library of the linker, if it is one for the target: the `cc` of this machine finds that of this machine.
fn c_library(sysroot: &Sysroot, target: &Target) -> ToolFinding {
    let found = sysroot.find("libc.so.6");
    let machine = found.as_deref().and_then(|path| Elf::read(path).ok()).map(|elf| elf.machine);
    let install = match linker::install(&target.triple) {
        Some(command) => format!("run `{command}`, or use a base other than `auto`"),
        None => "use a base other than `auto`".into(),
    };
    let state = match (found, machine) {
        (Some(path), Some(machine)) if target.runs(machine) => ToolState::Good(path.display().to_string()),
        (Some(path), Some(machine)) => {
            let wanted = &target.platform.architecture;
            ToolState::Missing(format!("{install}: `{}` is for {}, not for {wanted}", path.display(), machine.name()))
        }
        _ => ToolState::Missing(install),
    };
    let packages = linker::debian_packages(&target.triple).unwrap_or_default();
    ToolFinding::new("C library for the base `auto`", "goes into the base `auto`", "`build` needs another `base`", state)
        .of(packages)
}

/// Libraries that get no security updates: those of a cross compiler alone are here.
fn updates(sysroot: &Sysroot) -> Option<ToolFinding> {
    let architecture = of_cross_compiler(&sysroot.find("libc.so.6")?)?.name;
    let packages = [format!("libc6:{architecture}"), format!("libgcc-s1:{architecture}")];
    let help = format!(
        "run `sudo dpkg --add-architecture {architecture} && sudo apt update && sudo apt install {}`: those of the cross compiler get no security updates",
        packages.join(" ")
    );
    let without = "images have the cross compiler's older ones";
    Some(ToolFinding::new("updated libraries for the base `auto`", "go into the base `auto`", without, ToolState::Optional(help)))
}

/// What has to be there already, or comes from a registry.
fn base(base: &BaseChoice) -> Option<ToolFinding> {
    let found = match base {
        BaseChoice::Rootfs(_) | BaseChoice::Archive(_) | BaseChoice::Image(_) => base.to_string(),
        BaseChoice::Dockerfile(source) => source.path.display().to_string(),
        BaseChoice::Debian(recipe) => return Some(packages(recipe)),
        _ => return None,
    };
    let what = format!("base {found}");
    let state = ToolState::Good("as the tables say".into());
    Some(ToolFinding::new(what, "is the lowest layer of the images", "nothing is packed", state))
}

/// Where the packages of a base come from.
fn packages(recipe: &Recipe) -> ToolFinding {
    let state = match debian::sources(recipe) {
        Ok(sources) => {
            let suites: Vec<String> = sources.iter().map(|source| format!("{} at {}", source.suite, source.archive)).collect();
            ToolState::Good(suites.join(", "))
        }
        Err(_) => ToolState::Missing("set `mirror` in `base`: this machine's apt names no archive of the distribution".into()),
    };
    ToolFinding::new(format!("archive of the base {recipe}"), "has the base's packages", "only cached ones can be used", state)
}

/// What an engine is for, and what there is without one.
fn engine(needed: bool) -> ToolFinding {
    let (purpose, without) = match needed {
        true => ("builds the images or their base", "`build` stops at once"),
        false => ("runs images", "`build` works; `run`, `dev` and `load` do not"),
    };
    ToolFinding::new("container engine", purpose, without, engine_state(needed))
}

#[cfg(feature = "engine")]
fn engine_state(needed: bool) -> ToolState {
    let help = if needed { "start Docker or podman, or build with `--engine native` and a base that needs none" } else { "" };
    match crate::engine::Engine::connect(help) {
        Ok(engine) => {
            let about = engine.about();
            let place = &engine.endpoint().url;
            ToolState::Good(format!("{} {}, API {}, {}, at {place}", about.name, about.version, about.api, about.platform))
        }
        Err(error) if needed => ToolState::Missing(error.to_string().replace("\nhelp: ", "\n")),
        Err(_) => ToolState::Optional("run `sudo systemctl start docker`, or `systemctl --user start podman.socket`".into()),
    }
}

#[cfg(not(feature = "engine"))]
fn engine_state(needed: bool) -> ToolState {
    let missing = "use a cargo-appbundle that is built with the feature `engine`".to_owned();
    if needed { ToolState::Missing(missing) } else { ToolState::Optional(missing) }
}

fn emulation(architecture: &str) -> ToolFinding {
    let cpu = os::cpu(architecture);
    let state = match (std::env::consts::ARCH == cpu, os::emulates(cpu)) {
        (true, _) => ToolState::Good("this machine".into()),
        (_, true) => ToolState::Good("qemu".into()),
        _ => ToolState::Optional("run `sudo apt install qemu-user-static binfmt-support`".into()),
    };
    ToolFinding::new(format!("running {architecture}"), "runs the target's images", "`build` works, `run` does not", state)
}

/// A program that no build needs, and the Debian package that has it.
fn optional(program: &str, package: &str, purpose: &'static str, without: &'static str) -> ToolFinding {
    let state = match linker::find(program) {
        Some(path) => ToolState::Good(path.display().to_string()),
        None => ToolState::Optional(format!("run `sudo apt install {package}`")),
    };
    ToolFinding::new(program, purpose, without, state)
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.lines().next().map(str::to_owned).filter(|line| !line.is_empty())
}
