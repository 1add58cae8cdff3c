//! Stacks: read from the tables, and written as files that Docker's own tools accept.

mod support;

use std::process::ExitCode;

use support::harness::{self, test};
use support::needs::{docker_compose, new_docker};
use support::swarm::{STACKS, app, member, shop};
use support::{NEW_DOCKER, Project, appbundle, fails, judge, ok, run, text};

fn generated(project: &Project, name: &str) -> String {
    project.text(&format!("target/appbundle/stacks/{name}"))
}

fn files_that_differ_fail_the_check() {
    let project = shop(STACKS);
    ok(&mut appbundle(project.path(), &["generate", "--for", "stacks"]));
    ok(&mut appbundle(project.path(), &["generate", "--for", "stacks", "--check"]));
    project.write("target/appbundle/stacks/shop.yml", "other");
    let error = fails(&mut appbundle(project.path(), &["generate", "--for", "stacks", "--check"]), 1);
    assert!(error.contains("stacks/shop.yml"), "{error}");
}

/// A stack file as Docker understands it.
fn understood(project: &Project, name: &str) -> serde_json::Value {
    let path = project.path().join("target/appbundle/stacks").join(name);
    let path = path.to_str().expect("path");
    judge("docker-compose", &["-f", path, "config", "-q"]);
    serde_saphyr::from_str(&judge(NEW_DOCKER, &["stack", "config", "-c", path])).expect("YAML")
}

/// What `docker stack config` makes of the files: in a mesh, and where every node has its own ports.
fn docker_understands_the_files_in_both_ways_of_routing() {
    for (routing, mode, endpoint) in [("mesh", "ingress", "vip"), ("host", "host", "dnsrr")] {
        let project = shop(&STACKS.replace("routing = \"host\"", &format!("routing = \"{routing}\"")));
        ok(&mut appbundle(project.path(), &["generate", "--for", "stacks"]));
        let shop = understood(&project, "shop.yml");
        let gateway = &shop["services"]["gateway"];
        let ports: Vec<(u64, &str, &str)> = gateway["ports"]
            .as_array()
            .expect("ports")
            .iter()
            .map(|port| {
                let published = port["published"].as_u64().or_else(|| port["published"].as_str()?.parse().ok());
                (
                    published.expect("published"),
                    port["mode"].as_str().expect("mode"),
                    port["protocol"].as_str().expect("protocol"),
                )
            })
            .collect();
        assert_eq!(ports, [(18780, mode, "tcp"), (18743, mode, "tcp")], "{routing}");
        for name in ["web", "gateway"] {
            // Docker's own default is a virtual address.
            assert_eq!(shop["services"][name]["deploy"]["endpoint_mode"].as_str().unwrap_or("vip"), endpoint, "{name}");
        }
        assert_eq!(shop["secrets"]["key"]["name"], "appbundle-test-key");
        assert_eq!(shop["secrets"]["key"]["external"], true);

        let orders = understood(&project, "orders.yml");
        let (networks, store) = (&orders["networks"], &orders["services"]["store"]);
        assert_eq!(networks["children"]["name"], "shop_shop-orders_family");
        assert_eq!((&networks["children"]["driver"], &networks["children"]["attachable"]), (&"overlay".into(), &true.into()));
        assert_eq!(networks["sibling"]["driver"], "overlay");
        assert_eq!((&networks["parent"]["name"], &networks["parent"]["external"]), (&"shop_shop_family".into(), &true.into()));
        assert_eq!((&store["stop_signal"], &store["stop_grace_period"]), (&"SIGTERM".into(), &"1m0s".into()));
        assert_eq!(store["deploy"]["replicas"], 2);
        let told: Vec<(String, &str)> = store["environment"]
            .as_object()
            .expect("environment")
            .iter()
            .filter(|(name, _)| name.starts_with("SHOP_"))
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default()))
            .collect();
        assert_eq!(told.len(), 5);
        for (name, value) in [("SHOP_PARENT", "shop"), ("SHOP_STACKNAME", "shop-orders"), ("SHOP_APPNAME", "shop")] {
            assert!(told.contains(&(name.to_owned(), value)), "{name} in {told:?}");
        }
    }
}

