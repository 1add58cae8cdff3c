//! Shared libraries of the workspace: compiled in the same run of Cargo, packed by name, found by the executables.

mod support;

use std::path::Path;
use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::{arm64_cc, arm64_rust, docker_arm64};
use support::{Project, TRIPLE, appbundle, fails, judge, ok, run, text};

/// It needs a library that no executable needs.
const KEYS: &str = "#[link(name = \"m\")]\nextern \"C\" { fn cbrt(x: f64) -> f64; }\n\
    #[no_mangle]\npub extern \"C\" fn key_of(n: u32) -> u32 { unsafe { cbrt(f64::from(n)) as u32 } }\n";

/// It is linked with the library, which stands where Cargo puts what others depend on.
const LINKS: &str = "extern \"C\" { fn key_of(n: u32) -> u32; }\n\
    fn main() { println!(\"linked {}\", unsafe { key_of(std::env::args().count() as u32 * 27) }); }\n";
const BUILD: &str = "fn main() {\n    let out = std::path::PathBuf::from(std::env::var_os(\"OUT_DIR\").unwrap());\n    \
    println!(\"cargo::rustc-link-search=native={}\", out.ancestors().nth(3).unwrap().join(\"deps\").display());\n    \
    println!(\"cargo::rustc-link-lib=dylib=keys\");\n}\n";

/// It loads the library by itself.
const LOADS: &str = "use std::ffi::{c_char, c_int, c_void};\n\
    extern \"C\" { fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void; fn dlsym(of: *mut c_void, name: *const c_char) -> *mut c_void; }\n\
    fn main() {\n    let library = unsafe { dlopen(c\"libkeys.so\".as_ptr(), 2) };\n    assert!(!library.is_null());\n    \
    let key_of: extern \"C\" fn(u32) -> u32 = unsafe { std::mem::transmute(dlsym(library, c\"key_of\".as_ptr())) };\n    \
    println!(\"loaded {}\", key_of(64));\n}\n";

/// Two services of one library.
fn keys(app: &str, table: &str) -> Project {
    let project = Project::named(app, &[]);
    project.edit("Cargo.toml", |text| text.replace("\"services/*\"", "\"services/*\", \"libs/*\"") + table);
    for (name, source) in [("alpha", LINKS), ("beta", LOADS)] {
        project.service(name, "libraries = [\"keys\"]\n");
        project.write(&format!("services/{name}/src/main.rs"), source);
    }
    project.edit("services/alpha/Cargo.toml", |text| text + "\n[dependencies]\nkeys = { path = \"../../libs/keys\" }\n");
    project.write("services/alpha/build.rs", BUILD);
    library(&project, "keys", "crate-type = [\"cdylib\", \"lib\"]");
    project.write("libs/keys/src/lib.rs", KEYS);
    project
}

fn library(project: &Project, name: &str, kind: &str) {
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\n{kind}\n");
    project.write(&format!("libs/{name}/Cargo.toml"), &manifest);
    project.write(&format!("libs/{name}/src/lib.rs"), "");
}

fn both_run(app: &str, bundle: &str) {
    judge("docker", &["load", "-i", bundle.trim()]);
    for (service, printed) in [("alpha", "linked 3\n"), ("beta", "loaded 4\n")] {
        let image = format!("com.example.{app}.{service}:1.2.3");
        assert_eq!(judge("docker", &["run", "--rm", "--platform", "linux/arm64", &image]), printed);
    }
}

/// How many layers of a docker archive have a file.
fn layers_with(bundle: &str, file: &str) -> usize {
    let folder = tempfile::tempdir().expect("folder");
    ok(Command::new("tar").args(["xf", bundle.trim()]).current_dir(folder.path()));
    let files = walkdir::WalkDir::new(folder.path()).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let has = |path: &Path| text(&run(Command::new("tar").arg("tf").arg(path)).stdout).lines().any(|line| line == file);
    files.filter(|entry| has(entry.path())).count()
}

