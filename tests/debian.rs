//! Bases of Debian packages: from a small archive that is signed here, and what is refused.

mod support;

use std::process::{Command, ExitCode};

use cargo_appbundle::digest::Digest;
use support::harness::{self, test};
use support::needs::{arm64_cc, dpkg, gpg};
use support::repository::{NewDeb, RELEASE, Repository, unpacked};
use support::server::{Answer, Server, ranged};
use support::{Project, appbundle, fails, ok, run, text};

/// A project with a static service on a base.
fn project(app: &str, base: &str) -> Project {
    let project = Project::named(app, &["alpha"]);
    project.compile("aarch64-linux-gnu-gcc", "alpha", "int main() { return 0; }\n", &["-static"]);
    project.with_base(base);
    project
}

/// Packs with a cache of the project's own.
fn pack(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.pack(&["--format", "docker"]);
    command.args(arguments).env("XDG_CACHE_HOME", project.path().join("user-cache"));
    command
}

/// What `build` says when it fails.
fn refused(project: &Project) -> String {
    fails(&mut pack(project, &[]), 1)
}

/// A library and a program that needs it, with all that scripts usually do.
fn sample() -> Repository {
    let mut repository = Repository::new();
    repository.add(&NewDeb {
        files: &[
            ("etc/os-release", 0o644, "ID=test\n"),
            ("tmp/", 0o1777, ""),
            ("usr/share/base-files/profile", 0o644, "# profile\n"),
        ],
        ..NewDeb::new("base-files", "Architecture: all\nPre-Depends: awk\n")
    });
    repository.add(&NewDeb {
        files: &[
            ("usr/lib/libone.so.1.0", 0o644, "one"),
            ("usr/share/doc/libone1/copyright", 0o644, "(c)\n"),
            ("usr/share/doc/libone1/README", 0o644, "read\n"),
            ("usr/share/man/man1/one.1", 0o644, "page\n"),
        ],
        ..NewDeb::new("libone1", "Multi-Arch: same\nProvides: one-api (= 2)\n")
    });
    repository.add(&NewDeb {
        files: &[("bin/tool.real", 0o755, "#!/bin/sh\n"), ("etc/tool.conf", 0o644, "a=1\n"), ("lib/tool/link", 0, "../../etc/tool.conf"), ("var/lib/tool/", 0o755, "")],
        control: &[
            ("conffiles", "/etc/tool.conf\n"),
            (
                "postinst",
                "#!/bin/sh\nset -e\nUSER=tool\nif [ \"$1\" = configure ]; then\n  adduser --system --group --home /var/lib/tool \\\n    --no-create-home tool\n  chown $USER:$USER /var/lib/tool\nfi\nif [ -n \"$2\" ]; then\n  migrate-everything\nfi\nupdate-alternatives --install /usr/bin/tool tool /usr/bin/tool.real 10\n",
            ),
        ],
        ..NewDeb::new("tool", "Depends: libone1 (>= 1), missing-first | one-api (>= 2), extra\n")
    });
    repository.add(&NewDeb { files: &[("usr/share/extra", 0o644, "extra\n")], ..NewDeb::new("extra", "Architecture: all\n") });
    repository.publish();
    repository
}

