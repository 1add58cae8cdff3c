//! Tar bytes in, segment out: blocks are compressed in parallel and written in order.
//!
//! Memory is bounded by the number of block buffers, which all layers that are packed at one time share: a block keeps its own
//! until it is written.

use std::io::{self, Read, Write as _};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};

use super::pool::Pool;
use super::sink::Sink;
use super::{Cache, Key, Layer, Segment};
use crate::archive::gzip::Level;
use crate::digest::{Digest, Hasher, Summed};

/// More threads than this win little and cost memory.
const MOST_THREADS: usize = 8;

/// Compresses layers into a cache.
pub struct Packer {
    cache: Cache,
    level: Level,
    threads: usize,
    pool: OnceLock<Pool>,
}

impl Packer {
    /// A packer that starts its threads when it has something to do. `threads` is a wish; at most 8 are used.
    pub fn new(cache: Cache, level: Level, threads: usize) -> Self {
        Self { cache, level, threads: threads.clamp(1, MOST_THREADS), pool: OnceLock::new() }
    }

    /// Where the segments go.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The compression level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// How many blocks are compressed at a time.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The segment of a layer: from the cache, else packed now.
    pub fn layer(&self, layer: &Layer) -> Result<Segment> {
        self.layer_told(layer, &|_| ())
    }

    /// The same; `told` hears of the bytes of its files as they are packed, which are [`Layer::content_size`] in all.
    pub fn layer_told(&self, layer: &Layer, told: &dyn Fn(u64)) -> Result<Segment> {
        let key = layer.key(self.level)?;
        if let Some(segment) = self.cache.get(key) {
            told(layer.content_size());
            return Ok(segment);
        }
        Ok(self.pack(|_| key, |sink| layer.write(sink, told))?.0)
    }

    /// Packs what `write` writes, and keeps it under the key that `key` makes of the uncompressed bytes' sum.
    ///
    /// # Errors
    /// When writing fails; then nothing is kept.
    pub fn pack<T>(
        &self,
        key: impl FnOnce(&Digest) -> Key,
        write: impl FnOnce(&mut Sink<'_>) -> Result<T>,
    ) -> Result<(Segment, T)> {
        let mut file = self.cache.begin()?;
        let pool = self.pool.get_or_init(|| Pool::start(self.threads, self.level));
        let mut sink = Sink::new(pool, &mut file);
        let value = write(&mut sink)?;
        let (plain, compressed, crc) = sink.finish()?;
        let uncompressed = plain.size();
        let diff_id = plain.finish();
        let segment = Segment { key: key(&diff_id), diff_id, uncompressed, compressed, crc32: crc.finalize() };
        self.cache.keep(file, &segment, None)?;
        Ok((segment, value))
    }

    /// Keeps a layer that is gzip already as it is. `see` is given the uncompressed tar and must read it to its end.
    ///
    /// # Errors
    /// When the bytes are not gzip, or their sum is not `digest`; then nothing is kept.
    pub fn adopt<T>(
        &self,
        key: Key,
        digest: Option<Digest>,
        gzip: impl Read,
        see: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<(Segment, T)> {
        let mut file = self.cache.begin()?;
        let copying = Copying { from: gzip, to: file.file(), packed: Hasher::default(), crc: crc32fast::Hasher::new() };
        let mut decoder = crate::archive::gzip::decoder(io::BufReader::with_capacity(64 * 1024, copying));
        let mut plain_sum = Hasher::default();
        let mut plain = Summed::new(&mut decoder, &mut plain_sum);
        let value = see(&mut plain)?;
        io::copy(&mut plain, &mut io::sink()).context("failed to unpack a gzip layer")?;
        let mut copying = decoder.into_inner().into_inner();
        io::copy(&mut copying, &mut io::sink())?;
        let (uncompressed, compressed) = (plain_sum.size(), copying.packed.size());
        let segment = Segment { key, diff_id: plain_sum.finish(), uncompressed, compressed, crc32: copying.crc.finalize() };
        let sum = copying.packed.finish();
        if let Some(digest) = digest {
            ensure!(sum == digest, "a layer has the digest `{sum}` instead of `{digest}`");
        }
        self.cache.keep(file, &segment, Some(sum))?;
        Ok((segment, value))
    }
}

/// Passes bytes on while summing and keeping them.
struct Copying<'a, R> {
    from: R,
    to: &'a mut std::fs::File,
    packed: Hasher,
    crc: crc32fast::Hasher,
}

impl<R: Read> Read for Copying<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.to.write_all(&buffer[..count])?;
        self.packed.update(&buffer[..count]);
        self.crc.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::BLOCK;
    use crate::segment::LayerMember;

