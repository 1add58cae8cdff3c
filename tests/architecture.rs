//! The house rules of the source tree, read from the source itself.

use std::path::{Path, PathBuf};

/// The floors, lowest first: a module imports only from floors below its own, or from itself.
const FLOORS: [&[&str]; 8] = [
    &["archive", "digest", "fs", "process", "shell"],
    &["elf", "engine", "mender", "oci", "registry", "segment"],
    &["store"],
    &["app"],
    &["config", "workspace", "plan"],
    &["base", "bundle", "compile", "image", "render"],
    &["commands"],
    &["cli"],
];

/// On the third floor there is an order; and registries speak in the documents of OCI.
const MAY_LOOK: [(&str, &str); 3] = [("plan", "config"), ("plan", "workspace"), ("registry", "oci")];

/// Who alone imports a crate.
const DOORS: [(&str, &[&str]); 21] = [
    ("clap", &["cli"]),
    ("cargo_metadata", &["workspace", "compile"]),
    ("tar", &["archive"]),
    ("flate2", &["archive"]),
    ("libdeflater", &["archive"]),
    ("ruzstd", &["archive"]),
    ("lzma_rust2", &["archive"]),
    ("sha2", &["digest"]),
    ("ring", &["digest"]),
    ("object", &["elf"]),
    ("indicatif", &["shell"]),
    ("rcgen", &["commands"]),
    ("ureq", &["registry"]),
    ("rustls", &["registry"]),
    ("httpdate", &["registry"]),
    ("annotate_snippets", &["config"]),
    ("minijinja", &["render", "commands"]),
    ("bollard", &["engine"]),
    ("tokio", &["engine"]),
    ("hyper", &["engine"]),
    ("toml_edit", &["commands"]),
];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&root).into_iter().map(|entry| entry.expect("readable").into_path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .map(|path| (path.clone(), std::fs::read_to_string(path).expect("text")))
        .collect()
}

/// The top-level module that a file belongs to.
fn module(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let first = path.strip_prefix(root).expect("in src").components().next().expect("a name");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The code without its tests, which may look anywhere.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

#[test]
fn modules_import_from_the_floors_below() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let own = module(&path);
        if own == "lib" || own == "main" {
            continue;
        }
        let Some(own_floor) = floor(&own) else {
            faults.push(format!("{} is on no floor", path.display()));
            continue;
        };
        for (number, line) in without_tests(&text).lines().enumerate() {
            for piece in line.split("crate::").skip(1) {
                let name: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(other) = floor(&name) else { continue };
                let allowed = name == own || other < own_floor || MAY_LOOK.contains(&(own.as_str(), name.as_str()));
                if !allowed {
                    faults.push(format!("{}:{}: `{own}` looks at `{name}`", path.display(), number + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn foreign_crates_have_one_door() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let own = module(&path);
        for (name, doors) in DOORS {
            let used = without_tests(&text).lines().any(|line| {
                let line = line.trim_start();
                !line.starts_with("//")
                    && line
                        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                        .any(|word| word.starts_with(&format!("{name}::")))
            });
            if used && !doors.contains(&own.as_str()) {
                faults.push(format!("{}: `{name}` belongs into {doors:?}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_stay_small() {
    let large: Vec<String> = sources()
        .into_iter()
        .map(|(path, text)| (without_tests(&text).lines().count(), path))
        .filter(|(lines, _)| *lines > 350)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(large.is_empty(), "split these: {}", large.join("\n"));
}
