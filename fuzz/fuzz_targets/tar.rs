//! The tar reader: every member, its content, and what stands after the end.
#![no_main]

use std::io::{self, Read as _};

use cargo_appbundle::archive::TarReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut reader = TarReader::new(bytes);
    while let Ok(Some(entry)) = reader.next_entry() {
        let _ = cargo_appbundle::archive::confined(&entry.path);
        let _ = io::copy(&mut (&mut reader).take(1 << 16), &mut io::sink());
    }
    let _ = reader.tail();
});
