//! Envelopes and the statements in them.
#![no_main]

use std::sync::LazyLock;

use cargo_appbundle::trust::{SigningKey, Statement, VerifyingKey, open};
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<[VerifyingKey; 1]> =
    LazyLock::new(|| [SigningKey::generate().expect("random numbers").0.public().clone()]);

fuzz_target!(|bytes: &[u8]| {
    // Nobody signed anything with this key.
    assert!(open(bytes, &*KEYS).is_err());
    let _ = Statement::parse(bytes);
});
