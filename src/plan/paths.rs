//! Conflicting paths in an image.

use std::collections::BTreeSet;

/// Finds a file's path that is also the parent directory of another file, or of one of `others`; `None` if no paths conflict.
pub fn in_a_file<'a>(files: &BTreeSet<&'a str>, others: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    files.iter().copied().chain(others).find_map(|inner| {
        let folders = inner.match_indices('/').map(|(at, _)| &inner[..at]);
        folders.filter_map(|folder| files.get(folder)).next().map(|file| (*file, inner))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_no_folder() {
        let found = |paths: &[&'static str]| in_a_file(&paths.iter().copied().collect(), ["/srv/b/d"]);
        // `-` stands before `/`: the two need not be neighbours.
        assert_eq!(found(&["/srv/a", "/srv/a-b", "/srv/a/c"]), Some(("/srv/a", "/srv/a/c")));
        assert_eq!(found(&["/srv/a", "/srv/a/b/c/d"]), Some(("/srv/a", "/srv/a/b/c/d")));
        assert_eq!(found(&["/srv/a", "/srv/ab/c", "/srv/bc"]), None);
        assert_eq!(found(&["/srv/b"]), Some(("/srv/b", "/srv/b/d")));
    }
}
