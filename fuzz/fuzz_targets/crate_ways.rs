//! Lists of crates, and the ways through them.
#![no_main]

use cargo_appbundle::trust::CrateList;
use cargo_appbundle::trust::audit::AuditedCrates;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(list) = CrateList::parse(bytes) {
        let set = AuditedCrates { services: Vec::new(), file: None, arch: None, list };
        let users = set.users();
        (0..set.list.packages.len().min(50)).for_each(|at| drop(set.path_to(at, &users)));
    }
});
