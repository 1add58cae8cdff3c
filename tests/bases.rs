//! What images stand on: each kind of base, made by real tools, and what is refused.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use support::container::describe;
use support::harness::{self, test};
use support::needs::{arm64_cc, docker_arm64, skopeo};
use support::{Project, appbundle, fails, judge, ok, run, text};

const SYSROOT: &str = "/usr/aarch64-linux-gnu/lib";

/// A small root file system of the target with links as merged-usr systems have them, as a folder.
fn rootfs(project: &Project) -> PathBuf {
    let root = project.path().join("rootfs");
    std::fs::create_dir_all(root.join("usr/lib/aarch64-linux-gnu")).expect("folders");
    std::fs::create_dir_all(root.join("usr/local/bin")).expect("folders");
    std::os::unix::fs::symlink("usr/lib", root.join("lib")).expect("link");
    for (name, to) in [
        ("libc.so.6", "usr/lib/aarch64-linux-gnu/libc.so.6"),
        ("ld-linux-aarch64.so.1", "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1"),
    ] {
        std::fs::copy(Path::new(SYSROOT).join(name), root.join(to)).expect("the cross C library");
    }
    std::os::unix::fs::symlink("aarch64-linux-gnu/ld-linux-aarch64.so.1", root.join("usr/lib/ld-linux-aarch64.so.1"))
        .expect("link");
    root
}

fn project(app: &str) -> Project {
    let project = Project::named(app, &["alpha", "beta"]);
    project.binaries(&["alpha", "beta"]);
    project
}

/// Loads the docker archive and runs a service.
fn prints(bundle: &str, app: &str, service: &str) -> String {
    judge("docker", &["load", "-i", bundle]);
    judge("docker", &["run", "--rm", "--platform", "linux/arm64", &format!("com.example.{app}.{service}:1.2.3")])
}

fn a_root_file_system_as_folder_and_as_tar() {
    let project = project("rooted");
    rootfs(&project);
    ok(Command::new("tar").args(["-C", "rootfs", "-cf", "rootfs.tar", "."]).current_dir(project.path()));
    ok(Command::new("sh").args(["-c", "gzip -nk rootfs.tar && xz -k rootfs.tar"]).current_dir(project.path()));
    let mut diff_ids = Vec::new();
    for base in ["rootfs", "rootfs.tar", "rootfs.tar.gz", "rootfs.tar.xz"] {
        project.with_base(&format!("{{ rootfs = \"{base}\" }}"));
        let bundle = ok(&mut project.pack(&["--format", "docker"]));
        assert_eq!(prints(bundle.trim(), "rooted", "alpha"), "alpha\n", "{base}");
        diff_ids.push(judge(
            "docker",
            &["image", "inspect", "--format", "{{index .RootFS.Layers 0}}", "com.example.rooted.alpha:1.2.3"],
        ));
    }
    assert!(diff_ids[1] == diff_ids[2] && diff_ids[1] == diff_ids[3], "however it is compressed");
    // The layer's members are the tar's, each with its owner, mode, time, size and content, in another order.
    ok(Command::new("sh")
        .args(["-c", "docker save com.example.rooted.alpha:1.2.3 | tar -xf - -O --wildcards '*layer.tar' >layers.tar"])
        .current_dir(project.path()));
    let list = |tar: &str| {
        let listed = ok(Command::new("tar").args(["--full-time", "--ignore-zeros", "-tvf", tar]).current_dir(project.path()));
        listed.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let (source, packed) = (list("rootfs.tar"), list("layers.tar"));
    assert!(source.len() > 5 && source.is_subset(&packed), "{source:#?}\n{packed:#?}");
}

fn static_binaries_need_nothing() {
    let project = Project::named("static", &["alpha"]);
    project.compile("aarch64-linux-gnu-gcc", "alpha", "#include <stdio.h>\nint main() { puts(\"static\"); }\n", &["-static"]);
    for base in ["\"scratch\"", "\"auto\""] {
        project.with_base(base);
        let bundle = ok(&mut project.pack(&["--format", "docker"]));
        assert_eq!(prints(bundle.trim(), "static", "alpha"), "static\n");
    }
}

fn a_base_without_what_a_binary_needs_is_refused() {
    let project = project("demo");
    project.with_base("\"scratch\"");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("the library `libc.so.6` is missing") && error.contains("help: use `base = \"auto\"`"), "{error}");
    // All services at once, with one way out.
    let services =
        ["alpha", "beta"].map(|service| error.contains(&format!("of the service `{service}` does not run on the base")));
    assert!(services == [true, true] && error.matches("help:").count() == 1, "{error}");

    // A C library that is too old: one that defines version 2.17 alone.
    let root = rootfs(&project);
    project.write("old.map", "GLIBC_2.17 { global: *; };\n");
    project.write("old.c", "int puts(const char *s) { return 0; }\nvoid __libc_start_main(void) {}\nvoid abort(void) {}\n");
    let flags = ["-shared", "-nostdlib", "-fno-builtin", "-Wl,-soname,libc.so.6", "-Wl,--version-script=old.map", "-o"];
    ok(Command::new("aarch64-linux-gnu-gcc")
        .args(flags)
        .arg(root.join("usr/lib/aarch64-linux-gnu/libc.so.6"))
        .arg("old.c")
        .current_dir(project.path()));
    project.with_base("{ rootfs = \"rootfs\" }");
    let error = fails(&mut project.pack(&[]), 1);
    for part in ["error[base-glibc]", "`libc.so.6` must have `GLIBC_2.34`", "goes up to `GLIBC_2.17`", "bin/alpha", "older glibc"]
    {
        assert!(error.contains(part), "{part} in\n{error}");
    }
    // A library of another machine.
    let own = judge("cc", &["-print-file-name=libc.so.6"]);
    std::fs::copy(own.trim(), root.join("usr/lib/aarch64-linux-gnu/libc.so.6")).expect("copied");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("`libc.so.6` is for amd64 instead of arm64"), "{error}");
}

