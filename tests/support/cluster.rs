//! An API server of Kubernetes as far as kubectl's `apply` and `rollout status` ask for one: discovery, outlines of schemas, objects
//! of one namespace, and deployments that make progress. It stands in for a real one, which comes in no package; who asks it is
//! the real kubectl, from 1.20 on.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::server::{Answer, Asked, Server};

/// The only namespace.
pub const NAMESPACE: &str = "photos";

/// What the server knows: group, path, kind.
const KINDS: [(&str, &str, &str); 5] = [
    ("", "services", "Service"),
    ("", "configmaps", "ConfigMap"),
    ("", "persistentvolumeclaims", "PersistentVolumeClaim"),
    ("apps", "deployments", "Deployment"),
    ("networking.k8s.io", "ingresses", "Ingress"),
];

/// Objects, and what becomes of them.
#[derive(Default)]
struct State {
    /// By `deployments/alpha`.
    objects: BTreeMap<String, Value>,
    /// Deployments whose pods never become ready.
    stuck: Vec<String>,
    /// Kinds that nobody may make.
    refused: Vec<String>,
    /// The generation of each deployment that runs.
    rolled_out: BTreeMap<String, Value>,
}

/// The server.
pub struct Cluster {
    server: Server,
    state: Arc<Mutex<State>>,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// An empty one. Pods of the deployments that are `stuck` never become ready; objects of the kinds `refused` are not taken.
    pub fn start(stuck: &[&str], refused: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let state = Arc::new(Mutex::new(State { stuck: owned(stuck), refused: owned(refused), ..State::default() }));
        let own = Arc::clone(&state);
        let server = Server::start(move |asked, _| own.lock().expect("lock").answer(asked));
        let folder = tempfile::tempdir().expect("folder");
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "here", "cluster": { "server": format!("http://{}", server.host) } }],
            "current-context": "edge",
            "contexts": [{ "name": "edge", "context": { "cluster": "here" } }],
        });
        std::fs::write(folder.path().join("config"), config.to_string()).expect("written");
        Self { server, state, folder }
    }

    /// Lets kubectl find it, as the context `edge`.
    pub fn known_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("KUBECONFIG", self.folder.path().join("config")).env("KUBECACHEDIR", self.folder.path().join("cache"))
    }

    /// What it has by this path, such as `deployments/alpha`.
    pub fn object(&self, path: &str) -> Value {
        self.state.lock().expect("lock").objects.get(path).cloned().unwrap_or_default()
    }

    /// The paths of all that it has.
    pub fn objects(&self) -> Vec<String> {
        self.state.lock().expect("lock").objects.keys().cloned().collect()
    }

    /// Requests that change something: `POST deployments`, `PATCH deployments/alpha`.
    pub fn changes(&self) -> Vec<String> {
        let asked = self.server.asked().into_iter().filter(|asked| asked.method != "GET");
        asked.map(|asked| format!("{} {}", asked.method, in_namespace(&asked.path).unwrap_or(&asked.path))).collect()
    }

    /// The deployments whose progress was followed, in that order.
    pub fn followed(&self) -> Vec<String> {
        let asked = self.server.asked().into_iter().filter(|asked| asked.path.contains("watch=true"));
        let mut names: Vec<String> = asked.filter_map(|asked| selected(&asked.path)).collect();
        names.dedup();
        names
    }
}

/// `deployments/alpha` of a request's path.
fn in_namespace(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once(&format!("/namespaces/{NAMESPACE}/"))?;
    rest.split('?').next()
}

/// The name that a list is asked for.
fn selected(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("fieldSelector=metadata.name%3D")?;
    rest.split('&').next().map(str::to_owned)
}

fn found(value: &Value) -> Answer {
    Answer::new(200, value.to_string()).with("Content-Type", "application/json")
}

