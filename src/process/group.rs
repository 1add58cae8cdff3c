//! Process groups: a child and all that it started.

/// Asks a child that leads a process group of its own, and all that it started, to end; kills them when `hard`.
pub fn end_group(child: &std::process::Child, hard: bool) {
    end_group_of(child.id(), hard);
}

/// As [`end_group`], of a child by its id.
pub fn end_group_of(id: u32, hard: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let signal = if hard { Signal::KILL } else { Signal::INT };
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // A group that has ended needs no signal.
        let _ = kill_process_group(pid, signal);
    }
}