fn libraries_are_found_as_the_loader_finds_them_however_large() {
    let project = Project::new(&["alpha"]);
    let root = rootfs(&project);
    let (one, two) = (root.join("usr/lib/aarch64-linux-gnu/libone.so"), root.join("opt/two/libtwo.so"));
    std::fs::create_dir_all(root.join("opt/two")).expect("folder");
    project.write("two.c", "int two(void) { return 2; }\n");
    project.write("one.c", "int two(void);\nint one(void) { return two(); }\n");
    let shared = |source: &str, to: &Path, flags: &[&str]| {
        let mut command = Command::new("aarch64-linux-gnu-gcc");
        let name = format!("-Wl,-soname,{}", to.file_name().and_then(|name| name.to_str()).expect("name"));
        ok(command.args(["-shared", "-fPIC", &name, "-o"]).arg(to).arg(source).args(flags).current_dir(project.path()));
    };
    shared("two.c", &two, &[]);
    // A library beside the usual folders, which only the one that needs it knows how to find.
    shared("one.c", &one, &["-Lrootfs/opt/two", "-ltwo", "-Wl,-rpath,/opt/two"]);
    let flags = ["-L../rootfs/usr/lib/aarch64-linux-gnu", "-lone", "-Wl,--unresolved-symbols=ignore-in-shared-libs"];
    project.compile("aarch64-linux-gnu-gcc", "alpha", "int one(void);\nint main() { return one(); }\n", &flags);
    let file = std::fs::File::options().append(true).open(&two).expect("library");
    file.set_len(17 << 20).expect("as large as ICU's data");
    project.with_base("{ rootfs = \"rootfs\" }");
    ok(&mut project.pack(&[]));
    std::fs::remove_file(&two).expect("removed");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("the library `libtwo.so` is missing"), "{error}");
}

