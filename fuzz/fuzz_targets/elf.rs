//! The reader of executables and libraries.
#![no_main]

use cargo_appbundle::elf::{Elf, glibc};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(elf) = Elf::parse(bytes) {
        elf.defines.iter().for_each(|version| drop(glibc(version)));
    }
});
