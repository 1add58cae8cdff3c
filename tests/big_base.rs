//! Bases of a gigabyte: as much memory as for a small one, and each layer unpacked once in its life.

mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use cargo_appbundle::digest::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use support::harness::{self, test};
use support::needs::{arm64_cc, python3, registry};
use support::registry::{Guard, Registry};
use support::{Project, judge, ok};

/// Bytes of one of the base's files; it is compressed once, and then stands in the layer many times.
const FILE: usize = 32 << 20;

/// Runs a command, and prints what it took: KiB of memory, bytes that were read, seconds of processors.
const MEASURE: &str = "
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
read = next(line.split()[1] for line in open(f'/proc/{child.pid}/io') if line.startswith('rchar'))
_, status, usage = os.wait4(child.pid, 0)
print(usage.ru_maxrss, read, usage.ru_utime)
sys.exit(os.waitstatus_to_exitcode(status))
";

/// What a build took.
#[derive(Debug)]
struct Took {
    /// Bytes at the peak.
    memory: u64,
    /// Bytes of all reads.
    read: u64,
    /// Seconds in the program itself.
    user: f64,
}

fn measured(build: &Command) -> Took {
    let mut command = Command::new("python3");
    command.args(["-c", MEASURE]).arg(build.get_program()).args(build.get_args());
    command.current_dir(build.get_current_dir().expect("folder"));
    for (name, value) in build.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let printed = ok(&mut command);
    let numbers: Vec<f64> = printed.split_whitespace().map(|number| number.parse().expect("number")).collect();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of bytes")]
    Took { memory: numbers[0] as u64 * 1024, read: numbers[1] as u64, user: numbers[2] }
}

fn gzip(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("gzip")
}

fn entry(name: &str, size: usize, kind: tar::EntryType) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).expect("path");
    header.set_size(size as u64);
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_entry_type(kind);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// A layer as gzip: the C library, and so many files of [`FILE`] bytes that get smaller to a quarter; and the sum of its tar.
fn layer(folder: &Path, files: usize) -> (Vec<u8>, Digest) {
    let mut start = entry("lib/", 0, tar::EntryType::Directory);
    for name in ["libc.so.6", "ld-linux-aarch64.so.1"] {
        let bytes = std::fs::read(Path::new("/usr/aarch64-linux-gnu/lib").join(name)).expect("the cross C library");
        start.extend(entry(&format!("lib/{name}"), bytes.len(), tar::EntryType::Regular));
        start.extend(&bytes);
        start.resize(start.len().next_multiple_of(512), 0);
    }
    let mut state = 1u64;
    let mut content = vec![0; FILE];
    for block in content.chunks_mut(64) {
        for byte in block.iter_mut().take(16) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = state.to_be_bytes()[0];
        }
    }
    let packed = gzip(&content, Compression::fast());
    let mut all = gzip(&start, Compression::fast());
    let mut tar = std::fs::File::create(folder.join("layer.tar")).expect("file");
    tar.write_all(&start).expect("written");
    for number in 0..files {
        let header = entry(&format!("big-{number}"), FILE, tar::EntryType::Regular);
        all.extend(gzip(&header, Compression::fast()));
        all.extend(&packed);
        tar.write_all(&header).expect("written");
        tar.write_all(&content).expect("written");
    }
    tar.write_all(&[0; 1024]).expect("written");
    all.extend(gzip(&[0; 1024], Compression::fast()));
    // Ten times quicker than a test that is not optimised.
    let sum = judge("sha256sum", &[folder.join("layer.tar").to_str().expect("path")]);
    std::fs::remove_file(folder.join("layer.tar")).expect("removed");
    (all, Digest::from_hex(&sum[..64]).expect("sum"))
}

/// An OCI archive `NAME.tar` of an image with that layer; gives its size.
fn archive(project: &Project, name: &str, files: usize) -> u64 {
    let (layer, diff_id) = layer(project.path(), files);
    let config =
        format!(r#"{{"architecture":"arm64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#);
    let descriptor = |kind: &str, bytes: &[u8]| {
        let kind = format!("application/vnd.oci.image.{kind}");
        format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{}}}"#, Digest::of(bytes), bytes.len())
    };
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}}"#,
        descriptor("config.v1+json", config.as_bytes()),
        descriptor("layer.v1.tar+gzip", &layer)
    );
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, descriptor("manifest.v1+json", manifest.as_bytes()));
    let path = project.path().join(format!("{name}.tar"));
    let mut file = std::fs::File::create(&path).expect("file");
    let mut put = |name: &str, bytes: &[u8]| {
        file.write_all(&entry(name, bytes.len(), tar::EntryType::Regular)).expect("written");
        file.write_all(bytes).expect("written");
        file.write_all(&vec![0; bytes.len().next_multiple_of(512) - bytes.len()]).expect("written");
    };
    put("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    put("index.json", index.as_bytes());
    for bytes in [manifest.as_bytes(), config.as_bytes(), &layer] {
        put(&format!("blobs/sha256/{}", Digest::of(bytes).hex()), bytes);
    }
    file.write_all(&[0; 1024]).expect("written");
    std::fs::metadata(path).expect("file").len()
}

