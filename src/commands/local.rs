//! `cargo appbundle ps`, `logs`, `exec` and `stop`: what `run` and `dev` started on this machine.

use std::io::IsTerminal as _;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::diagnostic::Code;
use crate::engine::{Engine, Interrupt};
use crate::pipeline::{self, Options, load};
use crate::process::Exited;
use crate::runtime::FoundApp;
use crate::shell::Shell;

/// Which app is meant.
#[derive(Clone, Debug)]
pub struct LocalApp {
    /// Where the workspace is.
    pub options: Options,
    /// The app's name; if `None`, the workspace's app.
    pub name: Option<String>,
}

/// Which output is meant.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Services; if empty, all.
    pub services: Vec<String>,
    /// Whether to go on until they end.
    pub follow: bool,
    /// How many of the last lines of each; if `None`, all.
    pub tail: Option<usize>,
}

impl LocalApp {
    fn name(&self) -> Result<String> {
        self.name.clone().map_or_else(|| pipeline::app_name(&self.options), Ok)
    }
}

/// Lists the app's containers, as text or JSON.
///
/// # Errors
/// When no engine answers.
pub fn ps(app: &LocalApp, json: bool, shell: &Shell) -> Result<()> {
    let (name, engine) = (app.name()?, Engine::connect(load::START)?);
    let found = FoundApp::named(&engine, &name)?;
    let states = found.states();
    if shell.is_json() {
        states.iter().for_each(|state| shell.result("appbundle-container", state, ""));
        return Ok(());
    }
    if states.is_empty() && !json {
        shell.status("Empty", format_args!("no container of {name} was found"));
        return Ok(());
    }
    shell.answer(json, "appbundle-container", &states, crate::runtime::table(&states).trim_end())
}

/// Prints what the app's services have written.
///
/// # Errors
/// When nothing was started, or no engine answers.
pub fn logs(app: &LocalApp, logs: &LogOptions, shell: &Shell) -> Result<()> {
    let (name, engine) = (app.name()?, Engine::connect(load::START)?);
    FoundApp::named(&engine, &name)?.logs(&logs.services, logs.follow, logs.tail, shell)
}

/// Stops and removes what was started of the app.
///
/// # Errors
/// When something cannot be stopped, or no engine answers.
pub fn stop(app: &LocalApp, shell: &Shell) -> Result<()> {
    let (name, engine) = (app.name()?, Engine::connect(load::START)?);
    let interrupt = Interrupt::listen()?;
    FoundApp::named(&engine, &name)?.stop(&interrupt, shell)
}

/// Runs a command in a service's newest container; its exit code is ours ([`Exited`]).
///
/// # Errors
/// When the service was not started, or the engine's client is not installed.
pub fn exec(app: &LocalApp, service: &str, words: &[String], shell: &Shell) -> Result<()> {
    let (name, engine) = (app.name()?, Engine::connect(load::START)?);
    let found = FoundApp::named(&engine, &name)?;
    let container = &found.newest(service)?.name;
    let client = if engine.about().is_podman() { "podman" } else { "docker" };
    let mut command = Command::new(client);
    match client {
        "podman" => command.arg("--url").arg(&engine.endpoint().url),
        _ => command.env("DOCKER_HOST", &engine.endpoint().url).env_remove("DOCKER_CONTEXT"),
    };
    command.args(["exec", "--interactive"]);
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        command.arg("--tty");
    }
    command.arg(container).args(words);
    if shell.is_json() {
        // Keep stdout for JSON.
        command.stdout(std::io::stderr());
    }
    shell.detail("Running", format_args!("`{}`", crate::process::command_line(&command)));
    let status = match command.status() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!(Code::ToolsMissing.error(format!("`{client}` is not installed\nhelp: `exec` runs commands through it")))
        }
        status => status.with_context(|| format!("failed to run `{client}`"))?,
    };
    match status.code() {
        Some(0) => Ok(()),
        code => Err(Exited(code.and_then(|code| code.try_into().ok()).unwrap_or(1)).into()),
    }
}
