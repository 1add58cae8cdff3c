//! What is stripped from executables is kept in debug files, which GNU's tools and gdb read.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::{arm64_rust, gdb};
use support::{Project, TRIPLE, appbundle, judge, ok, run, text};

/// A program that aborts in a function of its own.
const CRASHES: &str = "#[inline(never)]\nfn deep_inside(n: u32) -> u32 {\n    if n == 0 { std::process::abort() }\n    \
    std::hint::black_box(deep_inside(n - 1)) + 1\n}\nfn main() { println!(\"{}\", deep_inside(std::env::args().count() as u32)); }\n";

fn crashing(profile: &str) -> Project {
    let project = Project::new(&["alpha", "beta"]);
    project.write("services/alpha/src/main.rs", CRASHES);
    // Without the list of crates, what is packed is what is left of the whole.
    project.edit("Cargo.toml", |text| format!("{text}sbom = false\n\n[profile.release]\n{profile}\n"));
    project
}

struct Parts {
    whole: PathBuf,
    packed: PathBuf,
    debug: PathBuf,
}

fn parts(project: &Project, triple: &str) -> Parts {
    let top = project.path().join("target");
    Parts {
        whole: top.join(triple).join("release/alpha"),
        packed: top.join("appbundle/docker/alpha/rootfs/usr/local/bin/alpha"),
        debug: top.join("appbundle/debug/alpha.debug"),
    }
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("path")
}

/// The build id, with readelf's complaints as a failure.
fn build_id(path: &Path) -> String {
    let output = run(Command::new("readelf").args(["--notes", "--segments", "--sections", "--wide"]).arg(path));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let (_, id) = printed.split_once("Build ID: ").expect("a build id");
    id.lines().next().expect("a line").trim().to_owned()
}

fn address(path: &Path) -> String {
    let symbols = judge("nm", &[shown(path)]);
    let line = symbols.lines().find(|line| line.contains("deep_inside")).expect("the function");
    line.split(' ').next().expect("address").to_owned()
}

fn a_crash_is_resolved_by_the_debug_file() {
    let project = crashing("debug = \"line-tables-only\"");
    let said = text(&run(&mut appbundle(project.path(), &["build"])).stderr);
    assert!(said.contains("Stripped 2 executables; the symbols are in `") && said.contains("target/appbundle/debug`"), "{said}");
    let Parts { whole, packed, debug } = parts(&project, TRIPLE);
    assert!(!judge("readelf", &["--sections", "--wide", shown(&packed)]).contains(".symtab"));
    assert_eq!(build_id(&packed), build_id(&debug));
    let resolved = judge("aarch64-linux-gnu-addr2line", &["-f", "-C", "-e", shown(&debug), &address(&whole)]);
    assert_eq!(resolved.lines().collect::<Vec<_>>(), ["alpha::deep_inside", "/workspace/services/alpha/src/main.rs:2"]);
    // Not a byte more than what GNU's own tool leaves.
    let theirs = project.path().join("theirs");
    judge("aarch64-linux-gnu-strip", &["--strip-all", "-o", shown(&theirs), shown(&whole)]);
    let size = |path: &Path| std::fs::metadata(path).expect("metadata").len();
    assert!(size(&packed) <= size(&theirs), "{} {}", size(&packed), size(&theirs));
    // GNU's tool finds in both together what was in the whole, and nothing else in what is loaded.
    let loaded = |path: &Path| {
        let to = project.path().join("loaded");
        judge("aarch64-linux-gnu-objcopy", &["-O", "binary", shown(path), shown(&to)]);
        std::fs::read(to).expect("read")
    };
    assert_eq!(loaded(&packed), loaded(&whole));
    let info = |path: &Path| judge("readelf", &["--debug-dump=decodedline", "--symbols", "--wide", shown(path)]);
    // Dynamic symbols stand before these; their contents are only in what runs.
    let of_debugger = |path: &Path| info(path).split_once("'.symtab'").map(|(_, rest)| rest.to_owned());
    assert!(of_debugger(&debug).is_some() && of_debugger(&debug) == of_debugger(&whole));
}

/// gdb finds the debug file by nothing but the build id.
fn gdb_finds_the_debug_file_by_its_build_id() {
    let native = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let project = crashing("");
    ok(&mut appbundle(project.path(), &["build", "--format", "docker", "--target", &native]));
    let Parts { packed, debug, .. } = parts(&project, &native);
    let id = build_id(&packed);
    let (folder, rest) = id.split_at(2);
    let store = project.path().join("store");
    project.write(&format!("store/.build-id/{folder}/{rest}.debug"), "");
    std::fs::copy(&debug, store.join(format!(".build-id/{folder}/{rest}.debug"))).expect("copied");
    let trace = |store: &Path| {
        let set = format!("set debug-file-directory {}", store.display());
        let asked = ["-ex", "run", "-ex", "backtrace", shown(&packed)];
        judge("gdb", &[&["-nx", "-batch", "-ex", "set debuginfod enabled off", "-iex", &set][..], &asked].concat())
    };
    let found = trace(&store);
    assert_eq!(found.matches(" in alpha::deep_inside").count(), 2, "{found}");
    let lost = trace(&project.path().join("nowhere"));
    assert!(lost.contains("SIGABRT") && !lost.contains("deep_inside"), "{lost}");
}