    fn sample() -> Layer {
        let bytes: Vec<u8> = (0..3_000_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        Layer::new(vec![LayerMember::folder("srv", 0o755, 0), LayerMember::bytes("srv/data", 0o644, 0, bytes)])
    }

    #[test]
    fn bytes_do_not_depend_on_threads() {
        let folder = tempfile::tempdir().expect("folder");
        let pack = |name: &str, threads| {
            let packer = Packer::new(Cache::new(&folder.path().join(name)), Level::Fast, threads);
            packer.layer(&sample()).expect("packed")
        };
        let (one, many) = (pack("one", 1), pack("many", 5));
        assert_eq!(one, many);
        let mut tar = Vec::new();
        sample().write(&mut tar, &|_| ()).expect("tar");
        assert_eq!((one.diff_id, one.uncompressed), (Digest::of(&tar), tar.len() as u64));
    }

    #[test]
    fn progress_goes_on_within_a_file() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("large");
        std::fs::write(&path, vec![7; 5 * BLOCK]).expect("written");
        let mut member = LayerMember::bytes("large", 0o644, 0, vec![7; 5 * BLOCK]);
        member.content = crate::segment::Content::File(path, Digest::of(vec![7; 5 * BLOCK]));
        let layer = Layer::new(vec![member]);
        let told = std::cell::RefCell::new(Vec::new());
        let packer = Packer::new(Cache::new(&folder.path().join("cache")), Level::Fast, 2);
        for _ in 0..2 {
            packer.layer_told(&layer, &|bytes| told.borrow_mut().push(bytes)).expect("packed");
        }
        // From the cache, it is all there at once.
        assert_eq!(told.borrow_mut().pop(), Some(layer.content_size()));
        assert!(told.borrow().len() > 5 && told.borrow().iter().sum::<u64>() == layer.content_size());
    }

    #[test]
    fn a_segment_is_a_gzip_file_and_comes_from_the_cache() {
        let folder = tempfile::tempdir().expect("folder");
        let packer = Packer::new(Cache::new(folder.path()), Level::Default, 2);
        let segment = packer.layer(&sample()).expect("packed");
        let mut bytes = Vec::new();
        packer
            .cache()
            .read(&segment, |part, _| {
                bytes.extend_from_slice(part);
                Ok(())
            })
            .expect("read");
        assert_eq!(packer.cache().digest(&segment).expect("sum"), Digest::of(&bytes));
        assert_eq!(packer.cache().digest(&segment).expect("remembered sum"), Digest::of(&bytes));
        let mut tar = Vec::new();
        crate::archive::gzip::decoder(&bytes[..]).read_to_end(&mut tar).expect("gzip");
        assert_eq!(Digest::of(&tar), segment.diff_id);
        assert_eq!(packer.cache().get(segment.key), Some(segment.clone()));

        let path = folder.path().join(segment.key.name() + ".gz");
        let mut damaged = bytes.clone();
        damaged[1000] ^= 1;
        std::fs::write(&path, damaged).expect("written");
        let error = packer.cache().read(&segment, |_, _| Ok(())).expect_err("damaged");
        assert!(error.is::<crate::segment::Damaged>());
        assert_eq!(packer.cache().prune(0), segment.compressed);
        assert_eq!(packer.cache().get(segment.key), None);
    }

    #[test]
    fn a_failure_keeps_nothing_and_blocks_nobody() {
        for threads in [1, 2, 5] {
            let folder = tempfile::tempdir().expect("folder");
            let packer = Packer::new(Cache::new(folder.path()), Level::Fast, threads);
            for _ in 0..10 {
                let failed = packer.pack(
                    |_| Key::of([&b"x"[..]]),
                    |sink| {
                        sink.write_all(&vec![1; 5 * BLOCK])?;
                        anyhow::bail!("no more")
                    },
                );
                assert!(failed.map(|(segment, ())| segment).is_err());
            }
            assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
            packer.layer(&sample()).expect("packed");
        }
    }
}
