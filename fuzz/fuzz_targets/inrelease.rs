//! Signed lists: the message, its signatures, the fields; and keyrings.
#![no_main]

use cargo_appbundle::debian::{Keyring, Release};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(keyring) = Keyring::parse(bytes) {
        let _ = Release::verified(bytes, &keyring, "bookworm", 1 << 31, false);
    }
    let _ = Release::verified(bytes, &Keyring::default(), "bookworm", 1 << 31, true);
});
