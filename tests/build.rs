//! `cargo appbundle build` through the front door: what it writes, when it writes, and what it says.

mod support;

use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::{arm64_cc, mender_artifact, namespaces};
use support::{Project, TRIPLE, appbundle, fails, judge, ok, run, text, within};

const BUNDLE: &str = "target/appbundle/com.example.demo-1.2.3.auterionos";

/// The files of one service's root, unpacked by tar from a docker archive.
fn layers_of(project: &Project, service: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("folder");
    ok(Command::new("tar")
        .arg("xf")
        .arg(project.path().join("target/appbundle/com.example.demo-1.2.3.docker.tar"))
        .current_dir(&folder));
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("manifest.json")).expect("manifest")).expect("JSON");
    let images = manifest.as_array().expect("list");
    let image = images
        .iter()
        .find(|image| image["RepoTags"][0].as_str().is_some_and(|tag| tag.contains(&format!(".{service}:"))))
        .expect("image");
    image["Layers"]
        .as_array()
        .expect("list")
        .iter()
        .map(|l| judge("tar", &["tzvf", folder.path().join(l.as_str().expect("path")).to_str().expect("path")]))
        .collect()
}

fn generated_files_that_are_the_same_are_left_alone() {
    let project = Project::new(&["alpha", "beta"]);
    ok(&mut appbundle(project.path(), &["generate"]));
    for said in ["Fresh 5 files", "Generated 1 file, 4 unchanged"] {
        let generated = run(&mut appbundle(project.path(), &["generate"]));
        assert!(text(&generated.stderr).contains(said), "{}", text(&generated.stderr));
        assert!(text(&generated.stdout).lines().all(|path| !text(&generated.stderr).contains(path)));
        if said.starts_with("Fresh") {
            project.write("target/appbundle/app.yml", "");
        }
    }
}

fn nothing_to_do_is_fresh_and_a_change_is_not() {
    let project = Project::new(&["alpha", "beta"]);
    project.binaries(&["alpha", "beta"]);
    let first = run(&mut project.pack(&[]));
    assert!(text(&first.stderr).contains("Bundled com.example.demo 1.2.3 (auterionos, "), "{}", text(&first.stderr));
    // A terminal shows both streams: each path is in one of them.
    assert!(!text(&first.stderr).contains(text(&first.stdout).trim()), "{}", text(&first.stderr));
    let bytes = project.read(BUNDLE);
    let second = run(&mut project.pack(&[]));
    assert!(text(&second.stderr).contains("Fresh com.example.demo 1.2.3"), "{}", text(&second.stderr));
    assert_eq!(second.stdout, first.stdout);

    // A bundle that was touched by somebody else is written again.
    std::fs::write(project.path().join(BUNDLE), "x").expect("written");
    assert!(text(&run(&mut project.pack(&[])).stderr).contains("Bundled"));
    assert!(project.read(BUNDLE) == bytes);

    // A changed binary changes the bundle, and changed back, gives the old bytes.
    let binary = project.read("bin/alpha");
    project.binary("alpha", "int main() { return 7; }\n");
    ok(&mut project.pack(&[]));
    assert!(project.read(BUNDLE) != bytes);
    std::fs::write(project.path().join("bin/alpha"), binary).expect("written");
    ok(&mut project.pack(&[]));
    assert!(project.read(BUNDLE) == bytes);
}

/// What lies beside the files of a web page by chance is not packed unasked, and a secret not without a word.
fn hidden_files_and_secrets_are_not_packed_in_silence() {
    let project = Project::new(&[]);
    project.binary("alpha", "int main() { return 0; }\n");
    for file in ["index.html", "app.js.map", ".env", ".git/config", "tls/server.key", "drafts/a.html"] {
        project.write(&format!("services/alpha/web/{file}"), file);
    }
    let packed = |more: &str| {
        project.service("alpha", &format!("files = [{{ from = \"web/**\", to = \"/srv\"{more} }}]\n"));
        let said = text(&run(&mut project.pack(&["--format", "docker"])).stderr);
        let layers = layers_of(&project, "alpha").concat();
        let files = layers.lines().filter_map(|line| line.split_once(" srv/")).map(|(_, file)| file.to_owned());
        let mut files: Vec<String> = files.filter(|file| !file.is_empty() && !file.ends_with('/')).collect();
        files.sort();
        (said, files)
    };
    let (said, files) = packed("");
    assert_eq!(files, ["app.js.map", "drafts/a.html", "index.html", "tls/server.key"]);
    assert!(
        said.contains("note[files-hidden]: `files` of `alpha`: `web/**` leaves out `web/.env`, `web/.git`: `dotfiles = true`"),
        "{said}"
    );
    assert!(
        said.contains(
            "note[files-secret]: `files` of `alpha`: `web/**` packs what looks like a secret, `web/tls/server.key`: `exclude"
        ),
        "{said}"
    );
    let (said, files) = packed(", exclude = [\"*.key\", \"*.map\", \"web/drafts\"], dotfiles = false");
    assert_eq!((files, said.contains("note: ")), (vec!["index.html".to_owned()], false), "{said}");
    let (said, files) = packed(", dotfiles = true, exclude = [\"web/{tls,drafts}\"]");
    assert_eq!(files, [".env", ".git/config", "app.js.map", "index.html"]);
    assert!(said.contains("packs what looks like a secret, `web/.env`, `web/.git`: `exclude"), "{said}");
}