/// What a service packs by itself is there too, for `auto` as for a base that has none of it.
fn libraries_that_a_service_packs_are_found_where_it_says() {
    let project = Project::new(&["alpha"]);
    rootfs(&project);
    project.write("services/alpha/lib/two.c", "int two(void) { return 2; }\n");
    project.write("services/alpha/lib/one.c", "int two(void);\nint one(void) { return two(); }\n");
    let folder = project.path().join("services/alpha/lib");
    let shared = |name: &str, flags: &[&str]| {
        let mut command = Command::new("aarch64-linux-gnu-gcc");
        let soname = format!("-Wl,-soname,lib{name}.so.1");
        command.args(["-shared", "-fPIC", &soname, "-o", &format!("lib{name}.so.1.0"), &format!("{name}.c")]).args(flags);
        ok(command.current_dir(&folder));
        for (link, to) in
            [(format!("lib{name}.so.1"), format!("lib{name}.so.1.0")), (format!("lib{name}.so"), format!("lib{name}.so.1"))]
        {
            std::os::unix::fs::symlink(to, folder.join(link)).expect("link");
        }
    };
    shared("two", &[]);
    // Each finds the next one beside itself.
    shared("one", &["-L.", "-ltwo", "-Wl,-rpath,$ORIGIN"]);
    let source = "int one(void);\nint main() { return one(); }\n";
    let link = |path: &str| {
        project.compile(
            "aarch64-linux-gnu-gcc",
            "alpha",
            source,
            &["-L../services/alpha/lib", "-lone", "-Wl,-rpath-link,../services/alpha/lib", path],
        )
    };
    let table = "files = [{ from = \"lib/*.so*\", to = \"/usr/local/lib/alpha/\" }]\n";
    let bases = ["\"auto\"", "{ rootfs = \"rootfs\" }"];
    let pack = |base: &str, table: &str| {
        project.service("alpha", table);
        project.with_base(base);
        project.pack(&[])
    };
    for base in bases {
        link("-Wl,-rpath,$ORIGIN/../lib/alpha");
        let bundle = ok(&mut pack(base, table));
        let inside = ok(&mut appbundle(project.path(), &["inspect", bundle.trim()]));
        assert!(inside.contains("libone.so.1.0"), "{inside}");
        let error = fails(&mut pack(base, ""), 1);
        assert!(error.contains("libone.so.1") && error.contains("add it with `files`"), "{error}");
        // Without a word to the loader, they are in no folder that it searches.
        link("-s");
        let error = fails(&mut pack(base, table), 1);
        assert!(error.contains("libone.so.1"), "{error}");
        let told = format!("{table}environment = {{ LD_LIBRARY_PATH = \"/opt/none:/usr/local/lib/alpha\" }}\n");
        ok(&mut pack(base, &told));
        ok(&mut pack(base, &table.replace("/usr/local/lib/alpha/", "/usr/lib/")));
    }
}

fn of_an_index_the_one_image_that_fits_is_taken() {
    let project = project("demo");
    ok(&mut project.pack(&["-p", "alpha", "--format", "oci"]));
    std::fs::create_dir(project.path().join("layout")).expect("folder");
    let bundle = "../target/appbundle/com.example.demo-1.2.3.oci.tar";
    ok(Command::new("tar").args(["xf", bundle]).current_dir(project.path().join("layout")));
    let index: serde_json::Value = serde_json::from_slice(&project.read("layout/index.json")).expect("JSON");
    let with = |change: &dyn Fn(&mut Vec<serde_json::Value>)| {
        let mut index = index.clone();
        change(index["manifests"].as_array_mut().expect("list"));
        project.write("layout/index.json", &index.to_string());
        project.with_base("{ archive = \"layout\" }");
        run(&mut project.pack(&[]))
    };
    // One image of two names, and one for a later processor, which is not even there.
    let taken = with(&|manifests| {
        let (mut named, mut later) = (manifests[0].clone(), manifests[0].clone());
        named["annotations"] = serde_json::json!({ "org.opencontainers.image.ref.name": "other:1" });
        later["platform"]["variant"] = "v9".into();
        later["digest"] = format!("sha256:{}", "0".repeat(64)).into();
        manifests.extend([named, later]);
    });
    assert!(taken.status.success(), "{}", text(&taken.stderr));
    let two = with(&|manifests| {
        let mut other = manifests[0].clone();
        other["digest"] = format!("sha256:{}", "0".repeat(64)).into();
        manifests.push(other);
    });
    assert!(text(&two.stderr).contains("it contains 2 images for linux/arm64 instead of one"), "{}", text(&two.stderr));
    let none = with(&|manifests| manifests[0]["platform"]["architecture"] = "arm".into());
    assert!(text(&none.stderr).contains("none of its 1 images is for linux/arm64"), "{}", text(&none.stderr));
}

