//! Which packages files on this machine are of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The package of a file, as dpkg knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileOwner {
    /// The package's name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// `arm64`, or `all`.
    pub architecture: String,
    /// The source package that the file was made of, and its version.
    pub source: (String, String),
    /// Who maintains it.
    pub maintainer: String,
    /// What it is, in one line.
    pub summary: String,
}

/// The owners of files, as far as dpkg knows them; nothing where there is no dpkg.
pub fn owners(paths: &[PathBuf]) -> BTreeMap<PathBuf, FileOwner> {
    let names: Vec<(String, &PathBuf)> =
        paths.iter().flat_map(|path| known_as(path).into_iter().map(move |name| (name, path))).collect();
    // It fails where it does not know one of the names, and tells the others all the same.
    let output = Command::new("dpkg-query").env("LC_ALL", "C").arg("-S").args(names.iter().map(|(name, _)| name)).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let found: BTreeMap<&PathBuf, &str> = text
        .lines()
        .filter_map(|line| {
            let (package, path) = line.split_once(": ")?;
            let (_, path) = names.iter().find(|(name, _)| name == path)?;
            Some((*path, package.split(", ").next()?))
        })
        .collect();
    let mut packages: Vec<&str> = found.values().copied().collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return BTreeMap::new();
    }
    let fields = ["binary:Package", "Package", "Version", "Architecture", "source:Package", "source:Version", "Maintainer"];
    let format: String =
        fields.into_iter().chain(["Built-Using", "binary:Summary"]).map(|field| format!("${{{field}}}\t")).collect();
    let output =
        Command::new("dpkg-query").env("LC_ALL", "C").args(["-W", "-f", &format!("{format}\n")]).args(&packages).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let of_packages: BTreeMap<&str, FileOwner> = text.lines().filter_map(owner).collect();
    found.into_iter().filter_map(|(path, package)| Some((path.clone(), of_packages.get(package)?.clone()))).collect()
}

/// A file's names for dpkg: packages may have it where it was before `/lib` became a link to `/usr/lib`.
fn known_as(path: &Path) -> Vec<String> {
    let name = path.display().to_string();
    let old = name.strip_prefix("/usr").filter(|rest| rest.starts_with("/lib")).map(str::to_owned);
    old.into_iter().chain([name.clone()]).collect()
}

fn owner(line: &str) -> Option<(&str, FileOwner)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [key, package, version, architecture, source, source_version, maintainer, built_using, summary, ..] = fields[..] else {
        return None;
    };
    let source = origin(package, built_using).unwrap_or((source, source_version));
    let owner = FileOwner {
        package: package.to_owned(),
        version: version.to_owned(),
        architecture: architecture.to_owned(),
        source: (source.0.to_owned(), source.1.to_owned()),
        maintainer: maintainer.to_owned(),
        summary: summary.to_owned(),
    };
    Some((key, owner))
}

/// The source of a package of libraries for cross compilers. Its own source package only packs what was built of another, such as
/// `glibc (= 2.36-8)`, and that is the one whose bugs it has.
fn origin<'a>(package: &str, built_using: &'a str) -> Option<(&'a str, &'a str)> {
    if !package.ends_with("-cross") {
        return None;
    }
    let is_of_libc = package.starts_with("libc6") || package.starts_with("libc-");
    let mut all = built_using.split(", ").filter_map(|entry| entry.trim_end_matches(')').split_once(" (= "));
    all.find(|(name, _)| if is_of_libc { *name == "glibc" } else { name.starts_with("gcc-") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cross_compilers_libraries_are_made_of() {
        let using = "binutils (= 2.40-2), linux (= 6.1.4-1), gcc-12 (= 12.2.0-14), glibc (= 2.36-8)";
        assert_eq!(origin("libc6-arm64-cross", using), Some(("glibc", "2.36-8")));
        assert_eq!(origin("libgcc-s1-arm64-cross", "gcc-12 (= 12.2.0-14)"), Some(("gcc-12", "12.2.0-14")));
        assert_eq!((origin("libc6", using), origin("libc6-arm64-cross", "")), (None, None));
        let line = "libc6:arm64\tlibc6\t2.36-9\tarm64\tglibc\t2.36-9\tMe <me@example.com>\t\tGNU C Library\t";
        let (key, owner) = owner(line).expect("an owner");
        assert_eq!((key, owner.source), ("libc6:arm64", ("glibc".to_owned(), "2.36-9".to_owned())));
        assert!(super::owner("libc6\t1").is_none());
    }

    #[test]
    fn names_of_a_file() {
        assert_eq!(known_as(Path::new("/usr/lib/x/libc.so.6")), ["/lib/x/libc.so.6", "/usr/lib/x/libc.so.6"]);
        assert_eq!(known_as(Path::new("/usr/aarch64-linux-gnu/lib/a")), ["/usr/aarch64-linux-gnu/lib/a"]);
    }
}
