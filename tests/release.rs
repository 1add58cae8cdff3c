//! What scripts/release packs: archives that are whole, and static executables that run with no other file around them.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::{arm64_rust, namespaces, qemu_aarch64, registry};
use support::registry::{Guard, Registry};
use support::{Project, TRIPLE, appbundle, ok, repository, toolchain, within};

const AMD: &str = "x86_64-unknown-linux-gnu";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs scripts/release, with the profile of the other tests: it compiles in a third of the time. Gives its folder.
fn release() -> tempfile::TempDir {
    let dist = tempfile::tempdir().expect("folder");
    let mut script = Command::new(repository().join("scripts/release"));
    let printed = ok(script.args([AMD, TRIPLE]).env("PROFILE", "dev").env("DIST", dist.path()).env_remove("CARGO_TARGET_DIR"));
    let expected = [archive(AMD), archive(TRIPLE), "SHA256SUMS".into()];
    let expected: Vec<String> = expected.iter().map(|name| dist.path().join(name).display().to_string()).collect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
    dist
}

fn archive(target: &str) -> String {
    format!("cargo-appbundle-{VERSION}-{target}.tar.gz")
}

/// Unpacks a target's archive; gives its folder.
fn unpack(dist: &Path, target: &str) -> PathBuf {
    ok(Command::new("tar").arg("-xzf").arg(archive(target)).current_dir(dist));
    dist.join(format!("cargo-appbundle-{VERSION}-{target}"))
}

/// Values of `[package.metadata.binstall]`, as cargo-binstall fills them in for a target.
fn binstall(target: &str) -> [String; 2] {
    let manifest = std::fs::read_to_string(repository().join("Cargo.toml")).expect("readable");
    let manifest: toml::Value = toml::from_str(&manifest).expect("TOML");
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let own = binstall["overrides"].get(target);
    ["pkg-url", "bin-dir"].map(|key| {
        let value = own.and_then(|own| own.get(key)).unwrap_or(&binstall[key]).as_str().expect("text");
        let values =
            [("repo", "REPO"), ("name", "cargo-appbundle"), ("bin", "cargo-appbundle"), ("version", VERSION), ("target", target)];
        values.iter().fold(value.to_owned(), |text, (name, value)| text.replace(&format!("{{ {name} }}"), value))
    })
}

