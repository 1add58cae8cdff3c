//! Stacks in a real swarm of one machine: they come up, answer, tell how they are, and go away.

mod support;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::harness::{self, test};
use support::needs::{curl, docker, nginx, openssl, registry, web_ports};
use support::registry::{Guard, Registry};
use support::running::{Proxy, start};
use support::swarm::{
    MEMBER, STACKS, Swarm, X86, app, compile, controller, controller_is_well, has_environment, in_order, left, member, page,
    page_over_tls, shop, verb, websocket, websocket_over_tls,
};
use support::{Project, appbundle, fails, judge, ok, run, text};

/// Two secrets with a certificate for `localhost` and its key; they go away with this.
struct Secrets;

impl Secrets {
    fn new() -> Self {
        let secrets = Self;
        secrets.remove();
        let folder = tempfile::tempdir().expect("folder");
        let script = "set -e
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key -out certificate -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost
            for one in certificate key; do docker secret create appbundle-test-$one $one; done";
        ok(Command::new("sh").args(["-c", script]).current_dir(folder.path()));
        secrets
    }

    fn remove(&self) {
        run(Command::new("docker").args(["secret", "rm", "appbundle-test-certificate", "appbundle-test-key"]));
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Takes a stack out of the swarm whatever becomes of the test.
struct Stacks<'a>(&'a [&'a str]);

impl Drop for Stacks<'_> {
    fn drop(&mut self) {
        for stack in self.0 {
            run(Command::new("docker").args(["stack", "rm", stack]));
        }
    }
}

/// Removes volumes, once the containers that had them are gone: a swarm removes those that have ended later.
fn remove_volumes(names: &[&str]) {
    let end = Instant::now() + Duration::from_secs(20);
    while !run(Command::new("docker").args(["volume", "rm", "--force"]).args(names)).status.success() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A value that formats on the way would like to understand.
const TRICKY: &str = "a \"b\" 'c'\n$HOME ${PATH} $$ #d \\ {{.Node}} é";

/// What the service of another workspace's app is told of where it is.
fn of_ledger(host: &str) -> [(&str, &str); 5] {
    [
        ("AILTIRE_APPNAME", "shop"),
        ("AILTIRE_STACKNAME", "shop-billing"),
        ("AILTIRE_PARENT", "shop"),
        ("AILTIRE_PARENTHOST", host),
        ("AILTIRE_PARENT_NETWORK", "shop_shop_family"),
    ]
}

fn a_stack_with_a_stack_in_it_comes_up_answers_and_goes_away() {
    let _swarm = Swarm::with_proxy();
    let _secrets = Secrets::new();
    let _stacks = Stacks(&["shop", "shop-orders"]);
    let project = shop(STACKS);
    let written = format!("environment = {{ TRICKY = {}, NAME", toml::Value::from(TRICKY));
    project.edit("services/api/Cargo.toml", |text| text.replace("environment = { NAME", &written));
    compile(&project, &["web", "api", "store"]);
    let deployed = run(&mut verb(&project, "deploy"));
    let said = text(&deployed.stderr);
    assert!(deployed.status.success(), "{said}");
    assert_eq!(text(&deployed.stdout), "shop\nshop-orders\n");
    in_order(
        &said,
        &[
            "Creating network shop_shop_family",
            "Creating network shop_shop-orders_family",
            "Starting store of shop-orders",
            "Starting api of shop-orders",
            "Starting gateway of shop-orders",
            "Running shop-orders: 3 services",
            "Starting web of shop",
            "Running shop: 2 services",
        ],
    );

    assert!(page(18780, "/web/there").contains("web /there http"), "{}", page(18780, "/web/there"));
    assert!(page(18780, "/api/there").contains("api /api/there http"), "{}", page(18780, "/api/there"));
    assert_eq!(websocket(18780, "/api/socket", "over two proxies"), "over two proxies");
    assert_eq!(websocket(18780, "/web", "over one"), "over one");
    // The certificate is the one that the swarm keeps; what is behind two gateways is told how it was asked.
    assert!(page_over_tls(18743, "/api/there").contains("api /api/there https"));
    assert_eq!(websocket_over_tls(18743, "/api/socket", "over TLS and two proxies"), "over TLS and two proxies");

    let host = judge("docker", &["info", "--format", "{{.Name}}"]);
    let of_api = [
        ("TRICKY", TRICKY),
        ("SHOP_PARENT", "shop"),
        ("SHOP_PARENTHOST", host.trim()),
        ("SHOP_APPNAME", "shop"),
        ("SHOP_STACKNAME", "shop-orders"),
        ("SHOP_PARENT_NETWORK", "shop_shop_family"),
    ];
    has_environment(18780, "/api/env", &of_api);
    let of_web = [
        ("SHOP_PARENT", ""),
        ("SHOP_PARENTHOST", ""),
        ("SHOP_APPNAME", "shop"),
        ("SHOP_STACKNAME", "shop"),
        ("SHOP_PARENT_NETWORK", ""),
    ];
    has_environment(18780, "/web/env", &of_web);

    let shown = ok(&mut verb(&project, "status"));
    in_order(&shown, &["shop\n", "  web", "  gateway", "shop-orders\n", "  store", "  api"]);
    assert!(shown.contains("  store      2/2  shop.store:1.2.3        running\n"), "{shown}");
    let states: Value = serde_json::from_str(&ok(verb(&project, "status").arg("--json"))).expect("JSON");
    assert_eq!((&states[1]["stack"], &states[1]["parent"]), (&"shop-orders".into(), &"shop".into()));
    assert_eq!((&states[1]["services"][0]["wanted"], &states[1]["services"][0]["running"]), (&2.into(), &2.into()));

    // What is as it was stays; what was built again is replaced.
    let ids = || judge("docker", &["ps", "-q", "--no-trunc", "--filter", "name=shop_web.", "--filter", "name=shop-orders_api."]);
    let before = ids();
    ok(&mut verb(&project, "deploy"));
    assert_eq!(ids(), before);
    project.compile("cc", "web", &support::swarm::MEMBER.replace("%s %s %.5s", "again %s %s %.5s"), &["-O1"]);
    ok(&mut verb(&project, "deploy"));
    assert!(page(18780, "/web").contains("again web"), "{}", page(18780, "/web"));

    let removed = run(&mut verb(&project, "remove"));
    let said = text(&removed.stderr);
    assert!(removed.status.success(), "{said}");
    in_order(
        &said,
        &[
            "Stopping shop_gateway",
            "Stopping shop_web",
            "Stopping shop-orders_gateway",
            "Stopping shop-orders_api",
            "Stopping shop-orders_store",
            "Removed shop-orders",
            "Removed shop\n",
        ],
    );
    assert_eq!(left("shop"), "");
    assert!(ok(&mut verb(&project, "status")).contains("absent"));
    remove_volumes(&["shop-orders_data"]);
}

/// A Dockerfile that shows what it was given: variables, and the folder of a package.
const DOCKERFILE: &str = "FROM scratch\nARG THEME\nARG EDITION\nARG BOTH\nENV THEME=$THEME EDITION=$EDITION BOTH=$BOTH PORT=8003 NAME=docs\n\
    COPY content /member\nCOPY web/Cargo.toml /web.toml\nENTRYPOINT [\"/member\"]\n";

const DOCS: &str = r#"
[workspace.metadata.appbundle.stacks.shop.build.docs]
dir = "docs"
file = "docker/Dockerfile"
cmd = "serve --title 'All of it'"
tag = "appbundle-test-docs"
env = { THEME = "dark", BOTH = "the service's" }
packages = ["web"]
routes = { "/docs" = { port = 8003 } }
init = true
cap-add = ["NET_ADMIN"]
cap-drop = ["NET_RAW"]
read-only = true
tmpfs = ["/scratch"]
volumes = ["kept:/kept"]
resources = { memory-limit = "64Mi" }
healthcheck = { command = ["/member", "--check"], interval = "1s" }
"#;

/// One that only who deploys knows.
const TOKEN: &str = "secrets = { TOKEN = { secret = \"tokens\", key = \"api\" } }\n";

/// The container of [`DOCS`] has everything that its table says, whoever brings it up.
fn is_confined(container: &str) {
    let read: Vec<Value> = serde_json::from_str(&judge("docker", &["inspect", container])).expect("JSON");
    let host = &read[0]["HostConfig"];
    let names = |key: &str| host[key].to_string().replace("CAP_", "");
    assert_eq!((&host["Init"], &host["ReadonlyRootfs"], &host["Memory"]), (&true.into(), &true.into(), &(64 << 20).into()));
    assert_eq!((names("CapAdd"), names("CapDrop")), ("[\"NET_ADMIN\"]".to_owned(), "[\"NET_RAW\"]".to_owned()));
    assert_eq!(read[0]["State"]["Health"]["Status"], "healthy");
    let mounts = read[0]["Mounts"].as_array().expect("mounts").iter();
    let mounts: Vec<_> = mounts.filter_map(|mount| Some((mount["Type"].as_str()?, mount["Destination"].as_str()?))).collect();
    assert!(mounts.contains(&("tmpfs", "/scratch")) && mounts.contains(&("volume", "/kept")), "{mounts:?}");
}

/// Puts what the Dockerfile needs into the project: a static program.
fn docs(project: &Project) {
    project.write("docs/docker/Dockerfile", DOCKERFILE);
    project.compile("cc", "docs", support::swarm::MEMBER, &["-O1", "-static"]);
    std::fs::rename(project.path().join("bin/docs"), project.path().join("docs/content")).expect("moved");
}

/// Another workspace's app, with a door of its own.
fn billing() -> Project {
    let billing = app("accounts", "swarm = { routing = \"host\" }\n");
    let stack = "[workspace.metadata.appbundle.stacks.accounts]\ngateway = { image = \"appbundle-test-nginx:1\" }\n";
    billing.edit("Cargo.toml", |text| format!("{text}\n{stack}"));
    member(&billing, "ledger", 8010, "routes = { \"/ledger\" = { port = 8010 } }\n");
    compile(&billing, &["ledger"]);
    billing
}

fn another_workspaces_app_and_a_dockerfiles_service_are_reached_at_80_and_443() {
    let _swarm = Swarm::with_proxy();
    let _stacks = Stacks(&["shop", "shop-billing"]);
    let gateway = "gateway = { image = \"appbundle-test-nginx:1\" }\n";
    let billing = billing();
    let stacks = format!(
        "swarm = {{ routing = \"host\" }}\n\n[workspace.metadata.appbundle.stacks.shop]\n{}env = {{ BOTH = \"the stack's\", EDITION = \"1\" }}\n\
         apps = {{ billing = {{ path = \"{}\" }} }}\n{DOCS}{TOKEN}",
        gateway.replace(" }", ", self-signed = true }"),
        billing.path().display(),
    );
    let project = app("shop", &stacks);
    member(&project, "web", 8000, "routes = { \"/\" = { port = 8000 } }\n");
    compile(&project, &["web"]);
    docs(&project);
    let deployed = run(verb(&project, "deploy").args(["--env", "EDITION=2"]).env("TOKEN", "the token"));
    let said = text(&deployed.stderr);
    assert!(deployed.status.success(), "{said}");
    in_order(
        &said,
        &[
            "Building appbundle-test-docs:1.2.3 from",
            "Starting ledger of shop-billing",
            "Running shop-billing: 2 services",
            "Creating self-signed certificate shop_certificate",
            "Starting gateway of shop\n",
        ],
    );

    // One door, and three ways behind it.
    for (path, answer) in [("/at", "web /at"), ("/docs/at", "docs /docs/at"), ("/billing/ledger/at", "ledger /ledger/at")] {
        assert!(page(80, path).contains(&format!("{answer} http")), "{}", page(80, path));
        let secure = page_over_tls(443, path);
        assert!(secure.contains(&format!("{answer} https")), "{secure}");
    }
    assert_eq!(websocket(80, "/billing/ledger", "plain"), "plain");
    assert_eq!(websocket_over_tls(443, "/billing/ledger", "safe"), "safe");

    let host = judge("docker", &["info", "--format", "{{.Name}}"]);
    has_environment(80, "/billing/ledger/env", &of_ledger(host.trim()));
    // What is typed goes before the service's, that before the stack's.
    let of_docs = [("THEME", "dark"), ("EDITION", "2"), ("BOTH", "the service's"), ("AILTIRE_STACKNAME", "shop")];
    has_environment(80, "/docs/env", &of_docs);
    let container = judge("docker", &["ps", "-q", "--filter", "name=shop_docs."]);
    assert_eq!(
        judge("docker", &["inspect", "--format", "{{json .Args}}", container.trim()]),
        "[\"serve\",\"--title\",\"All of it\"]\n"
    );
    has_environment(80, "/docs/env", &[("TOKEN", "the token")]);
    is_confined(container.trim());
    let copied = judge("docker", &["cp", &format!("{}:/web.toml", container.trim()), "-"]);
    assert!(copied.contains("[package.metadata.service]"), "{copied}");

    // The key is with the swarm alone.
    assert!(judge("docker", &["secret", "ls", "--format", "{{.Name}}", "--filter", "name=shop_"]).contains("shop_key"));
    let found = run(Command::new("grep").args(["-rl", "PRIVATE KEY"]).arg(project.path()));
    assert_eq!(text(&found.stdout), "");

    let said = text(&run(&mut verb(&project, "remove")).stderr);
    in_order(&said, &["Stopping shop_gateway", "Stopping shop-billing_ledger", "Removed shop-billing", "Removed shop\n"]);
    assert_eq!(left("shop"), "");
    run(Command::new("docker").args(["rmi", "--force", "appbundle-test-docs:1.2.3"]));
    remove_volumes(&["shop_kept"]);
}

fn a_registry_has_the_images_of_all_services() {
    let registry = Registry::start(Guard::None);
    let _swarm = Swarm::with_proxy();
    let _stacks = Stacks(&["shop"]);
    let gateway = "gateway = { image = \"appbundle-test-nginx:1\", http = 18770 }\n";
    let stacks = format!("swarm = {{ routing = \"host\" }}\n\n[workspace.metadata.appbundle.stacks.shop]\n{gateway}{DOCS}");
    let project = app("shop", &stacks);
    member(&project, "web", 8000, "routes = { \"/\" = { port = 8000 } }\n");
    compile(&project, &["web"]);
    docs(&project);
    let prefix = format!("{}/shop", registry.host);
    ok(&mut project.pack(&[]));
    let pushed = ok(&mut appbundle(project.path(), &["push", "--repo", &prefix, "--env", "EDITION=3"]));
    assert!(pushed.contains(&format!("{prefix}/web@sha256:")) && pushed.contains(&format!("{prefix}/docs@sha256:")), "{pushed}");
    run(Command::new("docker").args(["rmi", "--force", "appbundle-test-docs:1.2.3", "shop.web:1.2.3"]));
    let deployed = run(verb(&project, "deploy").args(["--repo", &prefix]));
    assert!(deployed.status.success(), "{}", text(&deployed.stderr));
    assert!(!text(&deployed.stderr).contains("Building"), "{}", text(&deployed.stderr));
    assert!(page(18770, "/x").contains("web /x"));
    has_environment(18770, "/docs/env", &[("EDITION", "3"), ("THEME", "dark")]);
    let shown = ok(&mut verb(&project, "status"));
    assert!(shown.contains(&format!("{prefix}/web:1.2.3")) && shown.contains(&format!("{prefix}/docs:1.2.3")), "{shown}");
    ok(&mut verb(&project, "remove"));
    assert_eq!(left("shop"), "");
    for service in ["web", "docs"] {
        run(Command::new("docker").args(["rmi", "--force", &format!("{prefix}/{service}:1.2.3")]));
    }
}

/// The example as it is, for this machine: from a button on its page to a picture that another stack scaled down.
fn the_example_comes_up_as_two_stacks_behind_one_door() {
    let there = run(Command::new("docker").args(["image", "inspect", "nginx:stable"])).status.success();
    if !there {
        judge("docker", &["tag", support::swarm::NGINX, "nginx:stable"]);
    }
    let _swarm = Swarm::with_proxy();
    let _stacks = Stacks(&["photo-gallery", "photo-gallery-processing"]);
    let example = support::repository().join("examples/photo-gallery");
    let out = tempfile::tempdir().expect("folder");
    let verb = |arguments: &[&str]| {
        let mut command = appbundle(&example, arguments);
        command.args(["--target", X86]).env("TOKEN", "the gallery's own");
        // What only builds takes flags of builds.
        if arguments[0] == "deploy" {
            command.arg("--locked").arg("--out-dir").arg(out.path());
        }
        command
    };
    // What is missing is told before anything is built.
    let error = fails(verb(&["deploy", "--to", "swarm", "--profile", "dev"]).env_remove("TOKEN"), 1);
    assert!(error.contains("the secret `TOKEN`") && error.contains("TOKEN=… cargo appbundle deploy --to swarm"), "{error}");
    assert!(!error.contains("Finished") && !error.contains("Creating"), "{error}");
    let deployed = run(&mut verb(&["deploy", "--to", "swarm", "--profile", "dev", "--color", "never"]));
    let said = text(&deployed.stderr);
    assert!(deployed.status.success(), "{said}");
    in_order(
        &said,
        &[
            "Starting thumbnailer of photo-gallery-processing",
            "Starting gallery-service of photo-gallery",
            "Starting camera-control",
        ],
    );
    let curl = |arguments: &[&str]| {
        let output =
            run(Command::new("curl").args(["--silent", "--show-error", "--insecure", "--max-time", "60"]).args(arguments));
        assert!(output.status.success(), "{}", text(&output.stderr));
        output.stdout
    };
    assert!(page(80, "/").contains("<html"), "the gateway answers");
    let captured = curl(&["--fail", "-X", "POST", "https://localhost/camera/capture"]);
    let captured: Value = serde_json::from_slice(&captured).expect("JSON");
    let photo = format!("https://localhost{}", captured["url"].as_str().expect("url"));
    let picture = curl(&["--fail", &photo]);
    let small = curl(&["--fail", &format!("{photo}/thumbnail?width=64")]);
    assert!(picture.starts_with(&[0xff, 0xd8]) && small.starts_with(&[0xff, 0xd8]) && small.len() < picture.len());
    let refused = curl(&["--write-out", "%{http_code}", "--data-binary", "no token", "https://localhost/photos"]);
    assert!(text(&refused).ends_with("401"), "{}", text(&refused));
    let shown = ok(&mut verb(&["status"]));
    in_order(
        &shown,
        &[
            "photo-gallery
",
            "camera-control",
            "photo-gallery-processing
",
            "thumbnailer",
            "2/2",
        ],
    );
    ok(&mut verb(&["remove"]));
    assert_eq!(left("photo-gallery"), "");
    remove_volumes(&["photo-gallery_data"]);
    if !there {
        judge("docker", &["rmi", "nginx:stable"]);
    }
}

/// A service that ends at once, one that no node may run, one whose image nobody has.
fn a_service_that_does_not_run_is_told_with_its_last_words() {
    let _swarm = Swarm::new();
    let _stacks = Stacks(&["failing"]);
    let project = app("failing", "swarm = { routing = \"host\" }\n");
    member(&project, "well", 8000, "");
    let ill = |table: &str| project.service("ill", &format!("depends-on = [\"well\"]\n{table}"));
    ill("environment = { FAIL = \"1\" }\ncompose = { deploy = { restart_policy = { delay = \"1s\" } } }\n");
    compile(&project, &["well", "ill"]);
    let error = fails(&mut verb(&project, "deploy"), 1);
    assert!(error.contains("the service `failing_ill` keeps failing: 0 of 1 replicas"), "{error}");
    assert!(error.contains("replicas: exit code 3\n") && error.contains("help: read its output"), "{error}");
    assert!(error.contains("failing_ill | failing"), "{error}");
    assert!(error.contains("remove them with `cargo appbundle remove`"), "{error}");
    let shown = ok(&mut verb(&project, "status"));
    assert!(shown.contains("failing: ") && shown.contains("1/1"), "{shown}");
    ok(&mut verb(&project, "remove"));
    assert_eq!(left("failing"), "");

    ill("compose = { deploy = { placement = { constraints = [\"node.labels.there == never\"] } } }\n");
    let begun = Instant::now();
    let error = fails(verb(&project, "deploy").args(["--timeout", "6"]), 1);
    assert!(error.contains("the service `failing_ill` did not start in time: 0 of 1 replicas"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
    assert!(ok(&mut verb(&project, "status")).contains("starting"));
    ok(&mut verb(&project, "remove"));

    ill("compose = { image = \"appbundle-test-nobody-has-this:1\", deploy = { restart_policy = { delay = \"1s\" } } }\n");
    let error = fails(&mut verb(&project, "deploy"), 1);
    assert!(error.contains("the service `failing_ill` keeps failing") && error.contains("No such image"), "{error}");
    ok(&mut verb(&project, "remove"));
    assert_eq!(left("failing"), "");
}

/// The new version is told of, not the old one that still runs; the old one comes back, with the image that had its name.
fn an_update_that_fails_is_told_and_rolled_back() {
    let _swarm = Swarm::new();
    let _stacks = Stacks(&["updated"]);
    let project = app("updated", "swarm = { routing = \"host\" }\n");
    // Docker takes a replica that ends at once for one that runs, for a moment, and would replace the second one as well.
    let slowly = "replicas = 2\ncompose = { deploy = { update_config = { delay = \"8s\" } } }\n";
    member(&project, "web", 8000, slowly);
    member(&project, "first", 8001, &format!("{TOKEN}healthcheck = {{ port = 8001, interval = \"1s\" }}\n"));
    project.write(".env", "export TOKEN='of a file'  # theirs\n");
    project.edit("services/web/Cargo.toml", |text| text + "depends-on = [\"first\"]\n");
    compile(&project, &["web", "first"]);
    ok(&mut verb(&project, "deploy"));
    let spec =
        |service: &str| judge("docker", &["service", "inspect", "--format", "{{json .Spec}}", &format!("updated_{service}")]);
    let image = || judge("docker", &["image", "inspect", "--format", "{{.Id}}", "updated.web:1.2.3"]);
    let (specs, old) = ([spec("web"), spec("first")], image());
    assert!(specs[1].contains("\"TOKEN=of a file\"") && specs[1].contains("\"Healthcheck\""), "{}", specs[1]);
    assert!(ok(&mut verb(&project, "status")).contains("healthy"));
    let runs = || judge("docker", &["ps", "-q", "--filter", "name=updated_web"]).lines().count();

    // A program that ends at once, under the same name and version, and another service that is well.
    let broken = MEMBER.replace(
        "int main(",
        "__attribute__((constructor)) static void fail(void) { puts(\"broken\"); fflush(stdout); _exit(3); }\nint main(",
    );
    assert_ne!(broken, MEMBER);
    project.compile("cc", "web", &broken, &["-O1"]);
    project.edit("services/first/Cargo.toml", |text| text.replace("PORT", "NEW = \"1\", PORT"));
    let error = fails(&mut verb(&project, "deploy"), 1);
    assert!(
        error.contains("the new version of the service `updated_web` keeps failing: 0 of 2 replicas: exit code 3\n"),
        "{error}"
    );
    assert!(error.contains("updated_web | broken") && !error.contains("already started keep running"), "{error}");
    assert!(error.contains("Rolled back updated_first, updated_web: the last version runs again"), "{error}");
    assert_eq!(([spec("web"), spec("first")], image()), (specs, old.clone()));
    assert_eq!(runs(), 2);
    let shown = ok(&mut verb(&project, "status"));
    assert!(!shown.contains("failing") && !shown.contains("older"), "{shown}");

    // It stays as it is where that is wanted, and is told.
    let error = fails(verb(&project, "deploy").arg("--no-rollback"), 1);
    assert!(
        error.contains("exit code 3") && error.contains("already started keep running") && !error.contains("Rolled back"),
        "{error}"
    );
    assert_ne!(image(), old);
    let shown = ok(&mut verb(&project, "status"));
    assert!(shown.contains("1/2") && shown.contains("failing: exit code 3 (1 replica of an older version)"), "{shown}");
    let states: Value = serde_json::from_str(&ok(verb(&project, "status").arg("--json"))).expect("JSON");
    let web =
        states[0]["services"].as_array().expect("a list").iter().find(|service| service["service"] == "web").expect("it").clone();
    assert_eq!((web["outdated"].clone(), web["health"].clone()), (1.into(), "failing".into()), "{states}");
    // The next version that is well ends it.
    compile(&project, &["web"]);
    ok(&mut verb(&project, "deploy"));
    let shown = ok(&mut verb(&project, "status"));
    assert!(shown.contains("2/2") && !shown.contains("older"), "{shown}");
    ok(&mut verb(&project, "remove"));
    assert_eq!(left("updated"), "");
}

/// The engine goes away between two services; what was begun is told, and goes away once the engine is back.
fn an_engine_that_stops_in_the_middle_is_told() {
    let _swarm = Swarm::new();
    let _stacks = Stacks(&["cut"]);
    let project = app("cut", "swarm = { routing = \"host\" }\n");
    member(&project, "first", 8000, "");
    member(&project, "second", 8001, "depends-on = [\"first\"]\n");
    compile(&project, &["first", "second"]);
    let proxy = Proxy::start();
    let mut deploying = start(verb(&project, "deploy").env("DOCKER_HOST", proxy.url()));
    deploying.wait_for("Starting second of cut");
    proxy.cut();
    let (code, said) = deploying.end();
    assert_eq!(code, Some(1), "{said}");
    // By this program, or by the `docker stack deploy` that it runs.
    let told =
        ["error[engine-unreachable]: ", "error: failed to deploy the stack `cut`"].iter().any(|words| said.contains(words));
    assert!(told && said.contains(proxy.url().trim_start_matches("unix://")), "{said}");
    assert!(said.contains("remove them with `cargo appbundle remove`"), "{said}");
    let error = fails(verb(&project, "status").env("DOCKER_HOST", proxy.url()), 1);
    assert!(error.contains("help: "), "{error}");
    assert!(ok(&mut verb(&project, "status")).contains("first"));
    ok(&mut verb(&project, "remove"));
    assert_eq!(left("cut"), "");
}

/// Waits until a container has written this; gives all that it wrote.
fn wait_for(container: &str, words: &str) -> String {
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        let logs = run(Command::new("docker").args(["logs", container]));
        let said = text(&logs.stdout) + &text(&logs.stderr);
        if said.contains(words) {
            return said;
        }
        assert!(!said.contains("failed") && Instant::now() < end, "{said}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// A shop whose stack of this name has a controller.
fn controlled(stacks: &str, stack: &str) -> Project {
    let project = shop(stacks);
    project.write("bin/.keep", "");
    let name = format!("{stack}-stack");
    ok(&mut appbundle(project.path(), &["new-service", &name, "--template", "stack"]));
    controller(&project, &name);
    compile(&project, &["web", "api", "store"]);
    project
}

fn one_container_is_a_whole_stack() {
    let _swarm = Swarm::with_proxy();
    let _stacks = Stacks(&["shop", "shop-orders", "shop-billing"]);
    let billing = billing();
    let stacks = STACKS.replace(
        "stacks = [\"orders\"]\n",
        &format!(
            "stacks = [\"orders\"]\nstack-image = true\napps = {{ billing = {{ path = \"{}\" }} }}\n",
            billing.path().display()
        ),
    );
    let secrets = "certificate = \"appbundle-test-certificate\"\nkey = \"appbundle-test-key\"\n";
    let project = controlled(&stacks.replace(secrets, "self-signed = true\n").replace("187", "188"), "shop");
    controller_is_well(&project, "shop-stack");
    let load = |project: &Project| {
        let bundle = ok(project.pack(&["--format", "docker"]).args(["--target", X86]));
        ok(&mut appbundle(project.path(), &["load", bundle.trim()]));
    };
    load(&billing);
    load(&project);
    let socket = "/var/run/docker.sock:/var/run/docker.sock";
    let name = "appbundle-test-controller";
    run(Command::new("docker").args(["rm", "-f", name]));
    judge("docker", &["run", "-d", "--name", name, "-v", socket, "-p", "127.0.0.1:18891:8080", "shop.shop-stack:1.2.3"]);
    wait_for(name, "the stack runs");
    assert!(page(18880, "/api/there").contains("api /api/there http"));
    assert!(page_over_tls(18843, "/web/there").contains("web /there https"));
    assert_eq!(websocket(18880, "/web", "through the gateway"), "through the gateway");
    let host = judge("docker", &["info", "--format", "{{.Name}}"]);
    let told = [("SHOP_STACKNAME", "shop-orders"), ("SHOP_PARENT", "shop"), ("SHOP_PARENTHOST", host.trim())];
    has_environment(18880, "/api/env", &told);
    let status = page(18891, "/status");
    in_order(&status, &["\"stack\": \"shop\"", "shop_web", "\"stack\": \"shop-orders\"", "shop-orders_", "shop-billing_ledger"]);
    // Another workspace's app calls its variables otherwise, and meets this one behind its own door.
    assert!(page_over_tls(18843, "/billing/ledger/at").contains("ledger /ledger/at https"));
    has_environment(18880, "/billing/ledger/env", &of_ledger(host.trim()));
    // The key is with the swarm alone.
    assert!(judge("docker", &["secret", "ls", "--format", "{{.Name}}", "--filter", "name=shop_"]).contains("shop_key"));

    // Down and up again over HTTP, by the same container.
    let post = |verb: &str| {
        let url = format!("http://127.0.0.1:18891/{verb}");
        judge("curl", &["--silent", "--show-error", "--fail", "--max-time", "120", "-X", "POST", &url])
    };
    assert!(!post("remove").contains("shop_web"));
    assert_eq!(left("shop_"), "");
    assert!(post("deploy").contains("shop-orders_store"));
    assert!(page(18880, "/web/again").contains("web /again"));

    // An image that was built again under its name is another one: its service is replaced, and nothing else.
    let ids = |name: &str| judge("docker", &["ps", "-q", "--no-trunc", "--filter", &format!("name={name}")]);
    let (web, others) = (ids("shop_web."), ids("shop-orders") + &ids("shop-billing") + &ids("shop_gateway."));
    post("deploy");
    assert_eq!(ids("shop_web."), web);
    project.compile("cc", "web", &support::swarm::MEMBER.replace("%s %s %.5s", "again %s %s %.5s"), &["-O1"]);
    load(&project);
    assert!(post("deploy").contains("\"updating\": false"));
    assert!(page(18880, "/web").contains("again web"), "{}", page(18880, "/web"));
    assert_ne!(ids("shop_web."), web);
    assert_eq!(ids("shop-orders") + &ids("shop-billing") + &ids("shop_gateway."), others);

    judge("docker", &["stop", "-t", "120", name]);
    let logs = text(&run(Command::new("docker").args(["logs", name])).stdout);
    assert_eq!(judge("docker", &["inspect", "--format", "{{.State.ExitCode}}", name]), "0\n");
    judge("docker", &["rm", name]);
    assert!(logs.contains("the stack is removed"), "{logs}");
    assert_eq!(left("shop"), "");
    remove_volumes(&["shop-orders_data"]);
}

/// A stack in a stack is one service of it, whose container brings it up; all in one image.
fn a_stack_in_a_stack_is_one_service_of_it() {
    let _swarm = Swarm::with_proxy();
    let _secrets = Secrets::new();
    let _stacks = Stacks(&["shop", "shop-orders"]);
    let stacks = STACKS.replace("services = [\"api\"", "stack-image = true\nservices = [\"api\"");
    let stacks = stacks.replace("swarm = {", "layout = \"multi-binary\"\nswarm = {").replace("187", "189");
    let stacks = stacks.replace("stacks = [\"orders\"]\n", "stacks = [\"orders\"]\nservices = [\"orders-stack\"]\n");
    let project = controlled(&format!("{stacks}{}", DOCS.replace("stacks.shop", "stacks.orders")), "orders");
    docs(&project);
    let deployed = run(&mut verb(&project, "deploy"));
    let said = text(&deployed.stderr);
    assert!(deployed.status.success(), "{said}");
    in_order(&said, &["orders-stack", "Waiting for shop-orders, which its controller deploys", "Running shop: 3 services"]);
    assert!(!said.contains("Starting store of shop-orders"), "{said}");
    assert!(page(18980, "/api/there").contains("api /api/there http"));
    assert_eq!(websocket(18980, "/api/socket", "all the way"), "all the way");
    let host = judge("docker", &["info", "--format", "{{.Name}}"]);
    let told = [
        ("SHOP_PARENT", "shop"),
        ("SHOP_PARENTHOST", host.trim()),
        ("SHOP_APPNAME", "shop"),
        ("SHOP_STACKNAME", "shop-orders"),
        ("SHOP_PARENT_NETWORK", "shop_shop_family"),
    ];
    has_environment(18980, "/api/env", &told);
    let shown = ok(&mut verb(&project, "status"));
    in_order(&shown, &["shop\n", "orders-stack", "shop-orders\n", "store", "2/2"]);
    assert!(shown.contains(" shop:1.2.3 "), "{shown}");

    // The controller is told when one of its images was built again; it replaces that service alone.
    has_environment(18980, "/docs/env", &[("EDITION", ""), ("THEME", "dark")]);
    let ids = |name: &str| judge("docker", &["ps", "-q", "--no-trunc", "--filter", &format!("name={name}")]);
    let others = || ids("shop_orders-stack.") + &ids("shop-orders_api.") + &ids("shop-orders_store.");
    let (before, docs) = (others(), ids("shop-orders_docs."));
    is_confined(docs.trim());
    let said = text(&run(verb(&project, "deploy").args(["--env", "EDITION=2"])).stderr);
    assert!(said.contains("Updating shop-orders: images were rebuilt"), "{said}");
    has_environment(18980, "/docs/env", &[("EDITION", "2")]);
    assert_ne!(ids("shop-orders_docs."), docs);
    assert_eq!(others(), before);

    // Without its controller, the inner stack goes, and the outer one stays.
    judge("docker", &["service", "scale", "--detach", "shop_orders-stack=0"]);
    let end = Instant::now() + Duration::from_secs(90);
    while !left("shop-orders").is_empty() {
        assert!(Instant::now() < end, "{}", ok(&mut verb(&project, "status")));
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(page(18980, "/web/there").contains("web /there http"));
    judge("docker", &["service", "scale", "--detach", "shop_orders-stack=1"]);
    assert!(page(18980, "/api/back").contains("api /api/back http"));

    ok(&mut verb(&project, "remove"));
    assert_eq!(left("shop"), "");
    remove_volumes(&["shop-orders_data", "shop-orders_kept"]);
    run(Command::new("docker").args(["rmi", "--force", "appbundle-test-docs:1.2.3"]));
}

/// What one value has and another one lacks.
fn lost(from: &Value, to: &Value, path: &str, all: &mut Vec<String>) {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => from.iter().for_each(|(key, value)| {
            lost(value, to.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"), all);
        }),
        (Value::Array(from), Value::Array(to)) if from.len() == to.len() => {
            from.iter().zip(to).for_each(|(from, to)| lost(from, to, path, all));
        }
        _ if from != to => all.push(format!("{path}: {from} became {to}")),
        _ => {}
    }
}

/// A controller reads requests into its client's own values, which leave out what they do not know.
fn a_controller_takes_all_that_the_requests_say() {
    let stacks = STACKS.replace("services = [\"api\"", "stack-image = true\nservices = [\"api\"");
    let stacks = stacks.replace("stacks = [\"orders\"]\n", "stacks = [\"orders\"]\nservices = [\"orders-stack\"]\n");
    let project = shop(&format!("{stacks}{}", DOCS.replace("stacks.shop", "stacks.orders")));
    project.service("orders-stack", "controls = \"orders\"\n");
    let compose = "compose = { stop_signal = \"SIGINT\", hostname = \"h\", tty = true, stdin_open = true, user = \"7\", secrets = [\"s\"] }\n";
    let more = "ports = [\"8002:8002\"]\nworkdir = \"/srv\"\ncommand = [\"/c\"]\nargs = [\"a\"]\nresources = { cpu = \"100m\", memory = \"32Mi\" }\n";
    member(&project, "store", 8002, &format!("{compose}{more}restart = \"on-failure\"\nstop-grace-period = \"5s\"\n"));
    docs(&project);
    ok(&mut appbundle(project.path(), &["generate", "--for", "stacks"]));
    let requests: Value = serde_json::from_str(&project.text("target/appbundle/stacks/orders.json")).expect("JSON");
    let mut all = Vec::new();
    for service in requests["Services"].as_array().expect("services") {
        let read: bollard::models::ServiceSpec = serde_json::from_value(service["Spec"].clone()).expect("a service");
        lost(&service["Spec"], &serde_json::to_value(read).expect("JSON"), "", &mut all);
    }
    assert_eq!(all, Vec::<String>::new());
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_controller_takes_all_that_the_requests_say),
        test!(a_stack_with_a_stack_in_it_comes_up_answers_and_goes_away, [docker, nginx, openssl, curl]),
        test!(
            another_workspaces_app_and_a_dockerfiles_service_are_reached_at_80_and_443,
            [docker, nginx, web_ports, openssl, curl]
        ),
        test!(a_registry_has_the_images_of_all_services, [docker, registry, nginx]),
        test!(the_example_comes_up_as_two_stacks_behind_one_door, [docker, nginx, web_ports, curl]),
        test!(a_service_that_does_not_run_is_told_with_its_last_words, [docker]),
        test!(an_update_that_fails_is_told_and_rolled_back, [docker]),
        test!(an_engine_that_stops_in_the_middle_is_told, [docker]),
        test!(one_container_is_a_whole_stack, [docker, nginx, openssl, curl]),
        test!(a_stack_in_a_stack_is_one_service_of_it, [docker, nginx, openssl]),
    ])
}
