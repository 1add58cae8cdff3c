//! What `cross` installs in its container before it compiles there: the packages of the app's table.

use std::path::PathBuf;

use toml::Value;

use super::native::listed_on;
use crate::diagnostic::{Code, Note};
use crate::plan::Plan;
use crate::workspace::Workspace;

/// The architecture of its images.
const HOST: &str = "amd64";

/// What becomes of the packages.
pub enum PreBuild {
    /// There are none.
    Nothing,
    /// A variable with commands, and its value: the user's, then one that installs the packages.
    Commands(String, String),
    /// The user has a script run instead of commands, to which nothing can be added.
    Script(Note),
}

/// The commands to run before compiling. The variable is stronger than every file, so it says what the user's own say, too (cross
/// 0.2.5, `docs/config_file.md`); the files stay as they are.
pub fn pre_build(workspace: &Workspace, plan: &Plan) -> PreBuild {
    let packages = listed_on(&plan.compilation.packages, &plan.target, HOST);
    if packages.is_empty() {
        return PreBuild::Nothing;
    }
    let name = format!("CROSS_TARGET_{}_PRE_BUILD", plan.target.triple.to_uppercase().replace('-', "_"));
    let own = std::env::var(&name).ok().map(Value::String).or_else(|| written(workspace, &["target", &plan.target.triple]));
    let own = own.or_else(|| std::env::var("CROSS_BUILD_PRE_BUILD").ok().map(Value::String));
    let mut commands = match own.or_else(|| written(workspace, &["build"])) {
        None => Vec::new(),
        Some(Value::String(text)) if text.contains('\n') || !workspace.root.join(&text).is_file() => vec![text],
        Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(script) => {
            let packages = packages.join(" ");
            return PreBuild::Script(Code::NativeMissing.note(format!(
                "`cross` runs the script {script} before it compiles, so the packages of `build.packages` are not installed in its container; install them there: {packages}"
            )));
        }
    };
    commands.push(install(&packages));
    PreBuild::Commands(name, commands.join("\n"))
}

/// One command, so that it fails as a whole.
fn install(packages: &[String]) -> String {
    let mut architectures: Vec<&str> = packages.iter().filter_map(|package| Some(package.split_once(':')?.1)).collect();
    architectures.sort_unstable();
    architectures.dedup();
    let add: String = architectures.iter().map(|architecture| format!("dpkg --add-architecture {architecture} && ")).collect();
    format!("{add}apt-get update && apt-get install --assume-yes --no-install-recommends {}", packages.join(" "))
}

/// The user's own, in the file of `CROSS_CONFIG` or `Cross.toml`, else in the root manifest.
fn written(workspace: &Workspace, path: &[&str]) -> Option<Value> {
    let file = std::env::var_os("CROSS_CONFIG").map_or_else(|| "Cross.toml".into(), PathBuf::from);
    let of_file = std::fs::read_to_string(workspace.root.join(file)).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let of_manifest = |table: &serde_json::Value| Value::try_from(table.get("cross")?).ok();
    let of_package = workspace.root_package().and_then(|package| of_manifest(&package.metadata));
    let tables = [of_file.map(Value::Table), of_manifest(&workspace.metadata), of_package];
    let at = |table: &Value| path.iter().chain(&["pre-build"]).try_fold(table, |table, key| table.get(*key)).cloned();
    tables.iter().flatten().find_map(at)
}
