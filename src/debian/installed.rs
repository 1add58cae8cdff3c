//! The packages that a file system says it has: `var/lib/dpkg/status`, or a file for each package below `var/lib/dpkg/status.d`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::control::{Paragraph, paragraphs};
use super::relation;

/// A package that is installed, as dpkg's records have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct InstalledPackage {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// `arm64`, or `all`.
    pub architecture: String,
    /// The source package that it is made of.
    pub source: String,
    /// The source package's version.
    pub source_version: String,
    /// Bytes of its files, as the package says.
    pub size: u64,
    /// The installed packages that depend on it, by name.
    pub needed_by: Vec<String>,
    /// Who maintains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintainer: Option<String>,
}

/// Where os-release(5) is; the first is often a link to the second.
pub const OS_RELEASE: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// Whether a file has such records.
pub fn has_records(path: &str) -> bool {
    path == "var/lib/dpkg/status" || path.strip_prefix("var/lib/dpkg/status.d/").is_some_and(|name| !name.contains('.'))
}

/// The packages in records, the largest first. Of a package that is there twice, the last record counts.
pub fn installed<'a>(records: impl IntoIterator<Item = &'a str>) -> Vec<InstalledPackage> {
    let mut found: BTreeMap<(&str, &str), Paragraph<'_>> = BTreeMap::new();
    for paragraph in records.into_iter().flat_map(paragraphs) {
        // Records of their own files have no status.
        let is_installed = paragraph.get("Status").is_none_or(|status| status.ends_with(" installed"));
        if let (Some(name), Some(_), true) = (paragraph.get("Package"), paragraph.get("Version"), is_installed) {
            found.insert((name, paragraph.get("Architecture").unwrap_or_default()), paragraph);
        }
    }
    let names: BTreeSet<&str> = found.keys().map(|(name, _)| *name).collect();
    let mut providers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut needed_by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ((name, _), paragraph) in &found {
        for provided in relation::list(paragraph.get("Provides").unwrap_or_default()) {
            providers.entry(provided.name).or_default().push(name);
        }
    }
    for ((by, _), paragraph) in &found {
        for group in
            ["Pre-Depends", "Depends"].into_iter().flat_map(|field| relation::groups(paragraph.get(field).unwrap_or_default()))
        {
            let real = group.iter().find_map(|wanted| names.get(wanted.name).copied());
            let provider = || group.iter().find_map(|wanted| providers.get(wanted.name)?.first().copied());
            if let Some(name) = real.or_else(provider).filter(|name| name != by) {
                needed_by.entry(name).or_default().insert(by);
            }
        }
    }
    let text = |paragraph: &Paragraph<'_>, field| paragraph.get(field).unwrap_or_default().to_owned();
    let mut packages: Vec<InstalledPackage> = found
        .iter()
        .map(|((name, _), paragraph)| InstalledPackage {
            name: (*name).to_owned(),
            version: text(paragraph, "Version"),
            source: source(paragraph, name).0.to_owned(),
            source_version: source(paragraph, name).1.to_owned(),
            architecture: text(paragraph, "Architecture"),
            size: paragraph.get("Installed-Size").and_then(|size| size.parse::<u64>().ok()).unwrap_or(0).saturating_mul(1024),
            needed_by: needed_by.get(name).into_iter().flatten().map(|by| (*by).to_owned()).collect(),
            maintainer: paragraph.get("Maintainer").map(str::to_owned),
        })
        .collect();
    packages.sort_by(|one, other| (Reverse(one.size), &one.name).cmp(&(Reverse(other.size), &other.name)));
    packages
}

/// `Source: glibc (2.36-9)`: the version only where it differs, the whole field only where the name does.
fn source<'a>(paragraph: &Paragraph<'a>, name: &'a str) -> (&'a str, &'a str) {
    let version = paragraph.get("Version").unwrap_or_default();
    match paragraph.get("Source").map(|field| field.split_once(' ').unwrap_or((field, ""))) {
        None => (name, version),
        Some((source, "")) => (source, version),
        Some((source, version)) => (source, version.trim().trim_matches(['(', ')'])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_installed_does_not_count() {
        let status = "Package: tool\nStatus: install ok installed\nVersion: 2\nArchitecture: arm64\nInstalled-Size: 3\n\
            Depends: gone | libone (>= 1), awk\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
            Package: libone\nSource: one\nStatus: install ok installed\nVersion: 1\nInstalled-Size: 40\nDepends: tool\n";
        let own = "Package: mawk\nSource: mawk (1.2)\nVersion: 1.3\nArchitecture: arm64\nProvides: awk\nInstalled-Size: much\n";
        let shown: Vec<String> = installed([status, own, ""])
            .into_iter()
            .map(|package| {
                let InstalledPackage { name, version, size, needed_by, source, source_version, .. } = package;
                format!("{name} {version} {size} {} {source} {source_version}", needed_by.join(","))
            })
            .collect();
        let expected = ["libone 1 40960 tool one 1", "tool 2 3072 libone tool 2", "mawk 1.3 0 tool mawk 1.2"];
        assert_eq!(shown, expected);
        assert!(has_records("var/lib/dpkg/status.d/base") && !has_records("var/lib/dpkg/status.d/base.md5sums"));
    }
}
