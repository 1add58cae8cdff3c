//! What builds look for.

use std::fmt;

/// A file that a build looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sought<'a> {
    /// What pkg-config knows by this name: `openssl` is `openssl.pc`.
    PkgConfig(&'a str),
    /// What a linker knows by this name: `ssl` is `libssl.so` or `libssl.a`.
    Library(&'a str),
    /// A program.
    Program(&'a str),
    /// A header, as C includes it: `openssl/ssl.h`.
    Header(&'a str),
}

impl fmt::Display for Sought<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PkgConfig(name) => write!(f, "{name}.pc"),
            Self::Library(name) => write!(f, "lib{name}.so"),
            Self::Program(name) | Self::Header(name) => f.write_str(name),
        }
    }
}

impl Sought<'_> {
    /// Whether its name can be one. It comes out of what any build script printed.
    pub(super) fn is_sane(self) -> bool {
        let (Self::PkgConfig(name) | Self::Library(name) | Self::Program(name) | Self::Header(name)) = self;
        let may_be = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c) || (c == '/' && matches!(self, Self::Header(_)));
        name.chars().all(may_be) && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !name.contains("..")
    }

    /// Whether it is found at a path of a package, without `/` at its beginning.
    pub(super) fn is_at(self, path: &str) -> bool {
        let below = |folder: &str| {
            let rest = path.strip_prefix(folder)?.strip_prefix('/')?;
            let without = rest.split_once('/').filter(|(first, _)| first.contains("-linux-")).map(|(_, rest)| rest);
            Some(without.unwrap_or(rest))
        };
        match self {
            Self::PkgConfig(name) => ["usr/lib", "usr/share"]
                .into_iter()
                .filter_map(below)
                .any(|rest| rest.strip_prefix("pkgconfig/").and_then(|file| file.strip_suffix(".pc")) == Some(name)),
            Self::Library(name) => below("usr/lib").is_some_and(|rest| {
                let stem = rest.strip_suffix(".so").or_else(|| rest.strip_suffix(".a"));
                stem.and_then(|stem| stem.strip_prefix("lib")) == Some(name)
            }),
            Self::Program(name) => ["usr/bin/", "bin/"].into_iter().any(|folder| path.strip_prefix(folder) == Some(name)),
            Self::Header(name) => below("usr/include") == Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_paths() {
        for (sought, path) in [
            (Sought::PkgConfig("openssl"), "usr/lib/x86_64-linux-gnu/pkgconfig/openssl.pc"),
            (Sought::PkgConfig("xkeyboard-config"), "usr/share/pkgconfig/xkeyboard-config.pc"),
            (Sought::Library("ssl"), "usr/lib/aarch64-linux-gnu/libssl.so"),
            (Sought::Library("wrap"), "usr/lib/libwrap.a"),
            (Sought::Program("protoc"), "usr/bin/protoc"),
            (Sought::Header("openssl/ssl.h"), "usr/include/openssl/ssl.h"),
            (Sought::Header("openssl/configuration.h"), "usr/include/x86_64-linux-gnu/openssl/configuration.h"),
        ] {
            assert!(sought.is_at(path), "{path}");
        }
        for (sought, path) in [
            (Sought::PkgConfig("openssl"), "usr/lib/x86_64-linux-gnu/pkgconfig/libopenssl.pc"),
            (Sought::PkgConfig("openssl"), "usr/x86_64-w64-mingw32/lib/pkgconfig/openssl.pc"),
            (Sought::Library("ssl"), "usr/lib/x86_64-linux-gnu/plugins/libssl.so"),
            (Sought::Header("ssl.h"), "usr/include/openssl/ssl.h"),
        ] {
            assert!(!sought.is_at(path), "{path}");
        }
    }
}
