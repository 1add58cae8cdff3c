use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context as _, Result};
use gallery_common::Photo;

/// Photos in a folder, one file each, named by number.
pub struct Store {
    folder: PathBuf,
    last: Mutex<u32>,
}

impl Store {
    /// Opens the folder, and creates it if it is missing.
    pub fn open(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("failed to make the folder `{}`", folder.display()))?;
        let last = ids(&folder)?.last().copied().unwrap_or(0);
        Ok(Self { folder, last: Mutex::new(last) })
    }

    /// Stores a photo under the next number.
    pub fn add(&self, picture: &[u8]) -> Result<Photo> {
        let mut last = self.last.lock().expect("no holder of the lock panics");
        let id = *last + 1;
        // Renamed when it is complete, so that a power failure leaves no partial photo.
        let unfinished = self.folder.join("unfinished");
        fs::write(&unfinished, picture)
            .and_then(|()| fs::rename(&unfinished, self.path(id)))
            .with_context(|| format!("failed to store a photo in `{}`", self.folder.display()))?;
        *last = id;
        Ok(Photo::new(id))
    }

    /// All photos, oldest first.
    pub fn list(&self) -> Result<Vec<Photo>> {
        Ok(ids(&self.folder)?.into_iter().map(Photo::new).collect())
    }

    /// The photo with this number, if there is one.
    pub fn read(&self, id: u32) -> Result<Option<Vec<u8>>> {
        match fs::read(self.path(id)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            picture => Ok(Some(picture?)),
        }
    }

    fn path(&self, id: u32) -> PathBuf {
        self.folder.join(format!("{id}.jpg"))
    }
}

fn ids(folder: &Path) -> Result<Vec<u32>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        ids.extend(name.to_str().and_then(|name| name.strip_suffix(".jpg")?.parse::<u32>().ok()));
    }
    ids.sort_unstable();
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_survive_a_restart() {
        let folder = std::env::temp_dir().join(format!("gallery-store-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);

        let store = Store::open(folder.clone()).expect("store");
        assert_eq!(store.add(b"one").expect("photo").id, 1);
        drop(store);

        let store = Store::open(folder.clone()).expect("store");
        assert_eq!(store.add(b"two").expect("photo").id, 2);
        assert_eq!(store.list().expect("list"), [Photo::new(1), Photo::new(2)]);
        assert_eq!(store.read(1).expect("picture").as_deref(), Some(b"one".as_slice()));
        assert_eq!(store.read(3).expect("no picture"), None);

        fs::remove_dir_all(&folder).expect("removed folder");
    }
}