fn archives_of_docker_and_skopeo_are_bases() {
    let project = project("archived");
    rootfs(&project);
    let path = |name: &str| project.path().join(name).to_str().expect("path").to_owned();
    project.write("Dockerfile", "FROM scratch\nCOPY rootfs /\nENV FROM_BASE=yes\nLABEL of=base\n");
    ok(Command::new("docker")
        .args(["build", "--platform", "linux/arm64", "-t", "appbundle-test-base:1", "."])
        .current_dir(project.path()));
    judge("docker", &["save", "-o", &path("base.tar"), "appbundle-test-base:1"]);
    ok(Command::new("sh").args(["-c", "gzip -nk base.tar && xz -k base.tar"]).current_dir(project.path()));
    let copy = |options: &[&str], to: &str| {
        let from = format!("docker-archive:{}", path("base.tar"));
        judge("skopeo", &[&["--override-arch", "arm64", "copy", "-q"], options, &[from.as_str(), to]].concat());
    };
    copy(&[], &format!("oci:{}:base", path("layout")));
    copy(&[], &format!("oci-archive:{}:base", path("base.oci.tar")));
    copy(&["--dest-compress-format", "zstd"], &format!("oci:{}:base", path("zstd")));
    let mut ids = Vec::new();
    for base in ["base.tar", "base.tar.gz", "base.tar.xz", "layout", "base.oci.tar", "zstd"] {
        project.with_base(&format!("{{ archive = \"{base}\" }}"));
        let bundle = ok(&mut project.pack(&["--format", "docker"]));
        assert_eq!(prints(bundle.trim(), "archived", "beta"), "beta\n", "{base}");
        let seen = judge(
            "docker",
            &[
                "image",
                "inspect",
                "--format",
                "{{.Config.Env}} {{.Config.Labels}} {{.RootFS.Layers}}",
                "com.example.archived.beta:1.2.3",
            ],
        );
        assert!(seen.contains("FROM_BASE=yes") && seen.contains("of:base"), "{seen}");
        ids.push(seen);
    }
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    // An image that an engine marked with the wrong architecture.
    ok(Command::new("sh")
        .args(["-c", "tar -C rootfs -c . | docker import --platform linux/amd64 - appbundle-test-wrong:1"])
        .current_dir(project.path()));
    judge("docker", &["save", "-o", &path("wrong.tar"), "appbundle-test-wrong:1"]);
    project.with_base("{ archive = \"wrong.tar\" }");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("error[base-platform]") && error.contains("its image is for linux/amd64"), "{error}");
}

fn hostile_and_broken_archives_end_in_an_error() {
    let project = project("demo");
    let root = rootfs(&project);
    std::fs::write(root.join("big"), vec![7; 300_000]).expect("written");
    ok(Command::new("tar").args(["-C", "rootfs", "-cf", "good.tar", "."]).current_dir(project.path()));
    let good = project.read("good.tar");
    project.write("x", "content");
    let tar = |name: &str, arguments: &[&str]| {
        ok(Command::new("tar").args(["-P", "-cf", name]).args(arguments).current_dir(project.path()));
    };
    tar("absolute.tar", &["--transform", "s,^,/abs/,", "x"]);
    tar("parent.tar", &["--transform", "s,^,../,", "x"]);
    std::fs::hard_link(project.path().join("x"), project.path().join("y")).expect("link");
    tar("hard.tar", &["--transform", "s,^x,../../x,h", "x", "y"]);
    std::fs::write(project.path().join("short.tar"), &good[..good.len() / 2]).expect("written");
    std::fs::write(project.path().join("noise.tar"), good.iter().map(|b| b ^ 0x3c).collect::<Vec<u8>>()).expect("written");
    project.write("empty.tar", "");
    for (name, why) in [
        ("absolute.tar", "is outside the root folder"),
        ("parent.tar", "is outside the root folder"),
        ("hard.tar", "is outside the root folder"),
        ("short.tar", "cut short"),
        ("noise.tar", "no tar header at byte"),
        ("empty.tar", "not a root file system"),
    ] {
        project.with_base(&format!("{{ rootfs = \"{name}\" }}"));
        let output = run(&mut project.pack(&[]));
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(why) && said.contains(name), "{name}: {said}");
        project.with_base(&format!("{{ archive = \"{name}\" }}"));
        assert_eq!(run(&mut project.pack(&[])).status.code(), Some(1), "{name} as an archive");
    }
    let leftovers = walkdir::WalkDir::new(project.path().join("target"))
        .into_iter()
        .flatten()
        .filter(|e| e.path().to_string_lossy().contains(".auterionos"))
        .count();
    assert_eq!(leftovers, 0);
}