/// Lines that many scripts have: accounts that every system has, AppArmor's own files, groups that once had another name, folders for
/// the administrator.
fn what_many_scripts_do_is_done() {
    let mut repository = sample();
    let postinst = "#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then\n  APP=/etc/apparmor.d/local/usr.bin.web\n  test -e \"$APP\" || {\n    \
        mkdir -p `dirname \"$APP\"`\n    install --mode 644 /dev/null \"$APP\"\n  }\n  logdir=/var/log/web\n  chown www-data:adm $logdir\n  \
        chmod 0750 $logdir\n  groupmod -n _web web\nfi\n\
        # Automatically added by dh_usrlocal/13.11\nif [ \"$1\" = configure ]; then\n(\n\twhile read line; do\n\t\tset -- $line\n\t\t\
        if mkdir \"$1\" 2>/dev/null; then\n\t\t\tchown \"$3\":\"$4\" \"$1\"\n\t\tfi\n\tdone\n) << DATA\n/usr/local/share/web 02775 root staff\nDATA\nfi\n\
        # End automatically added section\n\nexit 0\n~\n";
    repository.add(&NewDeb {
        files: &[("var/log/web/", 0o755, "")],
        control: &[("postinst", postinst)],
        ..NewDeb::new("web", "")
    });
    repository.publish();
    let server = repository.serve();
    let project = project("scripts", &repository.base(&server, &["web"], ""));
    let bundle = ok(&mut pack(&project, &[]));
    let root = unpacked(&project, &bundle, "out");
    let stat = |path: &str| ok(Command::new("stat").args(["-c", "%u:%g %a %s"]).arg(root.join(path)));
    assert!(stat("var/log/web").starts_with("33:4 750 "), "{}", stat("var/log/web"));
    assert!(stat("usr/local/share/web").starts_with("0:50 2775 "), "{}", stat("usr/local/share/web"));
    assert_eq!(stat("etc/apparmor.d/local/usr.bin.web").trim(), "0:0 644 0");
    let users = std::fs::read_to_string(root.join("etc/passwd")).expect("users");
    let groups = std::fs::read_to_string(root.join("etc/group")).expect("groups");
    assert!(users.contains("www-data:*:33:33:www-data:/var/www:/usr/sbin/nologin\n"), "{users}");
    assert!(["www-data:*:33:\n", "adm:*:4:\n", "staff:*:50:\n"].iter().all(|row| groups.contains(row)), "{groups}");
}

fn packages_become_a_tree_with_what_scripts_would_do() {
    let repository = sample();
    let server = repository.serve();
    let project = project("debs", &repository.base(&server, &["tool"], ""));
    let bundle = ok(&mut pack(&project, &[]));
    let root = unpacked(&project, &bundle, "out");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    // Folders at the top are links to those in /usr, and packages go through them.
    assert_eq!(std::fs::read_link(root.join("bin")).expect("link").to_str(), Some("usr/bin"));
    assert_eq!(read("usr/lib/tool/../../../etc/tool.conf"), "a=1\n");
    assert_eq!(std::fs::read_link(root.join("usr/lib/tool/link")).expect("link").to_str(), Some("../../etc/tool.conf"));
    // Alternatives, accounts, the owner that a script gives, what base-files does.
    assert_eq!(std::fs::read_link(root.join("etc/alternatives/tool")).expect("link").to_str(), Some("/usr/bin/tool.real"));
    assert!(read("etc/passwd").contains("tool:*:100:100::/var/lib/tool:/usr/sbin/nologin\n"), "{}", read("etc/passwd"));
    assert!(read("etc/group").contains("tool:*:100:\n") && read("etc/profile") == "# profile\n");
    let stat = |path: &str| ok(Command::new("stat").args(["-c", "%u:%g %a"]).arg(root.join(path)));
    assert_eq!(
        (stat("var/lib/tool").trim(), stat("tmp").trim(), stat("usr/bin/tool.real").trim()),
        ("100:100 755", "0:0 1777", "0:0 755")
    );
    // Without documents, but for copyright.
    assert!(root.join("usr/share/doc/libone1/copyright").exists() && !root.join("usr/share/doc/libone1/README").exists());
    assert!(!root.join("usr/share/man/man1/one.1").exists());
    // So does `inspect`, with what needs what.
    let listed = ok(&mut appbundle(project.path(), &["inspect", bundle.trim()]));
    for line in ["Debian packages of image 1: 4 packages, 0 B", " libone1     1.0  for tool\n", " tool        1.0\n"] {
        assert!(listed.contains(line), "{line} in {listed}");
    }
    // dpkg itself finds them all.
    let admin = format!("--admindir={}", root.join("var/lib/dpkg").display());
    let listed = ok(Command::new("dpkg-query").args([&admin, "-W", "-f=${binary:Package} ${Version} ${db:Status-Status}\n"]));
    let installed = ["base-files", "extra", "libone1:arm64", "tool:arm64"].map(|name| format!("{name} 1.0 installed"));
    assert!(installed.iter().all(|line| listed.contains(line.as_str())), "{listed}");
    let files = ok(Command::new("dpkg-query").args([&admin, "-L", "libone1:arm64"]));
    assert!(
        files.contains("/usr/share/man/man1/one.1") && read("var/lib/dpkg/status").contains("Conffiles:\n /etc/tool.conf "),
        "{files}"
    );
}

