//! Files, links and folders of images: what they are in a container, whoever builds the image.

mod support;

use std::process::{Command, ExitCode};

use support::container::describe;
use support::harness::{self, test};
use support::needs::{arm64_cc, docker_arm64, podman};
use support::podman::Podman;
use support::{Project, appbundle, fails, judge, ok, run, text};

/// Says by which name it was started.
const NAME: &str = "#include <stdio.h>\nint main(int n, char **v) { puts(v[0]); return 0; }\n";

/// A service with all kinds of entries; on a base with `/etc` and `/kept`, some of them are in folders that it has.
const TABLE: &str = "volumes = [\"data:/var/lib/made/data\", \"spool:/var/spool\"]\nargv0 = \"made-by-name\"\nfiles = [\n\
    { from = \"web/**\", to = \"/srv/web\", owner = \"1000\", exclude = [\"*.map\"] },\n\
    { from = \"conf.txt\", to = \"/etc/made.conf\", mode = \"0640\", owner = \"0:1234\" },\n\
    { from = \"conf.txt\", to = \"/etc/plain.conf\" },\n\
    { from = \"run.sh\", to = \"/opt/made/bin/\", mode = \"0711\" },\n\
    { from = \"conf.txt\", to = \"/var/lib/made/state/deep/conf\", mode = \"000\" },\n\
    { link = \"/etc/link.conf\", to = \"/etc/made.conf\" },\n\
    { link = \"/opt/made/conf\", to = \"/etc/made.conf\", owner = \"7:8\" },\n\
    { folder = \"/var/lib/made\", mode = \"0750\", owner = \"2000000:3\" },\n\
    { folder = \"/var/lib/made/state\", mode = \"2770\" },\n\
    { folder = \"/kept\", mode = \"1777\", owner = \"5:6\" },\n\
    { folder = \"/var/spool\", mode = \"0700\", owner = \"9:9\" },\n]\n";

fn project(app: &str) -> Project {
    let project = Project::named(app, &[]);
    project.service("alpha", TABLE);
    for (path, content) in [("web/css/style.css", "css"), ("web/x.map", "map"), ("conf.txt", "conf"), ("run.sh", "#!/bin/sh\n")] {
        project.write(&format!("services/alpha/{path}"), content);
    }
    let link = project.path().join("services/alpha/web/style.css");
    std::os::unix::fs::symlink("css/style.css", link).expect("link");
    project.write("rootfs/etc/os-release", "ID=own\n");
    project.write("rootfs/kept/file", "kept");
    project.compile("aarch64-linux-gnu-gcc", "alpha", NAME, &["-static"]);
    project
}

/// What is in the image, as containers see it, after a build by this engine.
fn seen(project: &Project, image: &str, engine: &str, host: Option<String>) -> (String, String) {
    let mut pack = project.pack(&["--format", "docker", "--engine", engine]);
    host.map(|host| pack.env("DOCKER_HOST", host));
    let bundle = ok(&mut pack);
    ok(&mut appbundle(project.path(), &["verify", bundle.trim()]));
    judge("docker", &["load", "-i", bundle.trim()]);
    assert_eq!(judge("docker", &["run", "--rm", "--platform", "linux/arm64", image]), "/usr/local/bin/made-by-name\n");
    files_of(image)
}

/// As [`describe`], with the permission bits of modes alone.
fn files_of(image: &str) -> (String, String) {
    let (config, files) = describe(image);
    let line = |line: &str| {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        words[1] = format!("{:o}", u32::from_str_radix(&words[1], 8).expect("a mode") & 0o7777);
        words.join(" ") + "\n"
    };
    (config, files.lines().filter(|line| !line.is_empty()).map(line).collect())
}

