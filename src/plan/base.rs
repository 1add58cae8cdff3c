//! Resolves the `base` key.

use std::path::{Path, PathBuf};

use super::registries;
use crate::app::{BaseChoice, Dockerfile};
use crate::config::tables::{BaseName, BaseSource, BaseTable};

/// Resolves a `base` key; paths are relative to `folder`.
///
/// # Errors
/// In words for the user.
pub fn resolve(table: &BaseTable, folder: &Path) -> Result<BaseChoice, String> {
    let there = |path: &str| -> Result<PathBuf, String> {
        let full = folder.join(path);
        if full.exists() { Ok(full) } else { Err(format!("`{path}` does not exist")) }
    };
    match table {
        BaseTable::Named(BaseName::Auto) => Ok(BaseChoice::Auto),
        BaseTable::Named(BaseName::Scratch) => Ok(BaseChoice::Scratch),
        BaseTable::From(source) if source.dockerfile.is_some() => dockerfile(source, folder).map(BaseChoice::Dockerfile),
        BaseTable::From(source) => match (&source.rootfs, &source.archive, &source.image) {
            _ if source.context.is_some() || source.target.is_some() || !source.args.is_empty() => {
                Err("`context`, `args` and `target` of `base` need a `dockerfile`".into())
            }
            (Some(path), None, None) => there(path).map(BaseChoice::Rootfs),
            (None, Some(path), None) => there(path).map(BaseChoice::Archive),
            (None, None, Some(name)) => registries::image(name),
            _ => Err("`base` needs exactly one of `rootfs`, `archive`, `dockerfile` and `image`".into()),
        },
    }
}

fn dockerfile(source: &BaseSource, folder: &Path) -> Result<Dockerfile, String> {
    if *source != (BaseSource { rootfs: None, archive: None, image: None, ..source.clone() }) {
        return Err("besides `dockerfile`, `base` can only have `context`, `args` and `target`".into());
    }
    let written = source.dockerfile.clone().unwrap_or_default();
    let path = folder.join(&written);
    if !path.is_file() {
        return Err(format!("the file `{written}` does not exist"));
    }
    let context = match &source.context {
        Some(context) => folder.join(context),
        None => path.parent().unwrap_or(folder).to_owned(),
    };
    let context = context.canonicalize().ok().filter(|context| context.is_dir());
    let context = context.ok_or_else(|| format!("the folder `{}` does not exist", source.context.clone().unwrap_or_default()))?;
    let path = path.canonicalize().map_err(|error| format!("`{written}` cannot be read: {error}"))?;
    let args = source.args.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    Ok(Dockerfile { path, written, context, args, target: source.target.clone() })
}
