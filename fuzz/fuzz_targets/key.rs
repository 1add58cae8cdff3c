//! Keys in PEM: public ones, private ones, and what is signed with them.
#![no_main]

use cargo_appbundle::trust::{SigningKey, VerifyingKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = VerifyingKey::parse(bytes) {
        // What is read can be written, and is then the same.
        assert!(VerifyingKey::parse(key.pem().as_bytes()).is_ok_and(|again| again == key));
        assert!(!key.verifies(b"message", bytes));
    }
    if let Ok(key) = SigningKey::parse(bytes)
        && let Ok(signature) = key.sign(b"message")
    {
        assert!(key.public().verifies(b"message", &signature));
    }
});
