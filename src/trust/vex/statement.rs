//! One statement: which vulnerability, in which products, and how they stand to it.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::trust::purl::Purl;

/// The reasons that OpenVEX has for `not_affected`.
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// How a product stands to a vulnerability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VexStatus {
    /// It does not have it.
    NotAffected,
    /// It has it.
    Affected,
    /// It no longer has it.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
}

impl VexStatus {
    /// OpenVEX's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// Whether nothing is left to do.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexStatement {
    /// The vulnerability's names.
    pub vulnerabilities: Vec<String>,
    /// The products that it is about.
    pub products: Vec<VexProduct>,
    /// How they stand to it.
    pub status: VexStatus,
    /// Why they do not have it: one of OpenVEX's words, else text.
    pub reason: Option<String>,
    /// When it was said; the newest statement counts.
    pub timestamp: Option<String>,
}

/// A product, or the parts of it that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexProduct {
    /// Its names.
    pub purls: Vec<Purl>,
    /// The names of its parts; none where all of it is meant.
    pub parts: Vec<Purl>,
}

#[derive(Deserialize)]
struct Raw {
    vulnerability: RawVulnerability,
    #[serde(default)]
    products: Vec<RawProduct>,
    status: VexStatus,
    justification: Option<String>,
    impact_statement: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
}

/// A string until OpenVEX 0.0.1.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawVulnerability {
    Name(String),
    Names {
        #[serde(rename = "@id")]
        id: Option<String>,
        name: Option<String>,
        #[serde(default)]
        aliases: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawProduct {
    Name(String),
    Names {
        #[serde(rename = "@id")]
        id: Option<String>,
        identifiers: Option<Identifiers>,
        #[serde(default)]
        subcomponents: Vec<RawProduct>,
    },
}

#[derive(Deserialize)]
struct Identifiers {
    purl: Option<String>,
}

impl RawProduct {
    fn purls(&self) -> Vec<Purl> {
        match self {
            Self::Name(name) => Purl::parse(name).into_iter().collect(),
            Self::Names { id, identifiers, .. } => {
                let own = identifiers.as_ref().and_then(|identifiers| identifiers.purl.as_ref());
                id.iter().chain(own).filter_map(|name| Purl::parse(name)).collect()
            }
        }
    }

    fn product(&self) -> VexProduct {
        let parts = if let Self::Names { subcomponents, .. } = self { &subcomponents[..] } else { &[] };
        VexProduct { purls: self.purls(), parts: parts.iter().flat_map(Self::purls).collect() }
    }

    /// Names of parts that are no package's are parts all the same: they must not turn into "all of it".
    fn is_lost(&self) -> bool {
        let parts = if let Self::Names { subcomponents, .. } = self { subcomponents.len() } else { 0 };
        parts > 0 && self.product().parts.is_empty()
    }
}

impl VexStatement {
    /// Reads one; `written` is when the document was.
    ///
    /// # Errors
    /// When it says too little to be of use.
    pub fn parse(value: Value, written: Option<&str>) -> Result<Self> {
        let raw: Raw = serde_json::from_value(value)?;
        let vulnerabilities: Vec<String> = match raw.vulnerability {
            RawVulnerability::Name(name) => vec![name],
            RawVulnerability::Names { id, name, aliases } => {
                // An address ends with the name: `https://nvd.nist.gov/vuln/detail/CVE-2031-1`.
                let last = id.as_deref().and_then(|id| id.rsplit('/').next()).map(str::to_owned);
                name.into_iter().chain(aliases).chain(last).collect()
            }
        };
        ensure!(vulnerabilities.iter().any(|name| !name.is_empty()), "it names no vulnerability");
        ensure!(!raw.products.is_empty(), "it names no product");
        if let Some(word) = &raw.justification {
            ensure!(
                JUSTIFICATIONS.contains(&word.as_str()),
                "`{}` is not one of OpenVEX's justifications: {}",
                word.escape_debug(),
                JUSTIFICATIONS.join(", ")
            );
        }
        let reason = raw.justification.or(raw.impact_statement);
        ensure!(
            raw.status != VexStatus::NotAffected || reason.is_some(),
            "its status is `not_affected`, but it has neither `justification` nor `impact_statement`"
        );
        Ok(Self {
            vulnerabilities,
            products: raw.products.iter().filter(|product| !product.is_lost()).map(RawProduct::product).collect(),
            status: raw.status,
            reason,
            timestamp: raw.last_updated.or(raw.timestamp).or_else(|| written.map(str::to_owned)),
        })
    }

    /// Whether it is about a vulnerability with these names in a package with these names, which is a part of these products.
    pub fn is_about(&self, vulnerability: &[&str], package: &[Purl], within: &[Purl]) -> bool {
        let named = |name: &String| vulnerability.iter().any(|other| other.eq_ignore_ascii_case(name));
        let means = |names: &[Purl], meant: &[Purl]| names.iter().any(|name| meant.iter().any(|other| name.means(other)));
        self.vulnerabilities.iter().any(named)
            && self.products.iter().any(|VexProduct { purls, parts }| {
                if parts.is_empty() {
                    means(purls, package) || means(purls, within)
                } else {
                    means(parts, package) && (means(purls, within) || means(purls, package))
                }
            })
    }
}