fn the_lock_file_keeps_the_packages() {
    let repository = sample();
    let server = repository.serve();
    let project = project("locked", &repository.base(&server, &["tool"], ", vendor = \"debs\""));
    let error = fails(&mut pack(&project, &["--locked"]), 1);
    assert!(error.contains("because --locked was passed"), "{error}");
    let first = ok(&mut pack(&project, &[]));
    let bytes = project.read(first.trim());
    let lock = project.text("appbundle.lock");
    for part in [
        "suite = \"bookworm\"",
        "date = \"Sat, 11 Jul 2026",
        "name = \"extra\"",
        "path = \"pool/tool_1.0.deb\"",
        "needed-by = \"tool\"",
    ] {
        assert!(lock.contains(part), "{part} in {lock}");
    }
    // Nobody is asked any more, whatever the archive has now.
    let asked = server.asked().len();
    assert!(text(&run(&mut pack(&project, &["--locked", "--offline"])).stderr).contains("Fresh"));
    std::fs::remove_dir_all(project.path().join("target")).expect("removed");
    let again = ok(&mut pack(&project, &["--frozen"]));
    assert_eq!((project.read(again.trim()), server.asked().len()), (bytes.clone(), asked), "the same bytes without a request");
    // The folder holds them when the archive does not, and the cache neither.
    let appbundle = |verb: &str| {
        let mut command = appbundle(project.path(), &[verb]);
        command.env("XDG_CACHE_HOME", project.path().join("user-cache"));
        command
    };
    ok(&mut appbundle("vendor"));
    for folder in ["target", "user-cache"] {
        std::fs::remove_dir_all(project.path().join(folder)).expect("removed");
    }
    let (kept, first, second) = ("www/kept", "www/archive/debian/20260712T101637Z", "www/archive/debian/20260711T101637Z");
    std::fs::rename(repository.path("www/pool"), repository.path(kept)).expect("moved");
    assert_eq!(project.read(ok(&mut pack(&project, &["--locked"])).trim()), bytes);
    // Without it, the error says what helps.
    for folder in ["target", "user-cache", "debs"] {
        std::fs::remove_dir_all(project.path().join(folder)).expect("removed");
    }
    let error = refused(&project);
    assert!(
        error.contains("error[debian-mirror]")
            && error.contains("1.0, which `appbundle.lock` pins, is no longer on any mirror")
            && error.contains("cargo appbundle update")
            && error.contains("set `snapshot-mirror` in `base`"),
        "{error}"
    );
    // An archive of snapshots has them: of a day after the Release, or of its time.
    for moment in [first, second] {
        std::fs::create_dir_all(repository.path(moment).join("pool")).expect("folders");
    }
    for (at, entry) in std::fs::read_dir(repository.path(kept)).expect("a folder").flatten().enumerate() {
        let moment = if at == 0 { second } else { first };
        std::fs::rename(entry.path(), repository.path(moment).join("pool").join(entry.file_name())).expect("moved");
    }
    let of_snapshots = format!(", vendor = \"debs\", snapshot-mirror = \"http://{}/archive/\"", server.host);
    project.with_base(&repository.base(&server, &["tool"], &of_snapshots));
    assert_eq!(project.read(ok(&mut pack(&project, &["--locked"])).trim()), bytes);
    let asked: Vec<String> = server.asked().into_iter().map(|asked| asked.path).filter(|path| path.contains("tool")).collect();
    let [.., mirror, snapshot] = &asked[..] else { panic!("{asked:?}") };
    assert!(mirror == "/pool/tool_1.0.deb" && snapshot.starts_with("/archive/debian/20260"), "{asked:?}");
    for folder in ["target", "user-cache"] {
        std::fs::remove_dir_all(project.path().join(folder)).expect("removed");
    }
    // An entry that somebody changed is another package.
    let plan = ok(&mut appbundle("plan"));
    assert!(plan.contains("libone1 1.0, for tool"), "{plan}");
    project.edit("appbundle.lock", |text| text.replacen("size = ", "size = 1", 1));
    assert!(refused(&project).contains("error[debian-mirror]"));
    project.edit("appbundle.lock", |text| text.replacen("version = \"1.0\"", "vresion = \"1.0\"", 1));
    let error = refused(&project);
    assert!(error.contains("error[lock-file]") && error.contains("appbundle.lock:"), "{error}");
}

