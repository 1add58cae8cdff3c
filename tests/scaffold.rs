//! `new-service` and `init`: what they write compiles, runs, and leaves alone what was there.

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use support::{Project, appbundle, fails, ok};

const ROOT: &str = "# our workspace\n[workspace]\nresolver = \"3\"\nmembers = [\n    \"core\",\n    # the front\n    \"services/web\",\n]\n\n\
    [workspace.package]\nversion = \"2.0.0\"   # keep in step\nedition = \"2024\"\n";

fn workspace() -> Project {
    let project = Project::new(&[]);
    project.write("Cargo.toml", ROOT);
    project.write("core/Cargo.toml", "[package]\nname = \"core-lib\"\nversion.workspace = true\nedition.workspace = true\n");
    project.write("core/src/lib.rs", "");
    project.write(
        "services/web/Cargo.toml",
        "[package]\nname = \"web\"\nversion.workspace = true\nedition.workspace = true # as all\n\n[dependencies]\n",
    );
    project.write("services/web/src/main.rs", "fn main() {}\n");
    project
}

fn read(project: &Project, path: &str) -> String {
    project.text(path)
}

#[test]
fn init_adds_tables_and_nothing_else() {
    let project = workspace();
    let error = fails(appbundle(project.path(), &["init"]).stdin(Stdio::null()), 1);
    assert!(error.contains("cargo appbundle init --all"), "{error}");
    assert_eq!(read(&project, "Cargo.toml"), ROOT);
    ok(&mut appbundle(project.path(), &["init", "--all", "--name", "shop", "--author", "com.example"]));
    assert_eq!(
        read(&project, "Cargo.toml"),
        format!("{ROOT}\n[workspace.metadata.appbundle]\nname = \"shop\"\nauthor = \"com.example\"\n")
    );
    let web = read(&project, "services/web/Cargo.toml");
    assert!(web.contains("edition.workspace = true # as all\n\n[package.metadata.service]\n\n[dependencies]\n"), "{web}");
    assert!(!read(&project, "core/Cargo.toml").contains("service"));
    ok(&mut appbundle(project.path(), &["init", "--all"]));
    assert_eq!(read(&project, "services/web/Cargo.toml"), web);
    assert!(ok(&mut appbundle(project.path(), &["plan"])).contains("com.example.shop 2.0.0"));
}

