//! The input of all steps that resolve stacks.

use std::collections::BTreeMap;

use crate::app::{Name, Service, Version};
use crate::config::Step;
use crate::plan::Request;
use crate::plan::manifests::{AppSource, ServiceSource};
use crate::workspace::Workspace;

/// The values that stacks are resolved from.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    pub app: &'a AppSource,
    pub sources: &'a [ServiceSource<'a>],
    pub name: &'a Name,
    pub slug: &'a str,
    pub version: &'a Version,
    pub workspace: &'a Workspace,
    pub request: &'a Request,
    pub services: &'a BTreeMap<String, Service>,
}

/// The path of a stack's table in the manifest.
pub fn steps<'a>(stack: &'a str, key: &'a str, name: &'a str) -> [Step<'a>; 4] {
    [Step::Key("stacks"), Step::Key(stack), Step::Key(key), Step::Key(name)]
}

/// Whether a path can be used literally in a proxy's configuration.
pub fn plain_path(path: &str) -> bool {
    path.chars().all(|c| c.is_ascii_alphanumeric() || "/-._~%@:+,=!*()".contains(c))
}
