//! A look into any bundle.
#![no_main]

use cargo_appbundle::bundle::survey::{Limits, survey_reader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = survey_reader(bytes, Limits { unpacked: 16 << 20, largest: 3, executables: true });
});
