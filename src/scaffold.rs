//! New members, and tables in manifests that are there.

mod app_table;
mod app_yml;
mod apt;
mod built_for;
mod discover;
mod discovered;
mod dockerfile;
mod found_bin;
mod instructions;
mod launch;
mod new_member;
mod root_manifest;
mod starters;
pub mod tables;
mod template;
mod tool;
mod unit;

pub use app_table::AppKeys;
pub use apt::Installed;
pub use built_for::{BuiltFor, built_for};
pub use discover::installed;
pub use discovered::Discovered;
pub use found_bin::{FoundBin, candidates};
pub use new_member::{CreatedMember, NewMember, create};
pub use starters::of_other_names;
pub use template::ServiceTemplate;
