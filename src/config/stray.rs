//! Tables that were meant for this program, but have a name or a place at which nothing reads them.

use std::ops::Range;

use super::schema::plain;
use super::{Manifest, Problem, Problems, Step};
use crate::diagnostic::Code;

/// The app's table.
pub const APP: &str = "appbundle";

/// The table of a service, or of several.
pub const SERVICE: &str = "service";

/// Where tables may stand: the part of the manifest, and which of ours belongs there.
const PLACES: [(&str, &str); 2] = [("workspace", APP), ("package", SERVICE)];

/// Reports each table of a manifest that is nearly ours. `is_root` says that it is the workspace's manifest, whose package may have
/// the app's table as well.
pub fn report(manifest: &Manifest, is_root: bool, problems: &mut Problems) {
    for (part, ours) in PLACES {
        for (name, span) in manifest.keys(&[Step::Key(part), Step::Key("metadata")]) {
            let written = format!("[{part}.metadata.{name}]");
            let read = name == ours || (name == APP && is_root);
            if let Some(meant) = [ours, APP, SERVICE].into_iter().find(|known| is_nearly(&name, known)).filter(|_| !read) {
                problems.push(not_read(manifest, span, &written, part, meant, is_root));
            }
        }
        // One level too high: Cargo warns of keys that it does not know, which nobody sees where it is asked for metadata.
        for (name, span) in manifest.keys(&[Step::Key(part)]).into_iter().filter(|(name, _)| name == APP || name == SERVICE) {
            problems.push(not_read(manifest, span, &format!("[{part}.{name}]"), "", &name, is_root));
        }
    }
    for above in [&[][..], &[Step::Key("metadata")]] {
        for (name, span) in manifest.keys(above).into_iter().filter(|(name, _)| name == APP || name == SERVICE) {
            let before = if above.is_empty() { "" } else { "metadata." };
            problems.push(not_read(manifest, span, &format!("[{before}{name}]"), "", &name, is_root));
        }
    }
}

fn not_read(manifest: &Manifest, span: Range<usize>, written: &str, part: &str, meant: &str, is_root: bool) -> Problem {
    let problem = manifest.problem_at(Code::UnknownTable, span, format!("the table `{written}` is not read"));
    let table = if meant == APP { "[workspace.metadata.appbundle]" } else { "[package.metadata.service]" };
    if PLACES.contains(&(part, meant)) || (part == "package" && is_root) {
        return problem.meant_as(&format!("did you mean `[{part}.metadata.{meant}]`?"), meant);
    }
    let place = match (meant, is_root) {
        (APP, false) => " in the workspace's `Cargo.toml`",
        (SERVICE, true) => " in the `Cargo.toml` of the service's package",
        _ => "",
    };
    problem.help(format!("did you mean `{table}`{place}?"))
}

/// Whether a name is one of ours with a typing error, or in another style. Names of other tools are not: `serve`, `device`,
/// `bundle`.
fn is_nearly(name: &str, ours: &str) -> bool {
    let name = plain(name);
    let distance = strsim::damerau_levenshtein(&name, ours);
    distance <= 1 || (distance == 2 && name.len().abs_diff(ours.len()) <= 1 && name.starts_with(&ours[..1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, is_root: bool) -> Vec<String> {
        let manifest = Manifest { shown: "Cargo.toml".into(), text: text.into() };
        let mut problems = Problems::default();
        report(&manifest, is_root, &mut problems);
        problems.iter().map(|problem| problem.render(false)).collect()
    }

    #[test]
    fn tables_that_are_nearly_ours_are_found() {
        for (text, is_root, meant) in [
            ("[package.metadata.servce]", false, "[package.metadata.service]"),
            ("[package.metadata.Service]", false, "[package.metadata.service]"),
            ("[[package.metadata.services]]", false, "[package.metadata.service]"),
            ("[package.metadata.app-bundle]", true, "[package.metadata.appbundle]"),
            ("[workspace.metadata.appbundel]", true, "[workspace.metadata.appbundle]"),
            ("[workspace.metadata.appbundel.auterion]", true, "[workspace.metadata.appbundle]"),
            ("workspace.metadata = { app_bundle = {} }", true, "[workspace.metadata.appbundle]"),
            ("[workspace.metadata.service]", true, "[package.metadata.service]"),
            ("[package.metadata.appbundle]", false, "[workspace.metadata.appbundle]"),
            ("[package.service]", false, "[package.metadata.service]"),
            ("[workspace.appbundle]", true, "[workspace.metadata.appbundle]"),
            ("[metadata.service]", false, "[package.metadata.service]"),
            ("[appbundle]", true, "[workspace.metadata.appbundle]"),
        ] {
            let found = found(text, is_root);
            assert!(found.len() == 1 && found[0].contains(&format!("did you mean `{meant}`")), "{text}: {found:?}");
        }
    }

    #[test]
    fn tables_of_others_are_left_alone() {
        let others = "docs docs.rs deb rpm release cargo-machete binstall bundle dist wix android leptos cross udeps bundler serve \
            device server vendor appimage app auditable cargo-all-features i18n features workspaces spellcheck systemd services-x";
        for name in others.split_whitespace() {
            for part in ["package", "workspace"] {
                let text = format!("[{part}.metadata.\"{name}\"]\nx = 1\n");
                assert_eq!(found(&text, true), Vec::<String>::new(), "{text}");
            }
        }
        assert_eq!(found("[workspace.metadata.appbundle]\n[package.metadata.service]\n", true), Vec::<String>::new());
        assert_eq!(found("[package.metadata.appbundle]\n", true), Vec::<String>::new());
    }
}
