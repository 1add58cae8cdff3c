//! `SLUG.image`: an image for each service, and layers that may be left out (`docs/file-format.md`, sections 4.4 and 4.5).

use std::collections::{BTreeMap, BTreeSet};

use super::images::FoundImages;
use super::members::ImageMembers;
use super::report::Survey;
use crate::app::ImageRef;
use crate::digest::Digest;
use crate::mender::Faults;

/// Surveys the image archive; gives its faults.
pub fn survey(
    survey: &mut Survey,
    members: &ImageMembers,
    base: Option<&str>,
    services: &BTreeMap<String, String>,
    architecture: Option<&str>,
    keep: usize,
) -> Faults {
    let mut faults = members.faults.clone();
    let mut images = FoundImages::resolve(members, base.is_some());
    for fault in std::mem::take(&mut images.faults).into_vec() {
        faults.add(fault);
    }
    if !images.docker && images.oci && members.whole {
        faults.add("there is no `manifest.json`: `docker load` needs one");
    }
    for image in &images.list {
        let is = image.platform().to_string();
        if let Some(needed) = architecture
            && (image.config.os != "linux" || image.config.architecture != needed)
        {
            faults.add(format!("image `{}` is for {is}, but the devices run linux/{needed}", image.shown()));
        }
    }
    if let Some(base) = base {
        left_out(&images, members, base, &mut faults, &mut survey.notes);
    }
    if members.linked {
        survey.notes.push("the image archive contains links, which some loaders ignore".into());
    }
    survey.describe(&images, members, keep);
    if survey.layers.iter().any(|layer| layer.compression != "none") {
        survey.notes.push("the image archive contains compressed layers, which old loaders may not read".into());
    }
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (at, image) in images.list.iter().enumerate() {
        for name in &image.names {
            places.entry(ImageRef::canonical_of(name)).or_insert(at);
        }
    }
    let mut used = BTreeSet::new();
    for (service, name) in services {
        match places.get(&ImageRef::canonical_of(name)).copied() {
            None if !members.whole => {}
            None => faults.add(format!("the image `{}` of service `{service}` is missing", name.escape_debug())),
            Some(at) => {
                used.insert(at);
                survey.images[at].service.get_or_insert_with(|| service.clone());
                survey.images[at].services.push(service.clone());
            }
        }
    }
    for (at, image) in images.list.iter().enumerate() {
        if !used.contains(&at) && survey.notes.len() < 100 {
            survey.notes.push(format!("no service uses the image `{}`", image.shown()));
        }
    }
    survey.notes.extend(std::mem::take(&mut images.notes));
    faults
}

/// Layers of the app base may be missing only where the device finds them by their chain (section 4.5): lowest, and
/// everywhere in the same order.
fn left_out(images: &FoundImages, members: &ImageMembers, base: &str, faults: &mut Faults, notes: &mut Vec<String>) {
    let mut chain: &[Digest] = &[];
    let mut missing: BTreeSet<&Digest> = BTreeSet::new();
    for image in &images.list {
        let diff_ids = &image.config.rootfs.diff_ids;
        let there: Vec<bool> = image.layers.iter().map(|layer| members.get(&layer.path).is_some()).collect();
        let lowest = there.iter().take_while(|there| !**there).count().min(diff_ids.len());
        missing.extend(diff_ids.iter().zip(&there).filter(|(_, there)| !**there).map(|(diff_id, _)| diff_id));
        if lowest > chain.len() {
            chain = &diff_ids[..lowest];
        }
    }
    for image in &images.list {
        let diff_ids = &image.config.rootfs.diff_ids;
        let same = chain.iter().zip(diff_ids).take_while(|(one, other)| one == other).count();
        for (at, diff_id) in diff_ids.iter().enumerate().skip(same) {
            if missing.contains(diff_id) {
                faults.add(format!(
                    "image `{}`: layer {} is omitted, but the images disagree on the layers of `{base}`",
                    image.shown(),
                    at + 1
                ));
            }
        }
    }
    if !missing.is_empty() {
        notes.push(format!("{} layers are omitted: the device needs the app `app-base-{base}`", missing.len()));
    }
}
