//! Executables that tests compile with GNU's cross compilers, look at with GNU's tools and run under qemu.

use std::path::Path;
use std::process::Command;

/// A cross compiler, and what runs its executables.
#[derive(Clone, Copy, Debug)]
pub struct CrossCompiler {
    name: &'static str,
    emulator: &'static str,
    sysroot: &'static str,
}

/// Of 32 bits and of 64.
pub const COMPILERS: [CrossCompiler; 3] = [
    CrossCompiler { name: "arm-linux-gnueabihf-gcc", emulator: "qemu-arm-static", sysroot: "/usr/arm-linux-gnueabihf" },
    CrossCompiler { name: "aarch64-linux-gnu-gcc", emulator: "qemu-aarch64-static", sysroot: "/usr/aarch64-linux-gnu" },
    CrossCompiler { name: "riscv64-linux-gnu-gcc", emulator: "qemu-riscv64-static", sysroot: "/usr/riscv64-linux-gnu" },
];

impl CrossCompiler {
    /// Compiles a program that prints `ran`. Says whether the compiler is there; in CI it has to be.
    pub fn compile(self, options: &[&str], to: &Path) -> bool {
        let source = to.with_extension("c");
        std::fs::write(&source, "#include <stdio.h>\nint main(void) { puts(\"ran\"); return 0; }\n").expect("written");
        let gcc = Command::new(self.name).args(options).arg("-o").arg(to).arg(source).status();
        if gcc.is_err() && std::env::var_os("CI").is_none() {
            return false;
        }
        assert!(gcc.expect("ran").success(), "{self:?} {options:?}");
        true
    }

    /// Runs `bytes` with the mode of the executable `like`, as `to` beside it.
    pub fn run(self, bytes: &[u8], like: &Path, to: &Path) -> String {
        std::fs::copy(like, to).expect("copied");
        std::fs::write(to, bytes).expect("written");
        said(Command::new(self.emulator).args(["-L", self.sysroot]).arg(to))
    }
}

/// What a program writes to stdout; nothing else may come of it.
pub fn said(command: &mut Command) -> String {
    let output = command.output().expect("ran");
    assert!(output.status.success() && output.stderr.is_empty(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