fn executables_find_the_library_that_they_link_or_load() {
    let project = keys("libraries", "");
    for engine in ["native", "docker"] {
        let bundle = ok(&mut appbundle(project.path(), &["build", "--format", "docker", "--engine", engine]));
        both_run("libraries", &bundle);
        // An engine makes a layer of each copy.
        let layers = layers_with(&bundle, "usr/lib/libkeys.so");
        assert!(layers == 1 || engine == "docker", "{layers}");
    }
    // What the library needs is in the base, and without it there is nothing that needs it.
    let base = || judge("tar", &["tzf", project.path().join("target/appbundle/docker/base.tar.gz").to_str().expect("path")]);
    assert!(base().lines().any(|line| line == "lib/libm.so.6"), "{}", base());
    for name in ["alpha", "beta"] {
        project.service(name, "");
    }
    std::fs::remove_file(project.path().join("services/alpha/build.rs")).expect("removed");
    ok(&mut appbundle(project.path(), &["build", "--format", "docker"]));
    assert!(!base().contains("libm.so.6"), "{}", base());
}

/// In one image, and under another name for the linker.
fn the_linkers_name_of_a_library_leads_to_it() {
    let project = keys("librarynames", "");
    project.write("libs/keys/build.rs", "fn main() { println!(\"cargo::rustc-cdylib-link-arg=-Wl,-soname,libkeys.so.1\"); }\n");
    let bundle = ok(&mut appbundle(project.path(), &["build", "--format", "docker"]));
    let alpha = project.path().join("target").join(TRIPLE).join("release/alpha");
    assert!(judge("readelf", &["--dynamic", alpha.to_str().expect("path")]).contains("[libkeys.so.1]"));
    both_run("librarynames", &bundle);
    project.edit("Cargo.toml", |text| text + "layout = \"multi-binary\"\n");
    judge("docker", &["load", "-i", ok(&mut appbundle(project.path(), &["build", "--format", "docker"])).trim()]);
    for (service, printed) in [("alpha", "linked 3\n"), ("beta", "loaded 4\n")] {
        let image = ["run", "--rm", "--platform", "linux/arm64", "com.example.librarynames:1.2.3"];
        assert_eq!(judge("docker", &[&image[..], &[&format!("/usr/local/bin/{service}")]].concat()), printed);
    }
}

fn a_library_is_stripped_and_part_of_what_is_fresh() {
    let project = keys("demo", "sbom = false\n");
    let build = || text(&run(&mut appbundle(project.path(), &["build", "--format", "docker"])).stderr);
    let said = build();
    assert!(said.contains("Stripped 2 executables and 1 library; the symbols are in `"), "{said}");
    let packed = project.path().join("target/appbundle/docker/alpha/rootfs/usr/lib/libkeys.so");
    let debug = project.path().join("target/appbundle/debug/libkeys.so.debug");
    let notes = |path: &Path| judge("readelf", &["--notes", "--wide", path.to_str().expect("path")]);
    let id = |path: &Path| notes(path).split_once("Build ID: ").map(|(_, id)| id.lines().next().map(str::to_owned));
    assert!(id(&packed).is_some() && id(&packed) == id(&debug), "{}", notes(&packed));
    let sections = judge("readelf", &["--sections", "--wide", packed.to_str().expect("path")]);
    assert!(sections.contains(".dynsym") && !sections.contains(".symtab"), "{sections}");
    assert!(!packed.with_file_name("libkeys.so.1").exists());
    let said = build();
    assert!(said.contains("Fresh") && !said.contains("Stripped"), "{said}");
    let before = std::fs::read(&packed).expect("read");
    project.write("libs/keys/src/lib.rs", &KEYS.replace("as u32 }", "as u32 + 1 }"));
    let said = build();
    assert!(said.contains("Bundled") && said.contains("1 library;") && !said.contains("Fresh"), "{said}");
    assert!(std::fs::read(&packed).expect("read") != before);
    let plan = ok(&mut appbundle(project.path(), &["plan"]));
    assert!(plan.contains("  loads    libkeys.so of package keys\n"), "{plan}");
    let plan = ok(&mut appbundle(project.path(), &["plan", "--message-format", "json"]));
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!(plan["services"][0]["libraries"], serde_json::json!([{ "file": "libkeys.so", "package": "keys" }]));
}

/// The features of a library are its own defaults, also where services leave theirs out.
fn a_library_keeps_its_default_features() {
    let project = keys("demo", "");
    project.edit("libs/keys/Cargo.toml", |text| text + "\n[features]\ndefault = [\"on\"]\non = []\n");
    project.write("libs/keys/src/lib.rs", &format!("#[cfg(not(feature = \"on\"))]\ncompile_error!(\"off\");\n{KEYS}"));
    project.edit("services/beta/Cargo.toml", |text| text.replace("libraries", "default-features = false\nlibraries"));
    ok(&mut appbundle(project.path(), &["build", "--format", "docker", "-p", "beta"]));
    let error = fails(&mut appbundle(project.path(), &["build", "--no-default-features", "-p", "beta"]), 101);
    assert!(error.contains("error: off"), "{error}");
}