fn failure(code: u16, reason: &str, message: &str) -> Answer {
    let status =
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": message });
    Answer::new(code, status.to_string()).with("Content-Type", "application/json")
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Answer {
        let path = asked.path.split('?').next().unwrap_or_default();
        match path.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
            ["version"] => found(&json!({ "major": "1", "minor": "29", "gitVersion": "v1.29.0" })),
            ["api"] => found(&json!({ "kind": "APIVersions", "versions": ["v1"] })),
            ["apis"] => found(&groups()),
            ["api", "v1"] => found(&resources("")),
            ["apis", group, "v1"] => found(&resources(group)),
            ["openapi", "v3"] => found(&versions()),
            ["openapi", "v3", "api", "v1"] => found(&checks("")),
            ["openapi", "v3", "apis", group, "v1"] => found(&checks(group)),
            ["api", "v1", "namespaces", NAMESPACE] => {
                found(&json!({ "kind": "Namespace", "apiVersion": "v1", "metadata": { "name": NAMESPACE } }))
            }
            ["api", "v1", "namespaces", NAMESPACE, plural, ref name @ ..] => self.of("", plural, name, asked),
            ["apis", group, "v1", "namespaces", NAMESPACE, plural, ref name @ ..] => self.of(group, plural, name, asked),
            _ => failure(404, "NotFound", "the server could not find the requested resource"),
        }
    }

    /// One object, or those of one kind.
    fn of(&mut self, group: &str, plural: &str, name: &[&str], asked: &Asked) -> Answer {
        let Some((_, _, kind)) = KINDS.iter().find(|known| (known.0, known.1) == (group, plural)) else {
            return failure(404, "NotFound", "the server could not find the requested resource");
        };
        let sent: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        match (asked.method.as_str(), name) {
            ("GET", [name]) => match self.objects.get(&format!("{plural}/{name}")) {
                Some(object) => found(&self.with_status(object)),
                None => failure(404, "NotFound", &format!("{plural} \"{name}\" not found")),
            },
            ("GET", []) => self.list(plural, kind, asked),
            ("POST", []) if self.refused.iter().any(|refused| refused == kind) => {
                failure(403, "Forbidden", &format!("{plural} is forbidden: nobody may make one"))
            }
            ("POST", []) => self.make(plural, kind, sent),
            ("PATCH", [name]) => self.patch(&format!("{plural}/{name}"), &sent, asked),
            _ => failure(405, "MethodNotAllowed", "this is not asked"),
        }
    }

    fn make(&mut self, plural: &str, kind: &str, mut sent: Value) -> Answer {
        let name = sent["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if sent["kind"] != kind || name.is_empty() || sent["metadata"]["namespace"] != NAMESPACE {
            return failure(400, "BadRequest", &format!("this is not a {kind} of {NAMESPACE}: {sent}"));
        }
        let path = format!("{plural}/{name}");
        if self.objects.contains_key(&path) {
            return failure(409, "AlreadyExists", &format!("{path} already exists"));
        }
        let more = json!({ "uid": path, "resourceVersion": "1", "generation": 1, "creationTimestamp": "2024-01-01T00:00:00Z" });
        merge(&mut sent["metadata"], &more);
        self.objects.insert(path, sent.clone());
        Answer { status: 201, ..found(&sent) }
    }

    fn patch(&mut self, path: &str, sent: &Value, asked: &Asked) -> Answer {
        let kind = asked.headers.get("content-type").map(String::as_str);
        let Some(object) = self.objects.get_mut(path) else { return failure(404, "NotFound", path) };
        if kind != Some("application/strategic-merge-patch+json") {
            return failure(415, "UnsupportedMediaType", "this patch is of another kind");
        }
        merge(object, sent);
        let generation = object["metadata"]["generation"].as_u64().unwrap_or_default() + 1;
        merge(&mut object["metadata"], &json!({ "generation": generation, "resourceVersion": generation.to_string() }));
        found(object)
    }

    /// All of a kind, or what becomes of them: the pods of deployments that are not stuck become ready.
    fn list(&mut self, plural: &str, kind: &str, asked: &Asked) -> Answer {
        let name = selected(&asked.path).unwrap_or_default();
        let Some(object) = self.objects.get(&format!("{plural}/{name}")).cloned() else {
            return failure(404, "NotFound", &format!("{plural} \"{name}\" not found"));
        };
        if asked.path.contains("watch=true") {
            if !self.stuck.contains(&name) {
                self.rolled_out.insert(name, object["metadata"]["generation"].clone());
            }
            let event = json!({ "type": "MODIFIED", "object": self.with_status(&object) });
            return Answer::new(200, format!("{event}\n")).with("Content-Type", "application/json");
        }
        let (version, group) = (&object["metadata"]["resourceVersion"], &object["apiVersion"]);
        let items = [self.with_status(&object)];
        found(
            &json!({ "kind": format!("{kind}List"), "apiVersion": group, "metadata": { "resourceVersion": version }, "items": items }),
        )
    }

    /// A deployment with what its controller says of it.
    fn with_status(&self, object: &Value) -> Value {
        let mut object = object.clone();
        if object["kind"] == "Deployment" {
            let (generation, wanted) = (object["metadata"]["generation"].clone(), object["spec"]["replicas"].clone());
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let ready = if self.rolled_out.get(name) == Some(&generation) { wanted.clone() } else { json!(0) };
            object["status"] = json!({
                "observedGeneration": generation, "replicas": wanted, "updatedReplicas": wanted,
                "readyReplicas": ready, "availableReplicas": ready,
            });
        }
        object
    }
}

