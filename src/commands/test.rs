//! `cargo appbundle test`: runs the tests of services, with their dependencies in containers.

use anyhow::{Result, bail};

use crate::app::{ImageRef, Needs, Package, Service};
use crate::compile;
use crate::config::lockfile::Lockfile;
use crate::engine::{Engine, Interrupt};
use crate::pipeline::{Options, Session, load};
use crate::plan::Format;
use crate::process::Exited;
use crate::registry::Reference;
use crate::runtime::{Variables, owner};
use crate::shell::Shell;
use crate::testing::{INTERRUPTED, Runner};

/// Options in addition to those of the plan.
#[derive(Clone, Debug)]
pub struct TestOptions {
    /// Services or packages to test; if empty, all with a `test` table.
    pub services: Vec<String>,
    /// Arguments for `cargo test`.
    pub arguments: Vec<String>,
}

/// Tests the services one after another. If any fail, the exit code is that of the first one ([`Exited`]).
///
/// # Errors
/// When tests fail, or a dependency does not become ready. All containers are removed in any case.
pub fn run(options: &Options, test: &TestOptions, shell: &Shell) -> Result<()> {
    let mut options = options.clone();
    options.request.packages.clone_from(&test.services);
    options.request.formats = vec![Format::Docker];
    // Nothing is compiled for it.
    options.request.targets = vec!["x86_64-unknown-linux-gnu".into()];
    let Session { plan, workspace, .. } = Session::start(&options, shell)?;
    let all = test.services.is_empty();
    let services: Vec<(&Service, &Package)> = plan.packages().filter(|(service, _)| !all || service.test.is_some()).collect();
    if services.is_empty() {
        bail!(
            "no service has a table `[package.metadata.service.test]`\nhelp: `cargo appbundle test --help` shows an example; tests that need no containers run with `cargo test`"
        );
    }
    let variables = Variables::read(&plan.workspace)?;
    let lockfile = Lockfile::read(&plan.workspace)?;
    let interrupt = Interrupt::listen()?;
    let runner = Runner {
        options: &options,
        arguments: &test.arguments,
        variables: &variables,
        app: plan.name.as_str(),
        interrupt: &interrupt,
        shell,
    };
    // Tests run on this machine.
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    compile::prepare(&plan, &workspace, &options.compile, &[("TARGET".to_owned(), host)], shell)?;
    let mut engine = None;
    let mut failed: Vec<(&str, u8)> = Vec::new();
    for (service, package) in services {
        shell.status("Testing", format_args!("{} (package {})", service.name, package.package));
        let needs = pinned(service.test.clone().unwrap_or_default(), &lockfile);
        let code = if needs.dependencies.is_empty() {
            let variables = needs.variables(&|_, _| (String::new(), 0)).map_err(anyhow::Error::msg)?;
            runner.cargo_test(package, &variables)?
        } else {
            let engine = match &mut engine {
                Some(engine) => engine,
                none => {
                    let connected = Engine::connect(load::START)?;
                    owner::sweep(&connected, shell)?;
                    none.insert(connected)
                }
            };
            runner.with_dependencies(engine, (service, package), &needs)?
        };
        if interrupt.count() > 0 {
            return Err(Exited(INTERRUPTED).into());
        }
        if code != 0 {
            failed.push((service.name.as_str(), code));
        }
    }
    let Some((_, code)) = failed.first() else { return Ok(()) };
    if all {
        let names: Vec<String> = failed.iter().map(|(name, _)| format!("`{name}`")).collect();
        shell.warning(format_args!("the tests of {} failed", names.join(", ")));
    }
    Err(Exited(*code).into())
}

/// The services of the app among the dependencies get the images that the lock file pins for them.
fn pinned(mut needs: Needs, lockfile: &Lockfile) -> Needs {
    for dependency in needs.dependencies.values_mut().filter(|dependency| dependency.of_app) {
        let Ok(reference) = dependency.container.image.as_str().parse::<Reference>() else { continue };
        if let Some(pin) = lockfile.pin(&reference.to_string()) {
            let Reference { registry, repository, .. } = &reference;
            dependency.container.image = ImageRef::foreign(&format!("{registry}/{repository}@{}", pin.digest));
        }
    }
    needs
}
