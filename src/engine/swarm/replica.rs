//! The replicas of a service: tasks of a swarm.

use bollard::models::{Task, TaskSpec, TaskState};

/// A replica, running or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replica {
    /// The id of its task.
    pub id: String,
    /// Whether the service is as it was when this replica was created.
    pub current: bool,
    /// Whether it runs and is meant to.
    pub running: bool,
    /// Why it failed.
    pub failure: Option<String>,
    /// The exit code of its program, if that ended.
    pub exit_code: Option<i64>,
    /// When its state last changed, in a form that sorts.
    pub changed: String,
}

impl Replica {
    /// The replica that `task` is, of a service whose replicas are as `service` says.
    pub(super) fn of(task: &Task, service: Option<&TaskSpec>) -> Self {
        let status = task.status.clone().unwrap_or_default();
        let failed = matches!(status.state, Some(TaskState::FAILED | TaskState::REJECTED));
        let runs = |state: &Option<TaskState>| *state == Some(TaskState::RUNNING);
        Self {
            id: task.id.clone().unwrap_or_default(),
            current: task.spec.as_ref().map(comparable) == service.map(comparable),
            running: runs(&status.state) && runs(&task.desired_state),
            failure: status.err.filter(|_| failed),
            exit_code: status.container_status.and_then(|container| container.exit_code).filter(|_| failed),
            changed: status.timestamp.map(|time| time.to_string()).unwrap_or_default(),
        }
    }

    /// Why it failed, with the exit code if there is one.
    pub fn told(&self) -> Option<String> {
        let said = self.failure.as_ref()?;
        Some(match self.exit_code.filter(|code| *code != 0) {
            Some(code) => format!("exit code {code}"),
            None => said.clone(),
        })
    }
}

/// What makes replicas new when it changes. Docker adds defaults to a service that its tasks lack.
fn comparable(spec: &TaskSpec) -> TaskSpec {
    let container_spec = spec.container_spec.clone().map(|mut container| {
        (container.dns_config, container.isolation) = (None, None);
        container
    });
    TaskSpec { container_spec, resources: spec.resources.clone(), force_update: spec.force_update, ..TaskSpec::default() }
}
