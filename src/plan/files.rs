//! `files`: turns patterns in a manifest into files of an image.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use crate::app::AppFile;
use crate::config::tables::FileTable;

/// Finds what one entry of `files` names. `folder` is where `from` begins, `workspace` the folder that links do not lead
/// out of.
///
/// # Errors
/// What is missing or not allowed, in words for the user.
pub fn expand(table: &FileTable, folder: &Path, workspace: &Path) -> Result<Vec<AppFile>, String> {
    let to = destination(&table.to)?;
    let (start, pattern) = split(&table.from);
    let start = normal(&folder.join(start));
    let Some(pattern) = pattern else {
        let metadata = std::fs::metadata(&start).map_err(|e| format!("`{}` cannot be read: {e}", table.from))?;
        if metadata.is_dir() {
            return walk(&start, None, &to, workspace, table);
        }
        let name = start.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let to = if table.to.ends_with('/') { join(&to, &name) } else { to };
        if to.is_empty() {
            return Err("`to` is the root folder; name a file or a folder in it".into());
        }
        return Ok(vec![plain(&to, &start, &metadata)]);
    };
    let matcher = GlobBuilder::new(&pattern)
        .literal_separator(true)
        .build()
        .map_err(|e| format!("`{}` is not a pattern: {}", table.from, e.kind()))?
        .compile_matcher();
    walk(&start, Some(&matcher), &to, workspace, table)
}

/// The absolute path without the slash at its beginning.
fn destination(to: &str) -> Result<String, String> {
    let path = to.strip_prefix('/').ok_or_else(|| format!("`{to}` is not an absolute path in the image"))?;
    crate::archive::confined(path).ok_or_else(|| format!("`{to}` is outside the image"))
}

/// The part of a pattern before its first special character's component, and the rest.
fn split(from: &str) -> (PathBuf, Option<String>) {
    let special = |part: &str| part.contains(['*', '?', '[', '{']);
    let parts: Vec<&str> = from.split('/').collect();
    match parts.iter().position(|part| special(part)) {
        None => (PathBuf::from(from), None),
        Some(at) => (PathBuf::from(format!("{}/", parts[..at].join("/"))).components().collect(), Some(parts[at..].join("/"))),
    }
}

/// Removes `.` and `..` from a path without reading the file system.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn walk(
    start: &Path,
    matcher: Option<&GlobMatcher>,
    to: &str,
    workspace: &Path,
    table: &FileTable,
) -> Result<Vec<AppFile>, String> {
    let mut found = Vec::new();
    for entry in WalkDir::new(start).sort_by_file_name() {
        let entry = entry.map_err(|e| format!("`{}` cannot be read: {e}", table.from))?;
        let path = entry.path();
        let relative = path.strip_prefix(start).unwrap_or(path);
        if entry.file_type().is_dir() || matcher.is_some_and(|matcher| !matcher.is_match(relative)) {
            continue;
        }
        let Some(name) = relative.to_str() else {
            return Err(format!("`{}` has a name that is not UTF-8", path.display()));
        };
        let to = join(to, name);
        if entry.file_type().is_symlink() {
            found.push(link(&to, path, start, workspace)?);
        } else if entry.file_type().is_file() {
            let metadata = entry.metadata().map_err(|e| format!("`{}` cannot be read: {e}", path.display()))?;
            found.push(plain(&to, path, &metadata));
        } else {
            return Err(format!("`{}` is neither a file nor a folder nor a link", path.display()));
        }
    }
    if found.is_empty() {
        return Err(format!("`{}` matches no file", table.from));
    }
    if matcher.is_some() {
        keep_ends(&mut found, start)?;
    }
    Ok(found)
}

/// A link stays a link only if what it leads to is there too: a pattern may match the one without the other.
fn keep_ends(found: &mut [AppFile], start: &Path) -> Result<(), String> {
    let real_start = std::fs::canonicalize(start).unwrap_or_else(|_| start.to_owned());
    let packed: BTreeSet<PathBuf> = found
        .iter()
        .filter_map(|file| file.from.strip_prefix(start).ok())
        .flat_map(|path| path.ancestors().map(Path::to_owned).collect::<Vec<_>>())
        .collect();
    for file in found.iter_mut().filter(|file| file.link.is_some()) {
        let failed = |error: std::io::Error| format!("`{}` cannot be read: {error}", file.from.display());
        let real = std::fs::canonicalize(&file.from).map_err(failed)?;
        if real.strip_prefix(&real_start).is_ok_and(|path| packed.contains(path)) {
            continue;
        }
        let metadata = std::fs::metadata(&real).map_err(failed)?;
        if metadata.is_dir() {
            let shown = file.from.strip_prefix(start).unwrap_or(&file.from).display();
            return Err(format!("the link `{shown}` points to a folder in which the pattern matches nothing"));
        }
        *file = plain(file.to.trim_start_matches('/'), &real, &metadata);
    }
    Ok(())
}

