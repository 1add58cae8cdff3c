//! The one door to what only Linux has: `/proc`, two files that change places, orphans that are adopted. On other systems these
//! functions find nothing, or say that it cannot be done, and the program goes on without.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Lets two files change places; false where there are not two, or the system cannot.
#[cfg(target_os = "linux")]
pub fn exchange(one: &Path, other: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    other.is_file() && renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

/// Nowhere else.
#[cfg(not(target_os = "linux"))]
pub fn exchange(_: &Path, _: &Path) -> bool {
    false
}

/// Makes this process the parent of what its children leave (prctl(2), `PR_SET_CHILD_SUBREAPER`).
///
/// # Errors
/// When the system does not allow it.
#[cfg(target_os = "linux")]
pub fn adopt_orphans() -> io::Result<()> {
    use rustix::process::{getpid, set_child_subreaper};
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Nowhere else.
#[cfg(not(target_os = "linux"))]
pub fn adopt_orphans() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The numbers of this process's children (proc_pid_stat(5), field 4).
pub fn children() -> Vec<i32> {
    let own = i32::try_from(std::process::id()).ok();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_ours = |number: &i32| {
        let text = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        // The second field is a name in parentheses, which may hold anything.
        let parent = text.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<i32>().ok());
        parent.is_some() && parent == own
    };
    numbers.filter(is_ours).collect()
}

/// When a process started, in ticks since boot (proc_pid_stat(5), field 22); `None` if there is no such process.
pub fn started(pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses, which may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    // What has ended and was not waited for owns nothing any more.
    (state != "Z").then(|| fields.nth(18).map(str::to_owned))?
}

/// The namespace in which this process's number counts; `-` if that is not known.
pub fn pid_namespace() -> String {
    std::fs::read_link("/proc/self/ns/pid").map_or_else(|_| "-".into(), |link| link.display().to_string())
}

/// The boot of this machine; `-` if that is not known.
pub fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or_else(|_| "-".into(), |text| text.trim().to_owned())
}

/// The process that listens at a TCP port of this machine, as `name` (PID 1); `None` if that cannot be found out.
pub fn listening(port: u16) -> Option<String> {
    let table = |name: &str| std::fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
    let ending = format!(":{port:04X}");
    // proc_pid_net(5): the second field is the address, the fourth the state (0A: listening), the tenth the inode.
    let listens = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&ending) && *fields.get(3)? == "0A";
        is_it.then(|| format!("socket:[{}]", fields.get(9).unwrap_or(&"")))
    };
    let sockets: Vec<String> = [table("tcp"), table("tcp6")].iter().flat_map(|table| table.lines().filter_map(listens)).collect();
    let has_it = |process: &Path| {
        let files = std::fs::read_dir(process.join("fd")).ok()?;
        let mut links = files.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
        links.any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str())).then_some(())
    };
    let mut processes = std::fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    let process = processes.find(|path| has_it(path).is_some())?;
    let name = std::fs::read_to_string(process.join("comm")).ok()?;
    Some(format!("`{}` (PID {})", name.trim(), process.file_name()?.to_string_lossy()))
}

/// The files that this process has mapped, such as its libraries.
///
/// # Errors
/// When that cannot be found out.
pub fn mapped_files() -> io::Result<BTreeSet<PathBuf>> {
    let maps = fs_err::read_to_string("/proc/self/maps")?;
    Ok(maps.lines().filter_map(|line| Some(PathBuf::from(&line[line.find('/')?..]))).collect())
}

/// A short path to an open folder, for names that have to be short.
pub fn through(folder: &impl AsRawFd) -> PathBuf {
    Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string())
}

/// Whether this is a kernel that has no IPVS loaded.
pub fn lacks_ipvs() -> bool {
    cfg!(target_os = "linux") && !Path::new("/proc/net/ip_vs").exists()
}

/// The name in Linux and Rust of a processor that OCI names: `aarch64` of `arm64`.
pub fn cpu(architecture: &str) -> &str {
    match architecture {
        "arm64" => "aarch64",
        "amd64" => "x86_64",
        other => other,
    }
}

/// Whether programs for a processor run under qemu.
pub fn emulates(cpu: &str) -> bool {
    Path::new("/proc/sys/fs/binfmt_misc").join(format!("qemu-{cpu}")).exists()
}
