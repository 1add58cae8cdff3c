//! Commands of the workspace that run before Cargo: `prepare`.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use globset::{Glob, GlobBuilder};

use super::ending::end_on;
use super::options::CompileOptions;
use crate::digest::{Digest, Hasher};
use crate::fs::write;
use crate::plan::{Plan, Preparation};
use crate::process::SIGN_KEY;
use crate::shell::Shell;
use crate::workspace::Workspace;

/// The digest of each command's inputs when it last succeeded, by the command.
type Done = BTreeMap<String, Digest>;

/// Runs each command in the workspace's folder with these variables, in order: those with inputs only if one of them has changed, or an
/// output is gone.
///
/// # Errors
/// With the first command that fails, or that an input is missing of or an output after it.
pub fn prepare(
    plan: &Plan,
    workspace: &Workspace,
    options: &CompileOptions,
    variables: &[(String, String)],
    shell: &Shell,
) -> Result<()> {
    let path = workspace.target_dir.join("appbundle/prepared.json");
    let read = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Done>(&bytes).ok());
    let mut done = read.unwrap_or_default();
    for preparation in &plan.compilation.prepare {
        let Preparation { run, inputs, outputs } = preparation;
        // What an earlier command wrote may be an input of this one.
        let before = (!inputs.is_empty()).then(|| digest(&workspace.root, preparation)).transpose()?;
        let lacks = || outputs.iter().find(|output| !workspace.root.join(output).exists());
        if before.is_some() && done.get(run) == before.as_ref() && lacks().is_none() {
            shell.detail("Fresh", format_args!("`{run}`"));
            continue;
        }
        shell.status("Preparing", format_args!("`{run}`"));
        self::run(run, &workspace.root, variables, options)?;
        if let Some(output) = lacks() {
            bail!("the command `{run}` of `prepare` did not write `{output}`, one of its `outputs`");
        }
        if let Some(digest) = before {
            done.insert(run.clone(), digest);
            write(&path, &serde_json::to_vec(&done)?)?;
        }
    }
    Ok(())
}

fn run(line: &str, folder: &Path, variables: &[(String, String)], options: &CompileOptions) -> Result<()> {
    let mut command = Command::new("sh");
    // stdout has the results of this program.
    command.args(["-c", line]).current_dir(folder).env_remove(SIGN_KEY).stdin(Stdio::null()).stdout(std::io::stderr());
    command.envs(variables.iter().cloned());
    if options.wishes.is_some() {
        command.process_group(0);
    }
    let mut child = command.spawn().context("failed to run `sh`")?;
    let status = match &options.wishes {
        None => child.wait(),
        Some(wishes) => {
            let (id, ended) = (child.id(), AtomicBool::new(false));
            std::thread::scope(|scope| {
                scope.spawn(|| end_on(wishes, id, &ended));
                let status = child.wait();
                ended.store(true, Ordering::Relaxed);
                status
            })
        }
    };
    let status = status.with_context(|| format!("failed to wait for `{line}`"))?;
    ensure!(status.success(), "the command `{line}` of `prepare` failed ({status})");
    Ok(())
}

/// The digest of the command, and of the paths and contents of its inputs.
fn digest(root: &Path, preparation: &Preparation) -> Result<Digest> {
    let mut sum = Hasher::default();
    sum.update(format!("{preparation:?}").as_bytes());
    for pattern in &preparation.inputs {
        let found = files(root, pattern)?;
        let run = &preparation.run;
        ensure!(!found.is_empty(), "no file matches `{pattern}`, which is in `inputs` of the command `{run}` of `prepare`");
        for path in found {
            let bytes = std::fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
            sum.update(format!("\0{}\0{}", path.display(), Digest::of(&bytes)).as_bytes());
        }
    }
    Ok(sum.finish())
}

/// The files that a pattern matches, or those in the folder of that name, in order.
fn files(root: &Path, pattern: &str) -> Result<Vec<PathBuf>> {
    let glob: Glob = GlobBuilder::new(pattern).literal_separator(true).build()?;
    let matcher = glob.compile_matcher();
    let fixed: PathBuf =
        Path::new(pattern).components().take_while(|part| !is_pattern(&part.as_os_str().to_string_lossy())).collect();
    let in_folder = (fixed == Path::new(pattern)).then_some(fixed.as_path());
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root.join(&fixed)).follow_links(true).sort_by_file_name() {
        let Ok(entry) = entry else { continue };
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let is_wanted = matcher.is_match(relative) || in_folder.is_some_and(|folder| relative.starts_with(folder));
        if entry.file_type().is_file() && is_wanted {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '[', '{'])
}
