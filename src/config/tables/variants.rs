//! What users write of variants of an app.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::format::FormatName;

/// A variant of the app. Without `features`, `services` or `formats`, it would not differ from the app.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct VariantTable {
    /// Features to enable in addition, in each service whose package has them.
    pub features: Vec<String>,
    /// Features of single services, by the service's name.
    pub services: BTreeMap<String, VariantServiceTable>,
    /// What the app's name ends in, after a `-`. Default: the variant's name.
    pub suffix: Option<String>,
    /// Bundle formats to write. Default: the app's.
    pub formats: Option<Vec<FormatName>>,
}

/// What differs in a service of a variant.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct VariantServiceTable {
    /// Features of the package to enable in addition.
    pub features: Vec<String>,
    /// Whether the package's default features are enabled. Default: what the service's table says.
    pub default_features: Option<bool>,
}
