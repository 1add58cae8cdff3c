//! Bases of Debian packages against Debian itself: dpkg's order of versions, apt's choice, mmdebstrap's tree, and programs that run.
//!
//! The archive is the one of this machine's apt.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cargo_appbundle::debian::{Distribution, PackageIndex, Recipe, compare_versions, resolve};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use rayon::prelude::*;
use support::debian::root_file_system;
use support::harness::{self, test};
use support::needs::{arm64_cc, debian_archive, docker_arm64, dpkg, mmdebstrap, qemu_aarch64, root};
use support::repository::unpacked;
use support::{Project, judge, ok, run};

fn versions_are_in_dpkgs_order() {
    let mut runner = TestRunner::deterministic();
    let part = "(0|[1-9]:)?[0-9][0-9a-zA-Z.+~]{0,6}(-[0-9a-z+.~]{1,4})?";
    let versions = proptest::string::string_regex(part).expect("a pattern");
    let mut script = String::new();
    let mut own = Vec::new();
    for _ in 0..400 {
        let one = versions.new_tree(&mut runner).expect("a value").current();
        let other = if own.len() % 3 == 0 {
            one.replace('0', "00") + "~"
        } else {
            versions.new_tree(&mut runner).expect("a value").current()
        };
        // dpkg refuses what is no version.
        if other.starts_with(|c: char| !c.is_ascii_digit()) || [&one, &other].iter().any(|version| version.contains(":-")) {
            continue;
        }
        script.push_str(&format!("dpkg --compare-versions '{one}' lt '{other}' && echo lt || {{ dpkg --compare-versions '{one}' eq '{other}' && echo eq || echo gt; }}\n"));
        own.push((one.clone(), other.clone(), compare_versions(&one, &other)));
    }
    let said = ok(Command::new("sh").args(["-c", &format!("exec 2>/dev/null\n{script}")]));
    let said: Vec<&str> = said.lines().collect();
    assert!(own.len() > 300 && said.len() == own.len());
    for ((one, other, order), said) in own.iter().zip(said) {
        let own = if order.is_lt() {
            "lt"
        } else if order.is_eq() {
            "eq"
        } else {
            "gt"
        };
        assert_eq!(own, said, "{one} and {other}");
    }
}

/// The packages that apt knows here, and their index. The lists are written to a folder without compression: apt would unpack them
/// anew for each package that it looks up.
fn known_to_apt(folder: &Path) -> (PackageIndex, Vec<String>) {
    let lists = folder.join("lists");
    std::fs::create_dir_all(lists.join("partial")).expect("folders");
    let list = ok(Command::new("apt-get").args(["indextargets", "--format", "$(FILENAME)", "Created-By: Packages"]));
    let mut index = PackageIndex::default();
    let mut names = BTreeSet::new();
    // apt on this machine may know other architectures as well.
    for path in list.lines().filter(|path| path.contains("debian") && path.contains("_main_binary-amd64_")) {
        let text = ok(Command::new("/usr/lib/apt/apt-helper").args(["cat-file", path]));
        index.add(text.as_bytes(), 0).expect("an index");
        let signed = path.split_once("_main_").expect("a list of main").0.to_owned() + "_InRelease";
        let (path, signed) = (Path::new(path), Path::new(&signed));
        std::fs::write(lists.join(path.file_stem().expect("a name")), &text).expect("written");
        std::fs::copy(signed, lists.join(signed.file_name().expect("a name"))).expect("copied");
        names.extend(text.lines().filter_map(|line| line.strip_prefix("Package: ")).map(str::to_owned));
    }
    index.finish();
    (index, names.into_iter().collect())
}

/// What apt would install for a package on a machine that has none; `None` if it refuses. `folder` has the lists, and apt's cache of them.
fn choice_of_apt(name: &str, folder: &Path) -> Option<BTreeSet<String>> {
    let mut apt = Command::new("apt-get");
    apt.args(["-qq", "--print-uris", "--no-install-recommends", "install", name]);
    for option in [
        &format!("Dir::Cache={}", folder.display()),
        &format!("Dir::State::lists={}/lists", folder.display()),
        "Dir::Cache::pkgcache=packages.bin",
        "Dir::Cache::srcpkgcache=sources.bin",
        "Dir::State::status=/dev/null",
        "APT::Architectures=amd64",
    ] {
        apt.args(["-o", option]);
    }
    let output = run(&mut apt);
    // 'URL' NAME_VERSION_ARCHITECTURE.deb SIZE SUM
    let name = |line: &str| Some(line.strip_prefix('\'')?.split_once("' ")?.1.split_once('_')?.0.to_owned());
    output.status.success().then(|| support::text(&output.stdout).lines().filter_map(name).collect())
}

