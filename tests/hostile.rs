//! Readers on broken input: no panic, no endless work, whatever the bytes. The seed is fixed, so that a failure comes back.

#[path = "support/forge.rs"]
mod forge;

use std::io::{self, Read as _};

use cargo_appbundle::archive::{Budget, TarReader, decompressed};
use cargo_appbundle::bundle;
use cargo_appbundle::bundle::survey::{Limits, survey_reader};
use cargo_appbundle::mender;
use forge::{Forge, ForgedImage, docker_members, gzip, oci_members, tar, zstd};

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let images = [ForgedImage::new("a:1", &["base", "a"]), ForgedImage::new("b:1", &["base", "b"])];
    vec![
        Forge::new().build(),
        tar(&docker_members(&images)),
        gzip(&tar(&docker_members(&images))),
        zstd(&tar(&docker_members(&images))),
        tar(&oci_members(&images, |layer| (gzip(layer), "+gzip"))),
        tar(&oci_members(&images, |layer| (zstd(layer), "+zstd"))),
    ]
}

/// A few changes of the kinds that files suffer.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(600)).min(bytes.len());
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            5 => bytes[at..end].fill(random.next() as u8),
            _ => {
                // A tar's number field, with the checksum made to fit.
                let block = at / 512 * 512;
                if let Some(header) = bytes.get_mut(block..block + 512) {
                    let field = [100, 108, 116, 124, 136, 156, 157, 345][random.below(8)];
                    for byte in &mut header[field..field + 1 + random.below(11)] {
                        *byte = b"01234567xLKgS\0\xff\x80"[random.below(16)];
                    }
                    header[148..156].fill(b' ');
                    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
                    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
                }
            }
        }
    }
}

fn each(iterations: usize, run: impl Fn(&[u8])) {
    for (at, seed) in corpus().into_iter().enumerate() {
        run(&seed);
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ at as u64);
        for _ in 0..iterations {
            let mut bytes = seed.clone();
            mutate(&mut bytes, &mut random);
            run(&bytes);
        }
    }
}

#[test]
fn the_tar_reader_survives() {
    each(1000, |bytes| {
        let mut reader = TarReader::new(bytes);
        while let Ok(Some(_)) = reader.next_entry() {
            let _ = io::copy(&mut (&mut reader).take(1 << 20), &mut io::sink());
        }
        let _ = reader.tail();
    });
}

#[test]
fn unpacking_survives() {
    each(300, |bytes| {
        let budget = Budget::new(8 << 20);
        if let Ok(reader) = decompressed(bytes) {
            let _ = io::copy(&mut budget.reader(reader), &mut io::sink());
        }
    });
}

#[test]
fn the_artifact_reader_survives() {
    each(300, |bytes| drop(mender::read(bytes, &Budget::new(8 << 20), &mut |_, _| {}).faults.into_vec()));
}

#[test]
fn a_survey_survives() {
    each(200, |bytes| drop(survey_reader(bytes, Limits { unpacked: 8 << 20, largest: 3, executables: true })));
}

#[test]
fn readers_of_images_survive() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("bundle");
    each(30, |bytes| {
        std::fs::write(&path, bytes).expect("written");
        let _ = bundle::contents_by_name(&path);
        let _ = bundle::outgoing(&path, &folder.path().join("scratch"));
    });
}
