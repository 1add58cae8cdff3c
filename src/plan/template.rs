//! The workspace's own `app.yml`: a compose file in which `#VERSION#` stands for the version.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::app::Version;
use crate::diagnostic::Code;

/// The placeholder for the version.
pub const VERSION_MARK: &str = "#VERSION#";

/// Why a table cannot have it.
pub fn not_in_tables() -> String {
    format!("`{VERSION_MARK}` is replaced only in `app.yml`, not in tables")
}

/// The workspace's `app.yml`.
pub struct Template {
    /// The text with the version filled in; comments are kept.
    pub text: String,
    /// The services in it, each with its image.
    pub services: BTreeMap<String, Option<String>>,
}

/// Reads the `app.yml` in the workspace's folder, if there is one.
///
/// # Errors
/// When it cannot be read, or is not a compose file.
pub fn of_workspace(folder: &Path, version: &Version) -> Result<Option<Template>> {
    let path = folder.join("app.yml");
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs_err::read_to_string(&path)?;
    let read = read("app.yml", &text, &version.tag).map_err(|why| Code::AppYml.error(why));
    read.map(Some).context("failed to read the template")
}

/// Substitutes the version and parses the result.
///
/// # Errors
/// Where it is not a compose file, in words for the user; `path` is how the file is shown.
pub fn read(path: &str, text: &str, version: &str) -> std::result::Result<Template, String> {
    let text = text.replace(VERSION_MARK, version);
    let document: Value = serde_saphyr::from_str(&text).map_err(|e| format!("`{path}` is not YAML: {e}"))?;
    let Some(services) = document.get("services").and_then(Value::as_object) else {
        return Err(format!("`{path}` has no `services`"));
    };
    let services = services
        .iter()
        .map(|(name, service)| (name.clone(), service.get("image").and_then(Value::as_str).map(str::to_owned)))
        .collect();
    Ok(Template { text, services })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_put_in_and_comments_stay() {
        let template = read("app.yml", "# our app\nservices:\n  a:\n    image: a:#VERSION# # tag\n", "1.2").expect("read");
        assert_eq!(template.text, "# our app\nservices:\n  a:\n    image: a:1.2 # tag\n");
        assert_eq!(template.services["a"].as_deref(), Some("a:1.2"));
    }

    #[test]
    fn what_is_no_compose_file() {
        assert!(read("app.yml", "a: [", "1").is_err());
        assert!(read("app.yml", "a: 1", "1").is_err_and(|e| e.contains("no `services`")));
    }
}
