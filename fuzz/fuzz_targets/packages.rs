//! Lists of packages, and the choice among them.
#![no_main]

use cargo_appbundle::debian::{Distribution, PackageIndex, Recipe, resolve};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut index = PackageIndex::default();
    if index.add(bytes, 0).is_ok() {
        index.finish();
        let recipe = Recipe { packages: vec!["a".into()], essential: true, ..Recipe::new(Distribution::Debian, "bookworm") };
        let _ = resolve(&index, &recipe);
    }
});
