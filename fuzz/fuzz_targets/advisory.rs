//! Advisories in both forms, held against a version.
#![no_main]

use cargo_appbundle::trust::advisory::{osv, rustsec};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let markdown = std::str::from_utf8(bytes).ok().and_then(|text| rustsec::parse(text).ok());
    let json = osv::parse(bytes, &|_, _| true).ok();
    for advisory in [markdown, json].into_iter().flatten().filter_map(|(_, advisory)| advisory) {
        for package in &advisory.affected {
            for version in ["1.2.3", "0.0.0-0", "1:2.0-3+deb12u1", ""] {
                package.has(version);
                package.fixed_in(version);
            }
        }
    }
});
