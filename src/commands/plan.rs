//! `cargo appbundle plan`: the decision, printed.

use std::fmt::Write as _;

use anyhow::Result;

use super::{Options, Session};
use crate::plan::Plan;
use crate::shell::Shell;

/// Prints the plan to stdout, for people or as JSON.
pub fn run(options: &Options, json: bool, shell: &Shell) -> Result<()> {
    let session = Session::start(options, shell)?;
    for note in crate::render::notes(&session.plan) {
        shell.note(note);
    }
    if json {
        anstream::println!("{}", serde_json::to_string_pretty(&session.plan)?);
    } else {
        anstream::print!("{}", text(&session.plan)?);
    }
    Ok(())
}

fn text(plan: &Plan) -> Result<String> {
    let mut out = String::new();
    writeln!(out, "{} {}", plan.slug(), plan.version)?;
    writeln!(out, "  target   {} ({}), profile {}", plan.target.triple, plan.target.platform, plan.profile)?;
    let mut bases: Vec<String> = plan.bases.iter().map(ToString::to_string).collect();
    bases.dedup();
    writeln!(out, "  base     {}", bases.join(", "))?;
    for format in &plan.formats {
        writeln!(out, "  writes   {}", plan.bundle_path(*format).display())?;
    }
    if let Some(auterion) = &plan.auterion {
        writeln!(out, "  device   {} (API {})", auterion.device_types.join(", "), auterion.api_version)?;
    }
    for (at, service) in plan.services.iter().enumerate() {
        writeln!(out, "\n{}. {}", at + 1, service.name)?;
        writeln!(out, "  from     package {}, bin {}", service.package, service.bin)?;
        writeln!(out, "  image    {}", service.image)?;
        let command: Vec<String> = service.entrypoint().into_iter().chain(service.args.iter().cloned()).collect();
        writeln!(out, "  runs     {} as {}", crate::process::words(&command), service.user)?;
        let mut line = |name: &str, list: Vec<String>| {
            if list.is_empty() { Ok(()) } else { writeln!(out, "  {name:<8} {}", list.join(", ")) }
        };
        line("ports", service.ports.iter().map(|port| port.short()).collect())?;
        line("env", service.environment.iter().map(|(name, value)| format!("{name}={value}")).collect())?;
        line("after", service.depends_on.clone())?;
        line("files", service.files.iter().map(|file| file.to.clone()).collect())?;
    }
    Ok(out)
}
