//! An `.auterionos` file: the artifact around it, and all that its payload has to be (`docs/file-format.md`, section 4).

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};

use super::check::Check;
use super::members::Members;
use super::report::{Format, PayloadFile, Survey};
use crate::archive::{Budget, Compression, TarReader};
use crate::mender::{self, Faults};

/// Bytes of a small text file of the payload.
const LARGEST: u64 = 1 << 20;

/// What the payload's files hold.
#[derive(Default)]
pub struct Contents {
    /// Small files by name.
    pub texts: BTreeMap<String, Vec<u8>>,
    /// Name without `.image`, and what is in it.
    pub images: Vec<(String, Members)>,
    /// What is wrong with them.
    pub faults: Faults,
}

/// Surveys an artifact.
pub fn survey(reader: impl Read, budget: &Budget, keep: usize) -> Survey {
    let mut contents = Contents::default();
    let reading = mender::read(reader, budget, &mut |entry, stream| contents.file(&entry.path, entry.size, stream, budget, keep));
    let mut survey = Survey::new(Format::Auterionos);
    survey.signed = reading.signed;
    if reading.signed {
        survey.notes.push("it is signed; the signature was not checked against a key".into());
    }
    let file = |file: &mender::File| PayloadFile { name: file.name.clone(), size: file.size, digest: file.digest };
    survey.payload = reading.files.iter().map(file).collect();
    survey.devices.clone_from(&reading.header.device_types);
    survey.notes.extend(reading.notes.iter().cloned());
    let mut faults = reading.faults.clone();
    if reading.header.payload_types.first().is_some_and(|kind| kind != "docker") {
        faults.add(format!("the payload's type is `{}` instead of `docker`", reading.header.payload_types[0].escape_debug()));
    }
    let any = !contents.texts.is_empty() || !contents.images.is_empty();
    for fault in std::mem::take(&mut contents.faults).into_vec() {
        faults.add(fault);
    }
    if !reading.whole {
        // What seems wrong may only not have been reached.
        let (mut unsure, survey) = (Faults::default(), &mut survey);
        Check { reading: &reading, contents: &contents, survey, faults: &mut unsure }.all(keep);
        survey.notes.push("it could not be read to its end, so the app in it was not checked".into());
    } else if any {
        Check { reading: &reading, contents: &contents, survey: &mut survey, faults: &mut faults }.all(keep);
    } else {
        faults.add("the payload holds nothing of an app");
    }
    survey.faults = faults.into_vec();
    survey
}

impl Contents {
    fn file(&mut self, name: &str, size: u64, stream: &mut dyn Read, budget: &Budget, keep: usize) {
        let result = match name {
            "auterion-app.yml" | "version" | "settings.default.env" | "settings.user.env" | "app.yml" => {
                self.text(name, size, stream)
            }
            "logging-msg-files.tar" => self.messages(stream),
            name if name.ends_with(".image") => self.image(name, stream, budget, keep),
            _ => Ok(()),
        };
        if let Err(error) = result {
            self.faults.add(format!("`{name}`: {error:#}"));
        }
    }

    fn text(&mut self, name: &str, size: u64, stream: &mut dyn Read) -> anyhow::Result<()> {
        anyhow::ensure!(size <= LARGEST, "it has {size} bytes, more than {LARGEST}");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        self.texts.insert(name.to_owned(), bytes);
        Ok(())
    }

    fn image(&mut self, name: &str, stream: &mut dyn Read, budget: &Budget, keep: usize) -> anyhow::Result<()> {
        anyhow::ensure!(self.images.is_empty(), "there is a second `.image` file");
        let mut stream = BufReader::with_capacity(1 << 16, stream);
        if Compression::of(stream.fill_buf()?) != Compression::Gzip {
            self.faults.add(format!("`{name}` is not compressed with gzip"));
        }
        let slug = name.strip_suffix(".image").unwrap_or(name).to_owned();
        self.images.push((slug, Members::read(stream, budget, Some(keep))));
        Ok(())
    }

    /// `PACKAGE/msg/*.msg` (section 4.6).
    fn messages(&mut self, stream: &mut dyn Read) -> anyhow::Result<()> {
        let mut tar = TarReader::new(BufReader::new(stream));
        while let Some(entry) = tar.next_entry()? {
            let parts: Vec<&str> = entry.path.split('/').collect();
            let fits = matches!(parts[..], [package, "msg", file] if !package.is_empty() && file.ends_with(".msg"));
            if !(entry.kind.is_dir() || fits && entry.is_file()) {
                let path = entry.path.escape_debug();
                self.faults.add(format!("`logging-msg-files.tar`: `{path}` is not `PACKAGE/msg/NAME.msg`"));
            }
        }
        tar.tail()?;
        Ok(())
    }
}
