//! `cargo appbundle schema`: the JSON Schema of the tables in `Cargo.toml`.

use anyhow::Result;

/// Prints it.
///
/// # Errors
/// None that the document itself does not have.
pub fn run() -> Result<()> {
    anstream::println!("{}", serde_json::to_string_pretty(&crate::config::schema::document())?);
    Ok(())
}
