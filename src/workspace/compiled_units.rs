//! What Cargo compiled, as its messages tell.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{Artifact, TargetKind};

use super::Side;

/// The packages whose crates Cargo compiled, or found compiled, by Cargo's identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompiledUnits {
    /// Those that are compiled for the machine of the services, with their features.
    pub target: BTreeMap<String, BTreeSet<String>>,
    /// Those that are compiled for the machine that compiles: build scripts, macros, and what these use.
    pub host: BTreeSet<String>,
}

impl CompiledUnits {
    /// Adds what one message tells. `folders` are the folders of the target's triple and of the profile, by which its files are told
    /// from those for this machine.
    pub fn add(&mut self, artifact: &Artifact, folders: [&str; 2]) {
        // A build script belongs to its package, and is none of its crates.
        if artifact.target.kind.contains(&TargetKind::CustomBuild) {
            return;
        }
        let id = artifact.package_id.repr.clone();
        match side(artifact, folders) {
            Side::Target => self.target.entry(id).or_default().extend(artifact.features.iter().cloned()),
            Side::Host => drop(self.host.insert(id)),
        }
    }
}

/// Cargo builds for a triple in `TRIPLE/PROFILE`, and for itself in `PROFILE`.
fn side(artifact: &Artifact, folders: [&str; 2]) -> Side {
    let is_for_target = |path: &cargo_metadata::camino::Utf8PathBuf| {
        let parts: Vec<&str> = path.components().map(|part| part.as_str()).collect();
        parts.windows(2).any(|pair| pair == folders)
    };
    let is_macro = artifact.target.kind.contains(&TargetKind::ProcMacro);
    if !is_macro && artifact.filenames.iter().any(is_for_target) { Side::Target } else { Side::Host }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(kind: &str, path: &str, features: &[&str]) -> Artifact {
        let target =
            serde_json::json!({"kind": [kind], "crate_types": [kind], "name": "x", "src_path": "/x.rs", "edition": "2021"});
        let profile = serde_json::json!({"opt_level": "0", "debuginfo": 0, "debug_assertions": false, "overflow_checks": false, "test": false});
        serde_json::from_value(serde_json::json!({
            "package_id": "registry+x#x@1.0.0", "manifest_path": "/x/Cargo.toml", "target": target, "profile": profile,
            "features": features, "filenames": [path], "executable": null, "fresh": true
        }))
        .expect("artifact")
    }

    #[test]
    fn the_path_tells_the_machine() {
        let mut units = CompiledUnits::default();
        let folders = ["aarch64-unknown-linux-gnu", "release"];
        units.add(&artifact("custom-build", "/t/release/build/x-1/build-script-build", &["script"]), folders);
        assert_eq!(units, CompiledUnits::default());
        units.add(&artifact("proc-macro", "/t/release/deps/libx.so", &["macro"]), folders);
        units.add(&artifact("lib", "/t/release/deps/libx.rlib", &["host"]), folders);
        assert!(units.target.is_empty() && units.host.len() == 1);
        units.add(&artifact("lib", "/t/aarch64-unknown-linux-gnu/release/deps/libx.rlib", &["std"]), folders);
        units.add(&artifact("bin", "/t/aarch64-unknown-linux-gnu/release/x", &["cli"]), folders);
        let features: Vec<&str> = units.target["registry+x#x@1.0.0"].iter().map(String::as_str).collect();
        assert_eq!(features, ["cli", "std"]);
    }
}