fn signal_and_time_to_end_can_be_said_for_all_and_for_one() {
    let project = app("shop", "swarm = { stop-signal = \"SIGINT\" }\n");
    member(&project, "one", 8000, "");
    member(&project, "two", 8001, "stop-grace-period = \"20s\"\ncompose = { stop_signal = \"SIGHUP\" }\n");
    ok(&mut appbundle(project.path(), &["generate", "--for", "stacks"]));
    let stack: serde_json::Value = serde_saphyr::from_str(&generated(&project, "shop.yml")).expect("YAML");
    let ends =
        |name: &str| (stack["services"][name]["stop_signal"].clone(), stack["services"][name]["stop_grace_period"].clone());
    assert_eq!(ends("one"), ("SIGINT".into(), "1m".into()));
    assert_eq!(ends("two"), ("SIGHUP".into(), "20s".into()));
}

fn services_of_one_image_stay_commands_in_it() {
    let project = shop(STACKS);
    project.edit("Cargo.toml", |text| text.replace("swarm = {", "layout = \"multi-binary\"\nswarm = {"));
    for (arguments, image) in [(&[][..], "shop:1.2.3"), (&["--repo", "registry.local/x"], "registry.local/x/shop:1.2.3")] {
        ok(appbundle(project.path(), &["generate", "--for", "stacks"]).args(arguments));
        let orders: serde_json::Value = serde_saphyr::from_str(&generated(&project, "orders.yml")).expect("YAML");
        let api = &orders["services"]["api"];
        assert_eq!((&api["image"], &api["command"][0]), (&image.into(), &"/usr/local/bin/api".into()));
        assert_eq!(orders["networks"]["children"]["name"], "${SHOP_APPNAME:-shop}_${SHOP_STACKNAME:-shop-orders}_family");
    }
}

