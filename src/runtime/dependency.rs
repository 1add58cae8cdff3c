//! Starts the dependencies of services, such as a database for tests.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::environment::filled;
use super::launch::Launch;
use super::started::Started;
use super::variables::Variables;
use crate::app::{Container, Dependency};
use crate::diagnostic::Code;
use crate::engine::{Engine, Interrupt, Login};
use crate::registry::{Credentials, Reference, Store};
use crate::shell::Shell;

/// The host and port at which each port of each dependency is reached, by dependency name and container port.
pub type Addresses = BTreeMap<(String, u16), (String, u16)>;

/// Turns a dependency into a launch. Its ports are mapped to free ports of this machine, unless `fixed` asks for the published
/// ones.
///
/// # Errors
/// When one of its secrets is not set, or an environment file cannot be read.
pub fn launch(name: &str, dependency: &Dependency, fixed: bool, variables: &Variables) -> Result<Launch> {
    let container = filled(dependency.container.clone(), "dependency", name, variables)?;
    let (ports, free) = container.ports.iter().cloned().partition(|port| fixed && port.host.is_some());
    Ok(Launch {
        name: name.to_owned(),
        aliases: vec![name.to_owned()],
        container: Container { ports, ..container },
        free,
        dependency: true,
        ..Launch::default()
    })
}

/// Waits until a dependency is ready, for at most the `wait` of its table.
///
/// # Errors
/// When it does not become ready in time, or ends.
pub fn wait(started: &mut Started<'_>, name: &str, dependency: &Dependency) -> Result<()> {
    started.wait_for(&[name.to_owned()], Duration::from_secs(dependency.wait))
}

/// The host and port at which each port of a running dependency is reached from this machine.
///
/// # Errors
/// When the engine does not publish one of its ports.
pub fn addresses(engine: &Engine, started: &Started<'_>, name: &str, dependency: &Dependency) -> Result<Addresses> {
    let published = started.ports(name)?;
    let mut found = Addresses::new();
    for port in &dependency.container.ports {
        let Some(number) = published.get(&port.exposed()) else {
            bail!("port {} of the dependency `{name}` is not published: has it stopped?", port.container);
        };
        found.insert((name.to_owned(), port.container), (engine.endpoint().host().to_owned(), *number));
    }
    Ok(found)
}

/// Pulls an image unless the engine already has it. Stops waiting if the user interrupts.
///
/// # Errors
/// When the engine lacks the image and cannot pull it, or `offline` forbids it.
pub fn provide(
    engine: &Engine,
    interrupt: &Interrupt,
    name: &str,
    dependency: &Dependency,
    offline: bool,
    shell: &Shell,
) -> Result<()> {
    let image = dependency.container.image.as_str();
    if interrupt.count() > 0 || engine.image(image)?.is_some() {
        return Ok(());
    }
    if offline {
        bail!(Code::ImageMissing.error(format!(
            "the engine does not have the image `{image}` of the dependency `{name}`, and `--offline` forbids pulling it\nhelp: run `docker pull {image}`"
        )));
    }
    shell.status("Pulling", format_args!("{image} for {name}"));
    let (engine, login, shell) = (engine.again()?, login(image, shell)?, shell.clone());
    let wanted = image.to_owned();
    let pulled =
        interrupt.unless_wished(move || engine.pull(&wanted, login, &mut |step| shell.detail("Pulling", step))).unwrap_or(Ok(()));
    pulled.with_context(|| format!("failed to pull the image `{image}` of the dependency `{name}`"))
}

/// The credentials that `docker login` or `podman login` stored for an image's registry.
fn login(image: &str, shell: &Shell) -> Result<Option<Login>> {
    let Ok(reference) = image.parse::<Reference>() else { return Ok(None) };
    let found = Store::of_environment().find(&reference.registry, &reference.repository)?;
    found.warning.iter().for_each(|warning| shell.warning(warning));
    let registry = reference.registry;
    Ok(found.credentials.map(|credentials| match credentials {
        Credentials::Basic(user, password) => {
            Login { registry, basic: Some((user, password.expose().to_owned())), identity: None }
        }
        Credentials::Identity(token) => Login { registry, basic: None, identity: Some(token.expose().to_owned()) },
    }))
}
