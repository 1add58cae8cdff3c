use std::path::Path;
use std::process::Command;

use super::*;

fn said(command: &mut Command) -> String {
    let output = command.output().expect("ran");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

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
    std::fs::write(at("x.c"), "#include <stdio.h>\nint main(void) { puts(\"ran\"); return 0; }\n").expect("written");
    let compilers = [
        ("arm-linux-gnueabihf-gcc", "qemu-arm-static", "/usr/arm-linux-gnueabihf"),
        ("aarch64-linux-gnu-gcc", "qemu-aarch64-static", "/usr/aarch64-linux-gnu"),
        ("riscv64-linux-gnu-gcc", "qemu-riscv64-static", "/usr/riscv64-linux-gnu"),
    ];
    for ((compiler, emulator, sysroot), linking) in compilers.iter().flat_map(|c| [(*c, "-rdynamic"), (*c, "-static")]) {
        let gcc = Command::new(compiler).args(["-g", linking, "-o"]).arg(at("whole")).arg(at("x.c")).status();
        if gcc.is_err() && std::env::var_os("CI").is_none() {
            continue;
        }
        let [stripped, debug] = parts(&at("whole")).expect("symbols");
        std::fs::write(at("debug"), debug).expect("written");
        // With the mode of an executable.
        std::fs::copy(at("whole"), at("stripped")).expect("copied");
        std::fs::write(at("stripped"), stripped).expect("written");
        assert_eq!(said(Command::new(emulator).args(["-L", sysroot]).arg(at("stripped"))), "ran\n", "{compiler} {linking}");
        let readelf =
            |name: &str, options: &[&str]| said(Command::new("readelf").args(options).arg(name).current_dir(folder.path()));
        for name in ["stripped", "debug"] {
            readelf(name, &["--all", "--wide"]);
        }
        let lines = |name| readelf(name, &["--debug-dump=info,decodedline", "--symbols", "--wide"]);
        let of_debugger = |text: String| text.split_once("'.symtab'").map(|(_, rest)| rest.to_owned());
        assert_eq!(of_debugger(lines("debug")), of_debugger(lines("whole")), "{compiler} {linking}");
        let dynamic = |name| readelf(name, &["--dyn-syms", "--relocs", "--dynamic", "--version-info", "--wide"]);
        assert_eq!(dynamic("stripped"), dynamic("whole"), "{compiler} {linking}");
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