fn plain(to: &str, from: &Path, metadata: &std::fs::Metadata) -> AppFile {
    #[cfg(unix)]
    let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0;
    #[cfg(not(unix))]
    let executable = false;
    AppFile { to: format!("/{to}"), from: from.to_owned(), executable, link: None }
}

/// A link that stays inside the folder stays a link; one to elsewhere in the workspace becomes what it leads to.
fn link(to: &str, path: &Path, start: &Path, workspace: &Path) -> Result<AppFile, String> {
    let shown = path.strip_prefix(workspace).unwrap_or(path).display();
    let target = std::fs::read_link(path).map_err(|e| format!("`{shown}` cannot be read: {e}"))?;
    let real = std::fs::canonicalize(path)
        .map_err(|_| format!("the link `{shown}` points to `{}`, which does not exist", target.display()))?;
    let inside = |folder: &Path| std::fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder));
    if target.is_relative() && inside(start) && normal(&path.with_file_name("").join(&target)).starts_with(start) {
        let link = target.to_str().ok_or_else(|| format!("the link `{shown}` has a target that is not UTF-8"))?.to_owned();
        return Ok(AppFile { to: format!("/{to}"), from: path.to_owned(), executable: false, link: Some(link) });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found(from: &str, to: &str, folder: &Path) -> Result<Vec<String>, String> {
        let table = FileTable { from: from.into(), to: to.into() };
        let shown = |file: AppFile| {
            file.to + if file.executable { "*" } else { "" } + &file.link.map(|l| format!(" -> {l}")).unwrap_or_default()
        };
        expand(&table, &folder.join("a"), folder).map(|files| files.into_iter().map(shown).collect())
    }

    #[cfg(unix)]
    #[test]
    fn patterns_folders_files_and_links() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path();
        std::fs::create_dir_all(root.join("a/web/css")).expect("folders");
        for file in ["a/web/index.html", "a/web/css/x.css", "a/run.sh", "shared.txt"] {
            std::fs::write(root.join(file), file).expect("written");
        }
        std::fs::set_permissions(root.join("a/run.sh"), std::fs::Permissions::from_mode(0o700)).expect("mode");
        symlink("css/x.css", root.join("a/web/x")).expect("link");
        symlink("../../shared.txt", root.join("a/web/y")).expect("link");

        let all = ["/srv/css/x.css", "/srv/index.html", "/srv/x -> css/x.css", "/srv/y"].map(String::from).to_vec();
        assert_eq!(found("web/**", "/srv", root), Ok(all.clone()));
        assert_eq!(found("web", "/srv/", root), Ok(all));
        assert_eq!(found("web/*.html", "/srv", root), Ok(vec!["/srv/index.html".into()]));
        // A link of which the end is left out becomes what it leads to.
        assert_eq!(found("web/{x,css/*}", "/srv", root), Ok(vec!["/srv/css/x.css".into(), "/srv/x -> css/x.css".into()]));
        assert_eq!(found("web/x", "/srv/x", root), Ok(vec!["/srv/x".into()]));
        assert_eq!(found("web/[x]", "/srv", root), Ok(vec!["/srv/x".into()]));
        symlink("css", root.join("a/web/l")).expect("link");
        assert_eq!(found("web/{l,css/**}", "/srv", root), Ok(vec!["/srv/css/x.css".into(), "/srv/l -> css".into()]));
        assert!(found("web/[l]", "/srv", root).is_err_and(|e| e.contains("points to")));
        std::fs::remove_file(root.join("a/web/l")).expect("removed");
        assert_eq!(found("web/{css/*,*.html}", "/", root), Ok(vec!["/css/x.css".into(), "/index.html".into()]));
        assert_eq!(found("run.sh", "/bin/", root), Ok(vec!["/bin/run.sh*".into()]));
        assert_eq!(found("../shared.txt", "/etc/s.txt", root), Ok(vec!["/etc/s.txt".into()]));
        for (from, to, why) in [
            ("none", "/x", "cannot be read"),
            ("web/*.zip", "/x", "matches no file"),
            ("web", "x", "not an absolute path"),
            ("web", "/../x", "is outside the image"),
            ("web/[", "/x", "not a pattern"),
        ] {
            assert!(found(from, to, root).is_err_and(|e| e.contains(why)), "{from} {to}");
        }
        symlink("/etc/passwd", root.join("a/web/z")).expect("link");
        assert!(found("web", "/x", root).is_err_and(|e| e.contains("outside the workspace")));
        std::fs::remove_file(root.join("a/web/z")).expect("removed");
        symlink("nowhere", root.join("a/web/z")).expect("link");
        assert!(found("web", "/x", root).is_err_and(|e| e.contains("which does not exist")));
    }
}
