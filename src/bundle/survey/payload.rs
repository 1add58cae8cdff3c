//! An `.auterionos` file: the artifact around it, and all that its payload has to be (`docs/file-format.md`, section 4).

use std::io::Read;

use super::check::Check;
use super::limits::Limits;
use super::payload_contents::PayloadContents;
use super::report::{Format, PayloadFileReport, Survey};
use crate::archive::Budget;
use crate::mender::{self, Faults};

/// Surveys an artifact.
pub fn survey(reader: impl Read, budget: &Budget, limits: Limits) -> Survey {
    let mut contents = PayloadContents::default();
    let reading =
        mender::read(reader, budget, &mut |entry, stream| contents.file(&entry.path, entry.size, stream, budget, limits));
    let mut survey = Survey::new(Format::Auterionos);
    survey.signed = reading.signed;
    let file = |file: &mender::File| PayloadFileReport { name: file.name.clone(), size: file.size, digest: file.digest };
    survey.payload = reading.files.iter().map(file).collect();
    survey.devices.clone_from(&reading.header.device_types);
    survey.notes.extend(reading.notes.iter().cloned());
    let mut faults = reading.faults.clone();
    if reading.header.payload_types.first().is_some_and(|kind| kind != "docker") {
        faults.add(format!("the payload has the type `{}` instead of `docker`", reading.header.payload_types[0].escape_debug()));
    }
    let any = !contents.texts.is_empty() || !contents.images.is_empty();
    for fault in std::mem::take(&mut contents.faults).into_vec() {
        faults.add(fault);
    }
    if !reading.whole {
        // What seems wrong may only not have been reached.
        let (mut unsure, survey) = (Faults::default(), &mut survey);
        Check { reading: &reading, contents: &contents, survey, faults: &mut unsure }.all(limits.largest);
        survey.notes.push("the app was not checked, because the file could not be read to its end".into());
    } else if any {
        Check { reading: &reading, contents: &contents, survey: &mut survey, faults: &mut faults }.all(limits.largest);
    } else {
        faults.add("the payload contains no app");
    }
    survey.faults = faults.into_vec();
    survey
}
