//! Processor and memory, in the notations of Kubernetes and compose files.

use serde::Serialize;

/// Reservations and limits of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// Reserved processor time.
    pub cpu: Option<Cpu>,
    /// Reserved memory.
    pub memory: Option<Memory>,
    /// Limit of processor time.
    pub cpu_limit: Option<Cpu>,
    /// Memory limit.
    pub memory_limit: Option<Memory>,
}

impl Resources {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An amount of processor time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Cpu {
    /// The value as written, in Kubernetes' notation.
    pub written: String,
    /// Thousandths of a processor.
    #[serde(skip)]
    pub milli: u64,
}

impl Cpu {
    /// Parses `100m`, `0.5` or `2`.
    ///
    /// # Errors
    /// In words for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let milli = match text.strip_suffix('m') {
            Some(number) => number.parse().ok(),
            None => {
                let (whole, part) = text.split_once('.').unwrap_or((text, ""));
                let digits = part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit()) && !text.ends_with('.');
                let part = digits.then(|| format!("{part:0<3}").parse::<u64>().ok()).flatten();
                whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(1000)?.checked_add(part?))
            }
        };
        let plain = text.starts_with(|c: char| c.is_ascii_digit());
        match milli.filter(|milli| *milli > 0 && plain) {
            Some(milli) => Ok(Self { written: text.to_owned(), milli }),
            None => Err(format!("`{text}` is not an amount of CPU: write `100m` or `0.5`")),
        }
    }

    /// Converts CPU shares, of which a whole processor has 1024.
    pub fn of_shares(shares: u64) -> Option<Self> {
        let milli = shares.checked_mul(1000)? / 1024;
        Some(Self { written: format!("{milli}m"), milli })
    }

    /// CPU shares: 1024 for a whole processor, and at least 2.
    pub fn shares(&self) -> u64 {
        (self.milli * 1024 / 1000).max(2)
    }

    /// In compose's notation: `0.1`.
    pub fn decimal(&self) -> String {
        let text = format!("{}.{:03}", self.milli / 1000, self.milli % 1000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// An amount of memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Memory {
    /// The value as written, in Kubernetes' notation.
    pub written: String,
    /// Bytes.
    #[serde(skip)]
    pub bytes: u64,
}

const UNITS: [(&str, u64); 8] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("k", 1000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
];

impl Memory {
    /// Parses `64Mi`, `1Gi`, `128M` or a number of bytes.
    ///
    /// # Errors
    /// In words for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let unit = UNITS.iter().find_map(|(name, size)| Some((text.strip_suffix(name)?, *size)));
        let (number, size) = unit.unwrap_or((text, 1));
        let plain = number.bytes().all(|b| b.is_ascii_digit());
        match number.parse::<u64>().ok().and_then(|number| number.checked_mul(size)).filter(|bytes| *bytes > 0 && plain) {
            Some(bytes) => Ok(Self { written: text.to_owned(), bytes }),
            None => Err(format!("`{text}` is not an amount of memory: write `64Mi` or `1Gi`")),
        }
    }

    /// Parses compose's notation, `64M` or `64mb`, in which `m` is 1024 × 1024.
    pub fn of_compose(text: &str) -> Option<Self> {
        let lower = text.to_lowercase();
        let short = lower.strip_suffix('b').unwrap_or(&lower);
        let unit = [("k", 1 << 10), ("m", 1 << 20), ("g", 1u64 << 30)];
        let (number, size) = unit.iter().find_map(|(name, size)| Some((short.strip_suffix(name)?, *size))).unwrap_or((short, 1));
        let bytes = number.parse::<u64>().ok()?.checked_mul(size)?;
        Some(Self { written: bytes.to_string(), bytes })
    }

    /// In compose's notation, in which `M` is 1024 × 1024: `64M`.
    pub fn compose(&self) -> String {
        let fitting =
            [("G", 1u64 << 30), ("M", 1 << 20), ("K", 1 << 10)].into_iter().find(|(_, size)| self.bytes.is_multiple_of(*size));
        let (unit, size) = fitting.unwrap_or(("b", 1));
        format!("{}{unit}", self.bytes / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors() {
        let shown = |text: &str| Cpu::parse(text).map(|cpu| cpu.decimal());
        for (text, decimal) in [("100m", "0.1"), ("0.5", "0.5"), ("2", "2"), ("1500m", "1.5"), ("0.125", "0.125")] {
            assert_eq!(shown(text).as_deref(), Ok(decimal));
        }
        for bad in ["", "0", "m", "-1", "+1", "1.", ".5", "1,5", "0.0001", "1.+5", "2 ", "99999999999999999999"] {
            assert!(shown(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn memory() {
        let shown = |text: &str| Memory::parse(text).map(|memory| memory.compose());
        for (text, compose) in [("64Mi", "64M"), ("1Gi", "1G"), ("1M", "1000000b"), ("512Ki", "512K"), ("1024", "1K")] {
            assert_eq!(shown(text).as_deref(), Ok(compose));
        }
        for bad in ["", "0", "Mi", "64MB", "64 Mi", "-1Mi", "+1Mi", "1.5Gi", "99999999999Ti"] {
            assert!(shown(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn memory_is_counted_as_compose_does() {
        let shown: Vec<Option<u64>> = ["64M", "64mb", "1K", "2g", "512", "512b", "x", "1.5G"]
            .map(|text| Memory::of_compose(text).map(|memory| memory.bytes))
            .to_vec();
        let (kib, mib) = (1024, 1024 * 1024);
        assert_eq!(shown, [Some(64 * mib), Some(64 * mib), Some(kib), Some(2048 * mib), Some(512), Some(512), None, None]);
    }
}
