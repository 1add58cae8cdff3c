//! The reader of lists of crates, as compressed JSON and as JSON.
#![no_main]

use cargo_appbundle::archive::zlib;
use cargo_appbundle::trust::CrateList;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let packed = zlib::compress(bytes).unwrap();
    for section in [bytes, &packed] {
        if let Ok(list) = CrateList::parse(section) {
            assert_eq!(CrateList::parse(&list.write().unwrap()).unwrap(), list);
        }
    }
    let _ = CrateList::read(bytes);
});
