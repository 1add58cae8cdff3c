//! Provenance in a statement of anybody's.
#![no_main]

use cargo_appbundle::trust::{Provenance, Statement};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(statement) = Statement::parse(bytes) else { return };
    let Some(Ok(provenance)) = Provenance::of(&statement) else { return };
    if let Ok(source) = provenance.source() {
        // Neither a flag for Git nor a way out of its folder.
        assert!(source.commit.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(source.state.folder.split('/').all(|part| part != ".."));
        assert!(!source.state.folder.starts_with('/'));
    }
    let again = provenance.statement(statement.subject.clone()).expect("JSON");
    assert_eq!(Provenance::of(&again), Some(Ok(provenance)));
});
