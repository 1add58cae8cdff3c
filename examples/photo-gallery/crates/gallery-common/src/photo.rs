use serde::{Deserialize, Serialize};

/// A stored photo, as the gallery describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    pub id: u32,
    /// URL path of the photo on the gallery.
    pub url: String,
}

impl Photo {
    pub fn new(id: u32) -> Self {
        Self { id, url: format!("/photos/{id}") }
    }
}
