//! The artifact reader.
#![no_main]

use cargo_appbundle::archive::Budget;
use cargo_appbundle::mender;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = mender::read(bytes, &Budget::new(16 << 20), &mut |_, stream| {
        let _ = std::io::copy(stream, &mut std::io::sink());
    });
});