fn archives_are_whole(dist: &Path) {
    ok(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(dist));
    let pages = tempfile::tempdir().expect("folder");
    ok(appbundle(&repository(), &["man"]).arg(pages.path()));
    let pages = std::fs::read_dir(pages.path()).expect("readable").flatten();
    let mut expected: BTreeSet<String> = pages.map(|page| format!("man/{}", page.file_name().display())).collect();
    let completions =
        ["cargo-appbundle.bash", "_cargo-appbundle", "cargo-appbundle.fish", "_cargo-appbundle.ps1", "cargo-appbundle.elv"];
    expected.extend(completions.map(|name| format!("completions/{name}")));
    expected.extend(["cargo-appbundle", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md"].map(str::to_owned));
    for target in [AMD, TRIPLE] {
        let folder = unpack(dist, target);
        let files = walkdir::WalkDir::new(&folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
        let files = files.map(|file| file.path().strip_prefix(&folder).expect("inside").display().to_string());
        assert_eq!(files.collect::<BTreeSet<_>>(), expected, "{target}");
        let headers =
            ok(Command::new("readelf").args(["--program-headers", "--dynamic", "--wide"]).arg(folder.join("cargo-appbundle")));
        assert!(!headers.contains("INTERP") && !headers.contains("(NEEDED)"), "{target} is not static: {headers}");
        for asked in [target.to_owned(), target.replace("gnu", "musl")] {
            let found = binstall(&asked);
            assert_eq!(found[0], format!("REPO/releases/download/v{VERSION}/{}", archive(target)), "{asked}");
            assert!(dist.join(&found[1]).is_file(), "{asked}: {}", found[1]);
        }
    }
}

/// A folder that the executable takes for the root of all files.
struct Chroot {
    root: tempfile::TempDir,
}

impl Chroot {
    fn new(executable: &Path) -> Self {
        let root = tempfile::tempdir().expect("folder");
        std::fs::copy(executable, root.path().join("cargo-appbundle")).expect("copied");
        Self { root }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        std::fs::create_dir_all(path.parent().expect("folder")).expect("folders");
        std::fs::write(path, text).expect("written");
    }

    /// The executable without variables, with these folders of the machine.
    fn command(&self, folders: &[&str], arguments: &[&str]) -> Command {
        let script = r#"root=$1; shift
            while [ "$1" != -- ]; do
                if [ -L "$1" ]; then ln -s "$(readlink "$1")" "$root$1"; else mkdir -p "$root$1"; mount --rbind "$1" "$root$1"; fi
                shift
            done; shift
            exec chroot "$root" /cargo-appbundle appbundle "$@""#;
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "/bin/sh", "-euc", script, "sh"]).arg(self.root.path());
        command.args(folders).arg("--").args(arguments).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }
}

/// Looks at a bundle and pushes it where nothing else is: no C library, no `/etc`, no `/proc`, no `/tmp`.
fn works_in_an_empty_root(executable: &Path, bundle: &Path) {
    let registry = Registry::start(Guard::None);
    let port = registry.host.rsplit_once(':').expect("a port").1;
    let chroot = Chroot::new(executable);
    std::fs::copy(bundle, chroot.root.path().join("a.auterionos")).expect("copied");
    ok(&mut chroot.command(&[], &["verify", "a.auterionos"]));
    let shown = ok(&mut chroot.command(&[], &["inspect", "a.auterionos"]));
    assert!(shown.contains("com.example.demo.alpha:1.2.3"), "{shown}");
    let push = |host: &str, path: &str| {
        let repo = format!("{host}:{port}/{path}");
        let host = format!("{host}:{port}");
        ok(&mut chroot.command(&[], &["push", "a.auterionos", "--repo", &repo, "--insecure-registry", &host]));
        let pushed = format!("docker://{}/{path}/alpha:1.2.3", registry.host);
        let pushed = ok(Command::new("skopeo").args(["inspect", "--config", "--tls-verify=false", &pushed]));
        assert!(pushed.contains("\"arm64\""), "{pushed}");
    };
    push("127.0.0.1", "by-address");
    chroot.write("etc/hosts", "127.0.0.1 registry.internal\n");
    push("registry.internal", "by-name");
    // Modules of another glibc would make it crash.
    chroot
        .write("etc/nsswitch.conf", "passwd: files systemd\nhosts: mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return]\n");
    push("registry.internal", "by-name-with-modules");
}

/// Builds where nothing but a toolchain is, with dpkg's records of it. Gives the bundle.
fn builds_with_a_toolchain_alone(executable: &Path, project: &Project) -> Vec<u8> {
    let sysroot = ok(Command::new("rustc").args(toolchain().map(|name| format!("+{name}"))).args(["--print", "sysroot"]));
    let bin = format!("{}/bin", sysroot.trim());
    let chroot = Chroot::new(executable);
    ok(Command::new("cp").arg("-a").arg(project.path()).arg(chroot.root.path().join("app")));
    // The base `auto` says of which packages its libraries are, and of which release.
    for name in ["etc/os-release", "etc/debian_version", "etc/lsb-release"] {
        let text = std::fs::read_to_string(Path::new("/").join(name));
        text.into_iter().for_each(|text| chroot.write(name, &text));
    }
    let folders = ["/dev", "/usr", "/lib", "/lib64", "/var/lib/dpkg", sysroot.trim()];
    let build = ["build", "--manifest-path", "/app/Cargo.toml", "--no-compile", "--bin-dir", "/app/bin"];
    let mut command = chroot.command(&folders, &build);
    command.env("CARGO", format!("{bin}/cargo")).env("RUSTC", format!("{bin}/rustc")).env("HOME", "/app");
    let printed = ok(&mut command);
    std::fs::read(chroot.root.path().join(printed.trim().trim_start_matches('/'))).expect("the bundle")
}

/// The whole way with the executable for arm64.
fn works_under_an_emulator(executable: &Path, project: &Project) -> Vec<u8> {
    let registry = Registry::start(Guard::None);
    let emulated = |arguments: &[&str]| emulate(executable, &appbundle(project.path(), arguments));
    // To the executable, this machine is an arm64 one, on which `cc` would be the linker.
    let linker = format!("target.{TRIPLE}.linker = 'aarch64-linux-gnu-gcc'");
    let bundle = ok(&mut emulated(&["build", "--no-compile", "--bin-dir", "bin", "--config", &linker]));
    let bundle = bundle.trim();
    ok(&mut emulated(&["verify", bundle]));
    assert!(ok(&mut emulated(&["inspect", bundle])).contains("com.example.demo.alpha:1.2.3"));
    let port = registry.host.rsplit_once(':').expect("a port").1;
    for host in ["localhost", "127.0.0.1"] {
        ok(&mut emulated(&["push", "--repo", &format!("{host}:{port}/{host}")]));
        let pushed = format!("docker://{}/{host}/alpha:1.2.3", registry.host);
        ok(Command::new("skopeo").args(["inspect", "--config", "--tls-verify=false", &pushed]));
    }
    std::fs::read(bundle).expect("the bundle")
}

/// A command with another program, which is for arm64.
fn emulate(executable: &Path, like: &Command) -> Command {
    let mut own = Command::new(executable);
    own.args(like.get_args()).current_dir(like.get_current_dir().expect("a folder"));
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => own.env(name, value),
            None => own.env_remove(name),
        };
    }
    within(&["qemu-aarch64-static"], &own)
}

fn releases_run_without_anything_around_them() {
    let dist = release();
    archives_are_whole(dist.path());
    let [amd, arm] = [AMD, TRIPLE].map(|target| unpack(dist.path(), target).join("cargo-appbundle"));
    let projects = [(); 3].map(|()| Project::new(&["alpha"]));
    for project in &projects {
        project.binaries(&["alpha"]);
    }
    let bundle = ok(&mut projects[0].pack(&[]));
    works_in_an_empty_root(&amd, Path::new(bundle.trim()));
    let bundle = std::fs::read(bundle.trim()).expect("the bundle");
    assert!(builds_with_a_toolchain_alone(&amd, &projects[1]) == bundle, "the static executable writes other bytes");
    assert!(works_under_an_emulator(&arm, &projects[2]) == bundle, "the executable for arm64 writes other bytes");
}

fn main() -> ExitCode {
    harness::run(vec![test!(releases_run_without_anything_around_them, [arm64_rust, namespaces, qemu_aarch64, registry])])
}
