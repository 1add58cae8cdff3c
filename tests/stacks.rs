//! Stacks: read from the tables, written as files, and brought up in a real swarm of one machine.

mod support;

use support::{Project, appbundle, fails, ok};

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
    ok(&mut appbundle(project.path(), &["generate", "--for", "swarm"]));
    for name in ["shop.yml", "shop.gateway.conf", "orders.yml", "orders.gateway.conf"] {
        let found = String::from_utf8(project.read(&format!("target/appbundle/stacks/{name}"))).expect("text");
        let golden = support::repository().join("tests/golden/stacks").join(name);
        snapbox::assert_data_eq!(found, snapbox::Data::read_from(&golden, None).raw());
    }
    ok(&mut appbundle(project.path(), &["generate", "--for", "swarm", "--check"]));
    project.write("target/appbundle/stacks/shop.yml", "other");
    let error = fails(&mut appbundle(project.path(), &["generate", "--for", "swarm", "--check"]), 1);
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
