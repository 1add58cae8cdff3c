//! The question of `grpc.health.v1.Health/Check` over HTTP/2 without TLS (RFC 9113, section 3.3), and its answer.
//!
//! The program that images contain for their health checks is compiled with this file as well, so it uses nothing but `core`.

/// The connection's preface, empty SETTINGS, and the request on stream 1. The headers are literals that are not indexed, or entries of
/// the static table (RFC 7541, appendix A); the message is an empty `HealthCheckRequest`: the health of the whole server.
pub const REQUEST: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \0\0\0\x04\0\0\0\0\0\
    \0\0\x4b\x01\x04\0\0\0\x01\
    \x83\x86\
    \x04\x1c/grpc.health.v1.Health/Check\
    \x01\x09localhost\
    \x0f\x10\x10application/grpc\
    \0\x02te\x08trailers\
    \0\0\x05\0\x01\0\0\0\x01\
    \0\0\0\0\0";

/// The answer to the server's SETTINGS.
pub const SETTINGS_ACK: &[u8] = b"\0\0\0\x04\x01\0\0\0\0";

/// How many bytes a server may send before its answer.
const LIMIT: usize = 64 << 10;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
/// Of DATA and HEADERS.
const END_STREAM: u8 = 0x1;
/// Of SETTINGS.
const ACK: u8 = 0x1;
/// Of DATA.
const PADDED: u8 = 0x8;

/// What a byte of the answer leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Next {
    /// More bytes are needed.
    Read,
    /// [`SETTINGS_ACK`] is to be sent.
    Acknowledge,
    /// The server is healthy.
    Serving,
    /// It is not, or what it says is no answer.
    Failed(&'static str),
}

/// An answer that is read byte by byte.
#[derive(Default)]
pub struct Answer {
    /// Bytes so far.
    seen: usize,
    /// The header of the frame, and how much of it is read.
    head: [u8; 9],
    filled: usize,
    /// What of the frame's payload is still to come.
    left: usize,
    /// How much of that is padding, with its length before the data.
    padding: Option<usize>,
    /// The message: whether it is compressed, its length, and the field `status` (gRPC over HTTP/2, "Length-Prefixed-Message").
    message: [u8; 7],
    got: usize,
}

impl Answer {
    /// Takes the next byte.
    pub fn take(&mut self, byte: u8) -> Next {
        self.seen += 1;
        if self.seen > LIMIT {
            return Next::Failed("the answer is too long");
        }
        if self.filled < self.head.len() {
            return self.take_of_head(byte);
        }
        self.left -= 1;
        if self.is_data() {
            if self.head[4] & PADDED != 0 && self.padding.is_none() {
                self.padding = Some(usize::from(byte));
            } else if self.left >= self.padding.unwrap_or(0) {
                if let Some(place) = self.message.get_mut(self.got) {
                    *place = byte;
                }
                self.got += 1;
            }
        }
        if self.left == 0 { self.end_of_frame() } else { Next::Read }
    }

    fn take_of_head(&mut self, byte: u8) -> Next {
        if let Some(place) = self.head.get_mut(self.filled) {
            *place = byte;
        }
        self.filled += 1;
        if self.filled < self.head.len() {
            return Next::Read;
        }
        // A server's first frame is SETTINGS (RFC 9113, section 3.4).
        if self.seen == self.head.len() && self.head[3] != SETTINGS {
            return Next::Failed("the response is not HTTP/2");
        }
        let [high, middle, low, ..] = self.head;
        self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.padding = None;
        if self.left == 0 { self.end_of_frame() } else { Next::Read }
    }

    fn end_of_frame(&mut self) -> Next {
        self.filled = 0;
        let (kind, flags) = (self.head[3], self.head[4]);
        let is_ours = self.head[5] & 0x7f == 0 && self.head[6] == 0 && self.head[7] == 0 && self.head[8] == 1;
        match kind {
            SETTINGS if flags & ACK == 0 => Next::Acknowledge,
            RST_STREAM if is_ours => Next::Failed("the server refused the request"),
            DATA if is_ours && (self.got >= self.message.len() || flags & END_STREAM != 0) => self.status(),
            HEADERS if is_ours && flags & END_STREAM != 0 => self.status(),
            _ => Next::Read,
        }
    }

    fn status(&self) -> Next {
        match (self.got, self.message) {
            (7, [0, 0, 0, 0, 2, 8, 1]) => Next::Serving,
            (7, [0, 0, 0, 0, 2, 8, 2]) => Next::Failed("answered NOT_SERVING"),
            (7, [0, 0, 0, 0, 2, 8, 3]) => Next::Failed("answered SERVICE_UNKNOWN"),
            (5, [0, 0, 0, 0, 0, ..]) => Next::Failed("answered UNKNOWN"),
            (0, _) => Next::Failed("the server has no gRPC health service"),
            _ => Next::Failed("the answer is not a gRPC health status"),
        }
    }

