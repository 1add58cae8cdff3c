//! `cargo appbundle`.
fn main() {}
