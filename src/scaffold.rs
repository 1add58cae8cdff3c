//! New members, and tables in manifests that are there.

mod app_yml;
mod apt;
mod discover;
mod discovered;
mod dockerfile;
mod new_member;
mod root_manifest;
pub mod tables;
mod template;

pub use apt::Installed;
pub use discover::{discover, installed};
pub use discovered::Discovered;
pub use new_member::{CreatedMember, NewMember, create};
pub use template::ServiceTemplate;
