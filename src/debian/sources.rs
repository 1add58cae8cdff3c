//! Where the suites of an archive are: as the table says, else as this machine's apt has it (sources.list(5)).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::control::paragraphs;
use super::recipe::{Distribution, Recipe};
use crate::diagnostic::Code;

/// A suite at an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteSource {
    /// URL of the archive, without `/` at the end.
    pub archive: String,
    /// The suite's name.
    pub suite: String,
    /// Whether it is one of the security updates' archive.
    pub security: bool,
    /// Whether an archive need not have it.
    pub optional: bool,
}

/// The suites of a recipe. `root` is the folder that has `etc/apt` and `etc/os-release`.
///
/// # Errors
/// When neither the table nor the machine names an archive.
pub fn of(recipe: &Recipe, root: &Path) -> Result<Vec<SuiteSource>> {
    let suite = &recipe.suite;
    let (updates, security) = (format!("{suite}-updates"), format!("{suite}-security"));
    let known = if recipe.mirror.is_none() { apt(root) } else { BTreeMap::new() };
    let at_apt = |suite: &str| known.get(suite).cloned();
    let own = own_suite(root, recipe.distribution);
    let near = |ending: &str| own.as_ref().and_then(|own| at_apt(&format!("{own}{ending}")));
    let main = recipe.mirror.clone().or_else(|| at_apt(suite)).or_else(|| near(""));
    let Some(main) = main else {
        return Err(Code::DebianMirror
            .error(format!(
                "no archive is known for the suite `{suite}`: this machine's apt has none of {}\nhelp: set `mirror = \"http://HOST/{}\"` in `base`",
                recipe.distribution.title(),
                recipe.distribution.name()
            ))
            .into());
    };
    let of_security = recipe.security_mirror.clone().or_else(|| at_apt(&security)).or_else(|| near("-security"));
    let of_security = match recipe.distribution {
        Distribution::Debian => of_security,
        // Ubuntu's archives have their own copy.
        Distribution::Ubuntu => of_security.or_else(|| Some(main.clone())),
    };
    let source = |archive: &str, suite: &str, security, optional| SuiteSource {
        archive: match &recipe.snapshot {
            Some(moment) => format!("{}/{moment}", archive.trim_end_matches('/')),
            None => archive.trim_end_matches('/').to_owned(),
        },
        suite: suite.to_owned(),
        security,
        optional,
    };
    let mut sources = vec![source(&main, suite, false, false)];
    if !matches!(suite.as_str(), "sid" | "unstable") {
        sources.push(source(&main, &updates, false, true));
        sources.extend(of_security.map(|archive| source(&archive, &security, true, recipe.security_mirror.is_none())));
    }
    Ok(sources)
}

/// The suite that this machine runs, if it is of the distribution.
fn own_suite(root: &Path, distribution: Distribution) -> Option<String> {
    let text = std::fs::read_to_string(root.join("etc/os-release")).ok()?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(line.trim_matches(['"', '\'']).to_owned())
    };
    value("ID").filter(|id| id == distribution.name())?;
    value("VERSION_CODENAME")
}