fn update_tells_what_moves() {
    let mut repository = sample();
    let server = repository.serve();
    let project = project("moved", &repository.base(&server, &["tool"], ""));
    ok(&mut pack(&project, &[]));
    let update = || {
        text(
            &run(appbundle(project.path(), &["update", "bookworm"]).env("XDG_CACHE_HOME", project.path().join("user-cache")))
                .stderr,
        )
    };
    assert!(update().contains("Unchanged"));
    repository.add(&NewDeb { version: "1.1", ..NewDeb::new("tool", "Depends: libone1, newcomer\n") });
    repository.add(&NewDeb::new("newcomer", ""));
    repository.publish();
    let told = update();
    for line in ["Adding newcomer 1.0", "Updating tool 1.0 -> 1.1", "Removing extra 1.0"] {
        assert!(told.contains(line), "{line} in {told}");
    }
    let said = text(&run(&mut pack(&project, &[])).stderr);
    assert!(said.contains("Fetching 2 packages"), "{said}");
}

fn nothing_unverified_is_used() {
    let repository = sample();
    let signed = std::fs::read(repository.path("www/dists/bookworm/InRelease")).expect("read");
    let server = repository.serve();
    let project = project("trust", &repository.base(&server, &["tool"], ""));
    let put = |bytes: &[u8]| std::fs::write(repository.path("www/dists/bookworm/InRelease"), bytes).expect("written");
    let release = std::fs::read(repository.path("www/dists/bookworm/Release")).expect("read");
    let shown = String::from_utf8(signed.clone()).expect("text");
    let expect_help = |words: &str, help: &str| {
        let error = refused(&project);
        assert!(
            error.contains("error[debian-signature]") && error.contains(words) && error.contains(&format!("help: {help}")),
            "{words} and {help} in {error}"
        );
        assert_eq!(error.matches("help: ").count(), 1, "{error}");
        assert!(!project.path().join("appbundle.lock").exists());
    };
    let expect = |words: &str| expect_help(words, "try again later, or use another `mirror`");
    let expect_keys = |words: &str| expect_help(words, "if this is the right archive, set `keyring`");
    put(&release);
    expect("it is not signed");
    put(shown.replacen("Label: Test", "Label: Tset", 1).as_bytes());
    expect("does not match the text");
    put(format!("Origin: Debian\n{shown}").as_bytes());
    expect("it is not signed");
    put(format!("{shown}Origin: Debian\n").as_bytes());
    expect("it has text after its signature");
    put(shown.replacen("Hash: ", "Comment: ", 1).as_bytes());
    expect("before the signed text");
    put(&signed[..signed.len() - 60]);
    expect("its signature has no end");
    repository.publish_as("bookworm", RELEASE, "other");
    expect_keys("is unknown");
    repository.publish_as("bookworm", &RELEASE.replace("bookworm", "trixie"), "archive");
    expect_help("the Release of the suite `trixie`", "use another `mirror`, or a suite's code name");
    repository.publish_as("bookworm", &format!("{RELEASE}Valid-Until: Sun, 12 Jul 2026 00:00:00 UTC\n"), "archive");
    expect_help("it was valid until Sun, 12 Jul 2026", "use another `mirror`, which is up to date");
    repository.publish_as("bookworm", &RELEASE.replace("2026", "2199"), "archive");
    expect_help("in the future", "check this machine's clock");
    // A key that has expired.
    let old =
        ["--faked-system-time", "20200101T000000!", "--quick-generate-key", "old <old@example.com>", "ed25519", "sign", "1d"];
    repository.gpg(&old);
    std::fs::write(repository.path("keys.asc"), repository.gpg(&["--armor", "--export", "old@example.com"])).expect("written");
    repository.gpg(&[
        "--faked-system-time",
        "20200101T010000!",
        "--local-user",
        "old@example.com",
        "--output",
        repository.path("www/dists/bookworm/InRelease").to_str().expect("text"),
        "--clear-sign",
        repository.path("www/dists/bookworm/Release").to_str().expect("text"),
    ]);
    expect_keys("has expired");
    std::fs::write(repository.path("keys.asc"), "no key").expect("written");
    expect_help("failed to read the keyring", "write it with `gpg --export --armor KEY`");
    // The right key again, but a list of packages that is another one.
    std::fs::write(repository.path("keys.asc"), repository.gpg(&["--armor", "--export", "archive@example.com"]))
        .expect("written");
    put(&signed);
    std::fs::write(repository.path("www/dists/bookworm/main/binary-arm64/Packages"), repository.packages.replace("1.0", "6.6"))
        .expect("written");
    let error = refused(&project);
    assert!(error.contains("returned bytes with the digest") && error.contains("error[debian-mirror]"), "{error}");
    // The right list, and other packages.
    repository.publish();
    let deb = repository.path("www/pool/extra_1.0.deb");
    let good = std::fs::read(&deb).expect("read");
    let mut bad = good.clone();
    *bad.last_mut().expect("bytes") ^= 1;
    for (bytes, words) in [
        (bad, "returned bytes with the digest"),
        (good[..good.len() - 9].to_vec(), &format!("bytes instead of {}", good.len())[..]),
        ([&good[..], b"more"].concat(), &format!("returned {} bytes instead of", good.len() + 4)),
    ] {
        std::fs::write(&deb, bytes).expect("written");
        let error = refused(&project);
        assert!(error.contains(words) && error.contains("error[debian-mirror]"), "{words} in {error}");
    }
    std::fs::write(&deb, &good).expect("written");
    ok(&mut pack(&project, &[]));
    // A package that was damaged in the cache is fetched again.
    let cached = project.path().join("user-cache/cargo-appbundle/blobs/sha256").join(Digest::of(&good).hex());
    let mut bad = good.clone();
    *bad.last_mut().expect("bytes") ^= 1;
    std::fs::write(&cached, bad).expect("written");
    std::fs::remove_dir_all(project.path().join("target")).expect("removed");
    let said = text(&run(&mut pack(&project, &["--locked"])).stderr);
    assert!(said.contains("damaged in the cache") && said.contains("Bundled"), "{said}");
    assert_eq!(std::fs::read(cached).expect("read"), good);
}

