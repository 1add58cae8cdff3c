//! Reading zstd (RFC 8878): frames one after another, skippable ones skipped.

use std::io::{self, BufRead, Chain, Cursor, Read};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Uncompressed bytes of all frames of a stream.
pub struct Decoder<R: BufRead> {
    state: State<R>,
}

/// A frame's first four bytes, which tell what it is, and the rest.
type Frame<R> = Chain<Cursor<[u8; 4]>, R>;

enum State<R: BufRead> {
    Between(R),
    Inside(Box<StreamingDecoder<Frame<R>, FrameDecoder>>),
    Ended,
}

impl<R: BufRead> Decoder<R> {
    /// Reads from the first frame on.
    pub fn new(reader: R) -> Self {
        Self { state: State::Between(reader) }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Between(mut reader) => {
                    if reader.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    self.state = next_frame(reader)?;
                }
                State::Inside(mut frame) => {
                    let count = frame.read(buffer)?;
                    if count == 0 && !buffer.is_empty() {
                        self.state = State::Between(frame.into_inner().into_inner().1);
                    } else {
                        self.state = State::Inside(frame);
                        return Ok(count);
                    }
                }
            }
        }
    }
}

fn next_frame<R: BufRead>(mut reader: R) -> io::Result<State<R>> {
    let mut magic = [0; 4];
    reader.read_exact(&mut magic)?;
    if magic[1..] == [0x2a, 0x4d, 0x18] && magic[0] & 0xf0 == 0x50 {
        let mut length = [0; 4];
        reader.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        if io::copy(&mut reader.by_ref().take(length), &mut io::sink())? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        return Ok(State::Between(reader));
    }
    let frame = StreamingDecoder::new(Cursor::new(magic).chain(reader))
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
    Ok(State::Inside(Box::new(frame)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skippable_frames_are_skipped_wherever_a_buffer_ends() {
        // "abc" in one raw block, between two skippable frames.
        let mut bytes = vec![0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
        bytes.extend([0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x19, 0, 0, b'a', b'b', b'c']);
        bytes.extend([0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
        for buffer in 1..bytes.len() {
            let mut out = String::new();
            let reader = io::BufReader::with_capacity(buffer, &bytes[..]);
            Decoder::new(reader).read_to_string(&mut out).expect("zstd");
            assert_eq!(out, "abc");
        }
    }
}