/// The archive of each suite in apt's configuration; of several, the first.
fn apt(root: &Path) -> BTreeMap<String, String> {
    let folder = root.join("etc/apt");
    let mut found = BTreeMap::new();
    let mut add = |uri: &str, suite: &str| {
        let uri = match uri.strip_prefix("mirror+file:") {
            Some(list) => mirrors(root, list),
            None => Some(uri.to_owned()),
        };
        if let Some(uri) = uri.filter(|uri| uri.starts_with("http://") || uri.starts_with("https://")) {
            found.entry(suite.to_owned()).or_insert_with(|| uri.trim_end_matches('/').to_owned());
        }
    };
    let mut files = vec![folder.join("sources.list")];
    let more = std::fs::read_dir(folder.join("sources.list.d")).into_iter().flatten().flatten();
    let mut more: Vec<_> = more.map(|entry| entry.path()).collect();
    more.sort();
    files.extend(more);
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("list") => {
                for line in text.lines().filter_map(|line| line.trim().strip_prefix("deb ")) {
                    // Options in brackets stand before the URI.
                    let line = line.trim_start();
                    let line = if line.starts_with('[') { line.split_once(']').map_or("", |(_, rest)| rest) } else { line };
                    let mut words = line.split_whitespace();
                    if let (Some(uri), Some(suite)) = (words.next(), words.next()) {
                        add(uri, suite);
                    }
                }
            }
            Some("sources") => {
                for paragraph in paragraphs(&text) {
                    let field = |name: &str| paragraph.get(name).unwrap_or_default();
                    if field("Enabled").eq_ignore_ascii_case("no") || !field("Types").split_whitespace().any(|kind| kind == "deb")
                    {
                        continue;
                    }
                    for suite in field("Suites").split_whitespace() {
                        field("URIs").split_whitespace().for_each(|uri| add(uri, suite));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The first mirror in a list of apt's (apt-transport-mirror(1)).
fn mirrors(root: &Path, list: &str) -> Option<String> {
    let text = std::fs::read_to_string(root.join(list.trim_start_matches('/'))).ok()?;
    text.lines().filter_map(|line| line.split_whitespace().next()).find(|url| !url.starts_with('#')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(suite: &str) -> Recipe {
        Recipe::new(Distribution::Debian, suite)
    }

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("folder");
        for (path, text) in files {
            crate::fs::write(&root.path().join(path), text.as_bytes()).expect("written");
        }
        root
    }

    fn shown(recipe: &Recipe, root: &Path) -> Vec<String> {
        let sources = of(recipe, root).expect("sources");
        sources.iter().map(|source| format!("{} {}", source.archive, source.suite)).collect()
    }

    const RELEASE: (&str, &str) = ("etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n");

    #[test]
    fn both_forms_of_apts_files_are_read() {
        let list = "# deb http://no.example x main\ndeb [arch=amd64 signed-by=/k] http://a.example/debian/ bookworm main\n\
            deb-src http://b.example/debian bookworm main\ndeb http://s.example/security bookworm-security main\n";
        let wanted = ["http://a.example/debian bookworm", "http://a.example/debian bookworm-updates"];
        let security = "http://s.example/security bookworm-security";
        let machine_1 = machine(&[RELEASE, ("etc/apt/sources.list", list)]);
        assert_eq!(shown(&recipe("bookworm"), machine_1.path()), [wanted[0], wanted[1], security]);
        let sources = "Types: deb deb-src\nURIs: http://a.example/debian\nSuites: bookworm bookworm-updates\n\n\
            Types: deb\nURIs: mirror+file:/etc/apt/mirrors/s.list\nSuites: bookworm-security\n\n\
            Types: deb\nEnabled: no\nURIs: http://x.example\nSuites: trixie\n";
        let mirrors = ("etc/apt/mirrors/s.list", "http://s.example/security/\n");
        let machine_2 = machine(&[RELEASE, ("etc/apt/sources.list.d/debian.sources", sources), mirrors]);
        assert_eq!(shown(&recipe("bookworm"), machine_2.path()), [wanted[0], wanted[1], security]);
        // Another suite of the same distribution is at the same archive.
        assert_eq!(
            shown(&recipe("trixie"), machine_2.path()),
            [
                "http://a.example/debian trixie",
                "http://a.example/debian trixie-updates",
                "http://s.example/security trixie-security"
            ]
        );
        assert_eq!(shown(&recipe("sid"), machine_2.path()), ["http://a.example/debian sid"]);
    }

    #[test]
    fn the_table_comes_first_and_something_must_be_known() {
        let empty = machine(&[]);
        let error = of(&recipe("bookworm"), empty.path()).expect_err("nothing known").to_string();
        assert!(error.contains("help: set `mirror = "), "{error}");
        let table = Recipe {
            mirror: Some("http://m.example/debian/".into()),
            snapshot: Some("20260101T000000Z".into()),
            ..recipe("bookworm")
        };
        assert_eq!(
            shown(&table, empty.path()),
            ["http://m.example/debian/20260101T000000Z bookworm", "http://m.example/debian/20260101T000000Z bookworm-updates"]
        );
    }
}
