//! The files on this machine that one entry names with `from`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::chosen::Chosen;
use super::link::{keep_ends, link};
use super::path::{destination, join, normal, plain, split};
use super::places::Places;
use super::secret;
use crate::app::AppFile;
use crate::config::tables::FileTable;
use crate::diagnostic::Code;

/// How many files a note names.
const SHOWN: usize = 5;

/// What one entry of `files` names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MatchedFiles {
    /// The files, and the links that stay links.
    pub files: Vec<AppFile>,
    /// What the user may not expect, in whole sentences.
    pub notes: Vec<(Code, String)>,
}

/// Finds what `from` of an entry names; nothing yet of what will be made.
///
/// # Errors
/// What is missing or not allowed, in words for the user.
pub fn expand(from: &str, to: &str, table: &FileTable, places: &Places<'_>) -> Result<MatchedFiles, String> {
    let Places { folder, workspace, made } = *places;
    let ends_in_slash = to.ends_with('/');
    let to = destination(to)?;
    let (start, pattern) = split(from);
    let start = normal(&folder.join(start));
    let chosen = Chosen::new(table, pattern.as_deref(), folder)?;
    let is_to_be_made = |path: &PathBuf| start.starts_with(path) || path.starts_with(&start);
    if !start.exists() && made.iter().any(is_to_be_made) {
        return Ok(MatchedFiles::default());
    }
    if pattern.is_some() {
        return Walk { start: &start, chosen, folder, workspace, from, dotfiles: table.dotfiles }.files(&to);
    }
    let metadata = std::fs::metadata(&start).map_err(|e| format!("`{from}` cannot be read: {e}"))?;
    if metadata.is_dir() {
        return Walk { start: &start, chosen, folder, workspace, from, dotfiles: table.dotfiles }.files(&to);
    }
    let name = start.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let to = if ends_in_slash { join(&to, &name) } else { to };
    if to.is_empty() {
        return Err("`to` is the root folder; name a file or a folder in it".into());
    }
    // Its author has named it, and so knows that it is packed.
    Ok(MatchedFiles { files: vec![plain(&to, &start, &metadata)], notes: chosen.notes().collect() })
}

/// A folder of which an entry takes files.
struct Walk<'a> {
    start: &'a Path,
    chosen: Chosen,
    folder: &'a Path,
    workspace: &'a Path,
    from: &'a str,
    dotfiles: Option<bool>,
}

impl Walk<'_> {
    fn files(&self, to: &str) -> Result<MatchedFiles, String> {
        let Self { start, chosen, folder, workspace, from, dotfiles } = self;
        let shown = |path: &Path| path.strip_prefix(folder).unwrap_or(path).to_owned();
        // Each with its own path on this machine.
        let mut files: Vec<(PathBuf, AppFile)> = Vec::new();
        let mut hidden: BTreeSet<PathBuf> = BTreeSet::new();
        let entries = WalkDir::new(start).sort_by_file_name().into_iter();
        for entry in entries.filter_entry(|entry| entry.depth() == 0 || !chosen.is_excluded(entry.path())) {
            let entry = entry.map_err(|e| format!("`{from}` cannot be read: {e}"))?;
            let path = entry.path();
            let relative = path.strip_prefix(start).unwrap_or(path);
            if entry.file_type().is_dir() || !chosen.is_match(relative) {
                continue;
            }
            if let Some(left) = chosen.left_hidden(relative) {
                hidden.insert(shown(&start.join(left)));
                continue;
            }
            let Some(name) = relative.to_str() else {
                return Err(format!("`{}` has a name that is not UTF-8", path.display()));
            };
            let to = join(to, name);
            if entry.file_type().is_symlink() {
                files.push((path.to_owned(), link(&to, path, start, workspace)?));
            } else if entry.file_type().is_file() {
                let metadata = entry.metadata().map_err(|e| format!("`{}` cannot be read: {e}", path.display()))?;
                files.push((path.to_owned(), plain(&to, path, &metadata)));
            } else {
                return Err(format!("`{}` is neither a file nor a folder nor a link", path.display()));
            }
        }
        if files.is_empty() {
            let but = if hidden.is_empty() { "" } else { "; `dotfiles = true` takes files whose names begin with a dot" };
            return Err(format!("`{from}` matches no file{but}"));
        }
        if chosen.is_partial() || !hidden.is_empty() {
            keep_ends(&mut files, start)?;
        }
        let mut notes: Vec<(Code, String)> = chosen.notes().collect();
        if let Some(left) = dotfiles.is_none().then(|| listed(&hidden)).flatten() {
            let help = "`dotfiles = true` packs names that begin with a dot, `dotfiles = false` ends this note";
            notes.push((Code::FilesHidden, format!("`{from}` leaves out {left}: {help}")));
        }
        let secrets = files.iter().filter_map(|(own, file)| {
            let from = file.from().unwrap_or(own);
            let path = shown(from);
            secret::look(&path, from).or_else(|| secret::look(Path::new(&file.to), from)).map(Path::to_owned)
        });
        if let Some(packed) = listed(&secrets.collect()) {
            let text = format!("`{from}` packs what looks like a secret, {packed}: `exclude = […]` leaves files out");
            notes.push((Code::FilesSecret, text));
        }
        Ok(MatchedFiles { files: files.into_iter().map(|(_, file)| file).collect(), notes })
    }
}

