//! Links that an entry of `files` matches.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::path::{normal, plain};
use crate::app::AppFile;

/// A link stays a link only if what it leads to is there too: a pattern may match the one without the other.
pub fn keep_ends(found: &mut [(PathBuf, AppFile)], start: &Path) -> Result<(), String> {
    let real_start = std::fs::canonicalize(start).unwrap_or_else(|_| start.to_owned());
    let packed: BTreeSet<PathBuf> = found
        .iter()
        .filter_map(|(own, file)| file.from().unwrap_or(own).strip_prefix(start).ok())
        .flat_map(|path| path.ancestors().map(Path::to_owned).collect::<Vec<_>>())
        .collect();
    for (own, file) in found.iter_mut().filter(|(_, file)| file.target().is_some()) {
        let failed = |error: std::io::Error| format!("`{}` cannot be read: {error}", own.display());
        let real = std::fs::canonicalize(&*own).map_err(failed)?;
        if real.strip_prefix(&real_start).is_ok_and(|path| packed.contains(path)) {
            continue;
        }
        let metadata = std::fs::metadata(&real).map_err(failed)?;
        if metadata.is_dir() {
            let shown = own.strip_prefix(start).unwrap_or(own).display();
            return Err(format!("the link `{shown}` points to a folder in which the pattern matches nothing"));
        }
        *file = plain(file.to.trim_start_matches('/'), &real, &metadata);
    }
    Ok(())
}

/// A link that stays inside the folder stays a link; one to elsewhere in the workspace becomes what it leads to.
pub fn link(to: &str, path: &Path, start: &Path, workspace: &Path) -> Result<AppFile, String> {
    let shown = path.strip_prefix(workspace).unwrap_or(path).display();
    let target = std::fs::read_link(path).map_err(|e| format!("`{shown}` cannot be read: {e}"))?;
    let real = std::fs::canonicalize(path)
        .map_err(|_| format!("the link `{shown}` points to `{}`, which does not exist", target.display()))?;
    let inside = |folder: &Path| std::fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder));
    if target.is_relative() && inside(start) && normal(&path.with_file_name("").join(&target)).starts_with(start) {
        let link = target.to_str().ok_or_else(|| format!("the link `{shown}` has a target that is not UTF-8"))?.to_owned();
        return Ok(AppFile::link(format!("/{to}"), link));
    }
    if !inside(workspace) {
        return Err(format!(
            "the link `{shown}` points outside the workspace, to `{}`; to pack its target, name that in `files`",
            real.display()
        ));
    }
    let metadata = std::fs::metadata(&real).map_err(|e| format!("`{shown}` cannot be read: {e}"))?;
    if metadata.is_dir() {
        return Err(format!("the link `{shown}` points to the folder `{}`; to pack it, name it in `files`", real.display()));
    }
    Ok(plain(to, &real, &metadata))
}
