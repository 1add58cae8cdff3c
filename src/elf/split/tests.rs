use std::path::Path;
use std::process::Command;

use super::*;
use crate::elf::compiled::{COMPILERS, said};

fn parts(path: &Path) -> Option<[Vec<u8>; 2]> {
    let data = std::fs::read(path).expect("read");
    let symbols = Symbols::of(&data).expect("ELF")?;
    let (mut stripped, mut debug) = (Vec::new(), Vec::new());
    symbols.write_stripped(&mut stripped).expect("stripped");
    symbols.write_debug(&mut debug).expect("debug");
    assert_eq!(symbols.build_id.map(|id| id.len()), Some(40));
    Some([stripped, debug])
}

/// Of 32 bits and of 64, static and dynamic: GNU's tools see in the parts what they see in the whole.
#[test]
fn the_parts_hold_what_the_whole_held() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    for (compiler, linking) in COMPILERS.iter().flat_map(|compiler| ["-rdynamic", "-static"].map(|linking| (compiler, linking))) {
        if !compiler.compile(&["-g", linking], &at("whole")) {
            continue;
        }
        let [stripped, debug] = parts(&at("whole")).expect("symbols");
        std::fs::write(at("debug"), debug).expect("written");
        assert_eq!(compiler.run(&stripped, &at("whole"), &at("stripped")), "ran\n", "{compiler:?} {linking}");
        let readelf =
            |name: &str, options: &[&str]| said(Command::new("readelf").args(options).arg(name).current_dir(folder.path()));
        for name in ["stripped", "debug"] {
            readelf(name, &["--all", "--wide"]);
        }
        let lines = |name| readelf(name, &["--debug-dump=info,decodedline", "--symbols", "--wide"]);
        let of_debugger = |text: String| text.split_once("'.symtab'").map(|(_, rest)| rest.to_owned());
        assert_eq!(of_debugger(lines("debug")), of_debugger(lines("whole")), "{compiler:?} {linking}");
        let dynamic = |name| readelf(name, &["--dyn-syms", "--relocs", "--dynamic", "--version-info", "--wide"]);
        assert_eq!(dynamic("stripped"), dynamic("whole"), "{compiler:?} {linking}");
        assert!(parts(&at("stripped")).is_none(), "it is stripped");
    }
}

#[test]
fn what_cannot_be_split() {
    assert!(Symbols::of(b"#!/bin/sh\n").is_err() && Symbols::of(b"").is_err());
    let own = std::fs::read(std::env::current_exe().expect("path")).expect("read");
    assert!(Symbols::of(&own).expect("ELF").is_some());
    for length in [64, 1000, own.len() / 2] {
        assert!(Symbols::of(&own[..length]).is_err(), "{length}");
    }
}
