//! Manifests, and the report of what is wrong in them.
#![no_main]

use cargo_appbundle::config::{Manifest, Problems, Step};
use cargo_appbundle::config::schema::Schema;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("Cargo.toml");
    std::fs::write(&path, bytes).expect("written");
    if let Ok(manifest) = Manifest::read(&path) {
        let mut problems = Problems::default();
        Schema::app().check(&manifest, &[Step::Key("workspace"), Step::Key("metadata"), Step::Key("appbundle")], &mut problems);
        Schema::service().check(&manifest, &[Step::Key("package"), Step::Key("metadata"), Step::Key("service")], &mut problems);
        drop(problems.render(false));
    }
});
