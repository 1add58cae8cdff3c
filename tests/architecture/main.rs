//! The house rules of the source tree, read from the source itself.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Module, Tree};

/// The floors, lowest first: a module imports only from floors below its own, or from itself.
const FLOORS: [&[&str]; 12] = [
    &["diagnostic", "os"],
    &["archive", "digest", "fs", "process", "shell"],
    &["apt", "elf", "grpc", "mender", "oci", "registry", "segment"],
    &["debian", "store"],
    &["app"],
    &["config", "engine", "workspace", "plan"],
    &["base", "bundle", "compile", "image", "render", "scaffold", "trust"],
    &["pipeline"],
    &["runtime"],
    &["dev", "doctor", "swarm", "testing"],
    &["commands"],
    &["cli"],
];

/// On the fourth floor there is an order; and registries speak in the documents of OCI.
const MAY_LOOK: [(&str, &str); 3] = [("plan", "config"), ("plan", "workspace"), ("registry", "oci")];

/// Who alone imports a crate.
const DOORS: [(&str, &[&str]); 24] = [
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("cvss", &["trust"]),
    ("clap_mangen", &["cli"]),
    ("cargo_metadata", &["workspace", "compile"]),
    ("tar", &["archive"]),
    ("flate2", &["archive"]),
    ("libdeflater", &["archive"]),
    ("ruzstd", &["archive"]),
    ("lzma_rust2", &["archive"]),
    ("sha2", &["digest"]),
    ("ring", &["debian", "digest", "trust"]),
    ("object", &["elf"]),
    ("indicatif", &["shell"]),
    ("rcgen", &["swarm"]),
    ("ureq", &["registry"]),
    ("rustls", &["registry"]),
    ("httpdate", &["registry"]),
    ("annotate_snippets", &["config"]),
    ("minijinja", &["render", "scaffold", "trust"]),
    ("bollard", &["engine"]),
    ("tokio", &["engine"]),
    ("hyper", &["engine"]),
    ("toml_edit", &["scaffold"]),
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

#[test]
fn modules_import_from_the_floors_below() {
    let tree = Tree::of_the_crate();
    let mut faults = Vec::new();
    for source in tree.sources.values() {
        let Some(own) = source.module.first() else { continue };
        let Some(own_floor) = floor(own) else {
            faults.push(format!("{} is on no floor", source.path.display()));
            continue;
        };
        for (used, path) in tree.uses(source) {
            let Some(other) = used.first() else { continue };
            let is_below = floor(other).is_some_and(|floor| floor < own_floor);
            if own != other && !is_below && !MAY_LOOK.contains(&(own, other)) {
                faults.push(format!("{}: `{own}` looks at `{other}`: {path}", source.path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut trees = vec![Tree::of_the_crate()];
    for entry in std::fs::read_dir(manifest.join("templates")).expect("templates").flatten() {
        if entry.path().join("src").is_dir() {
            trees.push(Tree::read(&entry.path().join("src"), &["main"]));
        }
    }
    let circles: Vec<String> = trees.iter().flat_map(circles).collect();
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}

/// Files that import each other, directly or through others: each group as a sentence.
fn circles(tree: &Tree) -> Vec<String> {
    let uses: BTreeMap<&Module, BTreeMap<Module, String>> =
        tree.sources.iter().map(|(module, source)| (module, tree.uses(source))).collect();
    let reached = |from: &Module| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = open.pop() {
            let next = uses.get(&module).into_iter().flat_map(BTreeMap::keys);
            open.extend(next.filter(|next| seen.insert((*next).clone())).cloned());
        }
        seen
    };
    let all: BTreeMap<&Module, BTreeSet<Module>> = uses.keys().map(|module| (*module, reached(module))).collect();
    let mut told = BTreeSet::new();
    let mut circles = Vec::new();
    for (module, reached) in all.iter().filter(|(module, reached)| reached.contains(**module)) {
        let group: BTreeSet<&Module> = reached.iter().filter(|other| all[other].contains(*module)).collect();
        if !told.insert(group.clone()) {
            continue;
        }
        let edges = group.iter().flat_map(|from| {
            let inside = uses[*from].iter().filter(|(to, _)| group.contains(to));
            inside.map(|(to, path)| format!("  {} -> {} ({path})", from.join("::"), to.join("::"))).collect::<Vec<_>>()
        });
        circles.push(format!("{} files in a circle:\n{}", group.len(), edges.collect::<Vec<_>>().join("\n")));
    }
    circles
}

#[test]
fn public_types_have_names_of_their_own() {
    let tree = Tree::of_the_crate();
    let mut owners: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for source in tree.sources.values() {
        for name in &source.types {
            owners.entry(name).or_default().push(source.path.display().to_string());
        }
    }
    let several = owners.iter().filter(|(_, paths)| paths.len() > 1);
    let several: Vec<String> = several.map(|(name, paths)| format!("`{name}`: {}", paths.join(", "))).collect();
    assert!(several.is_empty(), "\n{}", several.join("\n"));
}

#[test]
fn foreign_crates_have_one_door() {
    let tree = Tree::of_the_crate();
    let mut faults = Vec::new();
    for source in tree.sources.values() {
        let own = source.module.first().map_or("lib", String::as_str);
        for (name, doors) in DOORS {
            if source.crates().contains(name) && !doors.contains(&own) {
                faults.push(format!("{}: `{name}` belongs into {doors:?}", source.path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// So that the program compiles on other systems of Unix's kind, and does there without what they do not have.
#[test]
fn what_only_linux_has_is_behind_one_door() {
    let tree = Tree::of_the_crate();
    let others = tree.sources.values().filter(|source| source.module != ["os"]);
    let mut faults = Vec::new();
    for source in others {
        let text = std::fs::read_to_string(&source.path).expect("readable");
        let is_linux = |line: &&str| {
            ["target_os", "\"/proc", "os::linux", "set_child_subreaper", "renameat_with"].iter().any(|word| line.contains(word))
        };
        faults.extend(text.lines().filter(is_linux).map(|line| format!("{}: {}", source.path.display(), line.trim())));
    }
    assert!(faults.is_empty(), "these belong into src/os.rs:\n{}", faults.join("\n"));
}

#[test]
fn files_stay_small() {
    let tree = Tree::of_the_crate();
    let large = tree.sources.values().filter(|source| source.lines >= 300);
    let large: Vec<String> = large.map(|source| format!("{}: {} lines", source.path.display(), source.lines)).collect();
    assert!(large.is_empty(), "split these: {}", large.join("\n"));
}
