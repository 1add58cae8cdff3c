//! Parses BuildKit's progress: protobuf messages in the response's `aux` (`moby.buildkit.v1.StatusResponse`).

use std::collections::BTreeSet;

/// Turns progress messages into lines of text.
#[derive(Debug, Default)]
pub struct Trace {
    told: BTreeSet<(String, bool)>,
}

impl Trace {
    /// The lines that a message adds; none if it cannot be parsed.
    pub fn lines(&mut self, message: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for (field, value) in fields(message) {
            let Value::Bytes(inner) = value else { continue };
            match field {
                1 => lines.extend(self.vertex(inner)),
                3 => lines.extend(log(inner)),
                _ => {}
            }
        }
        lines
    }

    /// A step, shown when it starts or is found in the cache.
    fn vertex(&mut self, message: &[u8]) -> Option<String> {
        let (mut digest, mut name, mut cached, mut started) = (String::new(), String::new(), false, false);
        for (field, value) in fields(message) {
            match (field, value) {
                (1, Value::Bytes(bytes)) => digest = text(bytes),
                (3, Value::Bytes(bytes)) => name = text(bytes),
                (4, Value::Number(number)) => cached = number != 0,
                (5, Value::Bytes(_)) => started = true,
                _ => {}
            }
        }
        let shown = !name.starts_with("[internal]") && !name.starts_with("copy /context");
        if !(started || cached) || !shown || !self.told.insert((digest, cached)) {
            return None;
        }
        Some(if cached { format!("{name} (cached)") } else { name })
    }
}

fn log(message: &[u8]) -> Vec<String> {
    let bytes = fields(message).filter_map(|(field, value)| match (field, value) {
        (4, Value::Bytes(bytes)) => Some(text(bytes)),
        _ => None,
    });
    bytes.flat_map(|text| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a protobuf message, up to the first damaged one.
fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, Value<'_>)> {
    std::iter::from_fn(move || {
        let key = varint(&mut message)?;
        let take = |message: &mut &[u8], count: usize| -> Option<()> {
            *message = message.get(count..)?;
            Some(())
        };
        let value = match key & 7 {
            0 => Value::Number(varint(&mut message)?),
            1 => Value::Number(take(&mut message, 8).map(|()| 0)?),
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                let bytes = message.get(..length)?;
                take(&mut message, length)?;
                Value::Bytes(bytes)
            }
            5 => Value::Number(take(&mut message, 4).map(|()| 0)?),
            _ => return None,
        };
        Some((key >> 3, value))
    })
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..10 {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, bytes.len() as u8];
        out.extend_from_slice(bytes);
        out
    }

    #[test]
    fn steps_and_logs_become_lines() {
        let step = |more: &[u8]| field(1, &[field(1, b"sha256:a"), field(3, b"[1/2] RUN x"), more.to_vec()].concat());
        let mut trace = Trace::default();
        assert!(trace.lines(&step(&[])).is_empty());
        assert_eq!(trace.lines(&step(&field(5, b""))), ["[1/2] RUN x"]);
        assert!(trace.lines(&step(&field(5, b""))).is_empty());
        assert_eq!(trace.lines(&step(&[4 << 3, 1])), ["[1/2] RUN x (cached)"]);
        assert_eq!(trace.lines(&field(3, &field(4, b"one\ntwo\r\n"))), ["one", "two"]);
        assert!(trace.lines(b"\xff\xff\xff").is_empty());
    }
}
