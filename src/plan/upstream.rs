//! Turns the table of a service whose image others made into a service.

use super::base;
use super::container;
use super::manifests::{ServiceSource, TableOrigin};
use super::report::Report;
use super::routes;
use crate::app::{BaseChoice, ImageRef, Name, Needs, Service, Source, Upstream};
use crate::config::Step;
use crate::config::tables::{BaseSource, BaseTable, ImageTable};
use crate::diagnostic::Code;

/// The service; `image` is the name of its image in the bundle. What its table leaves out stays as the image has it.
pub fn resolve(source: &ServiceSource<'_>, name: Name, image: ImageRef, report: &mut Report<'_>) -> Option<Service> {
    let ServiceSource { origin, table, .. } = source;
    let TableOrigin::Image { image: written, folder } = origin else { return None };
    let place = [Step::Key("image")];
    let Some(written) = written else {
        let message = format!("the service `{name}` has no `image`\nhelp: name one, such as `image = \"redis:7\"`");
        report.wrong(Code::MissingKey, &[], message);
        return None;
    };
    let from = match written {
        ImageTable::Named(name) => BaseSource { image: Some(name.clone()), ..BaseSource::default() },
        ImageTable::From(file) => BaseSource { archive: Some(file.archive.clone()), ..BaseSource::default() },
    };
    let upstream = report.take(Code::InvalidName, &place, base::resolve(&BaseTable::From(Box::new(from)), folder))?;
    if let BaseChoice::Image(reference) = &upstream
        && reference.repository.is_empty()
    {
        report.wrong(Code::InvalidName, &place, "`image` is empty");
    }
    Some(Service {
        name,
        source: Source::Upstream(Upstream { upstream }),
        container: container::resolve(&table.container, image, folder, report),
        depends_on: table.depends_on.clone(),
        routes: routes::resolve(&table.routes, report),
        test: None,
        dev: Needs::default(),
        controls: None,
        compose: table.compose.clone().unwrap_or_default(),
        auterion: table.auterion.clone().unwrap_or_default(),
        kubernetes: table.kubernetes.clone().unwrap_or_default(),
    })
}
