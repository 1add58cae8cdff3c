//! What users write of routes.

use schemars::JsonSchema;
use serde::Deserialize;

/// The destination of a URL path: exactly one of these keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RouteTable {
    /// A port of the service.
    pub port: Option<u16>,
    /// A folder of static files in the image.
    pub static_root: Option<String>,
}
