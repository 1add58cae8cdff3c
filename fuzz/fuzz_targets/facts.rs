//! What is read from a base's layer, and the paths resolved in it.
#![no_main]

use cargo_appbundle::app::Facts;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut facts) = Facts::read(bytes) {
        let links: Vec<String> = facts.links.keys().cloned().collect();
        links.iter().for_each(|link| drop(facts.resolve(link)));
        let upper = facts.clone();
        facts.overlay(upper);
    }
});
