//! `cargo appbundle new-service`: creates a workspace member that compiles, has a health check, stops on SIGTERM, and has a test.

use anyhow::Result;

use crate::scaffold::{self, CreatedMember, NewMember, ServiceTemplate};
use crate::shell::Shell;
use crate::workspace::{CargoOptions, Workspace};

/// Writes the member and adds it to the workspace. If one step fails, nothing is changed.
///
/// # Errors
/// When the workspace cannot be read, or the member cannot be made.
pub fn run(cargo: &CargoOptions, wanted: &NewMember, shell: &Shell) -> Result<()> {
    let workspace = Workspace::read(cargo)?;
    let CreatedMember { folder, registered, app_yml } = scaffold::create(&workspace, wanted)?;
    shell.status("Created", format_args!("service `{}` in `{folder}`", wanted.name));
    if let Some(path) = registered {
        shell.status("Registered", format_args!("in {}", path.display()));
    }
    if let Some(path) = app_yml {
        shell.status("Added", format_args!("to {}", path.display()));
    }
    let name = &wanted.name;
    shell.note(match wanted.template {
        ServiceTemplate::Stack => format!("next: `cargo appbundle build -p {name}`, then `cargo appbundle load`"),
        _ => format!(
            "next: `cargo test -p {name}`, then `cargo appbundle dev -p {name}`, or `cargo appbundle build` for the bundle"
        ),
    });
    Ok(())
}