/// `init` at a terminal, at which this is typed.
fn init_typed(project: &Project, typed: &str) -> (Option<i32>, String) {
    let init = format!("{} appbundle init", support::PROGRAM);
    let mut command = Command::new("script");
    command.args(["-qec", &init, "/dev/null"]).current_dir(project.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("script");
    child.stdin.take().expect("stdin").write_all(typed.as_bytes()).expect("typed");
    let output = child.wait_with_output().expect("ended");
    (output.status.code(), support::text(&output.stdout))
}

#[test]
fn init_changes_nothing_when_its_question_is_not_answered() {
    let project = workspace();
    let (code, said) = init_typed(&project, "");
    assert!(said.contains("make `web` of package `web` a service?") && said.contains("was not answered"), "{said}");
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(read(&project, "Cargo.toml"), ROOT);
}

#[test]
fn init_asks_checks_and_shows_before_it_writes() {
    let project = workspace();
    let (code, said) = init_typed(&project, "perhaps\nyes\nBad Author\ncom.example\nno\n");
    assert_eq!(code, Some(1), "{said}");
    for part in [
        "`perhaps` is neither yes nor no",
        "`Bad Author` cannot be an author",
        "[package.metadata.service]",
        "author = \"com.example\"",
        "write this? [Y/n]",
        "nothing is written",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(read(&project, "Cargo.toml"), ROOT);
    let (code, said) = init_typed(&project, "y\ncom.example\ny\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(read(&project, "Cargo.toml").ends_with("author = \"com.example\"\n"), "{said}");
    assert!(ok(&mut appbundle(project.path(), &["plan"])).contains("com.example."));
}

#[test]
fn init_offers_what_dockerfiles_and_compose_files_say() {
    let project = workspace();
    project.write(
        "services/web/Dockerfile",
        "FROM rust AS build\nEXPOSE 1\nFROM debian\nRUN apt-get update && apt-get install -y libpq5\nENV LOG=info API_TOKEN=x\nEXPOSE 8080\n",
    );
    project.write(
        "compose.yaml",
        "services:\n  web:\n    ports: [\"18080:8080\"]\n    environment: { GREETING: hello }\n    healthcheck:\n      \
         test: [CMD, curl, -f, \"http://localhost:8080/up\"]\n",
    );
    let (code, said) = init_typed(&project, "y\nn\n\ny\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("ports 18080:8080, health check /up at 8080, 2 variables") && said.contains("installs libpq5"),
        "{said}"
    );
    assert!(!read(&project, "services/web/Cargo.toml").contains("ports"));
    let project_again = workspace();
    for file in ["services/web/Dockerfile", "compose.yaml"] {
        project_again.write(file, &read(&project, file));
    }
    ok(&mut appbundle(project_again.path(), &["init", "--all"]));
    let web = read(&project_again, "services/web/Cargo.toml");
    let table = "[package.metadata.service]\nports = [\"18080:8080\"]\nhealthcheck = { path = \"/up\", port = 8080 }\n\
        environment = { GREETING = \"hello\", LOG = \"info\" }\n";
    assert!(web.contains(table), "{web}");
    ok(&mut appbundle(project_again.path(), &["plan"]));
}

/// Dockerfiles with other names in other folders, and the units of systemd, belong to the executables that they start.
#[test]
fn init_finds_the_dockerfiles_and_units_that_start_executables() {
    let project = Project::new(&["hub", "agent"]);
    for (name, main) in
        [("ctl", "fn main() { drop(std::net::TcpStream::connect(\"127.0.0.1:1\")); }\n"), ("schema", "fn main() {}\n")]
    {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
        project.write(&format!("services/{name}/Cargo.toml"), &manifest);
        project.write(&format!("services/{name}/src/main.rs"), main);
    }
    for name in ["hub", "agent"] {
        project.edit(&format!("services/{name}/Cargo.toml"), |text| text.replace("[package.metadata.service]\n", ""));
    }
    project.write(
        "packaging/Dockerfile-hub",
        "ARG TARGETARCH\nFROM scratch AS target-arm64\nFROM target-$TARGETARCH\nCOPY ./dist/$TARGETARCH/hub /app/hub\n\
         COPY ./data/tree.json tree.json\nCOPY dist/sbom.json /app/\nENV HUB_PORT=55555\nENV HUB_TREE=tree.json\n\
         EXPOSE $HUB_PORT\nENTRYPOINT [ \"/app/hub\", \"--insecure\" ]\n",
    );
    project.write("data/tree.json", "{}");
    let unit = |after: &str, start: &str| format!("[Unit]\nAfter=network.target {after}\n\n[Service]\nExecStart={start}\n");
    project.write("packaging/hub.service", &unit("", "/usr/bin/hub --insecure"));
    project.write(
        "packaging/agent.service.in",
        &unit("hub.service", "-@libexecdir@/fleet/agent --name edge\nEnvironment=\"RUST_LOG=info\" LIBS=@libs@"),
    );
    // What starts an example is no service; and a unit may start an executable under another name.
    project.write("examples/Dockerfile", "FROM debian\nCMD [\"/usr/bin/ctl\"]\n");
    project.write("services/keys/Cargo.toml", "[package]\nname = \"keys\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    project.write("services/keys/src/lib.rs", "");
    project.write("services/keys/keysd.service.in", &unit("", "@libexecdir@/fleet/keysd"));
    let made = support::run(&mut appbundle(project.path(), &["init", "--all"]));
    let said = support::text(&made.stderr);
    assert!(made.status.success(), "{said}");
    let note = "note: `services/keys/keysd.service.in` starts `keysd`, which is no executable of the workspace; if it is another name of \
        one, give that one a service with `argv0 = \"keysd\"`";
    assert!(said.contains(note), "{said}");
    let ends = |path: &str, table: &str| {
        let text = read(&project, path);
        assert!(text.contains(table), "{text}");
    };
    ends(
        "services/hub/Cargo.toml",
        "[package.metadata.service]\nargs = [\"--insecure\"]\nports = [\"55555\"]\nfiles = [{ from = \"../../data/tree.json\", to = \"/tree.json\" }]\n\
         environment = { HUB_PORT = \"55555\", HUB_TREE = \"tree.json\" }\n",
    );
    ends(
        "services/agent/Cargo.toml",
        "[package.metadata.service]\nargs = [\"--name\", \"edge\"]\ndepends-on = [\"hub\"]\nenvironment = { RUST_LOG = \"info\" }\n",
    );
    for tool in ["ctl", "schema"] {
        let why = format!("`{tool}` of package `{tool}`: the workspace has systemd units for others, and none for it");
        assert!(said.contains(&why), "{said}");
    }
    assert!(
        said.contains("Found in packaging/hub.service and packaging/Dockerfile-hub: arguments --insecure, ports 55555"),
        "{said}"
    );
    let plan = ok(&mut appbundle(project.path(), &["plan"]));
    assert!(plan.contains("1. hub") && plan.contains("2. agent"), "{plan}");
}

#[test]
fn init_makes_several_services_of_several_bins() {
    let project = workspace();
    project.write("services/web/src/bin/admin_api.rs", "fn main() {}\n");
    project.write("Dockerfile.base", "FROM debian:bookworm\nRUN apt-get update && apt-get install -y libssl3\n");
    project.write("services/web/Dockerfile", "FROM debian:12\nRUN apt-get install -y libpq5 && apt-get install -y curl\n");
    let said = support::text(&support::run(&mut appbundle(project.path(), &["init", "--all"])).stderr);
    // Once of each Dockerfile, also if it is of two services.
    for base in ["packages = [\"libssl3\"] }`", "packages = [\"curl\", \"libpq5\"] }`"] {
        assert_eq!(said.matches(&format!("set `base = {{ debian = \"bookworm\", {base}")).count(), 1, "{base} in {said}");
    }
    assert_eq!(said.matches("installs").count(), 2, "{said}");
    let plan: serde_json::Value = serde_json::from_str(&ok(&mut appbundle(project.path(), &["plan", "--json"]))).expect("JSON");
    let mut names: Vec<&str> = plan["services"].as_array().expect("list").iter().filter_map(|s| s["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["admin-api", "web"]);
}

/// A workspace of services and tools that its own Cargo configuration compiles for this machine.
fn workspace_with_tools() -> Project {
    let project = Project::new(&[]);
    project.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"[a-su-z]*\", \"tools/*\"]\n");
    project.write(".cargo/config.toml", "[build]\ntarget = \"x86_64-unknown-linux-gnu\"\n");
    let member = |path: &str, version: &str, keys: &str, main: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n{keys}");
        project.write(&format!("{path}/Cargo.toml"), &manifest);
        project.write(&format!("{path}/src/main.rs"), main);
    };
    let private = "publish = false\n";
    member("api", "1.2.0", private, "fn main() { drop(std::net::TcpListener::bind((\"0.0.0.0\", 0))) }\n");
    member("front", "1.10.0", &format!("{private}[dependencies]\nnetwork.path = \"../network\"\n"), "fn main() {}\n");
    member(
        "published",
        "1.2.0",
        "[features]\nfast = []\n[[bin]]\nname = \"published\"\npath = \"src/main.rs\"\nrequired-features = [\"fast\"]\n",
        "fn main() {}\n",
    );
    project.write("network/Cargo.toml", "[package]\nname = \"network\"\nversion = \"0.1.0\"\n");
    project.write("network/src/lib.rs", "pub use std::net::UdpSocket;\n");
    member("convert", "0.1.0", private, "fn main() {}\n");
    member("xtask", "0.1.0", "", "fn main() {}\n");
    member("mock-camera", "0.1.0", "", "fn main() { drop(std::net::TcpListener::bind((\"0.0.0.0\", 0))) }\n");
    member("tools/flash", "0.1.0", "", "fn main() {}");
    // Cargo would write both executables to one file, and a device has one port 8080.
    project.write(
        "api2/Cargo.toml",
        "[package]\nname = \"api2\"\nversion = \"1.2.0\"\n[[bin]]\nname = \"api\"\npath = \"src/main.rs\"\n",
    );
    project.write("api2/src/main.rs", "fn main() {}\n");
    project.write("compose.yaml", "services:\n  api:\n    ports: [\"8080:80\"]\n  front:\n    ports: [\"8080:81\"]\n");
    project
}

#[test]
fn init_leaves_out_tools_and_writes_what_builds() {
    let project = workspace_with_tools();
    let made = support::run(&mut appbundle(project.path(), &["init", "--all", "--name", "fleet"]));
    let (said, plan) = (support::text(&made.stderr), support::text(&made.stdout));
    assert!(made.status.success(), "{said}");
    for (package, why) in [
        ("convert", "`publish = false`, and nothing uses a network or a device"),
        ("xtask", "`xtask` in its name or path"),
        ("mock-camera", "`mock` in its name or path"),
        ("flash", "`tools` in its name or path"),
    ] {
        assert!(said.contains(&format!("Left out `{package}` of package `{package}`: {why}")), "{package}: {said}");
    }
    assert!(said.contains("Left out `api` of package `api2`: package `api` has an executable of the same name"), "{said}");
    assert!(said.contains("Found in .cargo/config.toml: target x86_64-unknown-linux-gnu"), "{said}");
    // The plan and what doctor finds come by themselves.
    assert!(plan.contains("fleet 1.10.0") && plan.contains("linker for x86_64-unknown-linux-gnu"), "{plan}");
    let root = read(&project, "Cargo.toml");
    let table =
        "[workspace.metadata.appbundle]\nname = \"fleet\"\nversion = \"1.10.0\"\ntargets = [\"x86_64-unknown-linux-gnu\"]\n";
    assert!(root.ends_with(table), "{root}");
    let xtask = read(&project, "xtask/Cargo.toml");
    let comment = "\n\n# `xtask` is left out: `xtask` in its name or path. Without the `#`, it is a service:\n# [package.metadata.service]\n";
    assert!(xtask.ends_with(comment), "{xtask}");
    // The second of two services at a host's port has none.
    assert!(read(&project, "front/Cargo.toml").contains("ports = [\"81\"]"));
    assert!(read(&project, "published/Cargo.toml").contains("[package.metadata.service]\nfeatures = [\"fast\"]\n"));
    let bundle = ok(&mut appbundle(project.path(), &["build", "--profile", "dev"]));
    assert!(bundle.trim_end().ends_with("fleet-1.10.0.docker.tar"), "{bundle}");
    // Again, nothing changes; and a user who knows better takes a comment away.
    ok(&mut appbundle(project.path(), &["init", "--all"]));
    assert_eq!((read(&project, "Cargo.toml"), read(&project, "xtask/Cargo.toml")), (root, xtask.clone()));
    project.write("xtask/Cargo.toml", &xtask.replace("# [", "["));
    assert!(ok(&mut appbundle(project.path(), &["plan"])).contains(". xtask\n"));
}

#[test]
fn init_takes_tools_where_there_is_nothing_else() {
    let project = Project::new(&[]);
    project.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"once\", \"xtask\"]\n");
    for name in ["once", "xtask"] {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n");
        project.write(&format!("{name}/Cargo.toml"), &manifest);
        project.write(&format!("{name}/src/main.rs"), "fn main() {}\n");
    }
    let plan = ok(&mut appbundle(project.path(), &["init", "--all", "--name", "fleet"]));
    assert!(plan.contains("1. once\n") && !plan.contains("2. "), "{plan}");
}

#[test]
fn init_finds_the_target_of_ci_and_the_format_that_it_can_have() {
    let project = workspace();
    project.write(".github/workflows/ci.yml", "jobs:\n  build:\n    steps:\n      - run: apt-get install gcc-arm-linux-gnueabihf arm-linux-gnueabihf-gcc\n      - run: cargo build --target=armv7-unknown-linux-gnueabihf\n");
    let made = support::run(&mut appbundle(project.path(), &["init", "--all", "--name", "shop", "--author", "com.example"]));
    let said = support::text(&made.stderr);
    assert!(said.contains("no AuterionOS device runs this target"), "{said}");
    assert!(
        made.status.success() && support::text(&made.stdout).contains("armv7-unknown-linux-gnueabihf (linux/arm/v7)"),
        "{said}"
    );
    let root = read(&project, "Cargo.toml");
    assert!(root.ends_with("targets = [\"armv7-unknown-linux-gnueabihf\"]\nformats = [\"docker\"]\n"), "{root}");
    // Of several, none is the one.
    let project = workspace();
    project.write(".gitlab-ci.yml", "a: [aarch64-unknown-linux-musl, x86_64-unknown-linux-musl, x86_64-pc-windows-msvc]\n");
    ok(&mut appbundle(project.path(), &["init", "--all", "--name", "shop"]));
    assert!(!read(&project, "Cargo.toml").contains("targets"));
}

#[test]
fn init_gives_an_app_the_author_that_it_lacks() {
    let project = workspace();
    let table = "\n[workspace.metadata.appbundle]\nname = \"shop\" # ours\n";
    project.write("Cargo.toml", &format!("{ROOT}{table}"));
    ok(&mut appbundle(project.path(), &["init", "--all", "--author", "com.example"]));
    let root = read(&project, "Cargo.toml");
    assert_eq!(root, format!("{ROOT}{table}author = \"com.example\"\n"));
    let made = support::run(&mut appbundle(project.path(), &["init", "--all", "--author", "org.other", "--name", "store"]));
    let said = support::text(&made.stderr);
    for ignored in [
        "`--author` is ignored: the app's table has `author = \"com.example\"`",
        "`--name` is ignored: the app's table has `name = \"shop\"",
    ] {
        assert!(made.status.success() && said.contains(ignored), "{ignored} in {said}");
    }
    assert_eq!(read(&project, "Cargo.toml"), root);
}

/// A package that has become a workspace keeps the table where it is.
#[test]
fn init_without_a_service_leads_to_new_service() {
    let project = Project::new(&[]);
    project.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = []\n");
    let made = support::run(&mut appbundle(project.path(), &["init", "--all"]));
    assert!(
        made.status.success()
            && support::text(&made.stderr).contains("next: create a service with `cargo appbundle new-service NAME`")
    );
    // What comes next does not lead back.
    for verb in ["doctor", "plan"] {
        let said = support::text(&support::run(&mut appbundle(project.path(), &[verb])).stderr);
        assert!(said.contains("run `cargo appbundle new-service NAME`") && !said.contains("appbundle init"), "{said}");
    }
    let made = support::run(&mut appbundle(project.path(), &["new-service", "first", "--template", "cli"]));
    let said = support::text(&made.stderr);
    assert!(made.status.success() && said.contains("next: `cargo test -p first`"), "{said}");
    assert!(ok(&mut appbundle(project.path(), &["plan"])).contains("first"));
}

#[test]
fn init_adds_no_second_table_of_the_app() {
    let project = Project::new(&[]);
    let manifest =
        "[package]\nname = \"lonely\"\nversion = \"1.0.0\"\n\n[package.metadata.appbundle]\nname = \"lonely\"\n\n[workspace]\n";
    project.write("Cargo.toml", manifest);
    project.write("src/main.rs", "fn main() {}\n");
    let made = support::run(&mut appbundle(project.path(), &["init", "--all"]));
    assert!(made.status.success() && support::text(&made.stdout).contains("lonely 1.0.0"));
    assert_eq!(read(&project, "Cargo.toml").matches("metadata.appbundle]").count(), 1);
    assert!(ok(&mut appbundle(project.path(), &["plan"])).contains("lonely 1.0.0"));
}

#[test]
fn a_new_service_is_registered_and_wrong_names_are_refused() {
    let project = workspace();
    ok(&mut appbundle(project.path(), &["init", "--all"]));
    project.write("app.yml", "# ours\nservices:\n  web:\n    image: web:#VERSION#\n\n# the end\nvolumes: {}\n");
    ok(&mut appbundle(project.path(), &["new-service", "once", "--template", "cli"]));
    let root = read(&project, "Cargo.toml");
    assert!(
        root.starts_with("# our workspace\n")
            && root.contains("    # the front\n    \"services/web\",\n    \"services/once\",\n]\n"),
        "{root}"
    );
    assert!(root.contains("version = \"2.0.0\"   # keep in step"));
    let app = read(&project, "app.yml");
    assert_eq!(
        app,
        "# ours\nservices:\n  web:\n    image: web:#VERSION#\n  once:\n    image: once:#VERSION#\n    container_name: once\n\n# the end\nvolumes: {}\n"
    );
    ok(&mut appbundle(project.path(), &["plan"]));
    assert!(fails(&mut appbundle(project.path(), &["new-service", "once"]), 1).contains("already has a package `once`"));
    assert!(fails(&mut appbundle(project.path(), &["new-service", "Bad_Name"]), 1).contains("such as `bad-name`"));
    assert!(fails(&mut appbundle(project.path(), &["new-service", "9bad"]), 1).contains("it begins with a digit"));
    assert!(fails(&mut appbundle(project.path(), &["new-service", "build"]), 1).contains("is not a valid executable name"));
    for outside in ["../outside", "/tmp/outside"] {
        let error = fails(&mut appbundle(project.path(), &["new-service", "far", "--path", outside]), 1);
        assert!(error.contains("where Cargo looks for members"), "{error}");
    }
    project.write("services/taken/x", "");
    assert!(fails(&mut appbundle(project.path(), &["new-service", "taken"]), 1).contains("already exists"));
    assert_eq!(read(&project, "Cargo.toml"), root);
    // Nothing is written for a stack that is not there.
    let error = fails(&mut appbundle(project.path(), &["new-service", "orders-stack", "--template", "stack"]), 1);
    assert!(error.contains("there is no stack `orders`") && error.contains("stack-image = true"), "{error}");
    assert!(!project.path().join("services/orders-stack").exists() && read(&project, "Cargo.toml") == root);
    // A workspace without a version of its own: the app's is the one that its services agree on, also afterwards.
    let project = Project::new(&[]);
    project.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"services/*\"]\n");
    project.write("services/alpha/Cargo.toml", "[package]\nname = \"alpha\"\nversion = \"3.4.5\"\n[package.metadata.service]\n");
    project.write("services/alpha/src/main.rs", "fn main() {}\n");
    ok(&mut appbundle(project.path(), &["new-service", "beta"]));
    assert!(ok(&mut appbundle(project.path(), &["plan"])).lines().next().is_some_and(|line| line.ends_with(" 3.4.5")));
    // A pattern that covers the new member needs no entry.
    let project = Project::new(&["alpha"]);
    let before = read(&project, "Cargo.toml");
    ok(&mut appbundle(project.path(), &["new-service", "beta"]));
    assert_eq!(read(&project, "Cargo.toml"), before);
}

