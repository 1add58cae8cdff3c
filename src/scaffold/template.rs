//! The templates of services, and what is filled in.

use anyhow::Result;
use minijinja::{Environment, context};

use crate::app::Name;

/// What kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceTemplate {
    /// Answers over HTTP.
    Http,
    /// Does its work at intervals.
    Worker,
    /// Runs once and ends.
    Cli,
    /// Brings a stack up, and takes it down when it ends.
    Stack,
}

/// What a template is filled in with.
#[derive(Debug)]
pub struct Blanks<'a> {
    /// The service's and package's name.
    pub name: &'a Name,
    /// Where it listens.
    pub port: u16,
    /// Lines of `[package]` that it takes from its workspace.
    pub inherited: &'a str,
}

/// The files of a new member, by their paths in its folder.
///
/// # Errors
/// When a template is wrong.
pub fn render(template: ServiceTemplate, blanks: &Blanks<'_>) -> Result<Vec<(&'static str, String)>> {
    let (manifest, main) = match template {
        ServiceTemplate::Http => {
            (include_str!("../../templates/service-http/manifest.toml"), include_str!("../../templates/service-http/src/main.rs"))
        }
        ServiceTemplate::Worker => (
            include_str!("../../templates/service-worker/manifest.toml"),
            include_str!("../../templates/service-worker/src/main.rs"),
        ),
        ServiceTemplate::Stack => (
            include_str!("../../templates/service-stack/manifest.toml"),
            include_str!("../../templates/service-stack/src/main.rs"),
        ),
        ServiceTemplate::Cli => {
            (include_str!("../../templates/service-cli/manifest.toml"), include_str!("../../templates/service-cli/src/main.rs"))
        }
    };
    let Blanks { name, port, inherited } = *blanks;
    let stack = controlled(name);
    let mut environment = Environment::new();
    let mut text = |file: &'static str, source: &'static str| -> Result<(&'static str, String)> {
        environment.add_template(file, source)?;
        let text = environment
            .get_template(file)?
            .render(context! { name => name.as_str(), stack => stack, port => port, inherited => inherited })?;
        Ok((file, text.trim_end().to_owned() + "\n"))
    };
    let mut files = vec![text("Cargo.toml", manifest)?, text("src/main.rs", main)?];
    if template == ServiceTemplate::Stack {
        files.push(text("src/certificate.rs", include_str!("../../templates/service-stack/src/certificate.rs"))?);
        files.push(text("src/image.rs", include_str!("../../templates/service-stack/src/image.rs"))?);
        files.push(text("src/requests.rs", include_str!("../../templates/service-stack/src/requests.rs"))?);
        files.push(text("src/stack.rs", include_str!("../../templates/service-stack/src/stack.rs"))?);
    }
    Ok(files)
}

/// The stack that a service of the template `stack` controls.
pub fn controlled(name: &Name) -> &str {
    name.as_str().strip_suffix("-stack").unwrap_or(name.as_str())
}
