//! `files`: turns the entries of a service's table into files, links and folders of its image.

mod attributes;
mod chosen;
mod entry;
mod found;
mod link;
mod loops;
mod path;
mod places;
mod secret;

use std::collections::BTreeMap;

use entry::Wrong;
pub use places::Places;

use super::paths;
use super::report::Report;
use crate::app::AppFile;
use crate::config::Step;
use crate::config::tables::FileTable;
use crate::diagnostic::Code;

/// Prefix of the files in a layer that remove files of the layers below (OCI image-spec, layer.md, "Whiteouts").
pub const WHITEOUT: &str = ".wh.";

/// Finds what the entries name, in the order of the paths in the image. `binary` is the path of the executable, and `argv0` the link under
/// which it starts. `note` gets what the user may not expect, in whole sentences.
pub fn resolve(
    entries: &[FileTable],
    places_of_files: &Places<'_>,
    (binary, argv0): (&str, Option<AppFile>),
    report: &mut Report<'_>,
    mut note: impl FnMut((Code, String)),
) -> Vec<AppFile> {
    let mut all: BTreeMap<String, AppFile> = BTreeMap::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    all.extend(argv0.map(|link| (link.to.clone(), link)));
    for (at, entry) in entries.iter().enumerate() {
        let place = [Step::Key("files"), Step::Index(at)];
        let found = match entry::resolve(entry, places_of_files) {
            Ok(found) => found,
            Err(wrong) => {
                for Wrong { code, key, message } in wrong {
                    let steps: Vec<Step<'_>> = place.into_iter().chain(key.map(Step::Key)).collect();
                    report.wrong(code, &steps, message);
                }
                continue;
            }
        };
        found.notes.into_iter().for_each(&mut note);
        for file in found.files {
            if file.to == binary {
                report.wrong(Code::InvalidFiles, &place, format!("`{}` is the path of the executable", file.to));
            } else if file.to.split('/').any(|part| part.starts_with(WHITEOUT)) {
                let message =
                    format!("`{}` cannot be in an image: names that begin with `{WHITEOUT}` mark files as deleted", file.to);
                report.wrong(Code::InvalidFiles, &place, message);
            } else if let Some(other) = all.get(&file.to) {
                let message = format!("{} and {} both go to `{}`", shown(other), shown(&file), file.to);
                report.wrong(Code::InvalidFiles, &place, message);
            } else {
                places.insert(file.to.clone(), at);
                all.insert(file.to.clone(), file);
            }
        }
    }
    let others = all.values().filter(|file| !file.is_folder()).map(|file| file.to.as_str());
    if let Some((file, inner)) = paths::in_a_file(&others.chain([binary]).collect(), all.keys().map(String::as_str)) {
        let message = format!("`{file}` is a file, so the image cannot contain `{inner}`");
        report.wrong(Code::InvalidFiles, &[Step::Key("files")], message);
    }
    if let Some(looping) = loops::first(&all) {
        let message = format!("the link `{looping}` leads back to itself");
        let place = places.get(looping).map_or_else(Vec::new, |at| vec![Step::Index(*at)]);
        report.wrong(Code::InvalidFiles, &[&[Step::Key("files")], &place[..]].concat(), message);
    }
    all.into_values().collect()
}

/// What a file is, for a message.
fn shown(file: &AppFile) -> String {
    match (file.from(), file.target()) {
        (Some(from), _) => format!("`{}`", from.display()),
        (None, Some(target)) => format!("a link to `{target}`"),
        (None, None) => "a folder".to_owned(),
    }
}
