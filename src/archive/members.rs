//! gzip member by member (RFC 1952, 2.2), with the compressed bytes of a stretch on the side.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead, Read, Write as _};
use std::rc::Rc;

use flate2::bufread::GzDecoder;

/// Gives the uncompressed bytes of all members. Between two members a capture can begin and end: it takes the compressed
/// bytes as they are, so that a stretch of whole members can be cut out of a larger gzip file.
pub struct Members<R: BufRead> {
    state: State<R>,
    /// A byte that was read to see whether a member goes on.
    ahead: Option<u8>,
    to: Rc<RefCell<Option<File>>>,
}

enum State<R: BufRead> {
    Between(Taken<R>),
    Inside(Box<GzDecoder<Taken<R>>>),
    Gone,
}

impl<R: BufRead> Members<R> {
    /// Reads from the first byte of the first member.
    pub fn new(reader: R) -> Self {
        let to = Rc::new(RefCell::new(None));
        Self { state: State::Between(Taken { reader, to: Rc::clone(&to) }), ahead: None, to }
    }

    /// Whether the next byte is the first one of a member, or there is none.
    ///
    /// # Errors
    /// When the stream fails, or a member's check sum is wrong.
    pub fn is_between(&mut self) -> io::Result<bool> {
        if self.ahead.is_some() {
            return Ok(false);
        }
        let State::Inside(decoder) = &mut self.state else { return Ok(true) };
        let mut byte = [0];
        if decoder.read(&mut byte)? == 1 {
            self.ahead = Some(byte[0]);
            return Ok(false);
        }
        self.leave();
        Ok(true)
    }

    /// Begins to write compressed bytes to a file; false, and nothing happens, inside a member.
    ///
    /// # Errors
    /// As [`Members::is_between`].
    pub fn capture(&mut self, file: File) -> io::Result<bool> {
        let between = self.is_between()?;
        if between {
            *self.to.borrow_mut() = Some(file);
        }
        Ok(between)
    }

    /// Ends it; says whether only whole members were written.
    ///
    /// # Errors
    /// As [`Members::is_between`].
    pub fn end_capture(&mut self) -> io::Result<bool> {
        let between = self.is_between()?;
        *self.to.borrow_mut() = None;
        Ok(between)
    }

    fn leave(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Gone) {
            State::Inside(decoder) => State::Between(decoder.into_inner()),
            state => state,
        };
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Some(byte) = self.ahead.take() {
            buffer[0] = byte;
            return Ok(1);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Gone) {
                State::Between(mut taken) => {
                    if taken.fill_buf()?.is_empty() {
                        self.state = State::Between(taken);
                        return Ok(0);
                    }
                    self.state = State::Inside(Box::new(GzDecoder::new(taken)));
                }
                State::Inside(mut decoder) => {
                    let count = decoder.read(buffer)?;
                    self.state = State::Inside(decoder);
                    if count > 0 {
                        return Ok(count);
                    }
                    self.leave();
                }
                State::Gone => return Err(io::Error::other("the stream failed earlier")),
            }
        }
    }
}

/// Writes what is consumed to the file, if there is one.
struct Taken<R> {
    reader: R,
    to: Rc<RefCell<Option<File>>>,
}

impl<R: BufRead> Read for Taken<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        if let Some(file) = self.to.borrow_mut().as_mut() {
            file.write_all(&buffer[..count])?;
        }
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Taken<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        let mut to = self.to.borrow_mut();
        if let Some(file) = to.as_mut() {
            // A failure shows when the file is compared with what it should be.
            let written = self.reader.fill_buf().and_then(|bytes| file.write_all(&bytes[..count]));
            if written.is_err() {
                *to = None;
            }
        }
        drop(to);
        self.reader.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::gzip::{Compressor, Level};

    #[test]
    fn whole_members_are_cut_out() {
        let folder = tempfile::tempdir().expect("folder");
        let mut compressor = Compressor::new(Level::Default);
        let parts: Vec<Vec<u8>> = [&b"head"[..], &[7; 3000], b"more", b"tail"]
            .iter()
            .map(|part| compressor.member(part, &mut Vec::new()).expect("member").to_vec())
            .collect();
        let all = parts.concat();
        let mut members = Members::new(io::BufReader::with_capacity(7, &all[..]));
        let read = |members: &mut Members<_>, size: usize| {
            let mut bytes = vec![0; size];
            members.read_exact(&mut bytes).expect("read");
            bytes
        };
        assert_eq!(read(&mut members, 2), b"he");
        let path = folder.path().join("cut");
        let file = || File::create(&path).expect("file");
        assert!(!members.capture(file()).expect("inside"));
        assert_eq!(read(&mut members, 2), b"ad");
        assert!(members.capture(file()).expect("between"));
        read(&mut members, 3000);
        assert_eq!(read(&mut members, 4), b"more");
        assert!(members.end_capture().expect("between"));
        assert_eq!(std::fs::read(&path).expect("read"), [parts[1].clone(), parts[2].clone()].concat());
        assert!(members.capture(file()).expect("between"));
        assert_eq!(read(&mut members, 2), b"ta");
        assert!(!members.end_capture().expect("inside"));
        let mut rest = String::new();
        members.read_to_string(&mut rest).expect("read");
        assert_eq!(rest, "il");
    }
}
