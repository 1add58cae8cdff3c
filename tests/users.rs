//! Users by name, and programs of images: what the base lacks is made, or refused before anything is packed.

mod support;

use std::process::ExitCode;

use support::container::describe;
use support::harness::{self, test};
use support::needs::{arm64_cc, docker_arm64};
use support::{Project, appbundle, fails, judge, ok};

/// Says who it is, by number and by name, and writes into the volume.
const WHO: &str = "#include <pwd.h>\n#include <stdio.h>\n#include <unistd.h>\nint main() {\n\
    struct passwd *user = getpwuid(getuid()); FILE *file = fopen(\"/data/own\", \"w\");\n\
    printf(\"%d:%d %s %s\\n\", getuid(), getgid(), user ? user->pw_name : \"nobody\", file ? \"writes\" : \"fails\"); return 0; }\n";

fn who(project: &Project, service: &str, engine: &str) -> (String, String) {
    let bundle = ok(&mut project.pack(&["--format", "docker", "--engine", engine]));
    ok(&mut appbundle(project.path(), &["verify", bundle.trim()]));
    judge("docker", &["load", "-i", bundle.trim()]);
    let image = format!("com.example.whois.{service}:1.2.3");
    let volume = format!("appbundle-test-whois-{service}:/data");
    let said = judge("docker", &["run", "--rm", "--platform", "linux/arm64", "--volume", &volume, &image]);
    judge("docker", &["volume", "rm", volume.split(':').next().expect("a name")]);
    (said.trim().to_owned(), describe(&image).1)
}

fn a_user_that_the_base_lacks_is_made() {
    let project = Project::named("whois", &[]);
    let table = |user: &str| format!("user = \"{user}\"\nvolumes = [\"data:/data\"]\n");
    project.service("alpha", &table("keyd"));
    project.service("beta", "");
    project.compile("aarch64-linux-gnu-gcc", "alpha", WHO, &["-static"]);
    project.compile("aarch64-linux-gnu-gcc", "beta", WHO, &["-static"]);
    project.write("rootfs/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nof-base:x:77:78::/:/bin/sh");
    project.write("rootfs/etc/group", "root:x:0:\nstaff:x:50:\n");
    let mut numbers = Vec::new();
    for base in ["\"auto\"", "\"scratch\"", "{ rootfs = \"rootfs\" }"] {
        project.with_base(base);
        project.service("alpha", &table("keyd"));
        let (said, files) = who(&project, "alpha", "native");
        let (id, rest) = said.split_once(' ').expect("words");
        assert_eq!(rest, "keyd writes", "{base}");
        numbers.push(id.to_owned());
        assert_eq!(who(&project, "alpha", "docker"), (said, files), "{base}");
    }
    let (uid, gid) = numbers[0].split_once(':').expect("two numbers");
    assert!(uid == gid && (10_000..60_000).contains(&uid.parse::<u32>().expect("a number")), "{numbers:?}");
    // Another user of the app changes nothing.
    project.service("beta", "user = \"certd\"\n");
    assert_eq!(who(&project, "alpha", "native").0, format!("{uid}:{uid} keyd writes"));
    assert!(numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
    for (user, said) in [
        ("of-base", "77:78 of-base writes".to_owned()),
        ("of-base:staff", "77:50 of-base writes".to_owned()),
        ("keyd:staff", format!("{uid}:50 keyd writes")),
        ("keyd:5", format!("{uid}:5 keyd writes")),
        ("keyd:keyd", format!("{uid}:{uid} keyd writes")),
        ("1000:50", "1000:50 nobody writes".to_owned()),
    ] {
        project.service("alpha", &table(user));
        assert_eq!(who(&project, "alpha", "native").0, said, "{user}");
    }
    project.service("alpha", &table("keyd:none"));
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("error[user-missing]: the image has no group `none`, which `user = \"keyd:none\"` names"), "{error}");
    // Lists that are packed stay as they are.
    project.write("services/alpha/passwd", "mine:x:5:6::/:/bin/sh\n");
    let packs = "files = [{ from = \"passwd\", to = \"/etc/passwd\" }]\n";
    project.service("alpha", &(table("keyd") + packs));
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("error[user-missing]: the user `keyd` is not in the `/etc/passwd` and `/etc/group` that"), "{error}");
    project.service("alpha", &(table("mine") + packs));
    assert_eq!(who(&project, "alpha", "native").0, "5:6 mine writes");
    for user in ["", "a b", "a:b:c", "keyd:", ":5", "-x", "a/b", "a\\nb"] {
        project.service("alpha", &table(user));
        let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
        assert!(error.contains("is not `USER` or `UID:GID`") && error.contains("services/alpha/Cargo.toml:7:8\n"), "{error}");
    }
    for service in ["alpha", "beta"] {
        judge("docker", &["rmi", "--force", &format!("com.example.whois.{service}:1.2.3")]);
    }
}

