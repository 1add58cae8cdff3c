//! What a file contains, in the documents that others read.

pub mod advisory;
