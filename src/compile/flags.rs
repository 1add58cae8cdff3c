//! What we add to the caller's configuration through `--config`: the same on every build, so that nothing is compiled twice,
//! and never over something that the caller has set.

use anyhow::Result;
use toml::Value;

use super::linker;
use super::settings::CargoSettings;
use super::stripping::Stripping;
use crate::diagnostic::Code;
use crate::plan::{Builder, Plan};
use crate::shell::Shell;
use crate::workspace::Workspace;

/// The values of `--config`.
pub fn flags(settings: &CargoSettings, workspace: &Workspace, plan: &Plan, shell: &Shell) -> Result<Vec<String>> {
    let triple = &plan.target.triple;
    let mut flags = Vec::from_iter(linker(settings, triple, plan.builder, shell));
    if Stripping::of(settings, workspace, &plan.profile)? == Stripping::Split {
        flags.push(assign(&["profile", &plan.profile, "strip"], Value::String("none".into())));
    }
    if std::env::var_os("CARGO_ENCODED_RUSTFLAGS").is_some() || std::env::var_os("RUSTFLAGS").is_some() {
        let text = "`RUSTFLAGS` is set and overrides all other flags, so executables contain paths of this machine and their bytes depend on them";
        shell.notes([Code::RustflagsSet.note(text)], &plan.allow);
    } else {
        flags.push(rustflags(settings, workspace, plan));
    }
    Ok(flags)
}

/// The value of `--config` that names a linker, where the caller names none and Cargo's own choice is wrong.
pub fn linker(settings: &CargoSettings, triple: &str, builder: Builder, shell: &Shell) -> Option<String> {
    // Other builders bring their own.
    let linker = linker::own_choice(settings, triple).filter(|_| builder == Builder::Cargo)?;
    shell.detail("Linking", format_args!("with `{linker}`"));
    Some(assign(&["target", triple, "linker"], Value::String(linker)))
}

/// Cargo reads `build.rustflags` only where nothing is set for the target: ours go to where the caller's are.
fn rustflags(settings: &CargoSettings, workspace: &Workspace, plan: &Plan) -> String {
    let triple = &plan.target.triple;
    let mut remapped = vec![(workspace.root.clone(), "/workspace"), (workspace.target_dir.clone(), "/target")];
    if plan.builder == Builder::Cross {
        remapped.push(("/project".into(), "/workspace"));
    }
    remapped.extend(cargo_home().map(|home| (home, "/cargo")));
    // Other linkers' drivers ask for a build id by themselves; without one, no debug file can be told to be the right one.
    let build_id = (plan.builder == Builder::Zigbuild).then(|| "-Clink-arg=-Wl,--build-id=sha1".to_owned());
    let ours: Vec<String> =
        remapped.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).chain(build_id).collect();
    let of_target = settings.has_for_target(triple, "rustflags");
    let path: &[&str] = if of_target || settings.get(&["build", "rustflags"]).is_none() {
        &["target", triple, "rustflags"]
    } else {
        &["build", "rustflags"]
    };
    match settings.get(path) {
        // Cargo joins lists, but lets one string replace another.
        Some(Value::String(theirs)) => assign(path, Value::String(format!("{theirs} {}", ours.join(" ")))),
        _ => assign(path, Value::Array(ours.into_iter().map(Value::String).collect())),
    }
}

/// `$CARGO_HOME`, or where it is by default.
pub fn cargo_home() -> Option<std::path::PathBuf> {
    let here = std::env::current_dir().ok()?;
    std::env::var_os("CARGO_HOME").map(|home| here.join(home)).or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}

/// `a.'b'.c = value`, as `--config` takes it.
fn assign(path: &[&str], value: Value) -> String {
    let plain = |key: &&str| key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let keys: Vec<String> = path.iter().map(|key| if plain(key) { (*key).to_owned() } else { format!("{key:?}") }).collect();
    format!("{}={value}", keys.join("."))
}
