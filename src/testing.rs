//! Runs `cargo test` for a service's package, with the containers that its tests need.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::app::{Needs, Package, Service};
use crate::engine::{Engine, Interrupt};
use crate::pipeline::Options;
use crate::process::{command_line, end_group};
use crate::runtime::{Addresses, Grace, Manner, Output, Started, Variables, dependency};
use crate::shell::Shell;

/// The exit code after an interrupt.
pub const INTERRUPTED: u8 = 130;

/// How often the tests and interrupts are polled.
const PAUSE: Duration = Duration::from_millis(20);

/// How long tests may take to end after the user interrupts.
const GRACE: Duration = Duration::from_secs(3);

/// What the tests of all services share.
pub struct Runner<'a> {
    /// The options for Cargo.
    pub options: &'a Options,
    /// Additional arguments for `cargo test`.
    pub arguments: &'a [String],
    /// What the containers of dependencies may refer to.
    pub variables: &'a Variables,
    /// The app's name.
    pub app: &'a str,
    /// Whether the user has interrupted.
    pub interrupt: &'a Interrupt,
    /// Where messages go.
    pub shell: &'a Shell,
}

impl Runner<'_> {
    /// Starts the dependencies, runs the tests, and removes the dependencies; returns the exit code of `cargo test`.
    ///
    /// # Errors
    /// When a dependency does not become ready.
    pub fn with_dependencies(&self, engine: &Engine, (service, package): (&Service, &Package), needs: &Needs) -> Result<u8> {
        let offline = self.options.cargo.offline || self.options.cargo.frozen;
        for (name, dependency) in &needs.dependencies {
            dependency::provide(engine, self.interrupt, name, dependency, offline, self.shell)?;
        }
        if self.interrupt.count() > 0 {
            return Ok(INTERRUPTED);
        }
        let names: Vec<&str> = needs.dependencies.keys().map(String::as_str).collect();
        let output = Output::kept(&names, self.shell);
        let name = format!("{}-test-{}", self.app, service.name);
        let native = BTreeMap::new();
        let manner = Manner { grace: Grace::None, lenient: false, warn_after: None };
        let mut started = Started::new(engine, &name, &native, &output, self.interrupt, self.shell).with(manner);
        let tested = start(engine, &mut started, needs, self.variables).and_then(|addresses| {
            if self.interrupt.count() > 0 {
                return Ok(INTERRUPTED);
            }
            let address = |name: &str, port: u16| addresses.get(&(name.to_owned(), port)).cloned().unwrap_or_default();
            let variables = needs.variables(&address).map_err(anyhow::Error::msg)?;
            self.cargo_test(package, &variables)
        });
        let stopped = started.stop();
        if !matches!(tested, Ok(0)) && self.interrupt.count() == 0 {
            self.shell.status("Output", format_args!("of the dependencies of `{}`:", service.name));
            output.show();
        }
        match (tested, stopped) {
            (Err(fault), Err(error)) => {
                self.shell.warning(format_args!("failed to remove all containers: {error:#}"));
                Err(fault)
            }
            (tested, stopped) => {
                let code = tested?;
                stopped.map(|()| code)
            }
        }
    }

    /// Runs `cargo test` for the service's package; returns its exit code.
    ///
    /// # Errors
    /// When Cargo cannot be run.
    pub fn cargo_test(&self, package: &Package, variables: &BTreeMap<String, String>) -> Result<u8> {
        let cargo = &self.options.cargo;
        let mut command = Command::new(&cargo.program);
        command.args(["test", "-p", &package.package]);
        if let Some(path) = &cargo.manifest_path {
            command.arg("--manifest-path").arg(path);
        }
        if let Some(folder) = &cargo.target_dir {
            command.arg("--target-dir").arg(folder);
        }
        command.args(cargo.common_flags());
        if !package.default_features {
            command.arg("--no-default-features");
        }
        for feature in &package.features {
            command.args(["--features", &format!("{}/{feature}", package.package)]);
        }
        command.args(["--color", if self.shell.colored() { "always" } else { "never" }]).args(self.arguments);
        command.envs(variables);
        self.shell.detail("Running", format_args!("`{}`", command_line(&command)));
        if self.shell.is_json() {
            // Keep stdout for JSON: test output goes to stderr.
            command.stdout(std::io::stderr());
        }
        // A process group of its own, so that Cargo and its tests end together.
        let spawned = command.stdin(Stdio::null()).process_group(0).spawn();
        let mut child = spawned.with_context(|| format!("failed to run `{}`", cargo.program.display()))?;
        let mut asked: Option<(Instant, usize)> = None;
        let status = loop {
            if let Some(status) = child.try_wait().context("failed to wait for Cargo")? {
                break status;
            }
            let wishes = self.interrupt.count();
            match asked {
                None if wishes > 0 => {
                    asked = Some((Instant::now(), wishes));
                    end_group(&child, false);
                }
                Some((since, before)) if wishes > before || since.elapsed() > GRACE => end_group(&child, true),
                _ => {}
            }
            std::thread::sleep(PAUSE);
        };
        if asked.is_some() {
            // A test may have ignored the signal that ended Cargo.
            end_group(&child, true);
        }
        Ok(code(status))
    }
}

/// Starts all dependencies at once, then waits for each; returns their addresses.
fn start(engine: &Engine, started: &mut Started<'_>, needs: &Needs, variables: &Variables) -> Result<Addresses> {
    started.connect()?;
    for (name, dependency) in &needs.dependencies {
        started.start(&dependency::launch(name, dependency, false, variables)?)?;
    }
    let mut addresses = Addresses::new();
    for (name, dependency) in &needs.dependencies {
        dependency::wait(started, name, dependency)?;
        if started.is_interrupted() {
            return Ok(addresses);
        }
        addresses.extend(dependency::addresses(engine, started, name, dependency)?);
    }
    Ok(addresses)
}

/// The exit code that a shell would report.
fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}
