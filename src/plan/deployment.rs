//! Resolves the secrets, resources and times of a container.

use std::collections::BTreeMap;

use super::report::Report;
use crate::app::{Cpu, Memory, Resources, SecretKey};
use crate::config::Step;
use crate::config::tables::ContainerTable;
use crate::diagnostic::Code;

/// `secrets`: names that a shell can set, and secrets that have a name.
pub fn secrets(table: &ContainerTable, report: &mut Report<'_>) -> BTreeMap<String, SecretKey> {
    let mut found = BTreeMap::new();
    for (name, secret) in &table.secrets {
        let place = [Step::Key("secrets"), Step::Key(name)];
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            report.wrong(Code::InvalidName, &place, format!("`{name}` is not a valid variable name"));
        }
        if table.environment.contains_key(name) {
            report.wrong(Code::ConflictingKeys, &place, format!("`{name}` is in `environment` and in `secrets`"));
        }
        for (key, value) in [("secret", &secret.secret), ("key", &secret.key)] {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if value.is_empty() || !value.chars().all(fits) {
                let message = format!("`{value}` is not a valid {} of a secret", if key == "secret" { "name" } else { "key" });
                report.wrong(Code::InvalidName, &[place[0], place[1], Step::Key(key)], message);
            }
        }
        found.insert(name.clone(), SecretKey { secret: secret.secret.clone(), key: secret.key.clone() });
    }
    found
}

/// `resources`.
pub fn resources(table: &ContainerTable, report: &mut Report<'_>) -> Resources {
    let Some(table) = &table.resources else { return Resources::default() };
    let mut cpu = |key: &'static str, text: &Option<String>| {
        text.as_ref()
            .and_then(|text| report.take(Code::InvalidValue, &[Step::Key("resources"), Step::Key(key)], Cpu::parse(text)))
    };
    let (cpu, cpu_limit) = (cpu("cpu", &table.cpu), cpu("cpu-limit", &table.cpu_limit));
    let mut memory = |key: &'static str, text: &Option<String>| {
        text.as_ref()
            .and_then(|text| report.take(Code::InvalidValue, &[Step::Key("resources"), Step::Key(key)], Memory::parse(text)))
    };
    let (memory, memory_limit) = (memory("memory", &table.memory), memory("memory-limit", &table.memory_limit));
    if let (Some(least), Some(most)) = (&cpu, &cpu_limit)
        && least.milli > most.milli
    {
        let message = format!("`cpu-limit` is less than `cpu`, which is `{}`", least.written);
        report.wrong(Code::ConflictingKeys, &[Step::Key("resources"), Step::Key("cpu-limit")], message);
    }
    if let (Some(least), Some(most)) = (&memory, &memory_limit)
        && least.bytes > most.bytes
    {
        let message = format!("`memory-limit` is less than `memory`, which is `{}`", least.written);
        report.wrong(Code::ConflictingKeys, &[Step::Key("resources"), Step::Key("memory-limit")], message);
    }
    Resources { cpu, memory, cpu_limit, memory_limit }
}

/// `stop-grace-period`.
pub fn grace_period(table: &ContainerTable, report: &mut Report<'_>) -> Option<String> {
    let text = table.stop_grace_period.as_deref()?;
    report.take(Code::InvalidValue, &[Step::Key("stop-grace-period")], duration(text))
}

/// Parses a time as compose files and engines accept it, in Go's notation with units from hours down.
///
/// # Errors
/// In words for the user.
pub fn duration(text: &str) -> Result<String, String> {
    let mut units = text.split(|c: char| c.is_ascii_digit()).filter(|unit| !unit.is_empty());
    let known = units.all(|unit| matches!(unit, "h" | "m" | "s" | "ms" | "us" | "ns"));
    if known && humantime::parse_duration(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is not a duration: write `10s` or `1m30s`"))
}
