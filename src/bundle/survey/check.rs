//! The files of a payload against one another and against the header (`docs/file-format.md`, sections 2.4, 4.1 and 4.6).

use std::collections::BTreeMap;

use super::app::{self, DeclaredApp};
use super::device;
use super::payload_contents::PayloadContents;
use super::report::Survey;
use super::service_images;
use crate::app::ImageRef;
use crate::bundle::document::SBOM;
use crate::mender::{Faults, Reading};

/// Holds all that was read together.
pub struct Check<'a> {
    pub reading: &'a Reading,
    pub contents: &'a PayloadContents,
    pub survey: &'a mut Survey,
    pub faults: &'a mut Faults,
}

impl Check<'_> {
    /// Looks at everything.
    pub fn all(&mut self, keep: usize) {
        let app = match self.text("auterion-app.yml") {
            Some(text) => {
                let mut faults = Faults::default();
                let app = DeclaredApp::parse(&text, &mut faults);
                self.faults.add_of("`auterion-app.yml`", faults);
                Some(app)
            }
            None => {
                let note = "it has no `auterion-app.yml`: it was built the older way, with a Makefile and `app.yml`";
                self.survey.notes.push(note.into());
                None
            }
        };
        self.settings(app.is_some());
        let image = self.contents.images.first();
        let slug = app.as_ref().and_then(DeclaredApp::slug);
        self.survey.name = slug.clone().or_else(|| image.map(|(slug, _)| slug.clone()));
        self.survey.version = self.version(app.as_ref());
        self.survey.api_version = app.as_ref().and_then(|app| app.api_version);
        let services = match &app {
            Some(app) => self.current(app, slug.as_deref()),
            None => self.older(),
        };
        device::metadata(self.reading, app.as_ref(), self.survey, self.faults);
        let architecture = device::types(self.reading, app.as_ref(), self.faults);
        match image {
            None => self.faults.add("the payload has no `SLUG.image`"),
            Some((slug, members)) => {
                let base = app.as_ref().and_then(|app| app.base.as_deref());
                let faults = service_images::survey(self.survey, members, base, &services, architecture, keep);
                self.faults.add_of(&format!("`{slug}.image`"), faults);
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
    fn version(&mut self, app: Option<&DeclaredApp>) -> Option<String> {
        let stored = self.text("version");
        let Some(stored) = stored else {
            self.faults.add("the payload has no file `version`");
            return app.and_then(|app| app.version.clone());
        };
        let expected = app.and_then(|app| app.version.as_deref());
        if stored.contains("#VERSION#") {
            self.faults.add("`version`: `#VERSION#` was not replaced");
        } else if expected.is_some_and(|expected| expected != stored) {
            let expected = expected.unwrap_or_default();
            self.faults.add(format!("`version` contains `{}`, but the app's version is `{expected}`", stored.escape_debug()));
        }
        Some(expected.map_or_else(|| stored.trim().to_owned(), str::to_owned))
    }

    fn settings(&mut self, current: bool) {
        for name in ["settings.default.env", "settings.user.env"] {
            match self.text(name) {
                None if current => self.faults.add(format!("the payload has no `{name}`")),
                None => {}
                Some(text) if name == "settings.user.env" && text.is_empty() => {}
                Some(_) if name == "settings.user.env" => self.faults.add("`settings.user.env` is not empty"),
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
    fn current(&mut self, app: &DeclaredApp, slug: Option<&str>) -> BTreeMap<String, String> {
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
            self.faults.add(format!("`{stored}.image` must be named `{slug}.image`"));
        }
        match self.text("app.yml") {
            Some(text) => {
                let (mut faults, mut notes) = (Faults::default(), Faults::default());
                let composed = app::compose(&text, app.api_version == Some(1), &mut faults, &mut notes);
                for name in composed.keys().filter(|name| !app.services.contains_key(*name)) {
                    faults.add(format!("`auterion-app.yml` has no service `{}`", name.escape_debug()));
                }
                for (name, image) in &services {
                    match composed.get(name) {
                        None => faults.add(format!("there is no service `{name}`")),
                        Some(Some(other)) if ImageRef::canonical_of(other) != ImageRef::canonical_of(image) => {
                            faults.add(format!("service `{name}` has the image `{}` instead of `{image}`", other.escape_debug()));
                        }
                        Some(_) => {}
                    }
                }
                self.faults.add_of("`app.yml`", faults);
                self.survey.notes.extend(notes.into_vec().into_iter().map(|note| format!("`app.yml`: {note}")));
            }
            None if app.api_version == Some(1) => self.faults.add("there is no `app.yml`, which API 1 needs"),
            None => {}
        }
        let known = [
            "auterion-app.yml",
            "version",
            "settings.default.env",
            "settings.user.env",
            "logging-msg-files.tar",
            "app.yml",
            SBOM,
        ];
        for file in &self.reading.files {
            if !known.contains(&file.name.as_str()) && !file.name.ends_with(".image") && self.survey.notes.len() < 100 {
                self.survey.notes.push(format!("`{}` is not part of an app", file.name.escape_debug()));
            }
        }
        services
    }

    /// The older flow: `app.yml` is a compose file, and says the images (section 5).
    fn older(&mut self) -> BTreeMap<String, String> {
        let Some(text) = self.text("app.yml") else {
            self.faults.add("the payload has neither an `auterion-app.yml` nor an `app.yml`");
            return BTreeMap::new();
        };
        let mut faults = Faults::default();
        let composed = app::compose(&text, false, &mut faults, &mut Faults::default());
        self.faults.add_of("`app.yml`", faults);
        composed.into_iter().filter_map(|(name, image)| Some((name, image?))).collect()
    }
}
