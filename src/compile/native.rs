//! What dependencies need beside Cargo: libraries of the target, and programs of this machine, known before anything is compiled.

mod ahead;
mod find;
mod here;
mod listed;
mod need;
mod probes;
mod rules;
mod scripts;
mod tables;

pub use ahead::{note, of_plan};
pub use listed::{listed, listed_on};
pub use need::{NativeNeed, groups, shown};
