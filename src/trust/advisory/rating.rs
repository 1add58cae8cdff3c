//! How bad an advisory is, by its CVSS vector (FIRST, "Qualitative Severity Rating Scale") or by a word.

use std::fmt;

use serde::Serialize;

/// A word for how bad it is, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the scale's words")]
pub enum Rating {
    None,
    Low,
    Medium,
    High,
    Critical,
}

impl Rating {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// What a database calls so; Debian's urgencies are `low`, `medium` and `high` as well.
    fn named(word: &str) -> Option<Self> {
        [Self::None, Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|rating| rating.name().eq_ignore_ascii_case(word))
            .or_else(|| word.eq_ignore_ascii_case("moderate").then_some(Self::Medium))
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What an advisory says of its severity; nothing is known of many.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Scored {
    /// The word.
    pub severity: Option<Rating>,
    /// From 0 to 10.
    pub score: Option<f64>,
    /// The CVSS vector, as the database has it.
    pub cvss: Option<String>,
}

impl Scored {
    /// Of CVSS vectors, of which the newest version that can be read counts, and else of a word.
    pub fn of<'a>(vectors: impl IntoIterator<Item = &'a str>, word: Option<&str>) -> Self {
        let vectors = vectors.into_iter().filter_map(|text| Some((text, text.parse::<cvss::Cvss>().ok()?)));
        // `CVSS:4.0/…` sorts behind `CVSS:3.1/…`, and version 2 has no such beginning.
        let best = vectors.max_by_key(|(text, _)| text.get(..8).filter(|start| start.starts_with("CVSS:")));
        match best {
            Some((text, vector)) => {
                let severity = match vector.severity() {
                    cvss::Severity::None => Rating::None,
                    cvss::Severity::Low => Rating::Low,
                    cvss::Severity::Medium => Rating::Medium,
                    cvss::Severity::High => Rating::High,
                    cvss::Severity::Critical => Rating::Critical,
                };
                Self { severity: Some(severity), score: Some(vector.score()), cvss: Some(text.to_owned()) }
            }
            None => Self { severity: word.and_then(Rating::named), ..Self::default() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_each_version_have_a_word() {
        // Scores from FIRST's own calculators.
        for (vector, score, severity) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, Rating::Critical),
            ("CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", 5.9, Rating::Medium),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, Rating::Critical),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5, Rating::High),
        ] {
            let scored = Scored::of([vector], Some("low"));
            assert_eq!((scored.score, scored.severity), (Some(score), Some(severity)), "{vector}");
        }
        let both =
            ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"];
        assert_eq!(Scored::of(both, None).cvss.as_deref(), Some(both[1]));
    }

    #[test]
    fn what_is_no_vector_is_unrated() {
        assert_eq!(Scored::of(["CVSS:9.0/AV:N", "high", "", "ü/ü"], None), Scored::default());
        assert_eq!(Scored::of([], Some("Moderate")).severity, Some(Rating::Medium));
        assert_eq!(Scored::of([], Some("not yet assigned")).severity, None);
    }
}