fn bytes_do_not_depend_on_cache_threads_or_order_of_formats() {
    let project = Project::new(&["alpha", "beta"]);
    project.binaries(&["alpha", "beta"]);
    ok(&mut project.pack(&["--format", "auterionos,docker,oci", "-j", "1"]));
    let endings = ["auterionos", "docker.tar", "oci.tar"];
    let all = || endings.map(|ending| project.read(&format!("target/appbundle/com.example.demo-1.2.3.{ending}")));
    let first = all();
    ok(&mut appbundle(project.path(), &["clean"]));
    ok(project.pack(&["--format", "oci,docker", "-j", "7"]).env("TZ", "Asia/Kathmandu"));
    ok(project.pack(&["--format", "auterionos", "-j", "3"]).env("SOURCE_DATE_EPOCH", "0"));
    assert!(all() == first);
    ok(project.pack(&["--format", "auterionos"]).env("SOURCE_DATE_EPOCH", "1700000000"));
    assert!(all()[0] != first[0]);
    let error = fails(project.pack(&[]).env("SOURCE_DATE_EPOCH", "yesterday"), 1);
    assert!(error.contains("`SOURCE_DATE_EPOCH` is `yesterday`"), "{error}");
}

fn files_keep_their_mode_links_stay_and_shared_files_are_stored_once() {
    let project = Project::new(&[]);
    let table = "files = [{ from = \"../../assets/**\", to = \"/srv/assets\" }]\n";
    project.service("alpha", &format!("{table}volumes = [\"data:/data\"]\n"));
    project.service("beta", table);
    project.binaries(&["alpha", "beta"]);
    project.write("assets/page.html", "<html>");
    project.write("assets/run.sh", "#!/bin/sh\n");
    ok(Command::new("chmod").args(["700", "assets/run.sh"]).current_dir(project.path()));
    ok(Command::new("ln").args(["-s", "page.html", "assets/index.html"]).current_dir(project.path()));
    ok(&mut project.pack(&["--format", "docker"]));
    let (alpha, beta) = (layers_of(&project, "alpha"), layers_of(&project, "beta"));
    assert_eq!(alpha[..2], beta[..2], "base and assets are shared");
    let assets = &alpha[1];
    assert!(assets.contains("-rwxr-xr-x 0/0") && assets.contains("srv/assets/run.sh"), "{assets}");
    assert!(assets.contains("srv/assets/index.html -> page.html"), "{assets}");
    assert!(alpha[2].contains(" data/") && alpha[2].contains("drwxr-xr-x 65532/65532"), "{}", alpha[2]);
    assert!(alpha[3].contains("usr/local/bin/alpha") && !alpha[3].contains("data"), "{}", alpha[3]);
}

fn a_volume_is_its_services_own_wherever_that_starts_and_whatever_is_in_it() {
    let project = Project::new(&[]);
    project.service("alpha", "volumes = [\"deep:/data/deep\", \"data:/data\"]\nworkdir = \"/data/deep\"\n");
    project.binaries(&["alpha"]);
    ok(&mut project.pack(&["--format", "docker"]));
    let own = layers_of(&project, "alpha").swap_remove(1);
    for folder in ["data/", "data/deep/"] {
        let line = own.lines().find(|line| line.ends_with(&format!(" {folder}"))).unwrap_or_else(|| panic!("{folder} in {own}"));
        assert!(line.starts_with("drwxr-xr-x 65532/65532"), "{line}");
    }
}

