//! Reading zstd (RFC 8878): frames one after another, skippable ones skipped.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::StreamingDecoder;

/// Uncompressed bytes of all frames of a stream.
pub struct Decoder<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    Between(R),
    Inside(Box<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>),
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
                        self.state = State::Between(frame.into_inner());
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
    let start = reader.fill_buf()?;
    if start.len() >= 4 && start[1..4] == [0x2a, 0x4d, 0x18] && start[0] & 0xf0 == 0x50 {
        reader.read_exact(&mut magic)?;
        let mut length = [0; 4];
        reader.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        if io::copy(&mut reader.by_ref().take(length), &mut io::sink())? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        return Ok(State::Between(reader));
    }
    let frame = StreamingDecoder::new(reader).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
    Ok(State::Inside(Box::new(frame)))
}
