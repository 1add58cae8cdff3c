use serde::{Deserialize, Serialize};

/// A stored photo, as the gallery tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    pub id: u32,
    /// Path of the picture on the gallery.
    pub url: String,
}

impl Photo {
    pub fn new(id: u32) -> Self {
        Self { id, url: format!("/photos/{id}") }
    }
}