/// A strategic merge patch, as far as kubectl sends one here: tables merge, as do the items of lists that have names.
fn merge(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over.iter().filter(|(key, _)| !key.starts_with('$')) {
                match value {
                    Value::Null => drop(under.remove(key)),
                    value => merge(under.entry(key.clone()).or_insert(Value::Null), value),
                }
            }
        }
        (Value::Array(under), Value::Array(over)) if over.iter().all(|item| item["name"].is_string()) => {
            for item in over {
                match under.iter_mut().find(|old| old["name"] == item["name"]) {
                    Some(old) => merge(old, item),
                    None => under.push(item.clone()),
                }
            }
        }
        (under, over) => *under = over.clone(),
    }
}

fn groups() -> Value {
    let group = |name: &str| {
        let version = json!({ "groupVersion": format!("{name}/v1"), "version": "v1" });
        json!({ "name": name, "versions": [version], "preferredVersion": version })
    };
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [group("apps"), group("networking.k8s.io")] })
}

fn resources(group: &str) -> Value {
    let verbs = ["create", "get", "list", "patch", "watch"];
    let of = KINDS.iter().filter(|known| known.0 == group);
    let all = of
        .map(|(_, plural, kind)| json!({ "name": plural, "singularName": "", "namespaced": true, "kind": kind, "verbs": verbs }));
    let version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": all.collect::<Vec<_>>() })
}

fn versions() -> Value {
    let of = ["api/v1", "apis/apps/v1", "apis/networking.k8s.io/v1"];
    let paths = of.map(|path| (path.to_owned(), json!({ "serverRelativeURL": format!("/openapi/v3/{path}") })));
    json!({ "paths": paths.into_iter().collect::<serde_json::Map<_, _>>() })
}

/// That the server itself refuses unknown fields, which is what kubectl looks for in a schema.
fn checks(group: &str) -> Value {
    let of = KINDS.iter().filter(|known| known.0 == group);
    let paths = of.map(|(_, plural, kind)| {
        let kind = json!({ "group": group, "version": "v1", "kind": kind });
        let parameters = json!([{ "name": "fieldValidation", "in": "query" }]);
        let patch = json!({ "x-kubernetes-group-version-kind": kind, "parameters": parameters, "responses": {} });
        (format!("/{plural}"), json!({ "patch": patch }))
    });
    let paths: serde_json::Map<_, _> = paths.collect();
    json!({ "openapi": "3.0.0", "info": { "title": "a stand-in", "version": "1" }, "paths": paths })
}
