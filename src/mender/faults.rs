//! What is wrong with a file that somebody else wrote.

/// Faults told one by one; a file made of faults has no end of them.
const MOST: usize = 100;

/// Everything found wrong, in the order found, each in words for the user.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    list: Vec<String>,
    more: usize,
}

impl Faults {
    /// Notes a fault; the same one is noted once.
    pub fn add(&mut self, fault: impl Into<String>) {
        let mut fault = fault.into();
        if self.list.contains(&fault) {
            return;
        }
        if self.list.len() >= MOST {
            self.more += 1;
            return;
        }
        if let Some((end, _)) = fault.char_indices().nth(2000) {
            fault.truncate(end);
            fault.push('…');
        }
        self.list.push(fault);
    }

    /// Notes the faults of a part under its name.
    pub fn add_of(&mut self, part: &str, faults: Self) {
        let more = faults.more;
        for fault in faults.list {
            self.add(format!("{part}: {fault}"));
        }
        self.more += more;
    }

    /// Notes several.
    pub fn extend(&mut self, faults: impl IntoIterator<Item = String>) {
        for fault in faults {
            self.add(fault);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len() + self.more
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All, and at the end how many are not told.
    pub fn into_vec(mut self) -> Vec<String> {
        if self.more > 0 {
            self.list.push(format!("and {} more", self.more));
        }
        self.list
    }
}
