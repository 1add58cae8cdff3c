//! Which notes are said, and those on what is decided here.

use super::report::Report;
use crate::app::Service;
use crate::config::{Step, schema};
use crate::diagnostic::{Code, Note};

/// Resolves the `allow` key: codes of notes that are not shown.
pub fn allowed(written: &[String], report: &mut Report<'_>) -> Vec<Code> {
    let known: Vec<&str> = Code::ALL.iter().filter(|code| code.is_note()).map(|code| code.name()).collect();
    let code = |(at, name): (usize, &String)| {
        let code = Code::named(name).filter(|code| code.is_note()).ok_or_else(|| {
            let help = schema::nearest(name, &known).map_or_else(
                || "list all codes with `cargo appbundle explain`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let what =
                if Code::named(name).is_some() { "the code of an error, which cannot be allowed" } else { "no code of a note" };
            format!("`{name}` is {what}\nhelp: {help}")
        });
        report.take(Code::InvalidValue, &[Step::Key("allow"), Step::Index(at)], code)
    };
    written.iter().enumerate().filter_map(code).collect()
}

/// A note on a health check that asks a port at which the service does not say that it listens.
pub fn of_health(service: &Service) -> Option<Note> {
    let container = &service.container;
    let port = container.health.as_ref()?.port()?;
    if container.is_on_host() || container.ports.iter().any(|known| known.container == port) {
        return None;
    }
    let text = format!("the `healthcheck` of {{services}} uses the port {port}, which is not in its `ports`");
    Some(Code::HealthPort.note_of(&service.name, text))
}