/// The first of these paths, in words; `None` if there are none.
fn listed(paths: &BTreeSet<PathBuf>) -> Option<String> {
    let shown: Vec<String> = paths.iter().take(SHOWN).map(|path| format!("`{}`", path.display())).collect();
    let more = paths.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    (!shown.is_empty()).then(|| shown.join(", ") + &more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(from: &str, to: &str, folder: &Path) -> Result<Vec<String>, String> {
        let shown = |file: AppFile| match file.target() {
            Some(target) => format!("{} -> {target}", file.to),
            None => file.to.clone() + if file.is_executable() { "*" } else { "" },
        };
        expand(from, to, &FileTable::default(), &Places { folder: &folder.join("a"), workspace: folder, made: &[] })
            .map(|found| found.files.into_iter().map(shown).collect())
    }

    #[test]
    fn hidden_files_are_taken_where_they_are_named() {
        let folder = tempfile::tempdir().expect("folder");
        for file in ["web/index.html", "web/.env", "web/.well-known/a.txt", "web/.well-known/.b", "web/js/.map", "web/js/x.js"] {
            let path = folder.path().join("a").join(file);
            std::fs::create_dir_all(path.parent().expect("folder")).expect("folders");
            std::fs::write(path, "").expect("written");
        }
        let chosen = |from: &str, exclude: &[&str], dotfiles| {
            let exclude = exclude.iter().map(ToString::to_string).collect();
            let table = FileTable { exclude, dotfiles, ..FileTable::default() };
            let found =
                expand(from, "/", &table, &Places { folder: &folder.path().join("a"), workspace: folder.path(), made: &[] })
                    .expect("found");
            (found.files.iter().map(|file| file.to.clone()).collect::<Vec<_>>().join(" "), found.notes.len())
        };
        for (from, exclude, dotfiles, files, notes) in [
            ("web/**", &[][..], Some(false), "/index.html /js/x.js", 0),
            ("web", &[], None, "/index.html /js/x.js", 1),
            ("web/.well-known/**", &[], None, "/a.txt", 1),
            ("web/.well-known", &[], Some(true), "/.b /a.txt", 0),
            ("web/{.well-known/*,js/*.js}", &[], Some(false), "/.well-known/a.txt /js/x.js", 0),
            ("web/**/.{map,env}", &[], Some(false), "/.env /js/.map", 1),
            ("web/*", &[".env"], Some(true), "/index.html", 0),
            ("web/**", &["web/.*", "*.js"], Some(true), "/index.html /js/.map", 0),
            ("web/**", &["js"], Some(false), "/index.html", 0),
            ("web/**", &["web/js", "./web/.well-known/**"], Some(true), "/.env /index.html", 1),
            ("../a/web/**", &["../a/web/js/*"], Some(false), "/index.html", 0),
        ] {
            assert_eq!(chosen(from, exclude, dotfiles), (files.to_owned(), notes), "{from} {exclude:?} {dotfiles:?}");
        }
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