/// Starts a program, waits for its first line, does something, and asks it to end.
fn runs_and_ends(program: &Path, variable: (&str, &str), meanwhile: impl FnOnce()) -> String {
    let mut child = Command::new(program).env(variable.0, variable.1).stdout(Stdio::piped()).spawn().expect("started");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
    meanwhile();
    ok(Command::new("kill").args(["-TERM", &child.id().to_string()]));
    assert_eq!(child.wait().expect("ended").code(), Some(0), "SIGTERM ends it well");
    line
}

#[test]
fn every_template_compiles_passes_its_test_and_runs() {
    let project = workspace();
    ok(&mut appbundle(project.path(), &["init", "--all"]));
    for (name, template) in [("api", "http"), ("ticker", "worker"), ("once", "cli")] {
        ok(&mut appbundle(project.path(), &["new-service", name, "--template", template]));
    }
    let cargo =
        |arguments: &[&str]| ok(Command::new("cargo").args(arguments).current_dir(project.path()).env_remove("CARGO_TARGET_DIR"));
    cargo(&["fmt", "--check", "-p", "api", "-p", "ticker", "-p", "once"]);
    cargo(&["test", "--quiet"]);
    cargo(&["build", "--quiet"]);
    let built = |name: &str| project.path().join("target/debug").join(name);
    assert_eq!(ok(&mut Command::new(built("once"))), "Hello, world, from once\n");
    assert_eq!(runs_and_ends(&built("ticker"), ("INTERVAL_SECONDS", "1"), || ()), "ticker: round 1\n");
    let healthy = || {
        let mut stream = std::net::TcpStream::connect("127.0.0.1:18231").expect("connected");
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
    };
    let said = runs_and_ends(&built("api"), ("LISTEN", "127.0.0.1:18231"), healthy);
    assert_eq!(said, "api listens on 127.0.0.1:18231\n");
}
