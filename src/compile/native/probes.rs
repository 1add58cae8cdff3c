//! The libraries that build scripts ask pkg-config for by name (crate `pkg-config`), where the script fails without them.

use super::need::{NativeFile, NativeNeed};
use super::{rules, scripts};
use crate::workspace::{Compiled, Side};

/// What asks pkg-config for a library.
const CALLS: [&str; 3] = ["probe_library(", ".probe(", "find_library("];

/// Words of scripts that ask only sometimes, or do without the library: those are not guessed at.
const SOMETIMES: [&str; 7] = ["CARGO_CFG_", "CARGO_FEATURE_", "cfg!(", "#[cfg(", "return", "cc::", "cmake::"];

/// The libraries without which the scripts of these packages panic. What crates with rules need, the rules say.
pub fn needs(graph: &[Compiled]) -> Vec<NativeNeed> {
    let finder = graph.iter().find(|package| package.name == "pkg-config" && package.side == Side::Host);
    let callers = finder.map(|finder| finder.dependents.as_slice()).unwrap_or_default();
    let unknown = graph.iter().filter(|package| callers.contains(&package.name) && !rules::are_about(&package.name));
    unknown.flat_map(of).collect()
}

fn of(package: &Compiled) -> Vec<NativeNeed> {
    let script = scripts::text(package.build_script.as_deref());
    let need = |library: &str| {
        let shown = format!("{} {}", package.name, package.version);
        NativeNeed::new(NativeFile::Library(library.to_owned()), package.side, vec![shown], true, &[])
    };
    libraries(&script).into_iter().map(need).collect()
}

/// `tss2-esys` of `pkg_config::Config::new().probe("tss2-esys").unwrap()`.
fn libraries(script: &str) -> Vec<&str> {
    if !script.contains("pkg_config::") || SOMETIMES.iter().any(|word| script.contains(word)) {
        return Vec::new();
    }
    let asked = CALLS.iter().flat_map(|call| script.split(call).skip(1));
    asked.filter_map(needed).collect()
}

/// The name in what follows a call, if the script panics without the library.
fn needed(rest: &str) -> Option<&str> {
    let (name, rest) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    let rest = rest.trim_start().trim_start_matches(',').trim_start().strip_prefix(')')?.trim_start();
    (rest.starts_with(".unwrap()") || rest.starts_with(".expect(")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_script_cannot_do_without_is_needed() {
        let cases: [(&str, &[&str]); 6] = [
            ("pkg_config::Config::new()\n  .atleast_version(\"2.1\")\n  .probe(\"tss2-esys\")\n  .unwrap();", &["tss2-esys"]),
            ("pkg_config::probe_library( \"a\" ).expect(\"a\"); pkg_config::probe_library(\"b\").unwrap();", &["a", "b"]),
            ("if let Ok(found) = pkg_config::probe_library(\"zlib\") { found }", &[]),
            ("pkg_config::probe_library(\"a\").unwrap(); cc::Build::new();", &[]),
            ("pkg_config::probe_library(name).unwrap();", &[]),
            ("ruler.probe(\"a\").unwrap();", &[]),
        ];
        for (script, expected) in cases {
            assert_eq!(libraries(script), expected, "{script}");
        }
    }
}