fn what_a_controller_leaves_out_is_said() {
    let project = shop(&STACKS.replace("services = [\"api\", \"store\"]", "services = [\"api\", \"store\"]\nstack-image = true"));
    project
        .edit("Cargo.toml", |text| text.replace("stacks = [\"orders\"]", "stacks = [\"orders\"]\nservices = [\"orders-stack\"]"));
    project.service("orders-stack", "controls = \"orders\"\n");
    member(&project, "store", 8002, "compose = { sysctls = { \"net.core.somaxconn\" = 9 }, user = \"7\" }\n");
    let output = run(&mut appbundle(project.path(), &["generate", "--for", "stacks"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(
        said.contains(
            "note[keys-ignored]: stacks: `sysctls` of `store` is left out: the controller of `orders` does not support it"
        ),
        "{said}"
    );
    let requests: serde_json::Value = serde_json::from_str(&generated(&project, "orders.json")).expect("JSON");
    assert_eq!(requests["Services"][0]["Spec"]["TaskTemplate"]["ContainerSpec"]["User"], "7");
}

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
        "the service `api` is already in the stack `inner`; to run a copy of it here, name it in `copies`",
        "the stacks contain each other in a cycle: inner -> orders -> inner",
        "`../not-there` does not exist",
        "the folder `none` does not exist",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
    let project = shop(
        r#"
swarm = { variables = "MY-APP", stop-signal = "TERM" }
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
        "`MY-APP` is not a valid prefix for variables",
        "`TERM` is not a signal: write `SIGTERM` or `SIGINT`",
        "Docker Swarm allows names of at most 63 characters",
        "HTTPS needs `certificate` and `key`, the names of two swarm secrets, or `self-signed = true`",
        "the port 18080 is published by the gateway of `orders-of-all-customers-of-all-shops-of-all-countries` and by the gateway of `shop`",
        "`api` of the stack `orders-of-all-customers-of-all-shops-of-all-countries` depends on `store`, which is in the stack `shop`",
        "services/api/Cargo.toml:9:",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
}

fn services_that_two_stacks_want_for_one_path_or_port_are_refused() {
    let project = shop(
        r#"
[workspace.metadata.appbundle.stacks.shop]
stacks = ["orders"]
gateway = {}
[workspace.metadata.appbundle.stacks.shop.build.docs]
routes = { "/api" = { port = 8000 } }
ports = ["8443:8443"]
[workspace.metadata.appbundle.stacks.orders]
services = ["api", "store"]
[workspace.metadata.appbundle.stacks.orders.build.gateway]
ports = ["8443:443"]
"#,
    );
    project.write("Dockerfile", "FROM scratch\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in [
        "the route `/api` belongs to several services: `docs`, `api`",
        "the port 8443 is published by the service `gateway` of `orders` and by the service `docs` of `shop`",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
    let project = shop("");
    member(&project, "store", 8002, "routes = { \"/api/\" = { port = 8002 } }\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("route `/api") && error.contains("`store`") && error.contains("services/"), "{error}");
}

fn a_stack_that_no_service_controls_is_refused() {
    let stacks = r#"
[workspace.metadata.appbundle.stacks.shop]
stack-image = true
[workspace.metadata.appbundle.stacks.orders]
services = ["api", "store", "orders-stack"]
stack-image = true
"#;
    let project = shop(stacks);
    project.service("orders-stack", "controls = \"orders\"\n");
    project.service("web-stack", "controls = \"web\"\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in [
        "no service controls the stack `shop`",
        "new-service shop-stack --template stack",
        "the stack `orders` is in the stack `shop`: add its controller `orders-stack` to the `services` of `shop`",
        "there is no stack `web`",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
}

/// What a controller has in its image: all stacks that it brings up, also those of other workspaces, each with its own names.
fn a_controller_knows_other_workspaces_apps_and_certificates_that_sign_themselves() {
    let (billing, audit) = (app("billing", "swarm = { variables = \"BILL\" }\n"), app("audit", ""));
    member(&audit, "journal", 8020, "compose = { sysctls = { \"net.core.somaxconn\" = 9 } }\n");
    member(&billing, "ledger", 8010, "");
    let inner = format!(
        "[workspace.metadata.appbundle.stacks.billing]\napps = {{ books = {{ path = \"{}\" }} }}\n",
        audit.path().display()
    );
    billing.edit("Cargo.toml", |text| text + "\n" + &inner);
    let stacks = format!(
        "[workspace.metadata.appbundle.stacks.shop]\nstack-image = true\ngateway = {{ self-signed = true }}\napps = {{ accounts = {{ path = \"{}\" }} }}\n",
        billing.path().display()
    );
    let project = shop(&stacks);
    project.service("shop-stack", "controls = \"shop\"\n");
    let output = run(&mut appbundle(project.path(), &["generate", "--for", "stacks"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains("`sysctls` of `journal` is left out: the controller of `shop` does not support it"), "{said}");
    let shop: serde_json::Value = serde_json::from_str(&generated(&project, "shop.json")).expect("JSON");
    assert_eq!(shop["SelfSigned"]["Key"], "${AILTIRE_STACKNAME:-shop}_key");
    let accounts = &shop["Stacks"][0];
    assert_eq!((&accounts["Name"], &accounts["Variables"]), (&"accounts".into(), &"BILL".into()));
    assert_eq!(accounts["Services"][0]["Spec"]["Name"], "${BILL_STACKNAME:-billing}_ledger");
    let books = &accounts["Stacks"][0];
    assert_eq!(
        (&books["Name"], &books["Variables"], &books["SelfSigned"]),
        (&"books".into(), &"AILTIRE".into(), &serde_json::Value::Null)
    );
    assert!(books["Services"][0]["Spec"]["Name"].as_str().is_some_and(|name| name.ends_with("_journal")), "{books}");
    // Workspaces that are in each other have no end.
    let back = format!(
        "[workspace.metadata.appbundle.stacks.audit]\napps = {{ shop = {{ path = \"{}\" }} }}\n",
        project.path().display()
    );
    audit.edit("Cargo.toml", |text| text + "\n" + &back);
    let error = fails(&mut appbundle(project.path(), &["generate", "--for", "stacks"]), 1);
    assert!(error.contains("workspaces include each other in a cycle"), "{error}");
}

/// Stacks in a stack run before its services; those of one that has a gateway or a controller cannot be waited for.
fn a_service_can_depend_on_those_of_stacks_in_its_own() {
    let stacks = r#"
[workspace.metadata.appbundle.stacks.shop]
stacks = ["orders"]
services = ["orders-stack"]
[workspace.metadata.appbundle.stacks.orders]
services = ["api"]
stacks = ["inner"]
[workspace.metadata.appbundle.stacks.inner]
services = ["store"]
"#;
    let project = shop(stacks);
    let wants = |names: &str| member(&project, "web", 8000, &format!("depends-on = [{names}]\n"));
    project.service("orders-stack", "");
    wants("\"api\"");
    ok(&mut appbundle(project.path(), &["plan"]));
    let manifest = project.text("Cargo.toml");
    project.write("Cargo.toml", &manifest.replace("services = [\"api\"]", "services = [\"api\"]\ngateway = {}"));
    wants("\"api\", \"store\"");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for (service, stack) in [("api", "orders"), ("store", "inner")] {
        let message = format!("`web` of the stack `shop` depends on `{service}`, which is in the stack `{stack}`");
        assert!(error.contains(&message), "{error}");
    }
    wants("\"api\"");
    project.write("Cargo.toml", &manifest.replace("services = [\"api\"]", "services = [\"api\"]\nstack-image = true"));
    project.service("orders-stack", "controls = \"orders\"\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("depends on `api`, which is in the stack `orders`"), "{error}");
}

fn what_stacks_cannot_say_is_said() {
    let other = app("billing", "");
    let app = format!("apps = {{ billing = {{ path = \"{}\" }} }}\n", other.path().display());
    let project = shop(&STACKS.replace("stacks = [\"orders\"]\n", &format!("stacks = [\"orders\"]\n{app}")));
    member(&project, "web", 8000, "volumes = [\"data:/data\"]\n");
    let output = run(&mut appbundle(project.path(), &["generate", "--for", "stacks"]));
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    for part in [
        "note[volume-shared]: stacks: each of the stacks `orders`, `shop` has its own volume `data`",
        "note[other-app]: stacks: the files of the app `billing` are generated in",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
}

/// A gateway reaches the stacks in its own one; further ones only through gateways.
fn routes_that_a_gateway_does_not_reach_are_refused() {
    let stacks = r#"
[workspace.metadata.appbundle.stacks.shop]
stacks = ["orders"]
gateway = {}
[workspace.metadata.appbundle.stacks.orders]
stacks = ["inner"]
[workspace.metadata.appbundle.stacks.inner]
services = ["api", "store"]
"#;
    let project = shop(stacks);
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    let message =
        "the gateway of `shop` does not reach the route `/api` of `api` in the stack `inner`: add a gateway to `orders`";
    assert!(error.contains(message), "{error}");
    project.edit("Cargo.toml", |text| text.replace("stacks = [\"inner\"]", "stacks = [\"inner\"]\ngateway = {}"));
    ok(&mut appbundle(project.path(), &["generate", "--for", "stacks"]));
    assert!(generated(&project, "shop.gateway.conf").contains("set $to http://orders:80;"));
    assert!(generated(&project, "orders.gateway.conf").contains("set $to http://api:8001;"));
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(files_that_differ_fail_the_check),
        test!(docker_understands_the_files_in_both_ways_of_routing, [docker_compose, new_docker]),
        test!(signal_and_time_to_end_can_be_said_for_all_and_for_one),
        test!(services_of_one_image_stay_commands_in_it),
        test!(what_a_controller_leaves_out_is_said),
        test!(what_is_wrong_with_stacks_is_said_where_it_stands),
        test!(services_that_two_stacks_want_for_one_path_or_port_are_refused),
        test!(a_stack_that_no_service_controls_is_refused),
        test!(a_controller_knows_other_workspaces_apps_and_certificates_that_sign_themselves),
        test!(a_service_can_depend_on_those_of_stacks_in_its_own),
        test!(what_stacks_cannot_say_is_said),
        test!(routes_that_a_gateway_does_not_reach_are_refused),
    ])
}