fn modes_owners_links_and_folders_are_the_same_by_all_engines() {
    let (project, podman) = (project("madebyall"), Podman::start());
    let image = "com.example.madebyall.alpha:1.2.3";
    for base in ["\"auto\"", "{ rootfs = \"rootfs\" }"] {
        project.with_base(base);
        let (config, files) = seen(&project, image, "native", None);
        for line in [
            "2 777 1000:1000 srv/web/style.css css/style.css",
            "5 755 0:0 srv/web ",
            "2 777 0:0 etc/link.conf /etc/made.conf",
            "2 777 7:8 opt/made/conf /etc/made.conf",
            "2 777 0:0 usr/local/bin/made-by-name /usr/local/bin/alpha",
            "5 750 2000000:3 var/lib/made ",
            "5 2770 0:0 var/lib/made/state ",
            "5 755 0:0 var/lib/made/state/deep ",
            "5 755 65532:65532 var/lib/made/data ",
            // The table comes before the volume.
            "5 700 9:9 var/spool ",
            "5 1777 5:6 kept ",
            "5 755 0:0 var/lib ",
        ] {
            assert!(files.lines().any(|other| other == line), "{line} on {base} in\n{files}");
        }
        for (start, end) in [
            ("0 644 1000:1000 srv/web/css/style.css ", true),
            ("0 640 0:1234 etc/made.conf ", true),
            ("0 644 0:0 etc/plain.conf ", true),
            ("0 711 0:0 opt/made/bin/run.sh ", true),
            ("0 0 0:0 var/lib/made/state/deep/conf ", true),
            ("0 644 1000:1000 srv/web/x.map ", false),
        ] {
            assert_eq!(files.lines().any(|line| line.starts_with(start)), end, "{start} on {base} in\n{files}");
        }
        for (engine, host) in [("docker", None), ("docker", Some(podman.url()))] {
            let by = format!("by {host:?} on {base}");
            let made = seen(&project, image, engine, host);
            assert_eq!(made.0, config, "the config {by}");
            assert_eq!(made.1, files, "the file system {by}");
        }
    }
    judge("docker", &["rmi", "--force", image]);
}

/// Two services of one executable differ in names, folders and files, and yet it is stored once.
fn one_executable_of_several_services_is_stored_once() {
    let project = Project::named("storedonce", &[]);
    let package = "[package]\nname = \"daemons\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[[bin]]\nname = \"daemons\"\npath = \"src/main.rs\"\n";
    let service =
        |name: &str, more: &str| format!("\n[[package.metadata.service]]\nname = \"{name}\"\nargv0 = \"{name}d\"\n{more}\n");
    let first = service("key", "volumes = [\"keys:/var/lib/keys\"]\nuser = \"1000:1000\"");
    let second = service("cert", "volumes = [\"certs:/var/lib/certs\"]\nworkdir = \"/var/lib/work\"");
    let third = service("plain", "");
    project.write("services/daemons/Cargo.toml", &format!("{package}{first}{second}{third}"));
    project.write("services/daemons/src/main.rs", "fn main() {}\n");
    project.compile("aarch64-linux-gnu-gcc", "daemons", NAME, &["-static"]);
    let bundle = ok(&mut project.pack(&["--format", "docker"]));
    let report = ok(&mut appbundle(project.path(), &["inspect", bundle.trim(), "--json"]));
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let layers = report["layers"].as_array().expect("layers").iter();
    let large: Vec<_> = layers.filter(|layer| layer["unpacked"].as_u64() > Some(300_000)).collect();
    // One is the base, with the certificates.
    assert_eq!(large.iter().filter(|layer| layer["files"] == 1).count(), 1, "{report:#}");
    // The comparison with the other layout still knows whose layers are whose.
    assert!(report["layouts"]["multi-binary"]["images"] == 1, "{report:#}");
    judge("docker", &["load", "-i", bundle.trim()]);
    for name in ["key", "cert", "plain"] {
        let image = format!("com.example.storedonce.{name}:1.2.3");
        let said = judge("docker", &["run", "--rm", "--platform", "linux/arm64", &image]);
        assert_eq!(said, format!("/usr/local/bin/{name}d\n"));
        let volumes = files_of(&image).1;
        assert_eq!(volumes.contains("5 755 1000:1000 var/lib/keys "), name == "key", "{volumes}");
        assert_eq!(volumes.contains("5 755 65532:65532 var/lib/certs "), name == "cert", "{volumes}");
        judge("docker", &["rmi", "--force", &image]);
    }
}

