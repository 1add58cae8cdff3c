//! Stacks: read from the tables, written as files, and brought up in a real swarm of one machine.

mod support;

#[cfg(feature = "engine")]
use support::swarm::{Swarm, get, nginx, page, websocket};
use support::{Project, appbundle, fails, ok};
#[cfg(feature = "engine")]
use support::{engine, judge, run, text};

const X86: &str = "x86_64-unknown-linux-gnu";

const STACKS: &str = r#"
swarm = { routing = "host", variables = "SHOP" }

[workspace.metadata.appbundle.stacks.shop]
stacks = ["orders"]
gateway = { image = "appbundle-test-nginx:1", http = 18780, rewrite = { "/web" = "/" } }

[workspace.metadata.appbundle.stacks.orders]
services = ["api", "store"]
gateway = { image = "appbundle-test-nginx:1" }
"#;

/// A shop, with a stack of two services in it.
fn shop(stacks: &str) -> Project {
    let project = Project::new(&[]);
    let manifest = String::from_utf8(project.read("Cargo.toml")).expect("text").replace("\"demo\"", "\"shop\"");
    let manifest = manifest.replace("author = \"com.example\"\n", &format!("targets = [\"{X86}\"]\n"));
    project.write("Cargo.toml", &format!("{manifest}{}", stacks.trim_start()));
    project.service("web", "environment = { NAME = \"web\", PORT = \"8000\" }\nroutes = { \"/web\" = { port = 8000 } }\n");
    project.service(
        "api",
        "environment = { NAME = \"api\", PORT = \"8001\" }\nroutes = { \"/api\" = { port = 8001 } }\ndepends-on = [\"store\"]\n",
    );
    project.service("store", "environment = { NAME = \"store\", PORT = \"8002\" }\nreplicas = 2\nvolumes = [\"data:/data\"]\n");
    project
}

#[test]
fn stacks_become_files() {
    let project = shop(STACKS);
    ok(&mut appbundle(project.path(), &["generate", "--for", "stacks"]));
    for name in ["shop.yml", "shop.gateway.conf", "orders.yml", "orders.gateway.conf"] {
        let found = String::from_utf8(project.read(&format!("target/appbundle/stacks/{name}"))).expect("text");
        let golden = support::repository().join("tests/golden/stacks").join(name);
        snapbox::assert_data_eq!(found, snapbox::Data::read_from(&golden, None).raw());
    }
    ok(&mut appbundle(project.path(), &["generate", "--for", "stacks", "--check"]));
    project.write("target/appbundle/stacks/shop.yml", "other");
    let error = fails(&mut appbundle(project.path(), &["generate", "--for", "stacks", "--check"]), 1);
    assert!(error.contains("stacks/shop.yml"), "{error}");
}

