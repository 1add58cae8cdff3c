//! Labels containers with the process that started them, to tell the leftovers of a killed run from a live one.

use anyhow::Result;

use crate::digest::Digest;
use crate::engine::{Engine, Labelled};
use crate::os;
use crate::shell::Shell;

/// The label of every container and network created here.
pub const LABEL: &str = "io.github.cargo-appbundle.owner";

/// The label's value for containers that no process attends to.
pub const DETACHED: &str = "detached";

/// The label's value for this process: process id, start time, PID namespace and boot id.
pub fn of_this_process() -> String {
    let pid = std::process::id();
    format!("{pid} {} {} {}", os::started(pid).unwrap_or_default(), os::pid_namespace(), os::boot())
}

/// A unique name for the network and containers of one run.
pub fn run_name(app: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let sum = Digest::of(format!("{} {now}", std::process::id()).as_bytes()).hex();
    format!("{app}-{}", &sum[..6])
}

/// Whether the process in a label has certainly ended. A process of another machine or PID namespace cannot be checked. If the
/// engine is on this machine (`near`), an owner from an earlier boot has ended once its container no longer runs.
fn is_dead(label: &str, near: bool, running: bool) -> bool {
    let words: Vec<&str> = label.split(' ').collect();
    let [pid, start, of_namespace, of_boot] = words[..] else { return false };
    if of_boot == "-" || of_namespace == "-" {
        return false;
    }
    if of_boot != os::boot() {
        return near && !running;
    }
    let Ok(pid) = pid.parse() else { return false };
    of_namespace == os::pid_namespace() && os::started(pid).as_deref() != Some(start)
}

/// The process in a label, if it runs on this machine.
pub fn process(label: &str) -> Option<u32> {
    let words: Vec<&str> = label.split(' ').collect();
    let [pid, start, of_namespace, of_boot] = words[..] else { return None };
    let pid = pid.parse().ok()?;
    let is_here = of_boot == os::boot() && of_namespace == os::pid_namespace() && of_boot != "-";
    (is_here && os::started(pid).as_deref() == Some(start)).then_some(pid)
}

/// Removes what killed runs left behind. What cannot be removed is left for the next run.
///
/// # Errors
/// When the engine stops answering.
pub fn sweep(engine: &Engine, shell: &Shell) -> Result<()> {
    let near = engine.endpoint().socket().is_some();
    let dead = |found: &Labelled| is_dead(&found.value, near, found.running);
    let containers: Vec<Labelled> = engine.containers_with(LABEL)?.into_iter().filter(dead).collect();
    let of_containers: Vec<String> = containers.iter().map(|container| container.value.clone()).collect();
    let stays =
        |name: &str, error: anyhow::Error| shell.detail("Keeping", format_args!("{name} for the next run to remove: {error:#}"));
    for container in &containers {
        engine.remove(&container.id).unwrap_or_else(|error| stays(&container.name, error));
    }
    for network in engine.networks_with(LABEL)? {
        // A network never runs, so after a reboot it is removed only together with its containers.
        if is_dead(&network.value, false, false) || of_containers.contains(&network.value) {
            // It may be in use, or another run may be removing it.
            engine.remove_network(&network.id).unwrap_or_else(|error| stays(&network.name, error));
        }
    }
    if !containers.is_empty() {
        let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
        shell.status("Removed", format_args!("leftovers of a killed run: {}", names.join(", ")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certainly_gone_is_dead() {
        let own = of_this_process();
        let words: Vec<&str> = own.split(' ').collect();
        let [pid, start, namespace, boot] = words[..] else { panic!("{own}") };
        let dead = |label: String, near, running| is_dead(&label, near, running);
        assert!(!dead(own.clone(), true, true));
        assert!(dead(format!("{pid} {start}0 {namespace} {boot}"), true, true), "its number was given to another one");
        assert!(dead(format!("4194999 1 {namespace} {boot}"), false, true));
        assert!(!dead(format!("4194999 1 pid:[1] {boot}"), true, false), "another container's process");
        assert!(dead(format!("{pid} {start} {namespace} x"), true, false), "before the last boot");
        assert!(!dead(format!("{pid} {start} {namespace} x"), true, true), "another machine's");
        assert!(!dead(format!("{pid} {start} {namespace} x"), false, false));
        assert_eq!((process(&own), process(&format!("{pid} {start}0 {namespace} {boot}"))), (pid.parse().ok(), None));
        assert!(!dead(DETACHED.into(), true, false) && process(DETACHED).is_none());
        assert!(!dead("x".into(), true, false) && !dead("1 2 - -".into(), true, false));
    }
}
