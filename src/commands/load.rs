//! `cargo appbundle load`: loads a bundle's images into an engine.

use std::path::Path;

use anyhow::Result;

use crate::engine::Engine;
use crate::pipeline::{Options, last_bundle, load};
use crate::shell::Shell;

/// Loads a bundle; prints each image's name and id to stdout.
///
/// # Errors
/// When there is no bundle, it is damaged, or no engine accepts it.
pub fn run(options: &Options, file: Option<&Path>, shell: &Shell) -> Result<()> {
    let path = match file {
        Some(path) => path.to_owned(),
        None => last_bundle(options, shell)?,
    };
    let engine = Engine::connect(load::START)?;
    let contents = load::read(&path, shell)?;
    load::load(&engine, &path, &contents, shell)?;
    for image in &contents.images {
        for name in &image.names {
            let value = serde_json::json!({ "name": name, "id": image.id });
            shell.result("appbundle-image", value, format_args!("Loaded {name} ({})", image.id.short()));
        }
    }
    Ok(())
}
