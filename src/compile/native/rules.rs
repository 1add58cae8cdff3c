//! What the build scripts of well-known crates look for. Each is written down as the script of the crate has it.

use semver::VersionReq;

use super::need::{NativeFile, NativeNeed};
use super::scripts;
use crate::workspace::{Compiled, Side};

/// What a crate needs.
struct Rule {
    /// The crates that it holds for.
    crates: &'static [&'static str],
    wants: &'static [Want],
    /// The versions of which it is certain.
    versions: &'static str,
    /// Features of which one must be on; none if it holds without.
    only: &'static [&'static str],
    /// Features with which it does not hold.
    unless: &'static [&'static str],
    /// Crates with which it does not hold, because they bring what is needed.
    without: &'static [&'static str],
    /// Variables that tell where it is.
    variables: &'static [&'static str],
    /// Of crates that build scripts call: the words in a build script that show that it does.
    calls: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Want {
    Library(&'static str),
    Program(&'static str),
    Libclang,
    Cpp,
}

use Want::{Cpp, Libclang, Library, Program};

const NONE: Rule =
    Rule { crates: &[], wants: &[], versions: "<1", only: &[], unless: &[], without: &[], variables: &[], calls: &[] };

/// Build scripts that call these crates only for targets or with settings that are rare.
const RARELY_CALLS: &[&str] = &["aws-lc-sys", "aws-lc-fips-sys"];

const RULES: &[Rule] = &[
    // Libraries
    Rule {
        crates: &["openssl-sys"],
        wants: &[Library("openssl")],
        unless: &["vendored", "aws-lc", "aws-lc-fips", "unstable_boringssl"],
        without: &["openssl-src"],
        variables: &["OPENSSL_DIR", "OPENSSL_LIB_DIR"],
        ..NONE
    },
    Rule {
        crates: &["libsqlite3-sys"],
        wants: &[Library("sqlite3")],
        unless: &[
            "bundled",
            "bundled-sqlcipher",
            "bundled-sqlcipher-vendored-openssl",
            "sqlcipher",
            "in_gecko",
            "loadable_extension",
        ],
        variables: &["SQLITE3_LIB_DIR"],
        ..NONE
    },
    Rule { crates: &["libudev-sys"], wants: &[Library("libudev")], ..NONE },
    Rule { crates: &["libdbus-sys"], wants: &[Library("dbus-1")], unless: &["vendored"], ..NONE },
    Rule { crates: &["alsa-sys"], wants: &[Library("alsa")], ..NONE },
    Rule { crates: &["hidapi"], wants: &[Library("libudev")], versions: "2", only: &["linux-static-hidraw"], ..NONE },
    Rule { crates: &["hidapi"], wants: &[Library("libusb-1.0")], versions: "2", only: &["linux-static-libusb"], ..NONE },
    Rule { crates: &["hidapi"], wants: &[Library("hidapi-hidraw")], versions: "2", only: &["linux-shared-hidraw"], ..NONE },
    Rule { crates: &["hidapi"], wants: &[Library("hidapi-libusb")], versions: "2", only: &["linux-shared-libusb"], ..NONE },
    Rule {
        crates: &["pq-sys"],
        wants: &[Library("libpq")],
        unless: &["bundled", "bundled_without_openssl"],
        variables: &["PQ_LIB_DIR"],
        ..NONE
    },
    Rule {
        crates: &["mysqlclient-sys"],
        wants: &[Library("mysqlclient")],
        versions: "=0.0.0",
        unless: &["bundled"],
        variables: &["MYSQLCLIENT_LIB_DIR"],
        ..NONE
    },
    Rule {
        crates: &["tss-esapi-sys"],
        wants: &[Library("tss2-sys"), Library("tss2-esys"), Library("tss2-tctildr"), Library("tss2-mu")],
        unless: &["bundled"],
        ..NONE
    },
    Rule { crates: &["zstd-sys"], wants: &[Library("libzstd")], versions: "2", only: &["pkg-config"], ..NONE },
    Rule {
        crates: &["yeslogic-fontconfig-sys"],
        wants: &[Library("fontconfig")],
        versions: ">=3, <7",
        unless: &["dlopen"],
        variables: &["RUST_FONTCONFIG_DLOPEN"],
        ..NONE
    },
    Rule { crates: &["pcap"], wants: &[Library("libpcap")], versions: ">=1, <3", variables: &["LIBPCAP_LIBDIR"], ..NONE },
    Rule { crates: &["libseccomp-sys"], wants: &[Library("libseccomp")], variables: &["LIBSECCOMP_LIB_PATH"], ..NONE },
    Rule { crates: &["libsystemd-sys"], wants: &[Library("libsystemd")], variables: &["SYSTEMD_LIB_DIR"], ..NONE },
    Rule { crates: &["fuser"], wants: &[Library("fuse3")], only: &["libfuse3"], ..NONE },
    Rule { crates: &["fuser"], wants: &[Library("fuse")], only: &["libfuse2"], unless: &["libfuse3"], ..NONE },
    Rule {
        crates: &["rdkafka-sys"],
        wants: &[Library("rdkafka")],
        versions: "4",
        only: &["dynamic-linking", "dynamic_linking"],
        ..NONE
    },
    Rule { crates: &["sdl2-sys"], wants: &[Library("sdl2")], unless: &["bundled", "use-vcpkg"], ..NONE },
    Rule { crates: &["sasl2-sys"], wants: &[Library("libsasl2")], versions: "=0.0.0", unless: &["vendored"], ..NONE },
    Rule { crates: &["libgssapi-sys"], wants: &[Library("krb5-gssapi")], versions: "=0.0.0", ..NONE },
    Rule {
        crates: &["zmq-sys"],
        wants: &[Library("libzmq")],
        versions: "<0.12",
        without: &["zeromq-src"],
        variables: &["LIBZMQ_PREFIX"],
        ..NONE
    },
    // C++ for the side of the crate that has it compiled
    Rule { crates: &["zmq-sys"], wants: &[Cpp], versions: "0.12", unless: &[], without: &["metadeps"], ..NONE },
    Rule { crates: &["librocksdb-sys"], wants: &[Cpp], versions: "*", variables: &["ROCKSDB_LIB_DIR"], ..NONE },
    Rule { crates: &["link-cplusplus"], wants: &[Cpp], versions: "1", ..NONE },
    // Programs
    Rule {
        crates: &["prost-build", "tonic-build", "tonic-prost-build"],
        wants: &[Program("protoc")],
        versions: ">=0.11",
        without: &["protobuf-src", "protoc-bin-vendored", "protox"],
        variables: &["PROTOC"],
        calls: &["compile_protos", "tonic_build::configure"],
        ..NONE
    },
    Rule {
        crates: &["bindgen"],
        wants: &[Libclang],
        versions: ">=0.50",
        variables: &["LIBCLANG_PATH"],
        calls: &["bindgen::"],
        ..NONE
    },
    Rule { crates: &["cmake"], wants: &[Program("cmake")], variables: &["CMAKE"], calls: &["cmake::"], ..NONE },
    Rule { crates: &["capnpc"], wants: &[Program("capnp")], versions: "=0.0.0", ..NONE },
    Rule { crates: &["nasm-rs"], wants: &[Program("nasm")], versions: "=0.0.0", ..NONE },
    Rule { crates: &["openssl-src"], wants: &[Program("perl"), Program("make")], versions: ">=111", ..NONE },
    Rule { crates: &["tikv-jemalloc-sys", "jemalloc-sys"], wants: &[Program("make")], variables: &["JEMALLOC_OVERRIDE"], ..NONE },
    Rule {
        crates: &["rdkafka-sys"],
        wants: &[Program("make")],
        versions: "4",
        unless: &["dynamic-linking", "dynamic_linking", "cmake-build", "cmake_build", "static-external"],
        ..NONE
    },
    Rule { crates: &["autotools"], wants: &[Program("make")], versions: "=0.0.0", ..NONE },
];

/// What the rules say of these packages.
pub fn needs(graph: &[Compiled]) -> Vec<NativeNeed> {
    RULES.iter().flat_map(|rule| rule.needs(graph)).collect()
}

/// Whether the rules say what a crate's build script looks for.
pub fn are_about(name: &str) -> bool {
    RULES.iter().any(|rule| rule.calls.is_empty() && rule.crates.contains(&name))
}

impl Rule {
    fn needs(&self, graph: &[Compiled]) -> Vec<NativeNeed> {
        let own = graph.iter().filter(|package| self.crates.contains(&package.name.as_str()) && self.holds(package, graph));
        own.flat_map(|package| self.of(package, graph)).collect()
    }

    fn holds(&self, package: &Compiled, graph: &[Compiled]) -> bool {
        let has = |feature: &&str| package.features.iter().any(|own| own == feature);
        let is_there = |name: &&str| graph.iter().any(|other| other.name == **name);
        (self.only.is_empty() || self.only.iter().any(has))
            && !self.unless.iter().any(has)
            && !self.without.iter().any(is_there)
            // A service may have it as an ordinary library, which does nothing while it is compiled.
            && (self.calls.is_empty() || package.side == Side::Host)
    }

    fn of(&self, package: &Compiled, graph: &[Compiled]) -> Vec<NativeNeed> {
        let is_known = VersionReq::parse(self.versions).is_ok_and(|versions| versions.matches(&package.version));
        let shown = |package: &Compiled| format!("{} {}", package.name, package.version);
        let (packages, certain) = if self.calls.is_empty() {
            (vec![shown(package)], is_known)
        } else {
            let callers = self.callers(package, graph);
            let calls = |caller: &&Compiled| scripts::has(caller.build_script.as_deref(), self.calls);
            let certain: Vec<String> = callers.iter().copied().filter(calls).map(shown).collect();
            match certain.is_empty() {
                true => (callers.into_iter().map(shown).collect(), false),
                false => (certain, is_known),
            }
        };
        if packages.is_empty() {
            return Vec::new();
        }
        let need = |want: &Want| {
            let (wanted, side) = match *want {
                Library(name) => (NativeFile::Library(name.to_owned()), package.side),
                Program(name) => (NativeFile::Program(name.to_owned()), Side::Host),
                Libclang => (NativeFile::Libclang, Side::Host),
                Cpp => (NativeFile::Cpp, package.side),
            };
            NativeNeed::new(wanted, side, packages.clone(), certain, self.variables)
        };
        self.wants.iter().map(need).collect()
    }

    /// The packages with a build script that may call it.
    fn callers<'a>(&self, package: &Compiled, graph: &'a [Compiled]) -> Vec<&'a Compiled> {
        let depends = |other: &&Compiled| package.dependents.contains(&other.name) && other.build_script.is_some();
        graph.iter().filter(depends).filter(|other| !RARELY_CALLS.contains(&other.name.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_requirements() {
        for rule in RULES {
            assert!(VersionReq::parse(rule.versions).is_ok(), "{}", rule.versions);
        }
    }
}