fn an_interrupted_download_goes_on() {
    let repository = sample();
    let folder = repository.path("www");
    let server = Server::start(move |asked, before| match std::fs::read(folder.join(asked.path.trim_start_matches('/'))) {
        Ok(bytes) if asked.path.ends_with(".deb") && before == 0 => Answer::new(200, bytes).cut(100),
        Ok(bytes) if asked.path.ends_with(".deb") => ranged(asked, &bytes),
        Ok(_) if before == 0 => Answer::new(429, "slow down").with("retry-after", "0"),
        Ok(bytes) => Answer::new(200, bytes),
        Err(_) => Answer::new(404, ""),
    });
    let project = project("resumed", &repository.base(&server, &["tool"], ""));
    ok(&mut pack(&project, &[]));
    let asked = server.asked();
    let resumed = asked.iter().filter(|asked| asked.headers.get("range").is_some_and(|range| range == "bytes=100-"));
    assert_eq!(resumed.count(), 4, "{asked:?}");
}

fn what_cannot_be_chosen_is_told_with_a_way_out() {
    let mut repository = sample();
    repository.add(&NewDeb::new("mta-a", "Provides: mta\nConflicts: mta\n"));
    repository.add(&NewDeb::new("mta-b", "Provides: mta\nConflicts: mta\n"));
    repository.add(&NewDeb::new("needs-new", "Depends: tool (>= 2)\n"));
    repository.add(&NewDeb::new("needs-needs", "Depends: needs-new\n"));
    repository.add(&NewDeb { files: &[("usr/share/extra", 0o644, "mine\n")], ..NewDeb::new("thief", "") });
    repository.add(&NewDeb { files: &[("usr/share/extra", 0o644, "mine\n")], ..NewDeb::new("heir", "Replaces: extra\n") });
    repository
        .add(&NewDeb { control: &[("postinst", "#!/bin/sh\nset -e\nlaunch-rockets --now\n")], ..NewDeb::new("rocket", "") });
    repository.publish();
    let server = repository.serve();
    let project = project("chosen", "\"scratch\"");
    for (packages, more, at, words) in [
        (&["extra", "tol"][..], "", "\"tol", &["`bookworm` has no package `tol`", "help: did you mean `tool`?"][..]),
        (&["mta", "extra"], "", "\"mta", &["provided by several packages", "`mta-a`, `mta-b`"]),
        (&["mta-a", "mta-b"], "", "\"mta-b", &["conflicts with `mta-a`"]),
        (
            &["extra", "needs-needs"],
            "",
            "\"needs-needs",
            &["depends on `tool (>= 2)`: `tool` has the version 1.0", "needed by `needs-needs`"],
        ),
        (&["tol", "extra", "extr"], "", "\"extr\"", &["no package `tol`", "no package `extr`"]),
        (&["needs-new"], ", essential = true", "\"needs-new", &["remove `needs-new` from `packages`"]),
        (&["extra", "thief"], "", "{", &["`extra` and `thief` both have the file `/usr/share/extra`"]),
        (&["rocket"], "", "{", &["launch-rockets --now", "scripts = { rocket = \"skip\" }"]),
        (&["mta-a"], ", exclude = [\"[\"]", "{", &["`[` in `exclude` is not a pattern"]),
    ] {
        let base = repository.base(&server, packages, more);
        project.with_base(&base);
        let error = refused(&project);
        assert!(words.iter().all(|words| error.contains(words)), "{words:?} in {error}");
        let codes = ["error[debian-package]", "error[debian-script]", "error[invalid-base]"];
        assert!(codes.iter().any(|code| error.contains(code)), "{error}");
        let column = 8 + base.find(at).expect("there");
        assert!(error.contains(&format!("--> Cargo.toml:9:{column}\n")), "{column}: {error}");
    }
    for (packages, more) in [
        (&["extra", "heir"][..], ""),
        (&["rocket"], ", scripts = { rocket = \"skip\" }"),
        (&["needs-needs"], ", without = [\"tool\"]"),
        (&["one-api"], ", essential = true"),
    ] {
        project.with_base(&repository.base(&server, packages, more));
        ok(&mut pack(&project, &[]));
    }
    // An architecture that the archive lacks, a suite that it lacks, and a mirror that is none.
    project.with_base(&repository.base(&server, &["extra"], ""));
    let error = fails(&mut pack(&project, &["--target", "s390x-unknown-linux-gnu"]), 1);
    assert!(error.contains("machine") || error.contains("no packages for s390x, only for arm64"), "{error}");
    project.with_base(&repository.base(&server, &["extra"], "").replace("bookworm", "bokworm"));
    let error = refused(&project);
    assert!(error.contains("has no suite `bokworm`") && error.contains("Cargo.toml:"), "{error}");
    project.with_base(&repository.base(&server, &["extra"], "").replace(&server.host, "127.0.0.1:9"));
    let error = refused(&project);
    assert!(error.contains("error[debian-mirror]") && error.contains("127.0.0.1:9"), "{error}");
}

