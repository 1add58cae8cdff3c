//! No test is forgotten: a file with the harness of tests/support/harness.rs would drop a `#[test]` in silence.

use std::path::Path;

#[test]
fn files_with_a_harness_of_their_own_have_no_test_attributes() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(top.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let manifest: toml::Value = toml::from_str(&read("Cargo.toml")).expect("TOML");
    let own = manifest["test"].as_array().expect("tests").iter();
    let own = own.filter(|test| test.get("harness").and_then(toml::Value::as_bool) == Some(false));
    for name in own.map(|test| test["name"].as_str().expect("name")) {
        let path = format!("tests/{name}.rs");
        // Sources that a test writes may have the attribute: they stand in raw strings.
        let text = read(&path);
        let code: String = text.split("r#\"").map(|part| part.split_once("\"#").map_or(part, |(_, code)| code)).collect();
        assert!(!code.contains("#[test]"), "{path}: a test is registered in `main` there, and has no `#[test]`");
    }
}
