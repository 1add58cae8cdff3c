//! Which files of a folder an entry of `files` takes: none that `exclude` matches, and hidden ones only on request.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobMatcher};

use super::path::{normal, split};
use crate::config::tables::FileTable;
use crate::diagnostic::Code;

/// The choice of one entry.
pub struct Chosen {
    matcher: Option<GlobMatcher>,
    excluded: Vec<Exclusion>,
    /// The parts of the pattern that name hidden files; `None` if all hidden files are taken.
    hidden: Option<Vec<GlobMatcher>>,
}

/// One pattern of `exclude`.
struct Exclusion {
    written: String,
    what: Excluded,
    /// Whether something was left out for it.
    used: Cell<bool>,
}

enum Excluded {
    /// A name, wherever it stands.
    Name(GlobMatcher),
    /// A path or a pattern below a folder.
    Below(PathBuf, GlobMatcher),
}

impl Chosen {
    /// The choice of `table`, of which `pattern` is what follows the folder. Paths in `exclude` begin in `folder`.
    pub fn new(table: &FileTable, pattern: Option<&str>, folder: &Path) -> Result<Self, String> {
        let excluded = |text: &String| -> Result<Exclusion, String> {
            let what = match split(text) {
                _ if !text.contains('/') => Excluded::Name(glob(text)?),
                (start, Some(pattern)) => Excluded::Below(normal(&folder.join(start)), glob(&pattern)?),
                (path, None) => {
                    let path = normal(&folder.join(path));
                    let name = path.file_name().map(|name| globset::escape(&name.to_string_lossy())).unwrap_or_default();
                    Excluded::Below(path.with_file_name(""), glob(&name)?)
                }
            };
            Ok(Exclusion { written: text.clone(), what, used: Cell::new(false) })
        };
        // A part of a path, or one of the ways that braces give.
        let parts = pattern.iter().flat_map(|pattern| pattern.split('/').chain(pattern.split(['/', '{', ',', '}'])));
        let hidden = parts.filter(|part| part.starts_with('.')).filter_map(|part| glob(part).ok()).collect();
        Ok(Self {
            matcher: pattern.map(glob).transpose()?,
            excluded: table.exclude.iter().map(excluded).collect::<Result<_, String>>()?,
            hidden: (table.dotfiles != Some(true)).then_some(hidden),
        })
    }

    /// Whether the pattern matches a path below the folder; without a pattern, all do.
    pub fn is_match(&self, relative: &Path) -> bool {
        self.matcher.as_ref().is_none_or(|matcher| matcher.is_match(relative))
    }

    /// Whether it may leave something out that is not hidden.
    pub fn is_partial(&self) -> bool {
        self.matcher.is_some() || !self.excluded.is_empty()
    }

    /// Whether `exclude` names this file or folder.
    pub fn is_excluded(&self, path: &Path) -> bool {
        // All of them, so that each that matches is known.
        let mut is_excluded = false;
        for Exclusion { what, used, .. } in &self.excluded {
            let matches = match what {
                Excluded::Name(name) => path.file_name().is_some_and(|own| name.is_match(own)),
                Excluded::Below(folder, pattern) => path.strip_prefix(folder).is_ok_and(|relative| pattern.is_match(relative)),
            };
            if matches {
                used.set(true);
                is_excluded = true;
            }
        }
        is_excluded
    }

    /// Of each pattern of `exclude` that left nothing out so far.
    pub fn notes(&self) -> impl Iterator<Item = (Code, String)> {
        let idle = self.excluded.iter().filter(|excluded| !excluded.used.get());
        idle.map(|excluded| (Code::ExcludeUnmatched, format!("`{}` in `exclude` matches nothing", excluded.written)))
    }

    /// The first part of a path below the folder that is hidden and was not asked for, with what stands before it.
    pub fn left_hidden<'a>(&self, relative: &'a Path) -> Option<&'a Path> {
        let named = self.hidden.as_ref()?;
        let is_left = |path: &&Path| {
            let name = path.file_name().unwrap_or_default();
            name.as_encoded_bytes().starts_with(b".") && !named.iter().any(|part| part.is_match(name))
        };
        relative.ancestors().filter(is_left).last()
    }
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    let glob: Result<Glob, globset::Error> = GlobBuilder::new(text).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| format!("`{text}` is not a pattern: {}", error.kind()))
}