    fn is_data(&self) -> bool {
        self.head[3] == DATA && self.head[5] & 0x7f == 0 && self.head[6] == 0 && self.head[7] == 0 && self.head[8] == 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SETTINGS_FRAME: &[u8] = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64";
    const HEADERS_FRAME: &[u8] = b"\0\0\x01\x01\x04\0\0\0\x01\x88";

    /// What an answer leads to: the first that is neither reading nor acknowledging, and how often the latter is asked for.
    fn read(frames: &[&[u8]]) -> (Next, usize) {
        let (mut answer, mut acknowledged) = (Answer::default(), 0);
        for byte in frames.concat() {
            match answer.take(byte) {
                Next::Read => {}
                Next::Acknowledge => acknowledged += 1,
                end => return (end, acknowledged),
            }
        }
        (Next::Read, acknowledged)
    }

    #[test]
    fn the_request_is_well_formed() {
        let frames = REQUEST.strip_prefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("preface");
        let (mut rest, mut kinds) = (frames, Vec::new());
        while let [high, middle, low, kind, _, _, _, _, stream, after @ ..] = rest {
            let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
            kinds.push((*kind, *stream));
            rest = after.get(length..).expect("the whole frame");
        }
        assert_eq!((kinds, rest), (vec![(SETTINGS, 0), (HEADERS, 1), (DATA, 1)], &b""[..]));
    }

    #[test]
    fn only_serving_is_healthy() {
        let failed = |why| (Next::Failed(why), 1);
        let data = |message: &[u8]| [&b"\0\0\x07\0\0\0\0\0\x01\0\0\0\0\x02"[..], message].concat();
        let trailers: &[u8] = b"\0\0\x01\x01\x05\0\0\0\x01\x88";
        for (frames, expected) in [
            (vec![HEADERS_FRAME, &data(&[8, 1])], (Next::Serving, 1)),
            // In two frames, the first with three bytes of padding, and between them one of another stream and a PING.
            (
                vec![
                    HEADERS_FRAME,
                    b"\0\0\x08\0\x08\0\0\0\x01\x03\0\0\0\0\xff\xff\xff",
                    b"\0\0\x07\0\0\0\0\0\x03\0\0\0\0\x02\x08\x02",
                    b"\0\0\x08\x06\0\0\0\0\0\0\0\0\0\0\0\0\0",
                    b"\0\0\x03\0\0\0\0\0\x01\x02\x08\x01",
                ],
                (Next::Serving, 1),
            ),
            (vec![HEADERS_FRAME, &data(&[8, 2])], failed("answered NOT_SERVING")),
            (vec![HEADERS_FRAME, &data(&[8, 3])], failed("answered SERVICE_UNKNOWN")),
            (vec![HEADERS_FRAME, &data(&[16, 1])], failed("the answer is not a gRPC health status")),
            (vec![HEADERS_FRAME, b"\0\0\x05\0\0\0\0\0\x01\0\0\0\0\0", trailers], failed("answered UNKNOWN")),
            (vec![trailers], failed("the server has no gRPC health service")),
            (vec![b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x07"], failed("the server refused the request")),
            (vec![b"\0\0\0\x04\x01\0\0\0\0"], (Next::Read, 1)),
            // Padding longer than its frame.
            (vec![HEADERS_FRAME, b"\0\0\x03\0\x09\0\0\0\x01\xff\x08\x01"], failed("the server has no gRPC health service")),
        ] {
            assert_eq!(read(&[&[SETTINGS_FRAME][..], &frames].concat()), expected, "{frames:?}");
        }
    }

    #[test]
    fn what_is_not_http2_or_never_ends_is_refused() {
        assert_eq!(read(&[b"HTTP/1.1 400 Bad Request"]).0, Next::Failed("the response is not HTTP/2"));
        let ping = b"\0\0\x08\x06\0\0\0\0\0\0\0\0\0\0\0\0\0".repeat(10_000);
        assert_eq!(read(&[SETTINGS_FRAME, &ping]).0, Next::Failed("the answer is too long"));
        let huge = [&b"\xff\xff\xff\0\0\0\0\0\x01"[..], &[0; 70_000]].concat();
        assert!(matches!(read(&[SETTINGS_FRAME, &huge]).0, Next::Failed(_)));
    }

    proptest! {
        #[test]
        fn hostile_answers_end(bytes in prop::collection::vec(any::<u8>(), 0..300), filler: u8) {
            let end = read(&[SETTINGS_FRAME, &bytes, &[filler; LIMIT]]).0;
            prop_assert!(matches!(end, Next::Failed(_) | Next::Serving));
        }
    }
}