fn debug_files_depend_on_the_sources_alone() {
    let [one, two] = [(); 2].map(|()| {
        let project = crashing("debug = true");
        ok(&mut appbundle(project.path(), &["build"]));
        std::fs::read(parts(&project, TRIPLE).debug).expect("a debug file")
    });
    assert!(one == two, "{} {}", one.len(), two.len());
}

fn nothing_is_split_again_and_what_is_lost_is_made_again() {
    let project = crashing("");
    ok(&mut appbundle(project.path(), &["build"]));
    let Parts { debug, .. } = parts(&project, TRIPLE);
    let modified = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).expect("time");
    let before = modified(&debug);
    let again = || text(&run(&mut appbundle(project.path(), &["build"])).stderr);
    let said = again();
    assert!(said.contains("Fresh") && !said.contains("Stripped"), "{said}");
    assert_eq!(modified(&debug), before);
    std::fs::remove_file(&debug).expect("removed");
    let said = again();
    assert!(said.contains("Stripped 1 executable;") && said.contains("Fresh") && debug.is_file(), "{said}");
    std::fs::remove_dir_all(project.path().join("target/appbundle/cache/stripped")).expect("removed");
    let said = again();
    assert!(said.contains("Stripped 2 executables;") && said.contains("Fresh"), "{said}");
    ok(&mut appbundle(project.path(), &["clean"]));
    assert!(!debug.exists());
}

fn each_target_has_its_debug_files() {
    let project = crashing("");
    let native = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut triples = vec![(TRIPLE, "linux-arm64", "AArch64")];
    if cfg!(target_arch = "x86_64") {
        triples.push((&native, "linux-amd64", "Advanced Micro Devices X86-64"));
    }
    // With one target alone, the folder has no platform.
    if let [_] = triples[..] {
        return;
    }
    let mut build = appbundle(project.path(), &["build", "--format", "docker"]);
    ok(build.args(triples.iter().flat_map(|(triple, ..)| ["--target", triple])));
    for (triple, folder, machine) in triples {
        let debug = project.path().join(format!("target/appbundle/{folder}/debug/alpha.debug"));
        assert!(judge("readelf", &["--file-header", shown(&debug)]).contains(machine));
        let packed = project.path().join(format!("target/appbundle/{folder}/docker/alpha/rootfs/usr/local/bin/alpha"));
        assert_eq!(build_id(&packed), build_id(&debug));
        let found = judge("addr2line", &["-f", "-C", "-e", shown(&debug), &address(&parts(&project, triple).whole)]);
        assert!(found.starts_with("alpha::deep_inside\n"), "{found}");
    }
}

/// `strip` of the profile decides, also one that the profile inherits, and `plan` tells.
fn what_the_profile_strips_is_its_own_affair() {
    for (profile, told, keeps) in [
        ("", "strips   symbols, kept in ", false),
        ("strip = \"none\"\ndebug = true", "strips   as the profile says, strip = \"none\"", true),
        ("strip = true", "strips   as the profile says, strip = true", false),
    ] {
        let project = crashing(profile);
        let plan = ok(&mut appbundle(project.path(), &["plan"]));
        assert!(plan.contains(told), "{plan}");
        let said = text(&run(&mut appbundle(project.path(), &["build"])).stderr);
        let Parts { packed, debug, .. } = parts(&project, TRIPLE);
        assert_eq!(judge("readelf", &["--sections", "--wide", shown(&packed)]).contains(".symtab"), keeps, "{profile}");
        assert_eq!((said.contains("Stripped"), debug.exists()), (profile.is_empty(), profile.is_empty()), "{said}");
    }
    let project = crashing("");
    let flags = text(&run(&mut appbundle(project.path(), &["plan", "-v"])).stderr);
    assert!(flags.contains("--config 'profile.release.strip=\"none\"'") && flags.contains("--remap-path-prefix="), "{flags}");
    let plan = ok(&mut appbundle(project.path(), &["plan", "--message-format", "json"]));
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    assert!(plan["debug_folder"].as_str().is_some_and(|folder| folder.ends_with("target/appbundle/debug")), "{plan}");
}

/// A linker that was told to strip leaves nothing to keep.
fn without_symbols_there_is_no_debug_file() {
    let project = crashing("");
    let flags = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
    ok(appbundle(project.path(), &["build"]).env(flags, "-Clink-arg=-s"));
    let Parts { packed, debug, .. } = parts(&project, TRIPLE);
    assert!(packed.is_file() && !debug.exists());
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_crash_is_resolved_by_the_debug_file, [arm64_rust]),
        test!(gdb_finds_the_debug_file_by_its_build_id, [gdb]),
        test!(debug_files_depend_on_the_sources_alone, [arm64_rust]),
        test!(nothing_is_split_again_and_what_is_lost_is_made_again, [arm64_rust]),
        test!(each_target_has_its_debug_files, [arm64_rust]),
        test!(what_the_profile_strips_is_its_own_affair, [arm64_rust]),
        test!(without_symbols_there_is_no_debug_file, [arm64_rust]),
    ])
}