/// The library's crates are in the bill of the services that pack it.
fn the_crates_of_a_library_are_listed() {
    let project = keys("demo", "");
    library(&project, "inner", "");
    project.edit("libs/keys/Cargo.toml", |text| text + "\n[dependencies]\ninner = { path = \"../inner\" }\n");
    let bundle = ok(&mut appbundle(project.path(), &["build", "--format", "docker"]));
    let listed = ok(&mut appbundle(project.path(), &["sbom", bundle.trim(), "--service", "beta"]));
    for name in ["beta", "keys", "inner"] {
        assert!(listed.contains(&format!("\"name\": \"{name}\"")), "{name}: {listed}");
    }
}

fn libraries_that_were_built_elsewhere_are_taken_from_the_folder() {
    let project = keys("demo", "");
    project.binaries(&["alpha", "beta"]);
    let pack = || project.pack(&["--format", "docker"]);
    let error = fails(&mut pack(), 1);
    assert!(error.contains("error[binary-missing]: the folder of `--bin-dir`, `"), "{error}");
    assert!(error.contains("`, has no library `libkeys.so`\n"), "{error}");
    let source = "int key_of(int n) { return n; }\n";
    project.compile("cc", "libkeys.so", source, &["-shared", "-fPIC"]);
    if cfg!(target_arch = "x86_64") {
        let error = fails(&mut pack(), 1);
        assert!(error.contains("error[binary-machine]: the library `") && error.contains("is for amd64"), "{error}");
    }
    project.compile("aarch64-linux-gnu-gcc", "libkeys.so", source, &["-shared", "-fPIC", "-Wl,-soname,libkeys.so.2"]);
    let bundle = ok(&mut pack());
    assert_eq!(layers_with(&bundle, "usr/lib/libkeys.so"), 1);
    assert_eq!(layers_with(&bundle, "usr/lib/libkeys.so.2"), 1);
    assert!(text(&run(&mut pack()).stderr).contains("Fresh"));
}

fn what_is_no_shared_library_is_refused() {
    let project = keys("demo", "");
    library(&project, "plain", "");
    library(&project, "other-name", "name = \"locks\"\ncrate-type = [\"cdylib\"]");
    for (value, code, said) in [
        ("[\"kyes\"]", "unknown-library", "the workspace has no package and no library `kyes`; did you mean `keys`?"),
        ("[\"plain\"]", "unknown-library", "package `plain` is not a shared one: set `crate-type = [\"cdylib\", \"lib\"]`"),
        ("[\"alpha\"]", "unknown-library", "package `alpha` has no library"),
        ("[\"keys\", \"keys\"]", "invalid-value", "the library `keys` is given twice"),
        ("[\"locks\", \"other-name\"]", "invalid-value", "the library `other-name` is given twice"),
        (
            "[\"keys\"]\nfiles = [{ link = \"/usr/lib/libkeys.so\", to = \"/x\" }]",
            "invalid-files",
            "the library `keys` and an entry of `files` both go to `/usr/lib/libkeys.so`",
        ),
    ] {
        project.service("beta", &format!("libraries = {value}\n"));
        let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
        assert!(error.contains(&format!("error[{code}]")) && error.contains(said), "{value}: {error}");
        assert!(error.contains("services/beta/Cargo.toml:7:"), "{error}");
    }
    project.service("beta", "libraries = [\"locks\"]\n");
    let plan = ok(&mut appbundle(project.path(), &["plan"]));
    assert!(plan.contains("  loads    liblocks.so of package other-name\n"), "{plan}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(executables_find_the_library_that_they_link_or_load, [arm64_rust, docker_arm64]),
        test!(the_linkers_name_of_a_library_leads_to_it, [arm64_rust, docker_arm64]),
        test!(a_library_is_stripped_and_part_of_what_is_fresh, [arm64_rust]),
        test!(a_library_keeps_its_default_features, [arm64_rust]),
        test!(the_crates_of_a_library_are_listed, [arm64_rust]),
        test!(libraries_that_were_built_elsewhere_are_taken_from_the_folder, [arm64_cc]),
        test!(what_is_no_shared_library_is_refused),
    ])
}
