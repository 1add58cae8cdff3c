//! `cargo appbundle deploy`: deploys the app to a cluster.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::app::Destination;
use crate::diagnostic::Code;
use crate::pipeline::{Options, Session};
use crate::process;
use crate::render::{self, Others, Outside, Rendered};
use crate::shell::{Shell, count};

/// Options in addition to those of the plan.
#[derive(Clone, Debug, Default)]
pub struct DeployOptions {
    /// `--context` of kubectl.
    pub context: Option<String>,
    /// `--namespace` of kubectl.
    pub namespace: Option<String>,
    /// Seconds to wait for each service.
    pub timeout: u64,
}

/// Applies the manifests with kubectl, and waits until each service runs, in launch order.
///
/// # Errors
/// When kubectl fails, or a service does not run in time. What was applied stays.
pub fn run(options: &Options, deploy: &DeployOptions, shell: &Shell) -> Result<()> {
    let Session { plan, .. } = Session::start(options, shell)?;
    let others = Others::new();
    let outside = Outside { binaries: &plan.output, repo: options.request.repo.as_deref(), others: &others };
    let Rendered { files, notes } = render::deployment(&plan, Destination::Kubernetes, outside)?;
    shell.notes(notes, &plan.allow);
    let folder = crate::fs::scratch()?;
    for file in &files {
        let path = folder.path().join(&file.path);
        fs_err::create_dir_all(path.parent().context("a file has no folder")?)?;
        fs_err::write(path, &file.contents)?;
    }
    let kubernetes = folder.path().join("kubernetes");
    shell.status("Deploying", format_args!("{} {} ({})", plan.name, plan.version, count(plan.services.len(), "service")));
    let applied = capture(kubectl(deploy).arg("apply").arg("-k").arg(&kubernetes), shell)?;
    applied.lines().for_each(|line| shell.output(line));
    for service in &plan.services {
        let deployment = format!("deployment/{}", service.name);
        let timeout = format!("--timeout={}s", deploy.timeout);
        let ended = capture(kubectl(deploy).args(["rollout", "status", &deployment, &timeout]), shell);
        if let Err(error) = ended {
            let words =
                process::command_line(kubectl(deploy).args(["describe", "pods", "-l"]).arg(selector(service.name.as_str())));
            let message = format!("the service `{}` does not run\nhelp: run `{words}`", service.name);
            return Err(error.context(Code::ServiceUnhealthy.error(message)));
        }
        shell.status("Running", &service.name);
        shell.result("appbundle-deployment", serde_json::json!({ "name": service.name }), &deployment);
    }
    Ok(())
}

fn selector(service: &str) -> String {
    format!("app.kubernetes.io/name={service}")
}

fn kubectl(deploy: &DeployOptions) -> Command {
    let mut command = Command::new("kubectl");
    for (flag, value) in [("--context", &deploy.context), ("--namespace", &deploy.namespace)] {
        if let Some(value) = value {
            command.args([flag, value]);
        }
    }
    command
}

fn capture(command: &mut Command, shell: &Shell) -> Result<String> {
    shell.detail("Running", process::command_line(command));
    match process::capture(command) {
        Err(error) if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound) => {
            bail!(Code::ToolsMissing.error(
                "`kubectl` is not installed\nhelp: https://kubernetes.io/docs/tasks/tools, or `apt-get install kubernetes-client`"
            ))
        }
        Err(error) => Err(no_cluster(&error.to_string()).unwrap_or(error)),
        good => good,
    }
}

/// How programs in Go begin to say that a server is out of reach.
const DIAL: &str = "dial tcp ";

/// One sentence where kubectl has a page, if it reached no cluster.
fn no_cluster(said: &str) -> Option<anyhow::Error> {
    let signs = ["was refused - did you specify", "Unable to connect to the server", "no configuration has been provided", DIAL];
    let is_it = |line: &&str| {
        let of_context = line.contains("context") && line.contains("does not exist");
        of_context || signs.iter().any(|sign| line.contains(sign))
    };
    let line = said.lines().skip_while(|line| *line != "--- stderr").skip(1).filter(is_it).last()?;
    let why = match line.find(DIAL) {
        Some(at) => line[at + DIAL.len()..].split(';').next().unwrap_or_default(),
        None => line.trim_start_matches("error: ").split(" - did you").next().unwrap_or(line).trim_end_matches(['.', '?']),
    };
    Some(anyhow::anyhow!(
        "kubectl reaches no cluster: {why}\nhelp: choose one with `--context`; `kubectl config get-contexts` lists them"
    ))
}