/// Docker would copy what an older build had put there.
fn contexts_hold_no_more_than_the_images() {
    let project = Project::new(&[]);
    project.service("alpha", "files = [{ from = \"web/**\", to = \"/srv/web\" }]\n");
    project.write("services/alpha/web/page", "seen");
    project.write("services/alpha/web/deep/secret", "not for you");
    project.binaries(&["alpha"]);
    ok(&mut project.pack(&["--format", "docker"]));
    let root = project.path().join("target/appbundle/docker/alpha/rootfs");
    assert!(root.join("srv/web/deep/secret").exists());
    std::fs::remove_dir_all(project.path().join("services/alpha/web/deep")).expect("removed");
    ok(&mut project.pack(&["--format", "docker"]));
    let left = ok(Command::new("find").args([".", "-type", "f"]).current_dir(&root));
    assert_eq!(left.lines().collect::<std::collections::BTreeSet<_>>().len(), 2, "{left}");
    assert!(left.contains("./srv/web/page") && !root.join("srv/web/deep").exists(), "{left}");
    // What was a file is a folder now, and the other way round.
    std::fs::remove_file(project.path().join("services/alpha/web/page")).expect("removed");
    project.write("services/alpha/web/page/part", "one");
    ok(&mut project.pack(&["--format", "docker"]));
    std::fs::remove_dir_all(project.path().join("services/alpha/web/page")).expect("removed");
    project.write("services/alpha/web/page", "again");
    ok(&mut project.pack(&["--format", "docker"]));
    assert_eq!(std::fs::read(root.join("srv/web/page")).expect("a file"), b"again");
}

fn a_damaged_cache_is_mended_and_said() {
    let project = Project::new(&["alpha"]);
    project.binaries(&["alpha"]);
    ok(&mut project.pack(&[]));
    let bytes = project.read(BUNDLE);
    let cache = project.path().join("target/appbundle/cache");
    // Without the marks, nothing that was summed of damaged bytes may be taken for the sum of good ones.
    for marks in [true, false] {
        for entry in std::fs::read_dir(&cache).expect("cache").flatten() {
            if entry.path().extension().is_some_and(|e| e == "gz") {
                let mut damaged = std::fs::read(entry.path()).expect("read");
                let middle = damaged.len() / 2;
                damaged[middle] ^= 0x55;
                std::fs::write(entry.path(), damaged).expect("written");
            }
        }
        if !marks {
            std::fs::remove_file(cache.join("image.marks")).expect("removed");
        }
        std::fs::remove_file(project.path().join(BUNDLE)).expect("removed");
        let output = run(&mut project.pack(&[]));
        let said = text(&output.stderr);
        assert!(output.status.success() && said.contains("is damaged; packing it again"), "{said}");
        assert!(project.read(BUNDLE) == bytes);
    }
    for name in ["digests.json", "image.marks"] {
        std::fs::write(cache.join(name), "nonsense").expect("written");
    }
    std::fs::remove_file(project.path().join(BUNDLE)).expect("removed");
    ok(&mut project.pack(&[]));
    assert!(project.read(BUNDLE) == bytes);
}

