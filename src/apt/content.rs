//! Which package has a file: as dpkg knows it of installed packages, and apt of all packages.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::common;

/// Where apt keeps the lists that it fetched.
const LISTS: &str = "/var/lib/apt/lists";

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
    fn is_sane(self) -> bool {
        let (Self::PkgConfig(name) | Self::Library(name) | Self::Program(name) | Self::Header(name)) = self;
        let may_be = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c) || (c == '/' && matches!(self, Self::Header(_)));
        name.chars().all(may_be) && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !name.contains("..")
    }

    /// Whether it is found at a path of a package, without `/` at its beginning.
    fn is_at(self, path: &str) -> bool {
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

/// The installed package that has it.
pub fn installed(sought: Sought<'_>) -> Option<String> {
    if !sought.is_sane() {
        return None;
    }
    // `PACKAGE:ARCHITECTURE, PACKAGE: PATH`
    let output = Command::new("dpkg").args(["--search", &format!("*/{sought}")]).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let packages = text.lines().filter_map(|line| {
        let (packages, path) = line.split_once(": /")?;
        sought.is_at(path).then_some(packages)
    });
    best(sought, packages.flat_map(|packages| packages.split(", ")).filter_map(|package| package.split(':').next()))
}

/// The package that has it, as the lists of contents say that apt fetched.
pub fn listed(sought: Sought<'_>) -> Option<String> {
    let entries = std::fs::read_dir(LISTS).ok().filter(|_| sought.is_sane())?;
    let lists = entries.flatten().map(|entry| entry.path());
    let is_contents =
        |path: &std::path::PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains("_Contents-"));
    let mut lists: Vec<_> = lists.filter(is_contents).collect();
    lists.sort_unstable();
    lists.iter().find_map(|list| of_contents(sought, list))
}

/// Lines are `PATH SECTION/PACKAGE,SECTION/PACKAGE` (Debian wiki, "RepositoryFormat"). apt unpacks them, however it keeps them.
fn of_contents(sought: Sought<'_>, list: &Path) -> Option<String> {
    let mut unpacked = Command::new("/usr/lib/apt/apt-helper");
    unpacked.arg("cat-file").arg(list).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = unpacked.spawn().ok()?;
    let mut lines = BufReader::new(child.stdout.take()?);
    let end = sought.to_string();
    let (mut packages, mut line) = (Vec::new(), Vec::new());
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        if let Some((path, of)) = text.trim_end().rsplit_once([' ', '\t'])
            && path.trim_end().ends_with(&end)
            && sought.is_at(path.trim_end())
        {
            packages.extend(of.split(',').filter_map(|package| package.rsplit('/').next()).map(str::to_owned));
        }
        line.clear();
    }
    let _ = child.wait();
    best(sought, packages.iter().map(String::as_str))
}

/// Of several packages the common one, else the one with the shortest name: its variants have longer ones.
fn best<'a>(sought: Sought<'_>, packages: impl Iterator<Item = &'a str>) -> Option<String> {
    let common = common::package(sought);
    packages.min_by_key(|package| (common.as_deref() != Some(*package), package.len(), *package)).map(str::to_owned)
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

    #[test]
    fn lists_of_contents_name_packages() {
        if !Path::new("/usr/lib/apt/apt-helper").is_file() {
            return;
        }
        let folder = tempfile::tempdir().expect("folder");
        let list = folder.path().join("deb.debian.org_debian_dists_bookworm_main_Contents-amd64");
        let text = "usr/lib/x86_64-linux-gnu/pkgconfig/imagined.pc              libdevel/libimagined-extra-dev,libdevel/libimagined-dev\n\
            usr/lib/x86_64-linux-gnu/pkgconfig/notimagined.pc\t\tlibdevel/libother-dev\n";
        std::fs::write(&list, text).expect("written");
        assert_eq!(of_contents(Sought::PkgConfig("imagined"), &list).as_deref(), Some("libimagined-dev"));
        assert_eq!(of_contents(Sought::PkgConfig("absent"), &list), None);
    }
}
