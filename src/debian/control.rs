//! Paragraphs of fields (deb822(5)).

/// One paragraph: its fields in order, each with its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paragraph<'a> {
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Paragraph<'a> {
    /// The first paragraph of a text; lines that are none are passed over.
    pub fn parse(text: &'a str) -> Self {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        let (mut start, mut position) = (0, 0);
        let mut name = "";
        let mut end = 0;
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end();
            let continues = line.starts_with([' ', '\t']);
            if bare.is_empty() && !continues {
                if fields.is_empty() && name.is_empty() {
                    position += line.len();
                    continue;
                }
                break;
            }
            if !continues && !line.starts_with('#') {
                if !name.is_empty() {
                    fields.push((name, text[start..end].trim_matches([' ', '\t', '\n', '\r'])));
                }
                name = "";
                if let Some((before, _)) = bare.split_once(':') {
                    name = before;
                    start = position + before.len() + 1;
                }
            }
            position += line.len();
            end = position;
        }
        if !name.is_empty() {
            fields.push((name, text[start..end].trim_matches([' ', '\t', '\n', '\r'])));
        }
        Self { fields }
    }

    /// A field's value. Names are the same in upper and lower case.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// All fields.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.fields.iter().copied()
    }
}

/// The paragraphs of a text.
pub fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('\n');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find("\n\n").map_or(rest.len(), |at| at + 1);
        let (paragraph, after) = rest.split_at(end);
        rest = after;
        Some(Paragraph::parse(paragraph))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_go_on_over_lines() {
        let text = "\nPackage: a\nDescription: one\n two\n .\n# comment\nMulti-Arch: same\nEmpty:\n\nPackage: b\n";
        let all: Vec<Paragraph<'_>> = paragraphs(text).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].get("package"), all[1].get("Package")), (Some("a"), Some("b")));
        assert_eq!(all[0].get("Description"), Some("one\n two\n .\n# comment"));
        assert_eq!((all[0].get("Multi-Arch"), all[0].get("Empty"), all[0].get("None")), (Some("same"), Some(""), None));
        assert_eq!(all[0].fields().count(), 4);
    }
}