fn what_a_base_lacks_is_noted() {
    let project = project("noted", "\"scratch\"");
    project.compile(
        "aarch64-linux-gnu-gcc",
        "plugin.so",
        "int plugin() { return 0; }\n",
        &["-shared", "-fPIC", "-Wl,--no-as-needed"],
    );
    let mut repository = sample();
    repository.add(&NewDeb { control: &[("postinst", "#!/bin/sh\nset -e\nfc-cache -f\n")], ..NewDeb::new("fonts", "") });
    let copies = [("usr/lib/plugin.so", project.path().join("bin/plugin.so"))];
    repository.add(&NewDeb { copies: &copies, ..NewDeb::new("plugin", "") });
    repository.publish();
    let server = repository.serve();
    project.with_base(&repository.base(&server, &["fonts", "plugin"], ""));
    let told = [
        "note[debian-setup]: `fc-cache` was not run for `fonts`, so its cache is missing",
        "note[debian-libraries]: plugins and other libraries of `plugin` cannot be loaded: `/usr/lib/plugin.so` needs `libc.so.6`",
        "note[debian-security]: `debian bookworm with fonts, plugin` has no security updates",
    ];
    let build = || {
        let output = run(&mut pack(&project, &[]));
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let said = build();
    assert!(told.iter().all(|note| said.contains(note)), "{said}");
    // The next build takes the base from the cache, and says the same.
    project.compile("aarch64-linux-gnu-gcc", "alpha", "int main() { return 1; }\n", &["-static"]);
    let said = build();
    assert!(told.iter().all(|note| said.contains(note)) && !said.contains("Locking"), "{said}");
    project.edit("Cargo.toml", |text| text + "allow = [\"debian-setup\", \"debian-libraries\", \"debian-security\"]\n");
    std::fs::remove_dir_all(project.path().join("target")).expect("removed");
    std::fs::remove_file(project.path().join("appbundle.lock")).expect("removed");
    let said = build();
    assert!(!said.contains("note["), "{said}");
}

fn hostile_packages_are_refused() {
    let ar = |members: &[(&str, &[u8])]| {
        let mut bytes = b"!<arch>\n".to_vec();
        for (name, content) in members {
            bytes.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", content.len()).bytes());
            bytes.extend_from_slice(content);
            bytes.extend(std::iter::repeat_n(b'\n', content.len() % 2));
        }
        bytes
    };
    let tar = |path: &str, kind: tar::EntryType, link: &str, content: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
        bytes
    };
    use tar::EntryType;
    let control = tar("control", EntryType::Regular, "", b"Package: bad\nVersion: 1.0\nArchitecture: arm64\n");
    let deb = |data: &[u8]| ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control), ("data.tar", data)]);
    let good = deb(&tar("usr", EntryType::Directory, "", b""));
    let bomb = {
        let zeros = vec![0; 80 << 20];
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, &tar("usr/zeros", EntryType::Regular, "", &zeros)).expect("gzip");
        encoder.finish().expect("gzip")
    };
    let mut repository = Repository::new();
    let cases = [
        ("device", deb(&tar("dev/sda", EntryType::Block, "", b"")), "is not a file, folder or link"),
        ("upwards", deb(&tar("../etc/passwd", EntryType::Regular, "", b"x")), "leads out of the root folder"),
        ("hard-out", deb(&tar("usr/x", EntryType::Link, "../../etc/shadow", b"")), "leads out of the root folder"),
        ("hard-gone", deb(&tar("usr/x", EntryType::Link, "usr/gone", b"")), "which is not there"),
        ("cut", good[..good.len() - 700].to_vec(), "cut short"),
        ("no-deb", b"PK\x03\x04 this is a zip file".to_vec(), "is not a Debian package"),
        (
            "no-control",
            ar(&[("debian-binary", b"2.0\n"), ("data.tar", &tar("usr", EntryType::Directory, "", b""))]),
            "not in order",
        ),
        ("unknown", ar(&[("debian-binary", b"2.0\n"), ("evil.tar", b"")]), "the unknown member `evil.tar`"),
        ("version", ar(&[("debian-binary", b"3.0\n")]), "the version `3.0`"),
        ("bomb", ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control), ("data.tar.gz", &bomb)]), "more than the limit"),
    ];
    for (name, bytes, _) in &cases {
        repository.add_raw(name, bytes);
    }
    repository.publish();
    let server = repository.serve();
    let project = project("hostile", "\"scratch\"");
    for (name, _, words) in &cases {
        project.with_base(&repository.base(&server, &[name], ""));
        let error = refused(&project);
        assert!(error.contains(words) && error.contains("error[debian-damaged]"), "{name}: {words} in {error}");
    }
}

