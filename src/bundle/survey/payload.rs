//! An `.auterionos` file: the artifact around it, and all that its payload has to be (`spec/auterionos.md`, section 4).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read};

use serde_json::Value;

use super::app::{self, AppFile};
use super::images::{self, Images};
use super::members::Members;
use super::report::{Format, PayloadFile, Survey};
use crate::app::{Device, ImageRef};
use crate::archive::{Budget, Compression, TarReader};
use crate::digest::Digest;
use crate::mender::{self, Faults, Reading};

/// Bytes of a small text file of the payload.
const LARGEST: u64 = 1 << 20;

/// What the payload's files hold.
#[derive(Default)]
struct Contents {
    texts: BTreeMap<String, Vec<u8>>,
    /// Name without `.image`, and what is in it.
    images: Vec<(String, Members)>,
    faults: Faults,
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
        let slug = name.trim_end_matches(".image").to_owned();
        self.images.push((slug, Members::read(stream, budget, keep)));
        Ok(())
    }

    /// `PACKAGE/msg/*.msg` (section 4.6).
    fn messages(&mut self, stream: &mut dyn Read) -> anyhow::Result<()> {
        let mut tar = TarReader::new(BufReader::new(stream));
        while let Some(entry) = tar.next_entry()? {
            let parts: Vec<&str> = entry.path.split('/').collect();
            let fits = matches!(parts[..], [package, "msg", file] if !package.is_empty() && file.ends_with(".msg"));
            if !entry.kind.is_dir() && !(fits && entry.is_file()) {
                let path = entry.path.escape_debug();
                self.faults.add(format!("`logging-msg-files.tar`: `{path}` is not `PACKAGE/msg/NAME.msg`"));
            }
        }
        tar.tail()?;
        Ok(())
    }
}

struct Check<'a> {
    reading: &'a Reading,
    contents: &'a Contents,
    survey: &'a mut Survey,
    faults: &'a mut Faults,
}

