//! What build scripts and linkers say when something is not installed: the texts of the crates that most of them use, and what
//! each means.

use crate::apt::Sought;

/// What a text tells is missing.
#[derive(Clone, Copy, Debug)]
enum Means {
    /// The library that pkg-config knows by the name in the text.
    PkgConfig,
    /// The library that the linker knows by the name in the text.
    Library,
    /// The header of this name.
    Header,
    /// The program of this name.
    Program,
    /// The same always.
    Always(Missing<'static>),
}

/// Something that is not installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing<'a> {
    /// A file for the target, or a program for this machine.
    File(Sought<'a>),
    /// What no single file stands for, and the packages with it, for this machine.
    Part(&'static str, &'static [&'static str]),
}

const LIBCLANG: Missing<'_> = Missing::Part("libclang", &["clang", "libclang-dev"]);
const OPENSSL: Missing<'_> = Missing::File(Sought::PkgConfig("openssl"));
const PKG_CONFIG: Missing<'_> = Missing::File(Sought::Program("pkg-config"));
const PROTOC: Missing<'_> = Missing::File(Sought::Program("protoc"));

const PROTOS: Missing<'_> = Missing::Part("Protobuf's own `.proto` files", &["libprotobuf-dev"]);

/// The text before a name, the text behind it, and what they mean. Of a text without a name, nothing stands behind.
const TEXTS: [(&str, &str, Means); 27] = [
    // pkg-config
    ("The system library `", "` required by crate", Means::PkgConfig),
    ("The file `", ".pc` needs to be installed", Means::PkgConfig),
    ("Package ", " was not found in the pkg-config search path", Means::PkgConfig),
    ("No package '", "' found", Means::PkgConfig),
    ("The pkg-config command could not be found", "", Means::Always(PKG_CONFIG)),
    ("Could not run `pkg-config", "", Means::Always(PKG_CONFIG)),
    ("Could not run `PKG_CONFIG", "", Means::Always(PKG_CONFIG)),
    // openssl-sys; openssl-src
    ("Could not find directory of OpenSSL installation", "", Means::Always(OPENSSL)),
    ("Command '", "' not found. Is ", Means::Program),
    // prost-build; protobuf-codegen; protoc-rust
    ("Could not find `protoc`", "", Means::Always(PROTOC)),
    ("protoc binary not found", "", Means::Always(PROTOC)),
    // protoc, which looks for them beside itself
    ("google/protobuf/", ".proto: File not found", Means::Always(PROTOS)),
    // clang-sys; the headers of a clang that is not there
    ("Unable to find libclang", "", Means::Always(LIBCLANG)),
    ("couldn't find any valid shared libraries matching: ['libclang", "", Means::Always(LIBCLANG)),
    ("fatal error: 'stddef.h' file not found", "", Means::Always(Missing::Part("clang's headers", &["clang"]))),
    // cc
    ("failed to find tool \"", "\"", Means::Program),
    ("Failed to find tool. Is `", "` installed?", Means::Program),
    // cmake, autotools, nasm-rs, aws-lc-sys, shells
    ("is `", "` not installed?", Means::Program),
    ("Unable to run nasm", "", Means::Always(Missing::File(Sought::Program("nasm")))),
    ("Missing dependency: ", "\n", Means::Program),
    (": exec: ", ": not found", Means::Program),
    // compilers
    ("fatal error: ", ": No such file or directory", Means::Header),
    ("fatal error: '", "' file not found", Means::Header),
    // GNU ld, lld, rustc
    ("cannot find -l", ":", Means::Library),
    ("cannot find -l", "\n", Means::Library),
    ("unable to find library -l", "\n", Means::Library),
    ("could not find native static library `", "`", Means::Library),
];

/// What is missing, as the texts of an output tell, each once.
pub fn missing(output: &str) -> Vec<Missing<'_>> {
    let mut all: Vec<Missing<'_>> = Vec::new();
    for (before, after, means) in TEXTS {
        for (at, _) in output.match_indices(before) {
            // Names stand on one line. A name at the end of the output may be cut off.
            let rest = &output[at + before.len()..];
            let name = rest.find(after).map(|end| rest[..end].trim()).filter(|name| !name.contains(char::is_whitespace));
            let missing = match (means, name) {
                (Means::Always(missing), Some(_)) => missing,
                (_, None | Some("" | "sh")) => continue,
                (Means::PkgConfig, Some(name)) => Missing::File(Sought::PkgConfig(name)),
                (Means::Library, Some(name)) => Missing::File(Sought::Library(name)),
                (Means::Header, Some(name)) => Missing::File(Sought::Header(name)),
                (Means::Program, Some(name)) => Missing::File(Sought::Program(name)),
            };
            // The compiler's own header is told of already.
            if missing != Missing::File(Sought::Header("stddef.h")) && !all.contains(&missing) {
                all.push(missing);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the crates print, word for word.
    const SAID: [(&str, &[Missing<'_>]); 22] = [
        (
            "  Error: Custom { kind: Other, error: \"protoc failed: google/protobuf/timestamp.proto: File not found.\\ngoogle/protobuf/any.proto: File not found.\\n",
            &[PROTOS],
        ),
        (
            "  Package alsa was not found in the pkg-config search path.\n  Perhaps you should add the directory containing `alsa.pc'\n  to the PKG_CONFIG_PATH environment variable\n  Package 'alsa', required by 'virtual:world', not found\n\n  The system library `alsa` required by crate `alsa-sys` was not found.\n  The file `alsa.pc` needs to be installed and the PKG_CONFIG_PATH environment variable must contain its parent directory.\n",
            &[Missing::File(Sought::PkgConfig("alsa"))],
        ),
        (
            "called `Result::unwrap()` on an `Err` value: \"\\npkg-config exited with status code 1\\n\\nThe system library `libudev` required by crate `libudev-sys` was not found.\\n\"",
            &[Missing::File(Sought::PkgConfig("libudev"))],
        ),
        (
            "  Failed to find tss2-sys library.: \n  The file `tss2-sys.pc` needs to be installed and the PKG_CONFIG_PATH environment variable must contain its parent directory.\n",
            &[Missing::File(Sought::PkgConfig("tss2-sys"))],
        ),
        ("No package 'libudev' found\n", &[Missing::File(Sought::PkgConfig("libudev"))]),
        ("  The pkg-config command could not be found.\n", &[PKG_CONFIG]),
        (
            "  Could not run `PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config --libs --cflags alsa`\n  The pkg-config command could not be found.\n",
            &[PKG_CONFIG],
        ),
        ("  Could not run `pkg-config --libs alsa`\n", &[PKG_CONFIG]),
        (
            "  Could not find directory of OpenSSL installation, and this `-sys` crate cannot\n  proceed without this knowledge. If OpenSSL is installed and this crate had\n",
            &[OPENSSL],
        ),
        ("    Command 'perl' not found. Is perl installed?\n", &[Missing::File(Sought::Program("perl"))]),
        (
            "error: \"Could not find `protoc`. If `protoc` is installed, try setting the `PROTOC` environment variable to the path of the `protoc` binary.",
            &[PROTOC],
        ),
        ("  protoc binary not found: cannot find binary path\n", &[PROTOC]),
        (
            "  Unable to find libclang: \"couldn't find any valid shared libraries matching: ['libclang.so', 'libclang-*.so'], set the `LIBCLANG_PATH` environment variable to a path where one of these files can be found (invalid: [])\"\n",
            &[LIBCLANG],
        ),
        ("/usr/include/stdio.h:33:10: fatal error: 'stddef.h' file not found\n", &[Missing::Part("clang's headers", &["clang"])]),
        (
            "  error occurred in cc-rs: failed to find tool \"aarch64-linux-gnu-g++\": No such file or directory (os error 2)\n",
            &[Missing::File(Sought::Program("aarch64-linux-gnu-g++"))],
        ),
        (
            "Internal error occurred: Failed to find tool. Is `musl-gcc` installed?\n",
            &[Missing::File(Sought::Program("musl-gcc"))],
        ),
        (
            "  failed to execute command: No such file or directory (os error 2)\n  is `cmake` not installed?\n",
            &[Missing::File(Sought::Program("cmake"))],
        ),
        (
            "  autoreconf: 1: exec: autoreconf: not found\n  is `sh` not installed?\n",
            &[Missing::File(Sought::Program("autoreconf"))],
        ),
        ("Missing dependency: cmake\nMissing build dependency\n", &[Missing::File(Sought::Program("cmake"))]),
        (
            "`Err` value: \"Unable to run nasm: No such file or directory (os error 2)\"\n",
            &[Missing::File(Sought::Program("nasm"))],
        ),
        (
            "warning: l@0.1.0: y.c:1:10: fatal error: zstd.h: No such file or directory\nwarning: l@0.1.0: y.c:1:10: fatal error: 'openssl/ssl.h' file not found\n",
            &[Missing::File(Sought::Header("zstd.h")), Missing::File(Sought::Header("openssl/ssl.h"))],
        ),
        (
            "  = note: /usr/bin/ld: cannot find -lsqlite3: No such file or directory\n/usr/bin/ld: cannot find -lz\nrust-lld: error: unable to find library -lssl\nerror: could not find native static library `tss2-esys`, perhaps an -L flag is missing?\n",
            &[
                Missing::File(Sought::Library("sqlite3")),
                Missing::File(Sought::Library("z")),
                Missing::File(Sought::Library("ssl")),
                Missing::File(Sought::Library("tss2-esys")),
            ],
        ),
    ];

    #[test]
    fn what_crates_say_tells_what_is_missing() {
        for (said, told) in SAID {
            assert_eq!(missing(said), told, "{said}");
        }
        for said in [
            "error[E0308]: mismatched types",
            "fatal error: ",
            "cannot find -l",
            "failed to find tool \"a b\"",
            "is `` not installed?",
        ] {
            assert_eq!(missing(said), [], "{said}");
        }
    }

    #[test]
    fn every_text_is_said_by_some_crate() {
        for (before, _, _) in TEXTS {
            let is_said = SAID.iter().any(|(said, _)| said.contains(before));
            assert!(is_said, "{before}");
        }
    }
}
