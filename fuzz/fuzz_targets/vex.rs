//! VEX documents, and the names of packages in them.
#![no_main]

use cargo_appbundle::trust::purl::Purl;
use cargo_appbundle::trust::vex;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let purl = std::str::from_utf8(bytes).ok().and_then(Purl::parse);
    if let Some(purl) = &purl {
        assert_eq!(Purl::parse(&purl.to_string()).as_ref(), Some(purl));
    }
    let package: Vec<Purl> = purl.into_iter().collect();
    for statement in vex::parse(bytes).unwrap_or_default() {
        statement.is_about(&["CVE-2031-1"], &package, &[]);
    }
});