impl Check<'_> {
    fn all(&mut self, keep: usize) {
        let app = match self.text("auterion-app.yml") {
            Some(text) => {
                let mut faults = Faults::default();
                let app = AppFile::parse(&text, &mut faults);
                self.faults.add_of("`auterion-app.yml`", faults);
                Some(app)
            }
            None => {
                let note = "it has no `auterion-app.yml`: it comes from the older flow of Makefile and app.yml";
                self.survey.notes.push(note.into());
                None
            }
        };
        self.settings(app.is_some());
        let image = self.contents.images.first();
        let slug = app.as_ref().and_then(AppFile::slug);
        self.survey.name = slug.clone().or_else(|| image.map(|(slug, _)| slug.clone()));
        self.survey.version = self.version(app.as_ref());
        self.survey.api_version = app.as_ref().and_then(|app| app.api_version);
        let services = match &app {
            Some(app) => self.current(app, slug.as_deref()),
            None => self.older(),
        };
        self.metadata(app.as_ref());
        let architecture = self.devices(app.as_ref());
        match image {
            None => self.faults.add("there is no `SLUG.image` in the payload"),
            Some((_, members)) => {
                let base = app.as_ref().and_then(|app| app.base.as_deref());
                self.images(members, base, &services, architecture, keep);
            }
        }
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let bytes = self.contents.texts.get(name)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(text.to_owned()),
            Err(_) => {
                self.faults.add(format!("`{name}` is not UTF-8"));
                Some(String::from_utf8_lossy(bytes).into_owned())
            }
        }
    }

    /// `version`: the version, no line feed.
    fn version(&mut self, app: Option<&AppFile>) -> Option<String> {
        let stored = self.text("version");
        let Some(stored) = stored else {
            self.faults.add("there is no file `version` in the payload");
            return app.and_then(|app| app.version.clone());
        };
        let expected = app.and_then(|app| app.version.as_deref());
        if stored.contains("#VERSION#") {
            self.faults.add("`version`: `#VERSION#` is left in it");
        } else if expected.is_some_and(|expected| expected != stored) {
            let expected = expected.unwrap_or_default();
            self.faults.add(format!("`version` holds `{}`, the app's version is `{expected}`", stored.escape_debug()));
        }
        Some(expected.map_or_else(|| stored.trim().to_owned(), str::to_owned))
    }

    fn settings(&mut self, current: bool) {
        for name in ["settings.default.env", "settings.user.env"] {
            match self.text(name) {
                None if current => self.faults.add(format!("there is no `{name}` in the payload")),
                None => {}
                Some(text) if name == "settings.user.env" && !text.is_empty() => {
                    self.faults.add("`settings.user.env` is not empty");
                }
                Some(text) => {
                    for (at, line) in text.lines().enumerate() {
                        let line = line.trim();
                        let name = line.split_once('=').map_or("", |(name, _)| name);
                        if !line.is_empty() && !line.starts_with('#') && (name.is_empty() || name.contains(' ')) {
                            self.faults.add(format!("line {} of `settings.default.env` is not NAME=value", at + 1));
                        }
                    }
                }
            }
        }
    }

    /// What the header and the file names have to be; gives the image of each service (sections 2.4 and 4.4).
    fn current(&mut self, app: &AppFile, slug: Option<&str>) -> BTreeMap<String, String> {
        let mut services = BTreeMap::new();
        if let (Some(slug), Some(version)) = (slug, app.version.as_deref()) {
            let header = &self.reading.header;
            if let Some(name) = &header.name
                && *name != format!("{slug}:{version}")
            {
                self.faults.add(format!("`artifact_name` is `{}` instead of `{slug}:{version}`", name.escape_debug()));
            }
            let key = format!("docker-app.{slug}.version");
            match header.provides.get(&key) {
                None => self.faults.add(format!("type-info does not provide `{key}`")),
                Some(provided) if provided != version => {
                    self.faults
                        .add(format!("type-info provides `{key}` as `{}` instead of `{version}`", provided.escape_debug()));
                }
                Some(_) => {}
            }
            let pattern = format!("docker-app.{slug}.*");
            if !header.clears.contains(&pattern) {
                self.faults.add(format!("type-info does not clear `{pattern}`"));
            }
            for (name, image) in &app.services {
                let image = image.clone().unwrap_or_else(|| format!("{slug}.{name}:{version}"));
                services.insert(name.clone(), image);
            }
        }
        if let (Some(slug), Some((stored, _))) = (slug, self.contents.images.first())
            && slug != stored
        {
            self.faults.add(format!("`{stored}.image` has to be named `{slug}.image`"));
        }
        match self.text("app.yml") {
            Some(text) => {
                let mut faults = Faults::default();
                let composed = app::compose(&text, app.api_version == Some(1), &mut faults);
                for name in composed.keys().filter(|name| !app.services.contains_key(*name)) {
                    faults.add(format!("`auterion-app.yml` has no service `{}`", name.escape_debug()));
                }
                for (name, image) in &services {
                    match composed.get(name) {
                        None => faults.add(format!("there is no service `{name}`")),
                        Some(Some(other)) if !same(other, image) => {
                            faults.add(format!("service `{name}` has the image `{}` instead of `{image}`", other.escape_debug()));
                        }
                        Some(_) => {}
                    }
                }
                self.faults.add_of("`app.yml`", faults);
            }
            None if app.api_version == Some(1) => self.faults.add("there is no `app.yml`, which API 1 needs"),
            None => {}
        }
        let known =
            ["auterion-app.yml", "version", "settings.default.env", "settings.user.env", "logging-msg-files.tar", "app.yml"];
        for file in &self.reading.files {
            if !known.contains(&file.name.as_str()) && !file.name.ends_with(".image") && self.survey.notes.len() < 100 {
                self.survey.notes.push(format!("`{}` is none of the files that an app has", file.name.escape_debug()));
            }
        }
        services
    }

    /// The older flow: `app.yml` is a compose file, and says the images (section 5).
    fn older(&mut self) -> BTreeMap<String, String> {
        let Some(text) = self.text("app.yml") else {
            self.faults.add("there is neither an `auterion-app.yml` nor an `app.yml` in the payload");
            return BTreeMap::new();
        };
        let mut faults = Faults::default();
        let composed = app::compose(&text, false, &mut faults);
        self.faults.add_of("`app.yml`", faults);
        composed.into_iter().filter_map(|(name, image)| Some((name, image?))).collect()
    }

    /// The text under `auterion-metadata` (section 2.4).
    fn metadata(&mut self, app: Option<&AppFile>) {
        let Some(meta_data) = &self.reading.header.meta_data else { return };
        let object = match meta_data.get("auterion-metadata").map(|value| (value, value.as_str())) {
            Some((_, Some(text))) => match serde_json::from_str::<Value>(text) {
                Ok(Value::Object(object)) => object,
                _ => return self.faults.add("`auterion-metadata` is not the text of a JSON object"),
            },
            Some(_) => return self.faults.add("`auterion-metadata` is not a string"),
            None => {
                if app.is_some() {
                    self.faults.add("meta-data has no `auterion-metadata`");
                }
                meta_data.clone()
            }
        };
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        self.survey.made_by = text("cli-version");
        self.survey.made_at = text("build-time");
        let Some(app) = app else { return };
        let Some(described) = object.get("auterion-app-yml").and_then(Value::as_object) else {
            if meta_data.contains_key("auterion-metadata") {
                self.faults.add("`auterion-metadata` has no `auterion-app-yml`");
            }
            return;
        };
        for (key, value) in [("app-name", &app.name), ("app-author", &app.author), ("app-version", &app.version)] {
            if value.is_some() && described.get(key).and_then(Value::as_str) != value.as_deref() {
                self.faults.add(format!("`auterion-metadata` has another `{key}` than the payload"));
            }
        }
        let services = described.get("services").and_then(Value::as_object);
        let names: BTreeSet<&String> = services.into_iter().flat_map(|services| services.keys()).collect();
        if names != app.services.keys().collect() {
            self.faults.add("`auterion-metadata` has other services than the payload");
        }
    }

    /// Device types against the table and the app file; gives what the images have to run on (sections 4.2 and 4.3).
    fn devices(&mut self, app: Option<&AppFile>) -> Option<&'static str> {
        let types = &self.reading.header.device_types;
        let mut architectures = BTreeSet::new();
        for (at, name) in types.iter().enumerate() {
            if types[..at].contains(name) {
                self.faults.add(format!("the device type `{}` stands there twice", name.escape_debug()));
            }
            match Device::of_type(name) {
                Some(device) => drop(architectures.insert(device.architecture)),
                None => self.faults.add(format!("the device type `{}` is unknown", name.escape_debug())),
            }
        }
        if architectures.len() > 1 {
            self.faults.add("the device types mix architectures");
            return None;
        }
        if let Some(app) = app {
            let simulated = types.as_slice() == ["simulation"];
            if app.api_version.is_some_and(|api| api <= 4) {
                if app.platforms != ["skynode"] && !(simulated && app.platforms == ["simulation"]) {
                    self.faults.add("`auterion-app.yml`: up to API 4 `target-platform` has to be `[skynode]`");
                }
            } else if app.api_version.is_some() {
                let mapped: BTreeSet<&str> =
                    app.platforms.iter().filter_map(|name| Device::named(name)).map(|device| device.device_type).collect();
                if mapped != types.iter().map(String::as_str).collect() {
                    self.faults.add("`auterion-app.yml`: `target-platform` names other devices than the header");
                }
            }
        }
        architectures.pop_first()
    }

    fn images(
        &mut self,
        members: &Members,
        base: Option<&str>,
        services: &BTreeMap<String, String>,
        architecture: Option<&str>,
        keep: usize,
    ) {
        let mut faults = members.faults.clone();
        let mut images = Images::resolve(members, base.is_some());
        for fault in std::mem::take(&mut images.faults).into_vec() {
            faults.add(fault);
        }
        if !images.docker && images.oci {
            faults.add("there is no `manifest.json`: `docker load` needs one");
        }
        for image in &images.list {
            let is = images::platform(&image.config);
            if let Some(needed) = architecture
                && (image.config.os != "linux" || image.config.architecture != needed)
            {
                faults.add(format!("image `{}` is for {is}, the devices run linux/{needed}", image.shown()));
            }
        }
        if let Some(base) = base {
            left_out(&images, members, base, &mut faults, &mut self.survey.notes);
        }
        if members.linked {
            self.survey.notes.push("the image archive holds links, which some loaders ignore".into());
        }
        self.survey.describe(&images, members, keep);
        if self.survey.layers.iter().any(|layer| layer.compression != "none") {
            self.survey.notes.push("the image archive holds compressed layers, which old loaders may not read".into());
        }
        let mut used = BTreeSet::new();
        for (service, name) in services {
            let found = images.list.iter().position(|image| image.names.iter().any(|other| same(other, name)));
            match found {
                None if !members.whole => {}
                None => faults.add(format!("the image `{}` of service `{service}` is not there", name.escape_debug())),
                Some(at) => {
                    used.insert(at);
                    self.survey.images[at].service.get_or_insert_with(|| service.clone());
                }
            }
        }
        for (at, image) in images.list.iter().enumerate() {
            if !used.contains(&at) && self.survey.notes.len() < 100 {
                self.survey.notes.push(format!("the image `{}` belongs to no service", image.shown()));
            }
        }
        self.survey.notes.extend(std::mem::take(&mut images.notes));
        let name = self.contents.images.first().map_or("", |(slug, _)| slug);
        self.faults.add_of(&format!("`{name}.image`"), faults);
    }
}