fn project() -> Project {
    let project = Project::new(&["alpha"]);
    project.binaries(&["alpha"]);
    project
}

/// Builds; builds again with another executable; both are measured.
fn twice(project: &Project, base: &str) -> [Took; 2] {
    project.with_base(base);
    let build = || measured(&project.pack_alone(&["--format", "docker"]));
    let first = build();
    // A stamp proves something only once it is older than the clock's tick.
    std::thread::sleep(std::time::Duration::from_millis(100));
    project.binary("alpha", "int main() { return 7; }\n");
    let again = build();
    project.binaries(&["alpha"]);
    println!("{base}: {first:?}, then {again:?}");
    [first, again]
}

const MIB: u64 = 1 << 20;

fn an_archive_of_a_gigabyte_takes_no_more_memory_and_is_unpacked_once() {
    let project = project();
    let (small, size) = (archive(&project, "small", 1), archive(&project, "big", 31));
    assert!(size > 200 * MIB, "{size}");
    let [small_first, small_again] = twice(&project, "{ archive = \"small.tar\" }");
    assert!(small_again.read < 2 * small, "{small_again:?}");
    let [first, again] = twice(&project, "{ archive = \"big.tar\" }");
    for took in [&first, &again] {
        assert!(took.memory < 64 * MIB && took.memory < small_first.memory + 8 * MIB, "{took:?} where {small_first:?}");
    }
    // Once from the archive, once from the cache into the bundle; then from there alone.
    assert!(first.read < size * 22 / 10, "{first:?} of {size}");
    assert!(again.read < size * 12 / 10, "{again:?} of {size}");
    assert!(again.user < first.user / 2.0, "{again:?} after {first:?}");
    let bundle = ok(&mut project.pack_alone(&["--format", "docker"]));
    let list = judge("tar", &["-tf", bundle.trim()]);
    let layer = judge("tar", &["-tf", project.path().join("big.tar").to_str().expect("path")]);
    assert!(list.contains(layer.lines().last().expect("layer")), "the layer is there as it was: {list}");
}

/// An archive that is compressed as a whole has to be unpacked to be looked into: once.
fn a_compressed_archive_is_unpacked_once() {
    let project = project();
    let size = archive(&project, "inner", 8);
    let bytes = project.read("inner.tar");
    std::fs::write(project.path().join("outer.tar.gz"), gzip(&bytes, Compression::none())).expect("written");
    let [first, again] = twice(&project, "{ archive = \"outer.tar.gz\" }");
    assert!(first.read > 2 * size && again.read < size * 13 / 10, "{first:?}, then {again:?} of {size}");
}

fn an_image_of_a_gigabyte_takes_no_more_memory_and_is_unpacked_once() {
    let (project, registry) = (project(), Registry::start(Guard::None));
    let size = archive(&project, "big", 31);
    let from = format!("oci-archive:{}", project.path().join("big.tar").display());
    let to = format!("docker://{}/team/big:1", registry.host);
    judge("skopeo", &["copy", "-q", "--preserve-digests", "--dest-tls-verify=false", &from, &to]);
    let [first, again] = twice(&project, &format!("{{ image = \"{}/team/big:1\" }}", registry.host));
    for took in [&first, &again] {
        assert!(took.memory < 64 * MIB, "{took:?}");
    }
    // Once from the registry, once from the cache of blobs, once from that of layers into the bundle.
    assert!(first.read < size * 32 / 10, "{first:?} of {size}");
    assert!(again.read < size * 12 / 10, "{again:?} of {size}");
    assert!(again.user < first.user / 2.0, "{again:?} after {first:?}");
    let lock = project.text("appbundle.lock");
    assert!(lock.contains("glibc = \"2."), "{lock}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(an_archive_of_a_gigabyte_takes_no_more_memory_and_is_unpacked_once, [arm64_cc, python3]),
        test!(a_compressed_archive_is_unpacked_once, [arm64_cc, python3]),
        test!(an_image_of_a_gigabyte_takes_no_more_memory_and_is_unpacked_once, [registry, arm64_cc, python3]),
    ])
}
