//! Resolves registries, and bases in registries.

use super::Request;
use super::manifests::AppSource;
use super::report::Report;
use crate::app::BaseChoice;
use crate::config::Step;
use crate::diagnostic::Code;
use crate::registry::{Access, Reference};

/// The prefix for images of a Docker engine.
const ENGINE: &str = "docker-daemon:";

/// Turns an image's name into a base.
///
/// # Errors
/// When the name is not a valid reference; the message is for the user.
pub fn image(name: &str) -> Result<BaseChoice, String> {
    if let Some(name) = name.strip_prefix(ENGINE) {
        let image: Reference = name.parse()?;
        return if image.repository.is_empty() {
            Err(format!("`{name}` is not an image"))
        } else {
            Ok(BaseChoice::Daemon(name.to_owned()))
        };
    }
    name.parse().map(BaseChoice::Image)
}

/// How to reach registries: settings from the app's table and the command line.
pub fn resolve(app: &AppSource, request: &Request, report: &mut Report<'_>) -> Access {
    let insecure = app.table.insecure_registries.iter().chain(&request.insecure_registries).cloned().collect();
    let access = Access { insecure, mirrors: app.table.mirrors.clone() };
    for (registry, urls) in &access.mirrors {
        for (at, url) in urls.iter().enumerate() {
            report.take(Code::InvalidValue, &[Step::Key("mirrors"), Step::Key(registry), Step::Index(at)], access.mirror(url));
        }
    }
    access
}
