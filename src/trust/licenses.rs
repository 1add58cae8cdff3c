//! The texts of licences of the crates in an image, in one file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;

use super::origin::Origin;
use super::service_crates::UsedCrate;

/// How the names of files with licences begin, in lower case.
const NAMES: [&str; 6] = ["license", "licence", "copying", "copyright", "notice", "unlicense"];

/// Bytes of a text at most.
const LARGEST: u64 = 1 << 20;

/// How many folders above a crate's are searched: one repository may hold many crates.
const ABOVE: usize = 4;

/// The width of a line between texts.
const WIDTH: usize = 100;

/// The file of an image, and what it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseTexts {
    /// The file's text.
    pub text: String,
    /// The crates with a licence without a text, `NAME VERSION`.
    pub without: Vec<String>,
}

/// Collects the texts, [`license_files`], from the folders of crates; equal texts are in the file once. Its text depends on the crates alone, not on
/// their order or folders.
///
/// # Errors
/// When a file cannot be read.
pub fn license_texts(image: &str, crates: &[&UsedCrate]) -> Result<LicenseTexts> {
    let mut all: BTreeMap<(String, String), &UsedCrate> = BTreeMap::new();
    for used in crates {
        all.insert((used.name.clone(), used.version.to_string()), used);
    }
    let files: Vec<Result<Vec<(String, String)>>> =
        all.values().collect::<Vec<_>>().into_par_iter().map(|used| texts(used)).collect();
    let mut text = format!("The crates in {image}, and their licences.\n\n");
    let mut by_text: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for (((name, version), used), files) in all.iter().zip(files) {
        let files = files?;
        let license =
            used.about.license.as_deref().unwrap_or(if files.is_empty() { "no licence" } else { "a licence of its own" });
        writeln!(text, "{name} {version}: {license}")?;
        let is_own = used.origin == Origin::Local && used.about.license.is_none() && used.about.license_file.is_none();
        if files.is_empty() && !is_own {
            without.push(format!("{name} {version}"));
        }
        for (file, content) in files {
            by_text.entry(content).or_default().insert(format!("{name} {version}, {file}"));
        }
    }
    // In the order of the first crate of each.
    let mut groups: Vec<(BTreeSet<String>, String)> = by_text.into_iter().map(|(content, of)| (of, content)).collect();
    groups.sort();
    for (of, content) in groups {
        let names: Vec<String> = of.into_iter().collect();
        write!(text, "\n{}\n{}\n{}\n\n{content}", "=".repeat(WIDTH), names.join("\n"), "-".repeat(WIDTH))?;
    }
    Ok(LicenseTexts { text, without })
}

/// The files with the licences of a crate: those of its own folder, or else of the repository around it.
pub fn license_files(used: &UsedCrate) -> BTreeSet<PathBuf> {
    let Some(folder) = &used.about.folder else { return BTreeSet::new() };
    let mut found = found(folder);
    found.extend(used.about.license_file.iter().map(|name| folder.join(name)).filter(|path| path.is_file()));
    if found.is_empty() && matches!(used.origin, Origin::Git { .. } | Origin::Local) {
        let is_top = |folder: &&Path| folder.join(".git").exists() || folder.join("Cargo.lock").exists();
        for above in folder.ancestors().skip(1).take(ABOVE) {
            found = self::found(above);
            if !found.is_empty() || is_top(&above) {
                break;
            }
        }
    }
    found
}

/// The texts of a crate, by the names of their files.
fn texts(used: &UsedCrate) -> Result<Vec<(String, String)>> {
    let mut texts = BTreeMap::new();
    for path in license_files(used) {
        if std::fs::metadata(&path).is_ok_and(|file| file.len() > LARGEST) {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let content = String::from_utf8_lossy(&fs_err::read(&path)?).into_owned();
        let content: String = content.trim().lines().map(|line| format!("{}\n", line.trim_end())).collect();
        if !content.is_empty() {
            texts.insert(name, content);
        }
    }
    Ok(texts.into_iter().collect())
}

/// Files with licences in a folder, and in its folder `LICENSES`, where some projects have all of them.
fn found(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_license = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let is_source = [".rs", ".toml", ".html", ".hbs"].iter().any(|ending| name.ends_with(ending));
        NAMES.iter().any(|start| name.starts_with(start)) && !is_source
    };
    let own = entries(folder.to_owned()).filter(is_license);
    own.chain(entries(folder.join("LICENSES"))).filter(|path| path.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::*;
    use crate::workspace::AboutCrate;

    fn used(name: &str, license: Option<&str>, folder: PathBuf) -> UsedCrate {
        UsedCrate {
            name: name.to_owned(),
            version: Version::new(1, 0, 0),
            origin: Origin::CratesIo,
            features: Vec::new(),
            about: AboutCrate { license: license.map(str::to_owned), folder: Some(folder), ..AboutCrate::default() },
            dependencies: Vec::new(),
            root: false,
        }
    }

    #[test]
    fn equal_texts_are_there_once() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("folder")).expect("folder");
            std::fs::write(path, text).expect("written");
        };
        at("a/LICENSE-MIT", "Permission is granted\r\n\r\n");
        at("b/license.md", "Permission is granted \n");
        at("b/NOTICE", "Thanks");
        at("b/license.rs", "fn main() {}");
        at("git/LICENSE", "For all crates");
        at("git/Cargo.lock", "");
        at("git/crates/c/src/lib.rs", "");
        at("d/src/lib.rs", "");
        at("own/src/lib.rs", "");
        at("LICENSE", "Not of any crate");
        let of = |name: &str, license, path: &str| used(name, license, folder.path().join(path));
        let a = of("a", Some("MIT"), "a");
        let b = of("b", Some("MIT"), "b");
        let c = UsedCrate { origin: Origin::Git { url: String::new(), commit: None }, ..of("c", None, "git/crates/c") };
        let d = of("d", Some("ISC"), "d");
        let own = UsedCrate { origin: Origin::Local, ..of("own", None, "own/src/deep/deeper/deepest") };
        let texts = license_texts("x", &[&own, &b, &a, &d, &c, &a]).expect("texts");
        assert_eq!(texts.without, ["d 1.0.0"]);
        let (line, thin) = ("=".repeat(WIDTH), "-".repeat(WIDTH));
        let expected = format!(
            "The crates in x, and their licences.\n\na 1.0.0: MIT\nb 1.0.0: MIT\nc 1.0.0: a licence of its own\nd 1.0.0: ISC\n\
            own 1.0.0: no licence\n\n{line}\na 1.0.0, LICENSE-MIT\nb 1.0.0, license.md\n{thin}\n\nPermission is granted\n\n\
            {line}\nb 1.0.0, NOTICE\n{thin}\n\nThanks\n\n{line}\nc 1.0.0, LICENSE\n{thin}\n\nFor all crates\n"
        );
        assert_eq!(texts.text, expected);
    }
}
