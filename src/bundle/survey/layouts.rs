//! What the same services come to in the two layouts, of the layers that are there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::images::Images;
use super::report::Layer;
use crate::app::LayerOf;
use crate::digest::Digest;
use crate::plan::Layout;
use crate::store::StoredImage;

/// Both layouts of one bundle. Of the bytes, those of layers count; an image's config and manifest come on top.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Layouts {
    /// The one that the file has.
    pub this: Layout,
    /// Each service in an image of its own.
    pub image_per_service: Size,
    /// All services in one image; `None` where they stand on different bases, which one image cannot.
    pub multi_binary: Option<Size>,
}

/// What a layout comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Size {
    /// Images.
    pub images: usize,
    /// Layers, each once.
    pub layers: usize,
    /// All of them, as a file or a device has them.
    pub all: Bytes,
    /// The smallest image: the least that a host fetches which runs one service.
    pub smallest: Bytes,
    /// The largest image.
    pub largest: Bytes,
}

/// Bytes of layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// As a device has them.
    pub unpacked: u64,
    /// As this file has them, where that can be told.
    pub packed: Option<u64>,
}

/// Layers of all services together that are looked at; an app of a hundred services has some thousands.
const MOST: usize = 1 << 20;

/// Services by platform and name, each with its layers.
type Services<'a> = BTreeMap<(String, String), BTreeSet<&'a Digest>>;

impl Layouts {
    /// Both layouts of images that were made here; `None` of others, which do not say whose layers they have, and of what claims to
    /// be larger than any app is.
    pub(super) fn of(images: &Images, layers: &[Layer]) -> Option<Self> {
        let mut this = Layout::ImagePerService;
        let (mut services, mut looked_at) = (Services::new(), 0);
        let mut bases: BTreeMap<String, BTreeSet<&[Digest]>> = BTreeMap::new();
        for (at, image) in images.list.iter().enumerate() {
            let platform = image.platform().to_string();
            let (base, own) = parts(image)?;
            bases.entry(platform.clone()).or_default().insert(base);
            for (layer, of) in own {
                if !of.is_empty() {
                    this = Layout::MultiBinary;
                }
                // In an image of its own, what a service has is not named.
                let names = if of.is_empty() { vec![format!("\0{at}")] } else { of };
                for name in names {
                    let own = services.entry((platform.clone(), name)).or_insert_with(|| {
                        looked_at += base.len();
                        if looked_at > MOST { BTreeSet::new() } else { base.iter().collect() }
                    });
                    own.insert(layer);
                    looked_at += 1;
                    if looked_at > MOST {
                        return None;
                    }
                }
            }
        }
        let mut together: BTreeMap<&String, BTreeSet<&Digest>> = BTreeMap::new();
        for ((platform, _), layers) in &services {
            together.entry(platform).or_default().extend(layers);
        }
        let sizes: BTreeMap<&Digest, Bytes> = layers
            .iter()
            .map(|layer| (&layer.diff_id, Bytes { unpacked: layer.unpacked, packed: layer.packed.filter(|_| layer.present) }))
            .collect();
        let one_base = bases.values().all(|bases| bases.len() == 1);
        let image_per_service = Size::of(services.values(), &sizes)?;
        let multi_binary = Size::of(together.values(), &sizes).filter(|_| one_base);
        Some(Self { this, image_per_service, multi_binary })
    }
}

/// A layer, and the services that it says it is of.
type Own<'a> = (&'a Digest, Vec<String>);

/// The layers of an image's base, and those above it.
fn parts(image: &StoredImage) -> Option<(&[Digest], Vec<Own<'_>>)> {
    let diff_ids = &image.config.rootfs.diff_ids;
    let steps: Vec<_> = image.config.history.iter().filter(|step| !step.empty_layer).collect();
    if steps.len() != diff_ids.len() {
        return None;
    }
    let said: Vec<Option<LayerOf>> =
        steps.iter().map(|step| LayerOf::parse(step.created_by.as_deref().unwrap_or_default())).collect();
    let base = said.iter().position(Option::is_some)?;
    let own = diff_ids[base..].iter().zip(&said[base..]);
    let own = own.map(|(layer, said)| Some((layer, said.as_ref()?.services.clone()))).collect::<Option<_>>()?;
    Some((&diff_ids[..base], own))
}

impl Size {
    /// The size of images that are sets of layers; `None` without any.
    fn of<'a>(
        images: impl ExactSizeIterator<Item = &'a BTreeSet<&'a Digest>> + Clone,
        sizes: &BTreeMap<&Digest, Bytes>,
    ) -> Option<Self> {
        let sum = |layers: &mut dyn Iterator<Item = &&Digest>| {
            layers.filter_map(|layer| sizes.get(*layer)).fold(Bytes { unpacked: 0, packed: Some(0) }, |sum, more| Bytes {
                unpacked: sum.unpacked.saturating_add(more.unpacked),
                packed: sum.packed.zip(more.packed).map(|(sum, more)| sum.saturating_add(more)),
            })
        };
        let all: BTreeSet<&Digest> = images.clone().flatten().copied().collect();
        let each = images.clone().map(|layers| sum(&mut layers.iter()));
        let by_size = |bytes: &Bytes| (bytes.packed.unwrap_or(bytes.unpacked), bytes.unpacked);
        Some(Self {
            images: images.len(),
            layers: all.len(),
            all: sum(&mut all.iter()),
            smallest: each.clone().min_by_key(by_size)?,
            largest: each.max_by_key(by_size)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::{History, ImageConfig, RootFs};

    #[test]
    fn a_small_claim_of_many_services_is_not_written_out() {
        let of = |services: usize, layers: usize| {
            let names = (0..services).map(|number| number.to_string()).collect();
            let step = |text: Option<String>| History { created_by: text, ..History::default() };
            let own = LayerOf { what: "files".into(), services: names }.to_string();
            let history = (1..layers).map(|_| step(None)).chain([step(Some(own))]).collect();
            let diff_ids = (0..layers).map(|number| Digest::of(number.to_string())).collect();
            let rootfs = RootFs { diff_ids, ..RootFs::default() };
            let config = ImageConfig { history, rootfs, ..ImageConfig::default() };
            let found = StoredImage {
                names: Vec::new(),
                id: Digest::of("x"),
                config,
                config_bytes: Vec::new(),
                layers: Vec::new(),
                manifest: None,
            };
            let mut images = Images::default();
            images.list.push(found);
            Layouts::of(&images, &[]).map(|both| both.image_per_service.images)
        };
        assert_eq!(of(100, 128), Some(100));
        assert_eq!(of(2000, 2000), None);
    }
}
