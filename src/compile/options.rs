//! How to compile.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Options of a compilation that are not part of the plan.
#[derive(Clone, Debug, Default)]
pub struct CompileOptions {
    /// `-j`
    pub jobs: Option<String>,
    /// `--features`, on top of the services' own.
    pub features: Vec<String>,
    /// `--all-features`
    pub all_features: bool,
    /// `--no-default-features`
    pub no_default_features: bool,
    /// As `cargo build` does it: of flags, only a linker is added; what was compiled before is shared with it.
    pub plain: bool,
    /// The number of interrupts. Once it is above zero, Cargo and its compilers are stopped.
    pub wishes: Option<Arc<AtomicUsize>>,
}