/// Layers of the app base may be missing only where the device finds them by their chain (section 4.5): lowest, and
/// everywhere in the same order.
fn left_out(images: &Images, members: &Members, base: &str, faults: &mut Faults, notes: &mut Vec<String>) {
    let mut chain: &[Digest] = &[];
    let mut missing: BTreeSet<&Digest> = BTreeSet::new();
    for image in &images.list {
        let diff_ids = &image.config.rootfs.diff_ids;
        let there: Vec<bool> = image.layers.iter().map(|path| members.get(path).is_some()).collect();
        let lowest = there.iter().take_while(|there| !**there).count().min(diff_ids.len());
        missing.extend(diff_ids.iter().zip(&there).filter(|(_, there)| !**there).map(|(diff_id, _)| diff_id));
        if lowest > chain.len() {
            chain = &diff_ids[..lowest];
        }
    }
    for image in &images.list {
        for (at, diff_id) in image.config.rootfs.diff_ids.iter().enumerate() {
            if missing.contains(diff_id) && (at >= chain.len() || chain[..=at] != image.config.rootfs.diff_ids[..=at]) {
                faults.add(format!(
                    "image `{}`: layer {} is left out, but is not the same layer of `{base}` in the same place everywhere",
                    image.shown(),
                    at + 1
                ));
            }
        }
    }
    if !missing.is_empty() {
        notes.push(format!("{} layers are left out: the device needs the app `app-base-{base}`", missing.len()));
    }
}

/// Whether two names mean the same image.
fn same(one: &str, other: &str) -> bool {
    let canonical = |text: &str| ImageRef::parse(text).map_or_else(|_| text.to_owned(), |reference| reference.canonical());
    canonical(one) == canonical(other)
}