/// As in an image of their own, services of one image have folders with owners of their own.
fn folders_of_one_image_keep_their_owners() {
    let project = Project::named("folderstogether", &[]);
    project.edit("Cargo.toml", |text| text + "layout = \"multi-binary\"\nbase = \"scratch\"\n");
    project.service("alpha", "files = [{ folder = \"/srv/a\", mode = \"0700\", owner = \"5:5\" }]\n");
    project.service("beta", "argv0 = \"b\"\nfiles = [{ from = \"b.txt\", to = \"/srv/a/b.txt\", mode = \"0600\" }]\n");
    project.write("services/beta/b.txt", "b");
    for name in ["alpha", "beta"] {
        project.compile("aarch64-linux-gnu-gcc", name, NAME, &["-static", &format!("-DN=\"{name}\"")]);
    }
    let image = "com.example.folderstogether:1.2.3";
    let made: Vec<String> = ["native", "docker"]
        .into_iter()
        .map(|engine| {
            let bundle = ok(&mut project.pack(&["--format", "docker", "--engine", engine]));
            judge("docker", &["load", "-i", bundle.trim()]);
            files_of(image).1
        })
        .collect();
    for line in ["5 700 5:5 srv/a ", "0 600 0:0 srv/a/b.txt "] {
        assert!(made[0].lines().any(|other| other.starts_with(line)), "{line} in\n{}", made[0]);
    }
    assert_eq!(made[0], made[1]);
    assert!(project.text("target/appbundle/app.yml").contains("/usr/local/bin/b\n"));
    judge("docker", &["rmi", "--force", image]);
    let edit = |table: &str| project.service("beta", table);
    edit("argv0 = \"alpha\"\n");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("`/usr/local/bin/alpha` is the path of the executable of `alpha`"), "{error}");
    edit("files = [{ folder = \"/srv/a\" }]\n");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("share an image, but have different files at `/srv/a`"), "{error}");
    edit("files = [{ link = \"/srv/a\", to = \"/srv/b\" }]\n");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("share an image, but have different files at `/srv/a`"), "{error}");
}

