//! gzip and zstd, on a budget.
#![no_main]

use std::io;

use cargo_appbundle::archive::{Budget, decompressed, gzip, zstd};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let budget = Budget::new(16 << 20);
    if let Ok(reader) = decompressed(bytes) {
        let _ = io::copy(&mut budget.reader(reader), &mut io::sink());
    }
    let _ = io::copy(&mut budget.reader(gzip::decoder(bytes)), &mut io::sink());
    let _ = io::copy(&mut budget.reader(zstd::Decoder::new(bytes)), &mut io::sink());
});
