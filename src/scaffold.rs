//! New members, and tables in manifests that are there.

mod app_yml;
pub mod apt;
mod discover;
mod discovered;
mod dockerfile;
mod new_member;
mod root_manifest;
pub mod tables;
mod template;

pub use discover::discover;
pub use discovered::Discovered;
pub use new_member::{CreatedMember, NewMember, create};
pub use template::ServiceTemplate;