fn a_program_that_is_not_in_the_image_is_refused() {
    let project = Project::new(&[]);
    project.binary("alpha", "int main() { return 0; }\n");
    project.write("services/alpha/check.sh", "#!/bin/sh\n");
    project.write("rootfs/usr/bin/sh", "x");
    std::os::unix::fs::symlink("usr/bin", project.path().join("rootfs/bin")).expect("link");
    std::os::unix::fs::symlink("sh", project.path().join("rootfs/usr/bin/dash")).expect("link");
    ok(std::process::Command::new("chmod").args(["755", "rootfs/usr/bin/sh"]).current_dir(project.path()));
    project.write("rootfs/etc/data", "x");
    let pack = |base: &str, table: &str| {
        project.with_base(base);
        project.service("alpha", table);
        project.pack(&["--format", "docker"])
    };
    let (auto, rootfs) = ("\"auto\"", "{ rootfs = \"rootfs\" }");
    for (base, table, message) in [
        (
            auto,
            "healthcheck = { command = [\"curl\", \"x\"] }\n",
            "`healthcheck.command` of the service `alpha` runs `curl`, which is",
        ),
        (
            auto,
            "healthcheck = { command = [\"/bin/sh\", \"-c\", \"x\"] }\n",
            "runs `/bin/sh`, which is no program of the base `auto`",
        ),
        (auto, "command = [\"/opt/none\"]\n", "`command` of the service `alpha` runs `/opt/none`"),
        (auto, "command = [\"/etc/passwd\"]\n", "runs `/etc/passwd`"),
        (auto, "command = [\"/opt/x\"]\nfiles = [{ from = \"check.sh\", to = \"/opt/x\" }]\n", "runs `/opt/x`"),
        (auto, "command = [\"/opt/x\"]\nfiles = [{ link = \"/opt/x\", to = \"/opt/y\" }]\n", "runs `/opt/x`"),
        (auto, "command = [\"sh\"]\nvolumes = [\"x:/opt/sh\"]\n", "runs `sh`"),
    ] {
        let error = fails(&mut pack(base, table), 1);
        assert!(error.contains("error[program-missing]: ") && error.contains(message), "{error}");
        assert_eq!(error.contains("check a `path` or a `port`"), table.starts_with("health"), "{error}");
    }
    // Without the program that the loader of the base needs, it is not for that that a build fails.
    for (base, table) in [
        (auto, "command = [\"alpha\"]\n"),
        (auto, "command = [\"/usr/local/bin/alpha\"]\nhealthcheck = { command = [\"./alpha\"] }\nworkdir = \"/usr/local/bin\"\n"),
        (auto, "command = [\"/opt/x\"]\nfiles = [{ from = \"check.sh\", to = \"/opt/x\", mode = \"0711\" }]\n"),
        (auto, "command = [\"/opt/x\"]\nfiles = [{ link = \"/opt/x\", to = \"/usr/local/bin/alpha\" }]\n"),
        (
            auto,
            "command = [\"x\"]\nenvironment = { PATH = \"/no:/opt\" }\nfiles = [{ link = \"/opt/x\", to = \"/usr/local/bin/alpha\" }]\n",
        ),
        (auto, "command = [\"/tools/bin/x\"]\nvolumes = [\"/opt/tools:/tools:ro\"]\n"),
        (rootfs, "healthcheck = { command = [\"/bin/sh\", \"-c\", \"x\"] }\n"),
        (rootfs, "healthcheck = { command = [\"dash\"] }\n"),
    ] {
        project.compile("aarch64-linux-gnu-gcc", "alpha", "int main() { return 0; }\n", &["-static"]);
        ok(&mut pack(base, table));
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_user_that_the_base_lacks_is_made, [docker_arm64, arm64_cc]),
        test!(a_program_that_is_not_in_the_image_is_refused, [arm64_cc]),
    ])
}