fn a_build_that_is_killed_leaves_nothing_half_written() {
    let project = Project::new(&["alpha", "beta"]);
    project.binaries(&["alpha", "beta"]);
    for wait in (0..400).step_by(25) {
        ok(&mut appbundle(project.path(), &["clean"]));
        let mut child = project.pack(&["--compression", "best"]).stderr(std::process::Stdio::null()).spawn().expect("started");
        std::thread::sleep(std::time::Duration::from_millis(wait));
        let _ = child.kill();
        let _ = child.wait();
        let bundle = project.path().join(BUNDLE);
        if bundle.exists() {
            judge("mender-artifact", &["validate", bundle.to_str().expect("path")]);
        }
    }
    ok(&mut project.pack(&["--compression", "best"]));
    let left: Vec<String> = walkdir::WalkDir::new(project.path())
        .into_iter()
        .flatten()
        .map(|e| e.path().display().to_string())
        .filter(|p| p.contains("partial"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn two_builds_at_once_wait_for_each_other() {
    let project = Project::new(&["alpha", "beta"]);
    project.binaries(&["alpha", "beta"]);
    let children: Vec<_> = (0..4)
        .map(|_| {
            project.pack(&[]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("started")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("ended");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let bytes = project.read(BUNDLE);
    ok(&mut appbundle(project.path(), &["clean"]));
    ok(&mut project.pack(&[]));
    assert!(project.read(BUNDLE) == bytes);
}

fn a_target_folder_that_cannot_be_written_and_a_full_disk_are_said() {
    let project = Project::new(&["alpha"]);
    project.binaries(&["alpha"]);
    project.write("out", "a file where a folder should be");
    let error = fails(&mut project.pack(&["--out-dir", "out"]), 1);
    assert!(error.contains("out"), "{error}");
    ok(&mut project.pack(&[]));
    let bytes = project.read(BUNDLE);
    let noise: Vec<u8> = (0..1u32 << 18).flat_map(|n| n.wrapping_mul(2_654_435_761).rotate_left(n % 31).to_le_bytes()).collect();
    std::fs::write(project.path().join("bin/alpha"), [project.read("bin/alpha"), noise].concat()).expect("written");
    for (mount, says) in
        [("size=64k", "No space left on device"), ("size=300k", "No space left on device"), ("ro", "Read-only file system")]
    {
        // What is left in the file system that the build met is shown by the name.
        let script = format!(
            "mount -t tmpfs -o {mount} none target; \"$@\"; code=$?; find target -name '*.auterionos' -size +0; umount target; exit $code"
        );
        let words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"];
        let output = run(&mut within(&words, &project.pack(&[])));
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{mount}: {error}");
        assert!(error.contains(says) && error.contains("failed to"), "{mount}: {error}");
        assert_eq!(text(&output.stdout), "", "{mount}");
    }
    assert!(project.read(BUNDLE) == bytes, "the bundle of before is still there");
    ok(&mut project.pack(&[]));
    assert!(project.read(BUNDLE) != bytes);
}

fn missing_and_foreign_binaries_are_named() {
    let project = Project::new(&["alpha", "beta", "gamma"]);
    project.binaries(&["alpha"]);
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("has no executable `beta`, `gamma`"), "{error}");
    project.compile("cc", "beta", "int main() { return 0; }\n", &[]);
    project.write("bin/gamma", "#!/bin/sh\n");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("`beta` is for amd64") && error.contains(TRIPLE), "{error}");
    project.binary("beta", "int main() { return 0; }\n");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("bin/gamma") && error.contains("not an ELF file"), "{error}");
}

fn the_version_is_mapped_and_substituted() {
    let project = Project::new(&["alpha"]);
    project.binaries(&["alpha"]);
    project.write("app.yml", "# ours\nversion: '3.7'\nservices:\n  alpha:\n    image: our-alpha:#VERSION#  # with a comment\n    container_name: alpha\n");
    let output = run(&mut project.pack(&["--app-version", "2.0.0+g123", "--format", "auterionos,docker"]));
    let said = text(&output.stderr);
    assert!(output.status.success() && said.contains("version `2.0.0+g123` becomes `2.0.0-g123`"), "{said}");
    let written = project.text("target/appbundle/app.yml");
    assert_eq!(
        written,
        "# ours\nversion: '3.7'\nservices:\n  alpha:\n    image: our-alpha:2.0.0-g123  # with a comment\n    container_name: alpha\n"
    );
    let app_file = project.text("target/appbundle/auterion-app.yml");
    assert!(app_file.contains("image: our-alpha:2.0.0-g123") && !app_file.contains("#VERSION#"), "{app_file}");
    project.write("app.yml", "services:\n  alpha:\n    image: a:#VERSION#\n  delta:\n    image: d:#VERSION#\n");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("has the service `delta`, which is not in the workspace"), "{error}");
    project.write("app.yml", "services:\n  delta:\n    image: d:#VERSION#\n");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("has no service `alpha`"), "{error}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(generated_files_that_are_the_same_are_left_alone, []),
        test!(nothing_to_do_is_fresh_and_a_change_is_not, [arm64_cc]),
        test!(hidden_files_and_secrets_are_not_packed_in_silence, [arm64_cc]),
        test!(bytes_do_not_depend_on_cache_threads_or_order_of_formats, [arm64_cc]),
        test!(files_keep_their_mode_links_stay_and_shared_files_are_stored_once, [arm64_cc]),
        test!(a_volume_is_its_services_own_wherever_that_starts_and_whatever_is_in_it, [arm64_cc]),
        test!(contexts_hold_no_more_than_the_images, [arm64_cc]),
        test!(a_damaged_cache_is_mended_and_said, [arm64_cc]),
        test!(a_build_that_is_killed_leaves_nothing_half_written, [arm64_cc, mender_artifact]),
        test!(two_builds_at_once_wait_for_each_other, [arm64_cc]),
        test!(a_target_folder_that_cannot_be_written_and_a_full_disk_are_said, [arm64_cc, namespaces]),
        test!(missing_and_foreign_binaries_are_named, [arm64_cc]),
        test!(the_version_is_mapped_and_substituted, [arm64_cc]),
    ])
}