fn the_choice_is_apts() {
    let folder = tempfile::tempdir().expect("folder");
    let (index, names) = known_to_apt(folder.path());
    assert!(names.len() > 10_000, "{} packages", names.len());
    // The first time, apt reads the lists.
    assert_eq!(choice_of_apt("base-files", folder.path()).map(|chosen| chosen.contains("base-files")), Some(true));
    // Spread over the whole archive, and always the same ones. One that apt refuses is not compared.
    let compared = (0..100).into_par_iter().filter_map(|at| {
        let name = &names[at * 7919 % names.len()];
        let apt = choice_of_apt(name, folder.path())?;
        let recipe = Recipe { packages: vec![name.clone()], ..Recipe::new(Distribution::Debian, "bookworm") };
        let chosen = resolve(&index, &recipe).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let own: BTreeSet<String> = chosen.iter().map(|chosen| chosen.package.name.to_string()).collect();
        // What is always there or never counts for nothing.
        let ignored = ["base-files", "usr-is-merged", "usrmerge", "mawk"];
        let difference: Vec<&String> = own.symmetric_difference(&apt).filter(|name| !ignored.contains(&name.as_str())).collect();
        Some((!difference.is_empty()).then(|| format!("{name}: {difference:?}")))
    });
    let compared: Vec<Option<String>> = compared.collect();
    let different: Vec<&str> = compared.iter().flatten().map(String::as_str).collect();
    let (tried, same) = (compared.len(), compared.len() - different.len());
    println!("{same} of {tried} are apt's");
    // The others differ in which alternative is taken.
    assert!(tried > 80 && same * 100 >= tried * 80, "{same} of {tried} are apt's; not these:\n{}", different.join("\n"));
}

/// A project with a service on packages of bookworm.
fn project(app: &str, packages: &str, more: &str) -> Project {
    let project = Project::named(app, &["alpha"]);
    project.compile("aarch64-linux-gnu-gcc", "alpha", "int main() { return 0; }\n", &["-static"]);
    project.with_base(&format!("{{ debian = \"bookworm\", packages = [{packages}]{more} }}"));
    project
}

/// What is at each path: kind, mode, owner, link, sum.
fn contents(root: &Path) -> BTreeMap<String, String> {
    let script = "find . -mindepth 1 ! -path './dev/*' -printf '%P\\t%y %m %U:%G %l\\n'; find . -type f ! -path './dev/*' -print0 | sort -z | xargs -0 sha256sum | sed 's|^\\([0-9a-f]*\\)  \\./|=\\1\\t|'";
    let text = ok(Command::new("sh").args(["-c", script]).current_dir(root));
    let mut all = BTreeMap::new();
    let mut sums = Vec::new();
    for line in text.lines() {
        match line.strip_prefix('=').and_then(|line| line.split_once('\t')) {
            Some((sum, path)) => sums.push((path.to_owned(), sum.to_owned())),
            None => {
                let (path, what) = line.split_once('\t').expect("a line of find");
                // The mode of a link means nothing.
                let what = if what.starts_with('l') {
                    format!("l {}", what.rsplit(' ').next().unwrap_or_default())
                } else {
                    what.to_owned()
                };
                all.insert(path.to_owned(), what);
            }
        }
    }
    for (path, sum) in sums {
        all.entry(path).or_default().push_str(&sum);
    }
    all
}

/// What mmdebstrap's tree has and ours has not, and why.
const ONLY_THEIRS: [(&str, &str); 24] = [
    ("etc/.pwd.lock", "a lock of a program that ran"),
    ("etc/apt/sources.list", "mmdebstrap's own"),
    ("etc/fstab", "mmdebstrap's own"),
    ("etc/hostname", "mmdebstrap's own"),
    ("etc/resolv.conf", "mmdebstrap's own"),
    ("etc/group-", "a copy of what was there before"),
    ("etc/passwd-", "a copy of what was there before"),
    ("etc/gshadow-", "a copy of what was there before"),
    ("etc/shadow-", "a copy of what was there before"),
    ("etc/pam.d/common-", "PAM's profiles are not set up, which a note says"),
    ("var/lib/pam/", "PAM's profiles"),
    ("etc/rc", "links of init, which no container has"),
    ("etc/systemd/system/", "links of systemd, which no container has"),
    ("var/lib/systemd/", "records of systemd's links"),
    ("var/cache/apt/", "a lock"),
    ("var/lib/apt/", "apt's own records"),
    ("var/cache/debconf/", "answers to questions that nobody was asked"),
    ("var/lib/dpkg/arch", "mmdebstrap's own"),
    ("var/lib/dpkg/diversions", "a diversion of /bin/sh that changes nothing"),
    ("var/lib/dpkg/lock", "a lock"),
    ("var/lib/dpkg/status-old", "a copy of what was there before"),
    ("var/lib/dpkg/triggers/", "records of what runs after another installation"),
    ("var/lib/shells.state", "a record of update-shells"),
    ("dev", "devices, which the container's engine makes"),
];

