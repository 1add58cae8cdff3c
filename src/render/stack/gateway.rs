//! The door of a stack: nginx, configured by the routes of the services behind it.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::alias::Alias;
use super::service::{self, direct};
use crate::app::{Gateway, Stack};
use crate::plan::Plan;

/// Where the configuration stands in the container.
const PLACE: &str = "/etc/appbundle/gateway.conf";

/// Where a path leads.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    path: String,
    to: String,
    rewrite: Option<String>,
}

/// The gateway as a service; networks are added around it.
pub fn service(plan: &Plan, gateway: &Gateway, alias: Alias<'_>) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("image".into(), gateway.image.clone().into());
    map.insert("entrypoint".into(), json!(["nginx", "-c", PLACE]));
    map.insert("stop_signal".into(), "SIGQUIT".into());
    map.insert("stop_grace_period".into(), "1m".into());
    let mut deploy = json!({ "replicas": 1, "restart_policy": { "condition": "any" } });
    if direct(plan, None) {
        deploy["endpoint_mode"] = "dnsrr".into();
    }
    map.insert("deploy".into(), deploy);
    // The outermost stack of another workspace's app has a parent here, and its ports are not for the world.
    let own = alias.is_none() || plan.stacks.last().and_then(|stack| stack.gateway.as_ref()) != Some(gateway);
    let http = gateway.http.map(|port| service::published(plan, 80, port, false));
    let https = gateway.https.as_ref().map(|https| service::published(plan, 443, https.port, false));
    let ports: Vec<Value> = http.into_iter().chain(https).filter(|_| own).collect();
    if !ports.is_empty() {
        map.insert("ports".into(), ports.into());
    }
    map.insert("configs".into(), json!([{ "source": "gateway", "target": PLACE }]));
    if gateway.https.is_some() {
        map.insert("secrets".into(), json!(["certificate", "key"]));
    }
    map
}

/// The text of the configuration.
pub fn configuration(plan: &Plan, stack: &Stack, gateway: &Gateway, alias: Alias<'_>) -> String {
    let mut text = format!(
        "# The routes of the stack `{}`, written by cargo-appbundle.\n\
         daemon off;\nworker_processes auto;\npid /tmp/gateway.pid;\nerror_log /dev/stderr warn;\n\
         events {{}}\n\
         http {{\n    access_log /dev/stdout;\n    client_max_body_size 0;\n\
         \x20   # Docker's name server: finds a service even if it starts later or moves to another node.\n\
         \x20   resolver 127.0.0.11 valid=2s ipv6=off;\n\
         \x20   map $http_upgrade $connection_upgrade {{\n        default upgrade;\n        '' '';\n    }}\n",
        stack.name
    );
    // Only a gateway around this one can have said what it was asked over.
    let scheme = if alias.is_some() {
        text.push_str("    map $http_x_forwarded_proto $forwarded_proto {\n        default $http_x_forwarded_proto;\n        '' $scheme;\n    }\n");
        "$forwarded_proto"
    } else {
        "$scheme"
    };
    text.push_str("    proxy_http_version 1.1;\n    proxy_read_timeout 1h;\n");
    for (name, value) in [
        ("Host", "$http_host"),
        ("Upgrade", "$http_upgrade"),
        ("Connection", "$connection_upgrade"),
        ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
        ("X-Forwarded-Proto", scheme),
    ] {
        let _ = writeln!(text, "    proxy_set_header {name} {value};");
    }
    text.push_str("    server {\n        listen 80;\n");
    if gateway.https.is_some() {
        text.push_str(
            "        listen 443 ssl;\n        ssl_certificate /run/secrets/certificate;\n        ssl_certificate_key /run/secrets/key;\n",
        );
    }
    for route in routes(plan, stack, gateway) {
        location(&mut text, &route);
    }
    text.push_str("    }\n}\n");
    text
}

fn location(text: &mut String, route: &Route) {
    let path = route.path.trim_end_matches('/');
    let rewrite = route.rewrite.as_ref().map_or_else(String::new, |to| {
        let pattern: String = path
            .chars()
            .map(|c| if "._~-@:/%".contains(c) || c.is_alphanumeric() { escaped(c) } else { format!("\\{c}") })
            .collect();
        format!("            rewrite \"^{pattern}/?(.*)$\" \"{}/$1\" break;\n", to.trim_end_matches('/'))
    });
    let exact = if path.is_empty() { None } else { Some(format!("= {path}")) };
    for place in exact.into_iter().chain([format!("{path}/")]) {
        let _ = write!(
            text,
            "        location {place} {{\n            set $to http://{};\n{rewrite}            proxy_pass $to;\n        }}\n",
            route.to
        );
    }
}

/// A character as a regular expression.
fn escaped(c: char) -> String {
    if c == '.' { "\\.".into() } else { c.to_string() }
}

/// Routes of the stack's services and of those of the stacks in it, by path.
fn routes(plan: &Plan, stack: &Stack, gateway: &Gateway) -> Vec<Route> {
    let mut routes = Vec::new();
    let mut direct = |stack: &Stack| {
        for member in stack.members(&plan.services) {
            for (path, port) in member.proxied() {
                routes.push(Route {
                    path: path.to_owned(),
                    to: format!("{}:{port}", member.name),
                    rewrite: gateway.rewrite.get(path).cloned(),
                });
            }
        }
    };
    direct(stack);
    let inner: Vec<&Stack> =
        plan.stacks.iter().filter(|other| stack.stacks.iter().any(|name| name == other.name.as_str())).collect();
    inner.iter().filter(|inner| inner.gateway.is_none()).for_each(|inner| direct(inner));
    for inner in inner.iter().filter(|inner| inner.gateway.is_some()) {
        for path in behind(plan, inner) {
            routes.push(Route { path, to: format!("{}:80", inner.name), rewrite: None });
        }
    }
    for name in stack.apps.keys() {
        routes.push(Route { path: format!("/{name}"), to: format!("{name}:80"), rewrite: Some("/".into()) });
    }
    routes.sort();
    routes.dedup();
    routes
}

/// The paths that a stack's gateway knows.
fn behind(plan: &Plan, stack: &Stack) -> Vec<String> {
    stack
        .gateway
        .as_ref()
        .map(|gateway| routes(plan, stack, gateway))
        .unwrap_or_default()
        .into_iter()
        .map(|route| route.path)
        .collect()
}
