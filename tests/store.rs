//! Is an image the same wherever it is read from, and does each reader end where it should?

#[path = "support/forge.rs"]
mod forge;

use std::path::Path;

use cargo_appbundle::digest::Digest;
use cargo_appbundle::store::{Archive, Finding, Listing, StoredImage, Walk, strictly};
use forge::{Forge, ForgedImage, Member, docker_members, gzip, member, oci_members, tar, tar_with};
use serde_json::{Value, json};

fn two() -> [ForgedImage; 2] {
    [ForgedImage::new("a:1", &["base", "a"]), ForgedImage::new("b:1", &["base", "b"])]
}

/// The members as a tar and as a folder.
fn stored(members: &[Member], see: impl Fn(&Archive)) {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("images.tar"), tar(members)).expect("written");
    for (name, bytes) in members {
        let path = at("layout").join(name);
        std::fs::create_dir_all(path.parent().expect("folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    for name in ["images.tar", "layout"] {
        see(&Archive::open(Path::new(&at(name))).expect("archive"));
    }
}

fn strict(archive: &Archive) -> anyhow::Result<(Listing, Vec<StoredImage>)> {
    let mut report = strictly;
    let mut walk = Walk::new(archive, &mut report);
    let listing = walk.list()?;
    let images = walk.images(&listing)?;
    Ok((listing, images))
}

fn error(members: &[Member]) -> String {
    let said = std::cell::RefCell::new(Vec::new());
    stored(members, |archive| said.borrow_mut().push(strict(archive).expect_err("a fault").to_string()));
    let said = said.into_inner();
    assert_eq!(said[0], said[1], "a folder is read as a tar is");
    said[0].clone()
}

/// Changes the JSON of a member.
fn change(members: &mut [Member], name: &str, change: impl Fn(&mut Value)) {
    let (_, bytes) = members.iter_mut().find(|(other, _)| other == name).expect("member");
    let mut value = serde_json::from_slice(bytes).expect("JSON");
    change(&mut value);
    *bytes = serde_json::to_vec(&value).expect("JSON");
}

#[test]
fn images_are_the_same_in_every_form() {
    let images = two();
    let docker = docker_members(&images);
    let oci = oci_members(&images, |layer| (gzip(layer), "+gzip"));
    let both: Vec<Member> = oci.iter().chain(&docker).cloned().collect();
    for (members, is) in [(docker, (true, false)), (oci, (false, true)), (both, (true, true))] {
        stored(&members, |archive| {
            let (listing, found) = strict(archive).expect("images");
            assert_eq!((listing.docker, listing.oci), is);
            assert_eq!(found.len(), 2);
            for (image, forged) in found.iter().zip(&images) {
                let config = serde_json::to_vec(&forged.config).expect("JSON");
                assert_eq!((image.names.as_slice(), image.id), (&[forged.name.clone()][..], Digest::of(&config)));
                assert_eq!((image.config_bytes == config, image.manifest.is_some()), (true, is.1));
                assert_eq!(image.platform().to_string(), "linux/arm64");
                for (layer, bytes) in image.layers.iter().zip(&forged.layers) {
                    let stored = std::io::read_to_string(archive.reader(&layer.path).expect("layer"));
                    assert!(is.0 == stored.is_ok_and(|stored| stored.as_bytes() == bytes), "docker's is plain");
                }
            }
        });
    }
}

#[test]
fn a_strict_reader_ends_at_the_first_fault_and_others_hear_of_all() {
    let mut members = docker_members(&two());
    change(&mut members, "manifest.json", |images| {
        images[0]["Config"] = "none".into();
        images[1]["Layers"].as_array_mut().expect("list").pop();
    });
    let first = "image `a:1`: its config `none` is missing";
    assert_eq!(error(&members), first);
    stored(&members, |archive| {
        let mut faults = Vec::new();
        let mut report = |finding| {
            faults.push(finding);
            Ok(())
        };
        let mut walk = Walk::new(archive, &mut report);
        let listing = walk.list().expect("listing");
        assert_eq!(walk.images(&listing).expect("images").len(), 1);
        let second = "image `b:1`: it has 1 layers, but its config has 2";
        assert_eq!(faults, [first, second].map(|fault| Finding::Fault(fault.into())));
    });
}

#[test]
fn whatever_leads_astray_is_a_fault() {
    let oci = || oci_members(&two(), |layer| (gzip(layer), "+gzip"));
    assert!(error(&[member("x", "y")]).contains("neither a `manifest.json`"));
    assert!(error(&[member("manifest.json", "[")]).contains("is invalid"));
    assert!(error(&[member("manifest.json", "[]")]).contains("lists no images"));

    // A manifest of another sum, size, and place.
    let first = |members: &[Member]| -> Value { serde_json::from_slice(&members.last().expect("index").1).expect("JSON") };
    let digest = first(&oci())["manifests"][0]["digest"].as_str().expect("text").replace("sha256:", "blobs/sha256/");
    let mut damaged = oci();
    let bytes = &mut damaged.iter_mut().find(|(name, _)| *name == digest).expect("manifest").1;
    let end = bytes.len() - 1;
    bytes[end] = b' ';
    assert!(error(&damaged).contains("not the one in its name"));
    let mut longer = oci();
    longer.iter_mut().find(|(name, _)| *name == digest).expect("manifest").1.push(b' ');
    assert!(error(&longer).contains("bytes, but its descriptor says"));
    let mut gone = oci();
    gone.retain(|(name, _)| *name != digest);
    assert!(error(&gone).contains("of `index.json` is missing"));
    let mut outside = docker_members(&two());
    change(&mut outside, "manifest.json", |images| images[0]["Config"] = "../../etc/passwd".into());
    assert!(error(&outside).contains("is missing"));
}

#[test]
fn documents_have_limits() {
    let large = vec![b' '; (8 << 20) + 1];
    assert!(error(&[member("manifest.json", large)]).contains("too large for a document"));

    // Two hundred images of one large config: small on disk, and soon larger than any memory.
    let mut config = serde_json::to_vec(&two()[0].config).expect("JSON");
    config.resize(1 << 20, b' ');
    let image = json!({"Config": "c", "RepoTags": null, "Layers": ["a", "b"]});
    let manifest = serde_json::to_vec(&vec![image; 200]).expect("JSON");
    assert!(error(&[member("c", config), member("manifest.json", manifest)]).contains("refer to each other too often"));

    // An index that lists more than can be followed.
    let digest = |number: usize| Digest::of(number.to_string()).to_string();
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifests: Vec<Value> =
        (0..10_100).map(|number| json!({"mediaType": kind, "digest": digest(number), "size": 1})).collect();
    let index = json!({"schemaVersion": 2, "manifests": manifests}).to_string();
    let layout = member("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    assert!(error(&[layout, member("index.json", index)]).contains("leads to more than 10000 manifests"));
}

/// Docker before 25 writes a repeated layer as a link, later ones blobs; both compress the whole in one go.
#[test]
fn app_files_of_other_tools_can_be_pushed() {
    let renamed = |members: &mut Vec<Member>| {
        let layers: Vec<String> = members.iter().filter_map(|(name, _)| name.strip_suffix(".tar").map(str::to_owned)).collect();
        for (name, bytes) in members.iter_mut() {
            for layer in &layers {
                let (old, new) = (format!("{layer}.tar"), format!("blobs/sha256/{layer}"));
                *name = name.replace(&old, &new);
                if name == "manifest.json" {
                    *bytes = String::from_utf8(bytes.clone()).expect("text").replace(&old, &new).into_bytes();
                }
            }
        }
    };
    let linked = |members: &[Member]| {
        let mut members = members.to_vec();
        let base = members[0].0.clone();
        change(&mut members, "manifest.json", |images| images[1]["Layers"][0] = "v1/layer.tar".into());
        tar_with("v1/layer.tar", tar::EntryType::Symlink, &format!("../{base}"), &members)
    };
    let plain = |members: &[Member]| tar(members);
    let mut blobs = docker_members(&Forge::new().images);
    renamed(&mut blobs);
    let whole = docker_members(&Forge::new().images);
    for archive in [plain(&blobs), linked(&whole), plain(&whole)] {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("app.auterionos");
        let forge = Forge { image_bytes: Some(gzip(&archive)), ..Forge::new() };
        std::fs::write(&path, forge.build()).expect("written");
        let images = cargo_appbundle::bundle::outgoing(&path, &folder.path().join("scratch")).expect("images");
        assert_eq!(
            images.iter().map(|image| (image.name.as_str(), image.tag.as_str())).collect::<Vec<_>>(),
            [("a", "1.2.3"), ("b", "1.2.3")]
        );
        assert_eq!(images[0].blobs[0].descriptor.digest, images[1].blobs[0].descriptor.digest, "the shared layer");
        for blob in images.iter().flat_map(|image| &image.blobs) {
            let (sum, size) = Digest::of_reader(blob.source.open().expect("blob")).expect("read");
            assert_eq!((sum, size), (blob.descriptor.digest, blob.descriptor.size));
        }
    }
}