#[test]
fn what_is_wrong_with_stacks_is_said_where_it_stands() {
    let project = shop(
        r#"
[workspace.metadata.appbundle.stacks.shop]
services = ["wbe"]
stacks = ["order"]
[workspace.metadata.appbundle.stacks.orders]
services = ["api"]
stacks = ["inner"]
[workspace.metadata.appbundle.stacks.inner]
services = ["api", "store"]
stacks = ["orders"]
apps = { other = { path = "../not-there" } }
build = { docs = { dir = "none" } }
"#,
    );
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in [
        "there is no service `wbe`; did you mean `web`?",
        "there is no stack `order`; did you mean `orders`?",
        "Cargo.toml:11:11",
        "the service `api` is in the stack `inner` already; for a copy of its own, name it in `copies`",
        "the stacks are in each other in a cycle: inner -> orders -> inner",
        "`../not-there` is not there",
        "the folder `none` is not there",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
    let project = shop(
        r#"
swarm = { variables = "MY-APP" }
[workspace.metadata.appbundle.stacks.shop]
stacks = ["orders-of-all-customers-of-all-shops-of-all-countries"]
gateway = { http = 18080, https = 18443 }
[workspace.metadata.appbundle.stacks.orders-of-all-customers-of-all-shops-of-all-countries]
services = ["api"]
gateway = { http = 18080 }
"#,
    );
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in [
        "`MY-APP` cannot begin the names of variables",
        "Docker Swarm takes names of at most 63 characters",
        "HTTPS needs `certificate` and `key`",
        "the port 18080 is published by the gateway of `orders-of-all-customers-of-all-shops-of-all-countries` and by the gateway of `shop`",
        "`api` of the stack `orders-of-all-customers-of-all-shops-of-all-countries` depends on `store`, which is in the stack `shop`",
        "services/api/Cargo.toml:9:",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
}

#[cfg(feature = "engine")]
const MEMBER: &str = include_str!("programs/stack.c");

/// Where words stand in a text.
#[cfg(feature = "engine")]
fn position(text: &str, words: &str) -> usize {
    text.find(words).unwrap_or_else(|| panic!("no `{words}` in:\n{text}"))
}

/// The words stand in this order.
#[cfg(feature = "engine")]
fn in_order(text: &str, words: &[&str]) {
    for pair in words.windows(2) {
        assert!(position(text, pair[0]) < position(text, pair[1]), "`{}` before `{}` in:\n{text}", pair[0], pair[1]);
    }
}

/// What of an app is left in the swarm: services, networks, configs and containers.
#[cfg(feature = "engine")]
fn left(app: &str) -> String {
    let named = format!("name={app}");
    let mut all = String::new();
    for list in [["service", "ls"], ["network", "ls"], ["config", "ls"]] {
        all += &judge("docker", &[list[0], list[1], "--filter", &named, "-q"]);
    }
    all + &judge("docker", &["ps", "-q", "--filter", &named])
}

#[cfg(feature = "engine")]
fn command(project: &Project, verb: &str) -> std::process::Command {
    let mut command = appbundle(project.path(), &[verb, "--color", "never"]);
    if verb == "deploy" {
        command.args(["--to", "swarm", "--no-compile", "--bin-dir", "bin", "--timeout", "90"]);
    }
    command
}

#[cfg(feature = "engine")]
#[test]
fn a_stack_with_a_stack_in_it_comes_up_answers_and_goes_away() {
    if !engine() || !nginx() {
        return;
    }
    let _swarm = Swarm::new();
    let project = shop(STACKS);
    let tricky = "a \"b\" 'c'\n$HOME ${PATH} $$ #d \\ {{.Node}} é";
    let written = "environment = { TRICKY = \"a \\\"b\\\" 'c'\\n$HOME ${PATH} $$ #d \\\\ {{.Node}} é\", NAME";
    let manifest = String::from_utf8(project.read("services/api/Cargo.toml")).expect("text");
    project.write("services/api/Cargo.toml", &manifest.replace("environment = { NAME", written));
    for service in ["web", "api", "store"] {
        project.compile("cc", service, MEMBER, &["-O1"]);
    }
    let deployed = run(&mut command(&project, "deploy"));
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

    let host = judge("docker", &["info", "--format", "{{.Name}}"]);
    let of_api = [
        ("TRICKY", tricky),
        ("SHOP_PARENT", "shop"),
        ("SHOP_PARENTHOST", host.trim()),
        ("SHOP_APPNAME", "shop"),
        ("SHOP_STACKNAME", "shop-orders"),
        ("SHOP_PARENT_NETWORK", "shop_shop_family"),
    ];
    let of_web = [
        ("SHOP_PARENT", ""),
        ("SHOP_PARENTHOST", ""),
        ("SHOP_APPNAME", "shop"),
        ("SHOP_STACKNAME", "shop"),
        ("SHOP_PARENT_NETWORK", ""),
    ];
    for (path, expected) in [("/api/env", &of_api[..]), ("/web/env", &of_web[..])] {
        let body = get(18780, path);
        let variables: Vec<&[u8]> = body.split(|byte| *byte == 0).collect();
        for (name, value) in expected {
            let wanted = format!("{name}={value}");
            // The first one may have the size of a piece before it.
            let there = variables.iter().any(|variable| variable.ends_with(wanted.as_bytes()));
            assert!(there, "{wanted} in {}", String::from_utf8_lossy(&body));
        }
    }

    let shown = ok(&mut command(&project, "status"));
    in_order(&shown, &["shop\n", "  web", "  gateway", "shop-orders\n", "  store", "  api"]);
    assert!(shown.contains("  store      2/2  shop.store:1.2.3        running\n"), "{shown}");
    let states: serde_json::Value = serde_json::from_str(&ok(command(&project, "status").arg("--json"))).expect("JSON");
    assert_eq!((&states[1]["stack"], &states[1]["parent"]), (&"shop-orders".into(), &"shop".into()));
    assert_eq!((&states[1]["services"][0]["wanted"], &states[1]["services"][0]["running"]), (&2.into(), &2.into()));

    // What is as it was stays; what was built again is replaced.
    let ids = || judge("docker", &["ps", "-q", "--no-trunc", "--filter", "name=shop_web.", "--filter", "name=shop-orders_api."]);
    let before = ids();
    ok(&mut command(&project, "deploy"));
    assert_eq!(ids(), before);
    project.compile("cc", "web", &MEMBER.replace("%s %s %.5s", "again %s %s %.5s"), &["-O1"]);
    ok(&mut command(&project, "deploy"));
    assert!(page(18780, "/web").contains("again web"), "{}", page(18780, "/web"));

    let removed = run(&mut command(&project, "remove"));
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
    assert!(ok(&mut command(&project, "status")).contains("absent"));
    run(std::process::Command::new("docker").args(["volume", "rm", "shop-orders_data"]));
}

#[cfg(feature = "engine")]
#[test]
fn a_service_that_fails_is_told_with_its_last_words() {
    if !engine() {
        return;
    }
    let _swarm = Swarm::new();
    let project = Project::new(&[]);
    let manifest = String::from_utf8(project.read("Cargo.toml")).expect("text").replace("\"demo\"", "\"failing\"");
    project.write("Cargo.toml", &format!("{manifest}targets = [\"{X86}\"]\nswarm = {{ routing = \"host\" }}\n"));
    project.service("ill", "environment = { FAIL = \"1\" }\ncompose = { deploy = { restart_policy = { delay = \"1s\" } } }\n");
    project.compile("cc", "ill", MEMBER, &["-O1"]);
    let error = fails(&mut command(&project, "deploy"), 1);
    assert!(error.contains("the service `failing_ill` fails again and again: 0 of 1 replicas"), "{error}");
    assert!(error.contains("non-zero exit (3)") && error.contains("help: see what it says"), "{error}");
    assert!(ok(&mut command(&project, "status")).contains("failing"));
    ok(&mut command(&project, "remove"));
    assert_eq!(left("failing"), "");
}

#[cfg(feature = "engine")]
#[test]
fn one_container_is_a_whole_stack() {
    if !engine() || !nginx() {
        return;
    }
    let _swarm = Swarm::new();
    let stacks =
        STACKS.replace("stacks = [\"orders\"]\n", "stacks = [\"orders\"]\nstack-image = true\n").replace("18780", "18790");
    let project = shop(&stacks);
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(
        error.contains("no service controls the stack `shop`") && error.contains("new-service shop-stack --template stack"),
        "{error}"
    );
    project.write("bin/.keep", "");
    let table = &stacks[stacks.find("[workspace.metadata.appbundle.stacks.shop]").expect("the table")..];
    let manifest = String::from_utf8(project.read("Cargo.toml")).expect("text");
    project.write("Cargo.toml", &manifest.replace(table.trim_end(), ""));
    ok(&mut appbundle(project.path(), &["new-service", "shop-stack", "--template", "stack"]));
    project.write("Cargo.toml", &manifest);
    let cargo = |arguments: &[&str]| {
        let mut cargo = std::process::Command::new("cargo");
        ok(cargo.args(arguments).args(["-p", "shop-stack"]).current_dir(project.path()).env_remove("CARGO_TARGET_DIR"))
    };
    cargo(&["fmt", "--check"]);
    cargo(&["test", "--quiet"]);
    cargo(&["build", "--quiet"]);
    std::fs::copy(project.path().join("target/debug/shop-stack"), project.path().join("bin/shop-stack")).expect("copied");
    for service in ["web", "api", "store"] {
        project.compile("cc", service, MEMBER, &["-O1"]);
    }
    let bundle = ok(project.pack(&["--format", "docker"]).args(["--target", X86]));
    ok(&mut appbundle(project.path(), &["load", bundle.trim()]));
    let socket = "/var/run/docker.sock:/var/run/docker.sock";
    let name = "appbundle-test-controller";
    run(std::process::Command::new("docker").args(["rm", "-f", name]));
    judge("docker", &["run", "-d", "--name", name, "-v", socket, "-p", "127.0.0.1:18791:8080", "shop.shop-stack:1.2.3"]);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(90);
    loop {
        let logs = run(std::process::Command::new("docker").args(["logs", name]));
        let said = text(&logs.stdout) + &text(&logs.stderr);
        if said.contains("all of it runs") {
            break;
        }
        assert!(!said.contains("failed") && std::time::Instant::now() < end, "{said}");
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    assert!(page(18790, "/api/there").contains("api /api/there http"));
    assert_eq!(websocket(18790, "/web", "through the gateway"), "through the gateway");
    let environment = String::from_utf8_lossy(&get(18790, "/api/env")).into_owned();
    assert!(environment.contains("SHOP_STACKNAME=shop-orders\0") && environment.contains("SHOP_PARENT=shop\0"), "{environment}");
    let status = page(18791, "/status");
    in_order(&status, &["\"stack\": \"shop\"", "shop_web", "\"stack\": \"shop-orders\"", "shop-orders_"]);
    judge("docker", &["stop", "-t", "120", name]);
    let logs = text(&run(std::process::Command::new("docker").args(["logs", name])).stdout);
    judge("docker", &["rm", name]);
    assert!(logs.contains("all of it is gone"), "{logs}");
    assert_eq!(left("shop"), "");
    run(std::process::Command::new("docker").args(["volume", "rm", "shop-orders_data"]));
}
