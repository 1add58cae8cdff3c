//! The reader of executables and libraries.
#![no_main]

use cargo_appbundle::elf::{Elf, glibc, section, with_section};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(elf) = Elf::parse(bytes) {
        elf.defines.iter().for_each(|version| drop(glibc(version)));
    }
    if let Ok(more) = with_section(bytes, ".more", b"more") {
        assert!(section(&more[..], ".more").is_ok());
    }
});
