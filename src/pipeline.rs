//! The steps of a build, from a workspace to images to files, and what the last build left.

mod attached;
pub mod bases;
mod bill;
mod build;
mod built;
#[cfg(feature = "engine")]
mod by_engine;
mod crates;
#[cfg(feature = "engine")]
pub mod dockerfiles;
mod fresh;
mod generated;
mod last;
mod licenses;
#[cfg(feature = "engine")]
pub mod load;
pub mod others;
mod platforms;
mod provenance;
pub mod pulled;
mod pushed;
mod session;
mod wanted;
mod workbench;
mod write;

pub use attached::{attest, list};
pub use build::bundles;
pub use built::Built;
pub use last::{last_bundle, last_bundle_of_any_target};
pub use platforms::write as write_index;
pub use pulled::Images;
pub use pushed::push;
pub use session::{Options, Session, app_name, report};
pub use wanted::Wanted;
pub use workbench::{Workbench, cache_folder, lock};
