//! The `.auterionos` part of a plan (`docs/file-format.md`, sections 4.1 and 4.3).

use serde_json::{Map, Value};

use super::Auterion;
use super::manifests::ServiceSource;
use super::template::{self, VERSION_MARK};
use crate::app::{Device, Target, auterion_values};
use crate::config::tables::AuterionTable;
use crate::config::{Problems, Step};
use crate::diagnostic::Code;
use crate::mender::Faults;

/// Decides; each problem is given with the key it is about. `among_others`: devices that run another target's platform are
/// left out.
pub fn resolve(table: &AuterionTable, target: &Target, among_others: bool) -> Result<Auterion, Vec<(&'static str, String)>> {
    let mut wrong = Vec::new();
    let api_version = table.api_version.unwrap_or(2);
    let architecture = target.platform.architecture.as_str();
    let default = if architecture == "amd64" { "simulation" } else { "skynode" };
    let target_platform = table.target_platform.clone().map_or_else(|| vec![default.to_owned()], |t| t.into_vec());
    if target_platform.is_empty() {
        wrong.push(("target-platform", "`target-platform` lists no device".to_owned()));
    }
    let (mut device_types, mut fitting): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for name in &target_platform {
        let Some(Device { device_type: device, architecture: needs, .. }) = Device::named(name) else {
            let known: Vec<&str> = Device::ALL.iter().map(|device| device.name).collect();
            wrong.push(("target-platform", format!("`{name}` is not a device; known devices are {}", known.join(", "))));
            continue;
        };
        if *needs != architecture && among_others {
            continue;
        }
        if *needs != architecture {
            wrong.push((
                "target-platform",
                format!(
                    "`{name}` runs linux/{needs}, but the target `{}` is {}\nhelp: {}",
                    target.triple,
                    target.platform,
                    help(target)
                ),
            ));
        }
        fitting.push(name.clone());
        if !device_types.iter().any(|known| known == device) {
            device_types.push((*device).to_owned());
        }
    }
    let app_base = table.app_base.clone().unwrap_or_else(|| "none".into());
    if app_base != "none" {
        let is_version = app_base.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
        let why = if is_version {
            format!("`{app_base}` is not supported: bundles always contain all layers; use `none`")
        } else {
            format!("`{app_base}` is not an app base; use `none`")
        };
        wrong.push(("app-base", why));
    }
    let mut extra = Map::new();
    let mut pass = |key: &'static str, since: u8, value: Option<Value>| {
        if let Some(value) = value {
            if api_version < since {
                wrong.push((key, format!("`{key}` needs `api-version = {since}`, but this app has {api_version}")));
            }
            wrong.extend(faults(key, &value).map(|fault| (key, fault)));
            extra.insert(key.to_owned(), value);
        }
    };
    let json = |value: &Option<Map<String, Value>>| value.clone().map(Value::Object);
    pass("system-app", 2, table.system_app.map(Value::Bool));
    pass(
        "dependencies",
        2,
        table.dependencies.clone().map(|d| d.into_iter().map(|(k, v)| (k, v.into())).collect::<Map<_, _>>().into()),
    );
    pass("logging", 3, json(&table.logging));
    pass("mission-executor", 6, table.mission_executor.map(Value::Bool));
    pass("parameters", 6, table.parameters.clone().map(|list| list.into_iter().map(Value::Object).collect()));
    pass("suite-id", 8, json(&table.suite_id));
    let compose_override = table.compose_override.clone().unwrap_or_default();
    let key = "compose-override";
    wrong.extend(faults(key, &compose_override.clone().into()).map(|fault| (key, fault)));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Auterion { api_version, target_platform: fitting, device_types, app_base, extra, compose_override })
}

/// What to do where no device of an app runs its target.
fn help(target: &Target) -> String {
    let fitting = Device::ALL.iter().filter(|device| device.architecture == target.platform.architecture);
    let fitting: Vec<String> = fitting.map(|device| format!("`{}`", device.name)).collect();
    match &fitting[..] {
        [] => format!("no device runs {}: build another format with `--format docker`", target.platform),
        [only] => format!("set `target-platform` to {only}"),
        several => format!("set `target-platform` to one of {}", several.join(", ")),
    }
}

/// Reports what AuterionOS would find wrong in the `auterion` keys of services.
pub fn check_services(auterion: Option<&Auterion>, sources: &[ServiceSource<'_>], problems: &mut Problems) {
    let Some(Auterion { api_version, .. }) = auterion else { return };
    for source in sources {
        let Some(table) = &source.table.auterion else { continue };
        let mut report = source.report(problems);
        let at = [Step::Key("auterion")];
        for key in table.keys() {
            if let Some(since) = auterion_values::service_key_since(key).filter(|since| since > api_version) {
                let message = format!("`{key}` needs `api-version = {since}`, but this app has {api_version}");
                report.wrong(Code::AuterionValue, &[at[0], Step::Key(key)], message);
            }
        }
        let mut faults = Faults::default();
        auterion_values::check_service(source.name(), table, &mut faults);
        faults.into_vec().into_iter().for_each(|fault| report.wrong(Code::AuterionValue, &at, fault));
    }
}

/// The faults that AuterionOS would find in the value of a key.
fn faults(key: &str, value: &Value) -> impl Iterator<Item = String> + use<> {
    let mut faults = Faults::default();
    if value.to_string().contains(VERSION_MARK) {
        faults.add(template::not_in_tables());
    }
    auterion_values::check(&Map::from_iter([(key.to_owned(), value.clone())]), &mut faults);
    faults.into_vec().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tables::OneOrMany;

    fn devices(names: &[&str], triple: &str) -> Result<Vec<String>, String> {
        let many = OneOrMany::Many(names.iter().map(|n| (*n).to_owned()).collect());
        let table = AuterionTable { target_platform: Some(many), ..AuterionTable::default() };
        resolve(&table, &Target::new(triple).expect("target"), false).map(|a| a.device_types).map_err(|w| w[0].1.clone())
    }

    #[test]
    fn aliases_become_one_device() {
        let found = devices(&["skynode", "ainode", "jetson"], "aarch64-unknown-linux-gnu");
        assert_eq!(found, Ok(vec!["skynode".into(), "jetson".into()]));
        assert!(devices(&["skynode", "simulation"], "aarch64-unknown-linux-gnu").is_err_and(|e| e.contains("linux/amd64")));
        // What to do is said, whether a device runs it or none.
        let help =
            |triple| devices(&["skynode"], triple).expect_err("wrong").rsplit_once("help: ").map(|(_, help)| help.to_owned());
        assert_eq!(help("x86_64-unknown-linux-gnu").as_deref(), Some("set `target-platform` to `simulation`"));
        let armv7 = "no device runs linux/arm/v7: build another format with `--format docker`";
        assert_eq!(help("armv7-unknown-linux-gnueabihf").as_deref(), Some(armv7));
        assert!(devices(&["toaster"], "aarch64-unknown-linux-gnu").is_err_and(|e| e.contains("known devices are")));
        assert!(devices(&[], "aarch64-unknown-linux-gnu").is_err());
        assert_eq!(devices(&["simulation"], "x86_64-unknown-linux-gnu"), Ok(vec!["simulation".into()]));
    }

    #[test]
    fn keys_need_their_api_version() {
        let table = AuterionTable { mission_executor: Some(true), ..AuterionTable::default() };
        let target = Target::new("aarch64-unknown-linux-gnu").expect("target");
        assert!(resolve(&table, &target, false).is_err_and(|w| w[0].1.contains("needs `api-version = 6`")));
    }
}
