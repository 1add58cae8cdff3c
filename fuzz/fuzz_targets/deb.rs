//! Packages.
#![no_main]

use cargo_appbundle::debian::{Spool, Unpacked};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let spool = Spool::new().expect("a temporary file");
    let _ = Unpacked::read(bytes, &spool, 1 << 20, &|_, _| true);
});
