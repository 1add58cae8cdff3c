//! `cargo appbundle doctor`: checks that everything needed to build is installed, and says how to install the rest.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::app::{BaseChoice, Target};
use crate::base::Sysroot;
use crate::compile::{CargoSettings, builder, linker};
use crate::debian::{self, Recipe};
use crate::diagnostic::Code;
use crate::elf::Elf;
use crate::os;
use crate::pipeline::{Options, Session};
use crate::plan::{Builder, Engine, Format, Plan};
use crate::shell::Shell;

/// One finding.
#[derive(Serialize)]
struct Finding {
    what: String,
    #[serde(flatten)]
    state: State,
}

#[derive(Serialize)]
#[serde(tag = "state", content = "detail", rename_all = "kebab-case")]
enum State {
    Good(String),
    /// Worth having: what for.
    Optional(String),
    /// Needed: the command that mends it.
    Missing(String),
}

/// Prints all findings to stdout, as text or JSON.
///
/// # Errors
/// When something that the build needs is missing.
pub fn run(options: &Options, json: bool, shell: &Shell) -> Result<()> {
    let Session { plan, .. } = Session::start(options, shell)?;
    let triple = &plan.target.triple;
    let settings = CargoSettings::read(&options.cargo.config)?;
    let mut findings = vec![compiler(&options.cargo.program), standard_library(triple)];
    let linker = linker::used(&settings, triple);
    match plan.builder {
        Builder::Cargo => findings.push(the_linker(&linker, triple)),
        other => findings.push(the_builder(other, &plan.target)),
    }
    if plan.bases().contains(&&BaseChoice::Auto) && !plan.target.is_musl() {
        findings.push(c_library(&linker, &plan.target));
    }
    for base in plan.bases() {
        if matches!(base, BaseChoice::Rootfs(_) | BaseChoice::Archive(_) | BaseChoice::Image(_)) {
            findings.push(Finding { what: "base".into(), state: State::Good(base.to_string()) });
        }
        if let BaseChoice::Debian(recipe) = base {
            findings.push(packages(recipe));
        }
        if let BaseChoice::Dockerfile(source) = base {
            findings.push(Finding { what: "base".into(), state: State::Good(source.path.display().to_string()) });
        }
    }
    findings.push(engine(&plan));
    findings.push(emulation(&plan.target.platform.architecture));
    if plan.formats.contains(&Format::Auterionos) {
        findings.push(optional("mender-artifact", "only needed to check bundles with the reference tool"));
    }
    let missing = findings.iter().filter(|finding| matches!(finding.state, State::Missing(_))).count();
    if json && !shell.is_json() {
        shell.document(&findings)?;
    } else {
        findings.iter().for_each(|finding| shell.result("appbundle-finding", finding, finding));
    }
    if missing > 0 {
        bail!(Code::ToolsMissing.error(format!(
            "{missing} required {} for `{triple}`",
            if missing == 1 { "tool is missing" } else { "tools are missing" }
        )));
    }
    Ok(())
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = &self.what;
        match &self.state {
            State::Good(found) => write!(f, "      ok  {what}: {found}"),
            State::Optional(why) => write!(f, "     (no) {what}: {why}"),
            State::Missing(help) => write!(f, " MISSING  {what}\n          help: {}", help.replace('\n', "\n        ")),
        }
    }
}

fn compiler(cargo: &Path) -> Finding {
    let version = first_line(Command::new(cargo).arg("--version"));
    let state = version.map_or_else(|| State::Missing("install Rust from https://rustup.rs".into()), State::Good);
    Finding { what: "cargo".into(), state }
}

fn standard_library(triple: &str) -> Finding {
    let state = match linker::has_std(&PathBuf::from("rustc"), triple) {
        Some(true) => State::Good("installed".into()),
        _ => State::Missing(format!("run `rustup target add {triple}`")),
    };
    Finding { what: format!("standard library for {triple}"), state }
}

fn the_linker(linker: &str, triple: &str) -> Finding {
    let right = linker != "cc" || linker::is_native(triple);
    let state = match linker::find(linker).filter(|_| right) {
        Some(path) => State::Good(path.display().to_string()),
        // One of ours was looked for before it was chosen.
        None if right => State::Missing(format!(
            "install `{linker}`, the `linker` of the target `{triple}` in Cargo's configuration, or remove that setting"
        )),
        None => State::Missing(match linker::debian_packages(triple) {
            Some(packages) => format!("run `sudo apt install {packages}`"),
            None => format!("set `linker` under `[target.{triple}]` in `.cargo/config.toml`"),
        }),
    };
    Finding { what: format!("linker for {triple}"), state }
}

