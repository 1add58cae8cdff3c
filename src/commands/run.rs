//! `cargo appbundle run`: runs the app in containers on this machine until Ctrl-C.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::engine::{Engine, Interrupt};
use crate::pipeline::{self, Options, Session, load};
use crate::plan::Format;
use crate::runtime::{Output, Started, Variables, apps, owner, ports};
use crate::shell::{Shell, count};

/// Options in addition to those of the plan.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The bundle; if `None`, the workspace is built.
    pub bundle: Option<PathBuf>,
    /// How long to wait for each service to become healthy.
    pub timeout: Duration,
    /// Whether the containers keep running when all are healthy.
    pub detach: bool,
}

/// Runs the services that the request names, and what they depend on, until all have ended, one fails, or the user interrupts.
/// Nothing of them is left, unless they are detached.
///
/// # Errors
/// When a service fails, or does not become healthy in time.
pub fn run(options: &Options, run: &RunOptions, shell: &Shell) -> Result<()> {
    let engine = Engine::connect(load::START)?;
    owner::sweep(&engine, shell)?;
    let (path, app) = match &run.bundle {
        Some(path) => (path.clone(), None),
        None => {
            // The bundle is the app's, whatever of it runs.
            let mut all = options.clone();
            all.request.packages.clear();
            all.request.formats = vec![Format::Docker];
            let session = Session::apart(&all, shell)?;
            // What would fail once all is built is told before.
            let variables = Variables::read(&session.plan.workspace)?;
            let (_, launches, _) = apps::of_plan(&session.plan, &variables)?;
            ports::check(&engine, &apps::select(launches, Some(&session.plan), &options.request.packages)?)?;
            let paths = pipeline::bundles(&session, &all, shell)?;
            (paths.into_iter().next().context("nothing was built")?, Some((session.plan, variables)))
        }
    };
    let contents = load::read(&path, shell)?;
    let (name, launches, notes) = match &app {
        Some((plan, variables)) => apps::of_plan(plan, variables)?,
        None => {
            apps::of_bundle(&path, &contents).with_context(|| format!("failed to find out what `{}` runs", path.display()))?
        }
    };
    let app = app.map(|(plan, _)| plan);
    let allowed = app.as_ref().map(|plan| plan.allow.clone()).unwrap_or_default();
    shell.notes(notes, &allowed);
    let launches = apps::in_order(apps::select(launches, app.as_ref(), &options.request.packages)?)?;
    ports::check(&engine, &launches)?;
    load::load(&engine, &path, &contents, shell)?;

    let interrupt = Interrupt::listen()?;
    let foreign: BTreeMap<String, String> = contents
        .images
        .iter()
        .filter(|image| format!("{}/{}", image.config.os, image.config.architecture) != engine.about().platform)
        .flat_map(|image| {
            image.names.iter().map(|name| (name.clone(), format!("{}/{}", image.config.os, image.config.architecture)))
        })
        .collect();
    let names: Vec<&str> = launches.iter().map(|launch| launch.name.as_str()).collect();
    let output = Output::new(&names, shell);
    let mut started = Started::new(&engine, &name, &foreign, &output, &interrupt, shell);
    if run.detach {
        started = started.detached();
    }
    let mut ended = started.up(&launches, run.timeout);
    if ended.is_ok() && run.detach && interrupt.count() == 0 {
        let services = count(launches.len(), "service");
        shell.status("Running", format_args!("{services} in the background; `cargo appbundle stop` stops them"));
        return Ok(());
    }
    if ended.is_ok() {
        ended = started.attend();
    }
    let stopped = started.stop();
    if ended.is_err()
        && let Err(error) = &stopped
    {
        shell.warning(format_args!("failed to remove all containers: {error:#}"));
        return ended;
    }
    ended.and(stopped)
}
