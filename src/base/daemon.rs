//! `base = { image = "docker-daemon:…" }`: an image of the local engine.

use anyhow::{Context as _, Result, bail, ensure};

use super::archive;
use super::remembered::remembered;
use crate::app::{Base, BaseChoice, Target};
use crate::diagnostic::Code;
use crate::engine::{Engine, ImageFacts};
use crate::fs::Pending;
use crate::segment::Packer;
use crate::shell::Shell;

/// The help when no engine answers.
const WITHOUT: &str = "start Docker or podman, or use an image from a registry: `base = { image = \"NAME\" }`";

/// The id of the image that a name refers to now, so that a build notices a changed base.
///
/// # Errors
/// When there is no engine, or it lacks the image.
pub fn image_id(name: &str) -> Result<String> {
    Ok(find(&Engine::connect(WITHOUT)?, name)?.id)
}

fn find(engine: &Engine, name: &str) -> Result<ImageFacts> {
    let Some(image) = engine.image(name)? else {
        let about = engine.about();
        let engine = format!("{} {}", about.name, about.version);
        bail!(Code::ImageMissing.error(format!("{engine} has no image `{name}`\nhelp: run `docker pull {name}`")));
    };
    Ok(image)
}

/// Reads the current image; each layer is saved from the engine only once.
///
/// # Errors
/// When there is no engine, or it lacks the image, or the image is for another platform.
pub fn read(name: &str, target: &Target, packer: &Packer, shell: &Shell) -> Result<Base> {
    let engine = Engine::connect(WITHOUT)?;
    let image = find(&engine, name)?;
    let platform = &target.platform;
    ensure!(
        (image.os.as_str(), image.architecture.as_str()) == (platform.os.as_str(), platform.architecture.as_str()),
        Code::BasePlatform.error(format!(
            "the image `{name}` is for {}/{}, but the target `{}` is for {platform}\nhelp: run `docker pull --platform {platform} {name}`",
            image.os, image.architecture, target.triple
        ))
    );
    let choice = BaseChoice::Daemon(name.to_owned());
    let record = packer.cache().folder().join(format!("daemon-{}.json", image.id.trim_start_matches("sha256:")));
    let base = remembered(&record, choice, packer, || {
        let mut pending = Pending::new(&packer.cache().folder().join("image"))?;
        {
            let progress = shell.progress("Saving", 0);
            progress.message(name);
            engine.save(&[name], pending.file())?;
        }
        archive::read(pending.path(), target, packer).context("failed to read the archive that the engine saved")
    })?;
    Ok(Base { reference: Some(name.to_owned()), ..base })
}
