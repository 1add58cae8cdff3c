//! Where a bundle is from: SLSA provenance (slsa.dev/spec/v1.0/provenance), the predicate of an in-toto statement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::statement::{Statement, Subject};

/// `predicateType`
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// `buildType`: how the rest is to be read. A change of its meaning gets another number.
const BUILD_TYPE: &str = "https://cargo-appbundle.github.io/build/v1";

/// `builder.id`: whoever runs this tool.
const BUILDER: &str = "https://cargo-appbundle.github.io/cargo-appbundle";

/// The name of this tool among the builder's versions.
const TOOL: &str = "cargo-appbundle";

/// The name of the sources among the inputs.
const SOURCE: &str = "source";

/// What a bundle was made of, and how. Nothing in it says on which machine, by whom, or in which folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What it takes to do it again.
    pub build_definition: BuildDefinition,
    /// Who did it.
    pub run_details: RunDetails,
}

/// What it takes to build a bundle again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    build_type: String,
    /// What the user asked for.
    pub external_parameters: BuildParameters,
    /// What compiled it.
    pub internal_parameters: BuildTools,
    /// What went in.
    pub resolved_dependencies: Vec<BuildInput>,
}

/// What the user asked for, with what the tables choose filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuildParameters {
    /// `--all-features`
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_features: bool,
    /// `--app-version`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    /// `--builder`
    pub builder: String,
    /// `--compression`
    pub compression: String,
    /// `--engine`
    pub engine: String,
    /// `--features`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// `--format`
    pub format: String,
    /// `--no-default-features`
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_default_features: bool,
    /// `--package`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// `--profile`
    pub profile: String,
    /// The variable `SOURCE_DATE_EPOCH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_date_epoch: Option<u64>,
    /// `--target`
    pub targets: Vec<String>,
    /// `--variant`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// What compiled it, in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuildTools {
    /// The version of Cargo.
    pub cargo: String,
    /// The linkers, by target.
    pub linkers: BTreeMap<String, String>,
    /// The version of the compiler, with its commit and the platform that it runs on.
    pub rustc: BTreeMap<String, String>,
    /// Settings whose values are not recorded, since they may contain paths and credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unrecorded: Vec<String>,
}

/// Something that went in: a ResourceDescriptor of in-toto.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildInput {
    /// What it is.
    pub name: String,
    /// Its address, if it has one that means something elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its sums in hexadecimal digits, by algorithm.
    pub digest: BTreeMap<String, String>,
    /// More about the sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<SourceState>,
}

/// Which part of the sources, in which state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceState {
    /// Whether they were those of the commit, and nothing else.
    pub clean: bool,
    /// The workspace's folder in the repository, with slashes; empty if it is the repository's own.
    #[serde(default)]
    pub folder: String,
}

/// Who built it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunDetails {
    builder: BundleBuilder,
}

/// This tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleBuilder {
    id: String,
    #[serde(default)]
    version: BTreeMap<String, String>,
}

/// The sources of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltFrom<'a> {
    /// The commit's id.
    pub commit: &'a str,
    /// More about them.
    pub state: &'a SourceState,
}

impl BuildInput {
    /// A commit of a repository.
    pub fn source(uri: Option<String>, commit: &str, state: SourceState) -> Self {
        let digest = BTreeMap::from([("gitCommit".to_owned(), commit.to_owned())]);
        Self { name: SOURCE.into(), uri, digest, annotations: Some(state) }
    }

    /// Something with this SHA-256 sum, in hexadecimal digits.
    pub fn summed(name: impl Into<String>, uri: Option<String>, sha256: String) -> Self {
        Self { name: name.into(), uri, digest: BTreeMap::from([("sha256".to_owned(), sha256)]), annotations: None }
    }

    /// Its SHA-256 sum.
    pub fn sha256(&self) -> Option<&str> {
        self.digest.get("sha256").map(String::as_str)
    }
}

impl Provenance {
    /// What this tool makes of these inputs.
    pub fn new(external: BuildParameters, internal: BuildTools, inputs: Vec<BuildInput>) -> Self {
        Self {
            build_definition: BuildDefinition {
                build_type: BUILD_TYPE.into(),
                external_parameters: external,
                internal_parameters: internal,
                resolved_dependencies: inputs,
            },
            run_details: RunDetails {
                builder: BundleBuilder {
                    id: BUILDER.into(),
                    version: BTreeMap::from([(TOOL.to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
                },
            },
        }
    }

    /// The same of the bundle in one format.
    #[must_use]
    pub fn of_format(&self, format: &str) -> Self {
        let mut own = self.clone();
        format.clone_into(&mut own.build_definition.external_parameters.format);
        own
    }

    /// That of a bundle of all targets, from those of each; `None` without any.
    pub fn of_all(parts: Vec<Self>) -> Option<Self> {
        parts.into_iter().reduce(|mut all, next| {
            let (own, next) = (&mut all.build_definition, next.build_definition);
            own.external_parameters.targets.extend(next.external_parameters.targets);
            own.internal_parameters.linkers.extend(next.internal_parameters.linkers);
            for input in next.resolved_dependencies {
                if !own.resolved_dependencies.contains(&input) {
                    own.resolved_dependencies.push(input);
                }
            }
            all
        })
    }

    /// That it is the provenance of these files.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn statement(&self, subject: Vec<Subject>) -> serde_json::Result<Statement> {
        Ok(Statement::new(PROVENANCE, serde_json::to_value(self)?, subject))
    }

    /// Reads it from a statement; `None` if that says something else.
    ///
    /// # Errors
    /// When it is the provenance of something that this tool did not build, or damaged.
    pub fn of(statement: &Statement) -> Option<Result<Self, String>> {
        if statement.predicate_type != PROVENANCE {
            return None;
        }
        let kind = statement.predicate.get("buildDefinition").and_then(|definition| definition.get("buildType")?.as_str());
        if kind != Some(BUILD_TYPE) {
            let kind = kind.unwrap_or_default().escape_debug();
            return Some(Err(format!("it describes a build of the type `{kind}`, not `{BUILD_TYPE}`")));
        }
        Some(serde_json::from_value(statement.predicate.clone()).map_err(|error| format!("it is not SLSA provenance: {error}")))
    }

    /// The version of this tool that built it.
    pub fn tool_version(&self) -> Option<&str> {
        self.run_details.builder.version.get(TOOL).map(String::as_str)
    }

    /// What it was built of.
    ///
    /// # Errors
    /// When it does not say so in a form that Git and file systems take.
    pub fn source(&self) -> Result<BuiltFrom<'_>, String> {
        let input = self.input(SOURCE).ok_or("it names no sources")?;
        let commit = input.digest.get("gitCommit").filter(|id| is_commit(id)).ok_or("it names no commit")?;
        let state = input.annotations.as_ref().ok_or("it does not say whether its sources were those of the commit")?;
        let is_inside = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
        if state.folder.is_empty() || state.folder.split('/').all(is_inside) {
            return Ok(BuiltFrom { commit, state });
        }
        Err(format!("`{}` is no folder of a repository", state.folder.escape_debug()))
    }

    /// An input by its name.
    pub fn input(&self, name: &str) -> Option<&BuildInput> {
        self.build_definition.resolved_dependencies.iter().find(|input| input.name == name)
    }
}

/// The id of a commit: SHA-1 or SHA-256.
fn is_commit(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
