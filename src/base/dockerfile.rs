//! `base = { dockerfile = "…" }`: a base that an engine builds from the user's Dockerfile, and that is reused until its sources
//! change.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use super::BuildContext;
use super::archive;
use super::remembered::remembered;
use crate::app::{Base, BaseChoice, Dockerfile, Target};
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::engine::{BuildSpec, Engine, ImageFacts};
use crate::fs::Pending;
use crate::segment::{KnownDigests, Packer};
use crate::shell::Shell;

/// The help when no engine answers.
const WITHOUT: &str =
    "start Docker or podman, or use a base that needs none: `base = \"auto\"` or `base = { rootfs = \"FILE\" }`";

/// Reuses the result of an earlier build of the same sources, or builds it.
///
/// # Errors
/// When there is no engine, the build fails, or its image is for another platform.
pub fn read(source: &Dockerfile, target: &Target, packer: &Packer, known: &KnownDigests, shell: &Shell) -> Result<Base> {
    let context = BuildContext::read(source, known)?;
    let sum = context.sum(source, target)?;
    let choice = BaseChoice::Dockerfile(source.clone());
    let reference = format!("appbundle-base:{}", &sum.hex()[..16]);
    let record = record(packer, &sum);
    let base = remembered(&record, choice, packer, || {
        build(source, &context, &reference, target, packer, shell)
            .with_context(|| format!("failed to build the base `{}`", source.written))
    })?;
    Ok(Base { reference: Some(reference), ..base })
}

fn record(packer: &Packer, sum: &Digest) -> PathBuf {
    packer.cache().folder().join(format!("dockerfile-{}.json", sum.hex()))
}

fn build(
    source: &Dockerfile,
    context: &BuildContext,
    reference: &str,
    target: &Target,
    packer: &Packer,
    shell: &Shell,
) -> Result<Base> {
    let engine = Engine::connect(WITHOUT)?;
    let about = engine.about();
    shell.status("Building", format_args!("{} for {} with {} {}", source.written, target.platform, about.name, about.version));
    let spec = BuildSpec {
        dockerfile: context.dockerfile.clone(),
        platform: target.platform.to_string(),
        args: source.args.clone(),
        target: source.target.clone(),
        tag: reference.to_owned(),
    };
    let image = {
        let progress = shell.progress("Sending", context.size());
        let write = |to: &mut dyn std::io::Write| context.write(to, &|bytes| progress.advance(bytes));
        engine.build(&spec, write, &mut |line| shell.output(line))
    };
    let image = match image {
        Ok(image) => image,
        Err(error) => {
            return Err(match marked_otherwise(&engine, source, target) {
                Ok(Some((name, image))) => {
                    error.context(marked(&format!("the image `{name}` of its `FROM`"), &image, source, target))
                }
                _ => error,
            });
        }
    };
    ensure!(fits(&image, target), Code::BasePlatform.error(marked("the image that the engine built", &image, source, target)));
    let mut pending = Pending::new(&packer.cache().folder().join("image"))?;
    {
        let progress = shell.progress("Saving", 0);
        progress.message(reference);
        engine.save(&[reference], pending.file())?;
    }
    let base = archive::read(pending.path(), target, packer).context("failed to read the archive that the engine saved")?;
    Ok(base)
}

/// The first image of a `FROM` that the engine only has for another platform. BuildKit then looks for it in a registry, but other
/// builders use the wrong one.
fn marked_otherwise(engine: &Engine, source: &Dockerfile, target: &Target) -> Result<Option<(String, ImageFacts)>> {
    for name in images_named(&fs_err::read_to_string(&source.path)?) {
        // If the engine cannot parse a name, the build reports it.
        if let Ok(Some(image)) = engine.image(&name)
            && !fits(&image, target)
        {
            return Ok(Some((name, image)));
        }
    }
    Ok(None)
}

/// The images of a Dockerfile's `FROM` lines, without stages and names with build arguments.
fn images_named(text: &str) -> Vec<String> {
    let (mut images, mut stages) = (Vec::new(), vec!["scratch".to_owned()]);
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if !words.next().is_some_and(|word| word.eq_ignore_ascii_case("FROM")) {
            continue;
        }
        let words: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
        let Some(name) = words.first() else { continue };
        if !name.contains('$') && !stages.iter().any(|stage| stage.eq_ignore_ascii_case(name)) {
            images.push((*name).to_owned());
        }
        stages.extend(words.get(2).map(|stage| (*stage).to_owned()));
    }
    images
}

fn fits(image: &ImageFacts, target: &Target) -> bool {
    (image.os.as_str(), image.architecture.as_str()) == (target.platform.os.as_str(), target.platform.architecture.as_str())
}

fn marked(what: &str, image: &ImageFacts, source: &Dockerfile, target: &Target) -> String {
    format!(
        "{what} is for {}/{}, but the target `{}` is for {3} (`docker import --platform` of Docker 20.10 always writes the \
         engine's own platform)\nhelp: `docker pull --platform {3} IMAGE`, or begin `{4}` with `FROM scratch` and `ADD rootfs.tar /`",
        image.os, image.architecture, target.triple, target.platform, source.written
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_froms_name() {
        let text =
            "ARG X\nfrom --platform=linux/arm64 debian:12 AS one\nFROM one as two\nFROM ${X}\nFROM scratch\n# FROM a\nFROM b/c";
        assert_eq!(images_named(text), ["debian:12", "b/c"]);
    }
}