fn mistakes_are_told_with_their_places() {
    let project = Project::new(&[]);
    project.write("services/alpha/conf.txt", "conf");
    // Each with what the place is that is shown.
    for (entries, shown, message) in [
        ("{ from = \"conf.txt\", to = \"/c\", mode = \"0o640\" }", "\"0o640\"", "error[invalid-files]: `0o640` is not a mode"),
        ("{ from = \"conf.txt\", to = \"/c\", mode = \"4755\" }", "\"4755\"", "`4755` has the set-user-ID or set-group-ID bit"),
        ("{ from = \"conf.txt\", to = \"/c\", mode = \"1644\" }", "\"1644\"", "`1644` has the sticky bit"),
        ("{ from = \"conf.txt\", to = \"/c\", mode = 640 }", "640", "`mode` is an integer instead of a string"),
        ("{ folder = \"/c\", mode = \"6755\" }", "\"6755\"", "`6755` has the set-user-ID bit"),
        ("{ from = \"conf.txt\", to = \"/c\", owner = \"me\" }", "\"me\"", "error[invalid-files]: `me` is not an owner"),
        ("{ folder = \"/c\", owner = \"1:4294967295\" }", "\"1:4294967295\"", "`1:4294967295` is not an owner"),
        ("{ link = \"/a\", to = \"/b\" }, { link = \"/b\", to = \"/a\" }", "{ link = \"/a", "the link `/a` leads back to itself"),
        ("{ link = \"/a\", to = \"/a\" }", "{", "the link `/a` leads back to itself"),
        ("{ link = \"/a\", to = \"b\" }", "\"b\"", "`b` is not an absolute path in the image"),
        ("{ link = \"/a\", to = \"/../b\" }", "\"/../b\"", "`/../b` is outside the image"),
        ("{ link = \"a\", to = \"/b\" }", "\"a\"", "`a` is not an absolute path in the image"),
        ("{ link = \"/a\", to = \"/b\", mode = \"0777\" }", "\"0777\"", "`mode` does not go with `link`"),
        ("{ folder = \"/\" }", "\"/\"", "`/` is the root folder"),
        ("{ folder = \"/../x\" }", "\"/../x\"", "`/../x` is outside the image"),
        ("{ folder = \"/x\", to = \"/y\" }", "\"/y\"", "`to` does not go with `folder`"),
        ("{ folder = \"/x\", exclude = [\"y\"] }", "[\"y\"]", "`exclude` does not go with `folder`"),
        ("{ folder = \"/x\", from = \"conf.txt\" }", "\"/x\"", "`from` and `folder` exclude each other"),
        ("{ to = \"/x\" }", "{", "error[missing-key]: an entry of `files` needs `from`, `link` or `folder`"),
        ("{ from = \"conf.txt\" }", "{", "error[missing-key]: `from` in `files` needs `to`"),
        (
            "{ folder = \"/x\" }, { from = \"conf.txt\", to = \"/x\" }",
            "{ from",
            "a folder and `WORKSPACE/services/alpha/conf.txt` both go to `/x`",
        ),
        (
            "{ from = \"conf.txt\", to = \"/x\" }, { folder = \"/x/y\" }",
            "[",
            "`/x` is a file, so the image cannot contain `/x/y`",
        ),
        ("{ link = \"/x\", to = \"/z\" }, { folder = \"/x/y\" }", "[", "`/x` is a file, so the image cannot contain `/x/y`"),
        ("{ folder = \"/usr/local/bin/alpha\" }", "{", "`/usr/local/bin/alpha` is the path of the executable"),
        ("{ folder = \"/usr/local/bin/alpha/x\" }", "[", "`/usr/local/bin/alpha` is a file, so the image cannot contain"),
        ("{ folder = \"/x/.wh.y\" }", "{", "`/x/.wh.y` cannot be in an image"),
    ] {
        let line = format!("files = [{entries}]\n");
        project.service("alpha", &line);
        let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
        let message = message.replace("WORKSPACE", &project.path().display().to_string());
        let column = line.find(shown).expect("a part of the line") + 1;
        let place = format!("services/alpha/Cargo.toml:7:{column}\n");
        assert!(error.contains(&message) && error.contains(&place), "{place} in {error}");
        assert_eq!(error.matches("error[").count(), 1, "{error}");
    }
    for (table, message) in [
        ("argv0 = \"a/b\"\n", "`a/b` is not the name of a program"),
        ("argv0 = \"..\"\n", "`..` is not the name of a program"),
        ("argv0 = \"\"\n", "`` is not the name of a program"),
        ("argv0 = \"a\"\ncommand = [\"/x\"]\n", "`argv0` and `command` exclude each other"),
        ("argv0 = \"a\"\nfiles = [{ folder = \"/usr/local/bin/a\" }]\n", "both go to `/usr/local/bin/a`"),
    ] {
        project.service("alpha", table);
        let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
        assert!(error.contains(message), "{error}");
    }
    // Both mistakes of one entry.
    project.service("alpha", "files = [{ from = \"none\", to = \"/x\", mode = \"9\", owner = \"x\" }]\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in ["`9` is not a mode", "`x` is not an owner", "`none` cannot be read"] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

fn a_pattern_of_exclude_that_matches_nothing_is_told() {
    let project = Project::new(&[]);
    project.write("services/alpha/web/a.html", "a");
    project.write("services/alpha/web/a.map", "a");
    let note = |entry: &str| {
        project.service("alpha", &format!("files = [{{ {entry}, exclude = [\"*.map\", \"*.mpa\", \"web/a.*p\"] }}]\n"));
        text(&run(&mut appbundle(project.path(), &["plan"])).stderr)
    };
    let said = note("from = \"web/**\", to = \"/srv\"");
    assert!(said.contains("note[exclude-unmatched]: `files` of `alpha`: `*.mpa` in `exclude` matches nothing"), "{said}");
    assert_eq!(said.matches("matches nothing").count(), 1, "{said}");
    let said = note("from = \"web/a.html\", to = \"/srv/a\"");
    assert_eq!(said.matches("matches nothing").count(), 3, "{said}");
    project.edit("Cargo.toml", |text| text + "allow = [\"exclude-unmatched\"]\n");
    assert_eq!(note("from = \"web/**\", to = \"/srv\""), "");
}

/// By hand, as the page of Dockerfiles says, with the client and the engine alone.
fn plain_docker_builds_the_same() {
    let project = project("madebyhand");
    project.with_base("{ rootfs = \"rootfs\" }");
    let image = "com.example.madebyhand.alpha:1.2.3";
    let native = seen(&project, image, "native", None);
    judge("docker", &["rmi", "--force", image]);
    let folder = project.path().join("target/appbundle/docker");
    let script = format!(
        "docker build -q --platform linux/arm64 -t com.example.madebyhand.base:1.2.3 -f Dockerfile.base . && \
         docker build -q --platform linux/arm64 -t {image} alpha"
    );
    ok(Command::new("sh").args(["-c", &script]).env("DOCKER_BUILDKIT", "0").current_dir(folder));
    let made = files_of(image);
    assert_eq!(made.1, native.1);
    judge("docker", &["rmi", "--force", image]);
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(modes_owners_links_and_folders_are_the_same_by_all_engines, [docker_arm64, podman, arm64_cc]),
        test!(plain_docker_builds_the_same, [docker_arm64, arm64_cc]),
        test!(one_executable_of_several_services_is_stored_once, [docker_arm64, arm64_cc]),
        test!(folders_of_one_image_keep_their_owners, [docker_arm64, arm64_cc]),
        test!(mistakes_are_told_with_their_places, []),
        test!(a_pattern_of_exclude_that_matches_nothing_is_told, []),
    ])
}
