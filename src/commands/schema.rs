//! `cargo appbundle schema`: the JSON Schema of the tables.

use anyhow::Result;
use serde_json::json;

use crate::config::schema;
use crate::shell::Shell;

/// Prints the schema to stdout.
pub fn run(shell: &Shell) -> Result<()> {
    let schema = schema::document();
    if shell.is_json() {
        shell.result("appbundle-schema", json!({ "schema": schema }), "");
        return Ok(());
    }
    shell.document(&schema)
}