/// The generated Dockerfiles, built by hand, make what the native images are.
fn docker_build_by_hand_gives_the_same_image() {
    let project = Project::named("handmade", &[]);
    let table = "args = [\"--x\", \"a b\"]\nports = [\"80:8080\", \"53/udp\"]\nvolumes = [\"data:/data\"]\nworkdir = \"/data\"\n\
        environment = { PLAIN = \"1\", HARD = \"a \\\"b\\\" $HOME \\\\ #c 'd'\", LINES = \"one\\n$two\" }\nlabels = { \"org.example/x\" = \"y z\" }\n\
        files = [{ from = \"web/**\", to = \"/srv/web\" }, { from = \"conf.txt\", to = \"/etc/alpha.conf\" }]\n";
    project.service("alpha", table);
    project.write("services/alpha/web/css/style.css", "css");
    project.write("services/alpha/conf.txt", "conf");
    std::os::unix::fs::symlink("css/style.css", project.path().join("services/alpha/web/style.css")).expect("link");
    project.binary("alpha", "int main() { return 0; }\n");
    rootfs(&project);
    std::fs::create_dir_all(project.path().join("rootfs/etc")).expect("folder");
    ok(Command::new("tar")
        .args(["--owner=0", "--group=0", "-C", "rootfs", "-cf", "rootfs.tar", "."])
        .current_dir(project.path()));
    let builders = [("\"auto\"", "0"), ("{ rootfs = \"rootfs.tar\" }", "0"), ("{ rootfs = \"rootfs.tar\" }", "1")];
    for (base, buildkit) in builders {
        project.with_base(base);
        let bundle = ok(&mut project.pack(&["--format", "docker"]));
        judge("docker", &["load", "-i", bundle.trim()]);
        let native = describe("com.example.handmade.alpha:1.2.3");
        let docker = project.path().join("target/appbundle/docker");
        let build = |folder: &Path, arguments: &[&str]| {
            // A newer client of another vendor has no BuildKit without a plugin.
            ok(Command::new("/usr/bin/docker")
                .env("DOCKER_BUILDKIT", buildkit)
                .args(["build", "--platform", "linux/arm64"])
                .args(arguments)
                .arg(".")
                .current_dir(folder));
        };
        build(&docker, &["-t", "com.example.handmade.base:1.2.3", "-f", "Dockerfile.base"]);
        build(&docker.join("alpha"), &["-t", "appbundle-test-by-hand:1", "--build-arg", "LINES=one\n$two"]);
        let by_hand = describe("appbundle-test-by-hand:1");
        assert_eq!(native.0, by_hand.0, "the config on {base}");
        assert_eq!(native.1, by_hand.1, "the file system on {base}");
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_root_file_system_as_folder_and_as_tar, [docker_arm64, arm64_cc]),
        test!(static_binaries_need_nothing, [docker_arm64, arm64_cc]),
        test!(a_base_without_what_a_binary_needs_is_refused, [arm64_cc]),
        test!(libraries_are_found_as_the_loader_finds_them_however_large, [arm64_cc]),
        test!(libraries_that_a_service_packs_are_found_where_it_says, [arm64_cc]),
        test!(of_an_index_the_one_image_that_fits_is_taken, [arm64_cc]),
        test!(archives_of_docker_and_skopeo_are_bases, [docker_arm64, arm64_cc, skopeo]),
        test!(hostile_and_broken_archives_end_in_an_error, [arm64_cc]),
        test!(docker_build_by_hand_gives_the_same_image, [docker_arm64, arm64_cc]),
    ])
}