fn mistakes_in_the_table_have_their_place() {
    let project = project("table", "\"scratch\"");
    for (base, words) in [
        ("{ debian = \"bookworm\" }", "`base` has no `packages`"),
        ("{ packages = [\"a\"] }", "need `debian` or `ubuntu`"),
        ("{ debian = \"bookworm\", ubuntu = \"noble\", packages = [\"a\"] }", "cannot be combined with another source"),
        ("{ debian = \"book worm\", packages = [\"a\"] }", "is not the name of a suite"),
        ("{ debian = \"bookworm\", packages = [\"A/b\"] }", "`A/b` is not the name of a package"),
        ("{ debian = \"bookworm\", packages = [\"a\"], mirror = \"ftp://x\" }", "is not a URL"),
        ("{ debian = \"bookworm\", packages = [\"a\"], snapshot = \"20260101T000000Z\" }", "`snapshot` needs a `mirror`"),
        ("{ debian = \"bookworm\", packages = [\"a\"], keyring = \"none.asc\" }", "`none.asc` does not exist"),
    ] {
        project.with_base(base);
        let error = refused(&project);
        assert!(
            error.contains(words) && error.contains("error[invalid-base]") && error.contains("Cargo.toml:"),
            "{words} in {error}"
        );
    }
    project.with_base("{ ubuntu = \"noble\", packages = [\"a\"], mirror = \"http://127.0.0.1:9\" }");
    assert!(refused(&project).contains("set `keyring = "));
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(packages_become_a_tree_with_what_scripts_would_do, [arm64_cc, gpg, dpkg]),
        test!(what_many_scripts_do_is_done, [arm64_cc, gpg, dpkg]),
        test!(the_lock_file_keeps_the_packages, [arm64_cc, gpg, dpkg]),
        test!(update_tells_what_moves, [arm64_cc, gpg, dpkg]),
        test!(nothing_unverified_is_used, [arm64_cc, gpg, dpkg]),
        test!(an_interrupted_download_goes_on, [arm64_cc, gpg, dpkg]),
        test!(what_cannot_be_chosen_is_told_with_a_way_out, [arm64_cc, gpg, dpkg]),
        test!(what_a_base_lacks_is_noted, [arm64_cc, gpg, dpkg]),
        test!(hostile_packages_are_refused, [arm64_cc, gpg]),
        test!(mistakes_in_the_table_have_their_place, [arm64_cc]),
    ])
}
