//! Links that lead to each other.

use std::collections::BTreeMap;

use crate::app::AppFile;
use crate::archive::normal;

/// How many links Linux follows (path_resolution(7)).
const MOST: usize = 40;

/// The first link that leads to nothing but links, by its path in the image.
pub fn first(files: &BTreeMap<String, AppFile>) -> Option<&str> {
    let links: BTreeMap<&str, &str> = files.iter().filter_map(|(path, file)| Some((path.as_str(), file.target()?))).collect();
    links.keys().copied().find(|link| !ends(link, &links))
}

/// Whether following links from this path ends somewhere.
fn ends(path: &str, links: &BTreeMap<&str, &str>) -> bool {
    let mut path = path.to_owned();
    for _ in 0..MOST {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let link = ends.filter(|end| *end > 0).find_map(|end| Some((end, *links.get(&path[..end])?)));
        let Some((end, target)) = link else { return true };
        let folder = if target.starts_with('/') { "" } else { path[..end].rsplit_once('/').map_or("", |(folder, _)| folder) };
        path = format!("/{}", normal(&format!("{folder}/{target}{}", &path[end..])));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_found() {
        let looping = |links: &[(&str, &str)]| {
            let files = links.iter().map(|(path, target)| ((*path).to_owned(), AppFile::link(*path, *target))).collect();
            first(&files).map(str::to_owned)
        };
        assert_eq!(looping(&[("/a", "/b"), ("/b", "/c")]), None);
        assert_eq!(looping(&[("/a", "/b"), ("/b", "a")]).as_deref(), Some("/a"));
        assert_eq!(looping(&[("/x", "/x")]).as_deref(), Some("/x"));
        assert_eq!(looping(&[("/d/x", "../d/y"), ("/d/y", "x/z")]).as_deref(), Some("/d/x"));
        assert_eq!(looping(&[("/d/x", "../e"), ("/e", "/d/y")]), None);
    }
}
