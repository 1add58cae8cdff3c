//! Variants of the app: checked all, and one of them applied to the tables.

use super::features;
use super::manifests::{self, AppSource, ServiceSource};
use crate::app::Name;
use crate::config::tables::VariantTable;
use crate::config::{Problem, Problems, Step, schema};
use crate::diagnostic::Code;

/// The chosen variant.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name.
    pub name: Name,
    /// What the app's name ends in.
    suffix: Name,
}

impl Variant {
    /// The app's name in this variant.
    ///
    /// # Errors
    /// When it is too long.
    pub fn rename(&self, app: &Name) -> Result<Name, String> {
        Name::new(&format!("{app}-{}", self.suffix))
    }
}

/// Checks all variants, and changes the tables as the chosen one says.
pub fn apply(
    chosen: Option<&str>,
    app: &mut AppSource,
    sources: &mut [ServiceSource<'_>],
    problems: &mut Problems,
) -> Option<Variant> {
    let mut suffixes = Vec::new();
    let mut found = None;
    for (name, table) in &app.table.variants {
        let Some(variant) = check(name, table, app, sources, problems) else { continue };
        if suffixes.contains(&variant.suffix) {
            let message = format!("two variants have the suffix `{}`", variant.suffix);
            let place = [Step::Key("variants"), Step::Key(name), Step::Key("suffix")];
            app.report(problems).wrong(Code::ConflictingKeys, &place, message);
        }
        suffixes.push(variant.suffix.clone());
        if chosen == Some(name) {
            found = Some(variant);
        }
    }
    let chosen = chosen?;
    let Some(table) = app.table.variants.get(chosen).cloned() else {
        problems.push(Problem::of_flag(Code::InvalidValue, "--variant", &unknown(chosen, app)));
        return None;
    };
    for source in sources {
        let own = table.services.get(source.name());
        let Some(member) = source.member() else { continue };
        let of_all = table.features.iter().filter(|feature| member.has_feature(feature));
        let of_service = own.iter().flat_map(|own| &own.features).filter(|feature| member.has_feature(feature));
        let more: Vec<String> = of_all.chain(of_service).cloned().collect();
        let features = source.table.features.get_or_insert_default();
        features.extend(more);
        let default = own.and_then(|own| own.default_features);
        source.table.default_features = default.or(source.table.default_features);
    }
    app.table.formats = table.formats.or(app.table.formats.take());
    found
}

fn unknown(chosen: &str, app: &AppSource) -> String {
    let known: Vec<&str> = app.table.variants.keys().map(String::as_str).collect();
    match (schema::nearest(chosen, &known), &known[..]) {
        (Some(near), _) => format!("there is no variant `{chosen}`\nhelp: did you mean `{near}`?"),
        (None, []) => format!(
            "there is no variant `{chosen}`\nhelp: describe it under `[workspace.metadata.appbundle.variants.{}]`",
            Name::near(chosen)
        ),
        (None, known) => format!("there is no variant `{chosen}`; the variants are {}", super::checks::quoted(known)),
    }
}

fn check(
    name: &str,
    table: &VariantTable,
    app: &AppSource,
    sources: &[ServiceSource<'_>],
    problems: &mut Problems,
) -> Option<Variant> {
    let place = [Step::Key("variants"), Step::Key(name)];
    let at = |steps: &[Step<'static>]| -> Vec<Step<'_>> { place.iter().chain(steps).copied().collect() };
    let mut report = app.report(problems);
    for (index, feature) in table.features.iter().enumerate() {
        let members = || sources.iter().filter_map(ServiceSource::member);
        if !members().any(|member| member.has_feature(feature)) {
            let known: Vec<&str> = members().flat_map(|member| &member.features).map(String::as_str).collect();
            let near = schema::did_you_mean(feature, &known);
            let message = format!("no service has a package with the feature `{feature}`{near}");
            report.wrong(Code::InvalidValue, &at(&[Step::Key("features"), Step::Index(index)]), message);
        }
    }
    for (service, own) in &table.services {
        let of_service = [place[0], place[1], Step::Key("services"), Step::Key(service)];
        let Some(source) = manifests::of(sources, service) else {
            let known: Vec<&str> = sources.iter().map(ServiceSource::name).collect();
            let message = format!("there is no service `{service}`{}", schema::did_you_mean(service, &known));
            report.wrong(Code::UnknownService, &of_service, message);
            continue;
        };
        for (index, feature) in own.features.iter().enumerate() {
            if let Some(message) = source.member().and_then(|member| features::unknown(member, feature)) {
                let steps: Vec<Step<'_>> = of_service.into_iter().chain([Step::Key("features"), Step::Index(index)]).collect();
                report.wrong(Code::InvalidValue, &steps, message);
            }
        }
    }
    let changes_services = table.services.values().any(|own| !own.features.is_empty() || own.default_features.is_some());
    if table.features.is_empty() && !changes_services && table.formats.is_none() {
        let message = format!("the variant `{name}` changes nothing: set `features`, `services` or `formats`");
        report.wrong(Code::MissingKey, &place, message);
    }
    let own_name = report.take(Code::InvalidName, &place, Name::new(name))?;
    let suffix = match &table.suffix {
        Some(suffix) => report.take(Code::InvalidName, &at(&[Step::Key("suffix")]), Name::new(suffix))?,
        None => own_name.clone(),
    };
    Some(Variant { name: own_name, suffix })
}
