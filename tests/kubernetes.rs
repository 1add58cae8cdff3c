//! `deploy --to kubernetes` with the real kubectl: what arrives at an API server, and what is waited for.

mod support;

use std::process::{Command, ExitCode};

use serde_json::json;
use support::cluster::{Cluster, NAMESPACE};
use support::harness::{self, test};
use support::needs::kubectl_apply;
use support::{Project, appbundle, fails, ok, run};

/// Values that formats on the way would like to understand.
const TRICKY: &str = "a \"b\" 'c'\n$HOME ${PATH} $$ $(NAME) #d \\ {{.Node}} é ";

fn project() -> Project {
    let project = Project::new(&[]);
    project.service("alpha", &format!("environment = {{ TRICKY = {}, EMPTY = \"\" }}\n", toml::Value::from(TRICKY)));
    project.service(
        "beta",
        "depends-on = [\"alpha\"]\nreplicas = 2\nports = [\"80\"]\nvolumes = [\"data:/data\"]\nroutes = { \"/b\" = { port = 80 } }\n",
    );
    project
}

fn deploy(project: &Project, cluster: &Cluster, arguments: &[&str]) -> Command {
    let mut command = appbundle(project.path(), &["deploy", "--to", "kubernetes", "--context", "edge", "--namespace", NAMESPACE]);
    cluster.known_to(command.args(arguments));
    command
}

fn what_is_deployed_is_there_as_it_is_written_and_runs() {
    let (project, cluster) = (project(), Cluster::start(&[], &[]));
    let at = |prefix: &'static str| ["--repo", prefix];
    let output = run(&mut deploy(&project, &cluster, &at("ghcr.io/example/demo")));
    let said = support::text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(support::text(&output.stdout), "deployment/alpha\ndeployment/beta\n");
    for part in ["deployment.apps/alpha created", "Running alpha", "Running beta"] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    let all = ["configmaps/alpha-environment", "deployments/alpha", "deployments/beta", "ingresses/demo"];
    assert_eq!(cluster.objects(), [&all[..], &["persistentvolumeclaims/demo-data", "services/beta"]].concat());
    assert_eq!(cluster.object("configmaps/alpha-environment")["data"], json!({ "EMPTY": "", "TRICKY": TRICKY }));
    let image = |service: &str| {
        cluster.object(&format!("deployments/{service}"))["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    assert_eq!(
        (image("alpha"), image("beta")),
        ("ghcr.io/example/demo/alpha:1.2.3".into(), "ghcr.io/example/demo/beta:1.2.3".into())
    );
    assert_eq!(cluster.followed(), ["alpha", "beta"]);
    // What is as it was is left alone; what is not is changed, and waited for again.
    let before = cluster.changes().len();
    ok(&mut deploy(&project, &cluster, &at("ghcr.io/example/demo")));
    assert_eq!(cluster.changes().len(), before);
    ok(&mut deploy(&project, &cluster, &at("registry.local:5000/other")));
    assert_eq!(cluster.changes()[before..], ["PATCH deployments/alpha", "PATCH deployments/beta"]);
    assert_eq!(
        (image("alpha"), image("beta")),
        ("registry.local:5000/other/alpha:1.2.3".into(), "registry.local:5000/other/beta:1.2.3".into())
    );
    assert_eq!(cluster.object("deployments/beta")["metadata"]["generation"], 2);
    assert_eq!(cluster.followed(), ["alpha", "beta"].repeat(3));
}

fn a_service_that_does_not_run_and_an_object_that_is_refused_are_told() {
    let (project, cluster) = (project(), Cluster::start(&["alpha"], &[]));
    let error = fails(&mut deploy(&project, &cluster, &["--timeout", "2"]), 1);
    for part in [
        "the service `alpha` does not run",
        "help: run `kubectl --context edge --namespace photos describe pods -l 'app.kubernetes.io/name=alpha'`",
        "rollout status deployment/alpha",
        "timed out",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
    assert_eq!(cluster.followed(), ["alpha"]);

    // What the cluster refuses is told with its own words, and nothing is waited for.
    let cluster = Cluster::start(&[], &["Deployment"]);
    let error = fails(&mut deploy(&project, &cluster, &[]), 1);
    assert!(error.contains("kubectl --context edge --namespace photos apply -k"), "{error}");
    assert!(error.contains("deployments is forbidden: nobody may make one"), "{error}");
    assert!(cluster.followed().is_empty());

    let mut nowhere = appbundle(project.path(), &["deploy", "--to", "kubernetes", "--context", "elsewhere"]);
    let error = fails(cluster.known_to(&mut nowhere), 1);
    assert!(error.contains("error: kubectl reaches no cluster: context \"elsewhere\" does not exist\n"), "{error}");
}

/// kubectl says the same thing five times, among times and names of its source files.
fn without_a_cluster_it_is_one_sentence() {
    let [port] = support::free_ports();
    let project = project();
    let server = format!("http://127.0.0.1:{port}");
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{ "name": "here", "cluster": { "server": server } }],
        "contexts": [{ "name": "here", "context": { "cluster": "here" } }],
    });
    project.write("config", &text.to_string());
    let config = project.path().join("config");
    let error = fails(appbundle(project.path(), &["deploy", "--to", "kubernetes"]).env("KUBECONFIG", &config), 1);
    let error = &error[error.find("error").expect("an error")..];
    assert!(error.starts_with("error: kubectl reaches no cluster: ") && error.contains("refused\nhelp: "), "{error}");
    assert_eq!(error.lines().count(), 2, "{error}");
}

fn without_kubectl_it_is_told_how_to_get_it() {
    let project = project();
    let folder = project.path().join("few");
    std::fs::create_dir_all(&folder).expect("folder");
    for name in ["cargo", "rustc", "sh", "cc"] {
        let found =
            std::env::split_paths(&std::env::var_os("PATH").expect("path")).map(|dir| dir.join(name)).find(|p| p.is_file());
        if let Some(found) = found {
            std::os::unix::fs::symlink(found, folder.join(name)).expect("link");
        }
    }
    let error = fails(appbundle(project.path(), &["deploy", "--to", "kubernetes"]).env("PATH", &folder), 1);
    assert!(error.contains("`kubectl` is not installed"), "{error}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(what_is_deployed_is_there_as_it_is_written_and_runs, [kubectl_apply]),
        test!(a_service_that_does_not_run_and_an_object_that_is_refused_are_told, [kubectl_apply]),
        test!(without_a_cluster_it_is_one_sentence, [kubectl_apply]),
        test!(without_kubectl_it_is_told_how_to_get_it),
    ])
}