/// `cross` or `cargo zigbuild`, with what is known to be wrong between their versions and the compiler's.
fn the_builder(builder: Builder, target: &Target) -> Finding {
    let (program, arguments, install) = match builder {
        Builder::Zigbuild => ("cargo-zigbuild", &["--version"][..], "pip install cargo-zigbuild"),
        _ => ("cross", &["--version"][..], "cargo install cross --locked"),
    };
    let rustc = builder::version(Path::new("rustc"), &["--version"]);
    let state = match (builder::version(Path::new(program), arguments), rustc) {
        (Some(version), Some(rustc)) => match builder::bad_pair(builder, &version, &rustc, target) {
            Some(why) => State::Missing(why),
            None => State::Good(version.to_string()),
        },
        (Some(version), None) => State::Good(version.to_string()),
        (None, _) => State::Missing(format!("run `{install}`")),
    };
    Finding { what: program.into(), state }
}

/// Where the packages of a base come from.
fn packages(recipe: &Recipe) -> Finding {
    let state = match debian::sources(recipe) {
        Ok(sources) => {
            let suites: Vec<String> = sources.iter().map(|source| format!("{} at {}", source.suite, source.archive)).collect();
            State::Good(format!("{recipe}: {}", suites.join(", ")))
        }
        Err(_) => State::Missing("set `mirror` in `base`: this machine's apt names no archive of the distribution".into()),
    };
    Finding { what: "base".into(), state }
}

/// The C library of the linker, if it is one for the target: the `cc` of this machine finds that of this machine.
fn c_library(linker: &str, target: &Target) -> Finding {
    let found = Sysroot::new(linker).find("libc.so.6");
    let machine = found.as_deref().and_then(|path| Elf::read(path).ok()).map(|elf| elf.machine);
    let install = match linker::debian_packages(&target.triple) {
        Some(packages) => format!("run `sudo apt install {packages}`, or use a base other than `auto`"),
        None => "use a base other than `auto`".into(),
    };
    let state = match (found, machine) {
        (Some(path), Some(machine)) if target.runs(machine) => State::Good(path.display().to_string()),
        (Some(path), Some(machine)) => {
            let wanted = &target.platform.architecture;
            State::Missing(format!("{install}: `{}` is for {}, not for {wanted}", path.display(), machine.name()))
        }
        _ => State::Missing(install),
    };
    Finding { what: "C library for the base `auto`".into(), state }
}

/// Needed where the plan asks for an engine.
#[cfg(feature = "engine")]
fn engine(plan: &Plan) -> Finding {
    let needed = plan.engine == Engine::Docker
        || plan.bases().into_iter().any(|base| matches!(base, BaseChoice::Dockerfile(_) | BaseChoice::Daemon(_)));
    let state = match crate::engine::Engine::connect(crate::pipeline::load::START) {
        Ok(engine) => {
            let about = engine.about();
            let place = &engine.endpoint().url;
            State::Good(format!("{} {}, API {}, {}, at {place}", about.name, about.version, about.api, about.platform))
        }
        Err(error) if needed => State::Missing(error.to_string().replace("\nhelp: ", "\n  ")),
        Err(_) => State::Optional("only needed to run images on this machine".into()),
    };
    Finding { what: "container engine".into(), state }
}

#[cfg(not(feature = "engine"))]
fn engine(plan: &Plan) -> Finding {
    let needed = plan.engine == Engine::Docker
        || plan.bases().into_iter().any(|base| matches!(base, BaseChoice::Dockerfile(_) | BaseChoice::Daemon(_)));
    let missing = "this program was built without its feature `engine`".to_owned();
    Finding { what: "container engine".into(), state: if needed { State::Missing(missing) } else { State::Optional(missing) } }
}

fn emulation(architecture: &str) -> Finding {
    let cpu = match architecture {
        "arm64" => "aarch64",
        "amd64" => "x86_64",
        other => other,
    };
    let native = std::env::consts::ARCH == cpu;
    let registered = os::emulates(cpu);
    let state = match (native, registered) {
        (true, _) => State::Good("this machine".into()),
        (_, true) => State::Good("qemu".into()),
        _ => State::Optional(
            "only needed to run images on this machine: `sudo apt install qemu-user-static binfmt-support`".into(),
        ),
    };
    Finding { what: format!("running {architecture}"), state }
}

fn optional(program: &str, why: &str) -> Finding {
    let state = linker::find(program).map_or_else(|| State::Optional(why.into()), |path| State::Good(path.display().to_string()));
    Finding { what: program.into(), state }
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.lines().next().map(str::to_owned).filter(|line| !line.is_empty())
}