fn the_tree_is_mmdebstraps() {
    let packages = "libc6,libssl3,ca-certificates,tzdata";
    let tar = root_file_system(&[
        "--quiet",
        "--variant=apt",
        "--architectures=arm64",
        &format!("--include={packages},usr-is-merged"),
        "bookworm",
    ]);
    let project = project(
        "mirrored",
        "\"libc6\", \"libssl3\", \"ca-certificates\", \"tzdata\", \"usr-is-merged\", \"usrmerge\", \"perl\", \"apt\"",
        ", essential = true, slim = false",
    );
    let bundle = ok(&mut project.pack(&["--format", "docker"]));
    let own = contents(&unpacked(&project, &bundle, "own"));
    let theirs = project.path().join("theirs");
    std::fs::create_dir(&theirs).expect("folder");
    ok(Command::new("tar").args(["--numeric-owner", "-xpf"]).arg(tar).arg("-C").arg(&theirs));
    let theirs = contents(&theirs);
    assert!(own.len() > 8000, "{} files", own.len());
    let explained = |path: &str| ONLY_THEIRS.iter().any(|(start, _)| path.starts_with(start));
    let missing: Vec<&String> = theirs.keys().filter(|path| !own.contains_key(*path) && !explained(path)).collect();
    let more: Vec<&String> = own.keys().filter(|path| !theirs.contains_key(*path)).collect();
    // The day in it is the packages' instead of today.
    let other: Vec<_> = own
        .iter()
        .filter(|(path, what)| theirs.get(*path).is_some_and(|theirs| theirs != *what) && *path != "etc/shadow")
        .collect();
    assert!(missing.is_empty() && more.is_empty() && other.is_empty(), "missing: {missing:?}\nmore: {more:?}\nother: {other:?}");
}

/// Runs a program in a root file system, under qemu.
fn in_root(folder: &PathBuf, words: &[&str]) -> String {
    ok(Command::new("chroot").arg(folder).args(words))
}

fn ffmpeg_runs() {
    let project = project("filmed", "\"libc6\", \"libssl3\", \"ca-certificates\", \"tzdata\", \"ffmpeg\"", "");
    let bundle = ok(&mut project.pack(&["--format", "docker"]));
    let said = in_root(&unpacked(&project, &bundle, "out"), &["/usr/bin/ffmpeg", "-version"]);
    assert!(said.starts_with("ffmpeg version "), "{said}");
}

fn a_service_that_needs_openssl_runs_in_its_container() {
    let project = project("sealed", "\"libssl3\", \"ca-certificates\"", "");
    // Only the name is needed to link; the library itself is the base's.
    let library = "const char *OpenSSL_version(int type) { return 0; }\n";
    project.compile("aarch64-linux-gnu-gcc", "libcrypto.so", library, &["-shared", "-fPIC", "-Wl,-soname,libcrypto.so.3"]);
    let source = "#include <stdio.h>\nconst char *OpenSSL_version(int);\nint main() { puts(OpenSSL_version(0)); return 0; }\n";
    project.compile("aarch64-linux-gnu-gcc", "alpha", source, &["libcrypto.so"]);
    let bundle = ok(&mut project.pack(&["--format", "docker"]));
    judge("docker", &["load", "-i", bundle.trim()]);
    let said = judge("docker", &["run", "--rm", "--platform", "linux/arm64", "com.example.sealed.alpha:1.2.3"]);
    assert!(said.starts_with("OpenSSL 3."), "{said}");
    // Without the package, the build says so.
    project.with_base("{ debian = \"bookworm\", packages = [\"libc6\"] }");
    let error = support::fails(&mut project.pack(&["--format", "docker"]), 1);
    assert!(error.contains("the library `libcrypto.so.3` is missing"), "{error}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(versions_are_in_dpkgs_order, [dpkg]),
        test!(the_choice_is_apts, [debian_archive]),
        test!(the_tree_is_mmdebstraps, [debian_archive, mmdebstrap, arm64_cc, root]),
        test!(ffmpeg_runs, [debian_archive, arm64_cc, qemu_aarch64, root]),
        test!(a_service_that_needs_openssl_runs_in_its_container, [debian_archive, arm64_cc, docker_arm64]),
    ])
}
