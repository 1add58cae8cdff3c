//! What runs of an app: that of a plan, or that of a bundle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::launch::{self, Ask, Check, Launch};
use crate::app::Port;
use crate::bundle::Contents;
use crate::plan::Plan;
use crate::render;

/// The app's name, what is started, and notes on what is not done here.
pub type App = (String, Vec<Launch>, Vec<String>);

/// The app of a plan: its compose file, and what no compose file says.
pub fn of_plan(plan: &Plan) -> Result<App> {
    for service in &plan.services {
        if let Some((variable, at)) = service.secrets.iter().find(|(variable, _)| std::env::var_os(variable).is_none()) {
            bail!(
                "the variable `{variable}` of the service `{}` is not set: it is the key `{}` of the secret `{}`\nhelp: set it before the command: `{variable}=… cargo appbundle …`",
                service.name,
                at.key,
                at.secret
            );
        }
    }
    let (mut launches, notes) =
        launch::launches(&render::document_of(plan)?, &plan.workspace).context("failed to read `app.yml`")?;
    for launch in &mut launches {
        let Some(service) = plan.services.iter().find(|service| service.name.as_str() == launch.name) else { continue };
        for file in &service.env_files {
            for (name, value) in launch::read_environment(file)? {
                launch.environment.entry(name).or_insert(value);
            }
        }
        if let Some(health) = &service.health
            && let Some((path, port)) = &health.http
        {
            let timeout = launch::duration(health.timeout.as_deref());
            launch.check = Some(Check { ask: Ask::Http(path.clone(), *port), timeout });
        }
    }
    Ok((plan.name.to_string(), launches, notes))
}

/// The app of a bundle: what its compose file says, or one that stands beside it, or else its images alone.
pub fn of_bundle(path: &Path, contents: &Contents) -> Result<App> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = std::path::absolute(folder)?;
    let images: BTreeSet<&str> = contents.images.iter().flat_map(|image| &image.names).map(String::as_str).collect();
    let beside = || std::fs::read_to_string(folder.join("app.yml")).ok();
    let parse = |text: &str| serde_saphyr::from_str::<Value>(text).context("its `app.yml` is not YAML");
    let (document, ours) = match &contents.compose {
        Some(text) => (Some(parse(text)?), true),
        None => (beside().map(|text| parse(&text)).transpose()?, false),
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = crate::app::Name::near(name.split('-').next().unwrap_or_default());
    if let Some(document) = document {
        let (launches, notes) = launch::launches(&document, &folder)?;
        let unknown = launches.iter().find(|launch| !images.contains(launch.image.as_str()));
        match unknown {
            None => return Ok((name, launches, notes)),
            Some(launch) if ours => bail!("its service `{}` runs the image `{}`, which is not in it", launch.name, launch.image),
            Some(_) => {}
        }
    }
    let mut launches = Vec::new();
    for image in &contents.images {
        let title = image.config.config.labels.get("org.opencontainers.image.title").cloned();
        let reference = image.names.first().context("an image has no name")?;
        let short = reference.rsplit('/').next().and_then(|last| last.split(':').next()).unwrap_or(reference);
        let service = title.unwrap_or_else(|| crate::app::Name::near(short));
        let ports = image.config.config.exposed_ports.keys().filter_map(|port| {
            let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
            Port::parse(&format!("{number}:{number}/{protocol}")).ok()
        });
        launches.push(Launch {
            aliases: vec![service.clone()],
            name: service,
            image: reference.clone(),
            ports: ports.collect(),
            ..Launch::default()
        });
    }
    Ok((name, launches, vec!["this bundle has no `app.yml`: its images run with what they say themselves".into()]))
}

/// Those that are asked for, with all that they depend on.
pub fn select(launches: Vec<Launch>, wanted: &[String]) -> Result<Vec<Launch>> {
    if wanted.is_empty() {
        return Ok(launches);
    }
    let mut chosen: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = wanted.to_vec();
    while let Some(name) = open.pop() {
        let Some(launch) = launches.iter().find(|launch| launch.name == name) else {
            let known: Vec<&str> = launches.iter().map(|launch| launch.name.as_str()).collect();
            bail!("there is no service `{name}`; there are {}", known.join(", "));
        };
        if chosen.insert(name) {
            open.extend(launch.after.iter().cloned());
        }
    }
    Ok(launches.into_iter().filter(|launch| chosen.contains(&launch.name)).collect())
}

/// Each after those that it depends on.
pub fn in_order(launches: Vec<Launch>) -> Result<Vec<Launch>> {
    let edges = launches.iter().map(|launch| (launch.name.clone(), launch.after.clone())).collect();
    let sorted = crate::plan::launch_order(&edges)
        .map_err(|cycle| anyhow::anyhow!("services depend on each other in a circle: {}", cycle.join(" -> ")))?;
    let mut by_name: BTreeMap<String, Launch> = launches.into_iter().map(|launch| (launch.name.clone(), launch)).collect();
    Ok(sorted.into_iter().filter_map(|name| by_name.remove(&name)).collect())
}
