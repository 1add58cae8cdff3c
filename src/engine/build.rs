//! Builds images from Dockerfiles: `POST /build`.
//!
//! The request is made here rather than by bollard, which needs sixty crates more to read BuildKit's progress.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;

use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::Value;

use super::load::{Pipe, both};
use super::request::{encoded, message};
use super::trace::Trace;
use super::{Engine, ImageFacts, error};

/// How many of the last output lines an error shows.
const LAST: usize = 20;

/// The most bytes of one message.
const LONGEST: usize = 4 << 20;

/// What to build.
#[derive(Clone, Debug, Default)]
pub struct BuildSpec {
    /// The Dockerfile's path in the build context.
    pub dockerfile: String,
    /// The platform, such as `linux/arm64`.
    pub platform: String,
    /// Build arguments: values for `ARG`.
    pub args: BTreeMap<String, String>,
    /// The stage to stop at.
    pub target: Option<String>,
    /// The image's name, `NAME:TAG`.
    pub tag: String,
}

impl Engine {
    /// Builds the context that `write` writes as a tar; uses BuildKit if the engine is Docker. `tell` gets each line of output.
    ///
    /// # Errors
    /// When a step fails, with its last output; or when the engine stops answering.
    pub fn build(
        &self,
        spec: &BuildSpec,
        write: impl FnOnce(&mut dyn Write) -> Result<()> + Send,
        tell: &mut dyn FnMut(&str),
    ) -> Result<ImageFacts> {
        let (pipe, stream) = Pipe::new();
        let mut answers = Answers { trace: Trace::default(), last: VecDeque::new(), tell };
        let (written, answered) = std::thread::scope(|scope| {
            let writer = scope.spawn(|| pipe.fill(write));
            let answered = self.runtime.block_on(self.ask(spec, stream, &mut answers));
            (writer.join(), answered)
        });
        both(written.unwrap_or_else(|_| Err(anyhow!("the thread that sends the build context panicked"))), answered)?;
        self.image(&spec.tag)?.with_context(|| format!("the engine built `{}`, but cannot find it", spec.tag))
    }

    async fn ask(
        &self,
        spec: &BuildSpec,
        stream: impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send + 'static,
        answers: &mut Answers<'_>,
    ) -> Result<()> {
        let gone = |error: &dyn std::error::Error| self.lost(&error::chain(error), "building an image");
        let body = StreamBody::new(stream.map(|piece| piece.map(Frame::data)).boxed());
        let request = hyper::Request::post(self.target(spec))
            .header("Host", "localhost")
            .header("Content-Type", "application/x-tar")
            .body(body)?;
        let response = self.send(request, "building an image").await?;
        let status = response.status();
        let mut body: Incoming = response.into_body();
        if !status.is_success() {
            let bytes = body.collect().await.map(|all| all.to_bytes()).unwrap_or_default();
            bail!("the engine rejected the build: {} (status {})", message(&bytes), status.as_u16());
        }
        let mut open: Vec<u8> = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|e| gone(&e))?.into_data() else { continue };
            open.extend_from_slice(&data);
            while let Some(end) = open.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = open.drain(..=end).collect();
                answers.line(&line)?;
            }
            anyhow::ensure!(open.len() <= LONGEST, "the engine's response has a line of more than {LONGEST} bytes");
        }
        answers.line(&open)
    }

    fn target(&self, spec: &BuildSpec) -> String {
        let args = serde_json::to_string(&spec.args).unwrap_or_default();
        let mut query = vec![
            ("dockerfile", spec.dockerfile.as_str()),
            ("platform", &spec.platform),
            ("t", &spec.tag),
            ("buildargs", &args),
            ("rm", "1"),
            ("forcerm", "1"),
        ];
        query.extend(spec.target.iter().map(|target| ("target", target.as_str())));
        if !self.about().is_podman() {
            query.push(("version", "2"));
        }
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("/v{}/build?{}", self.about().api, query.join("&"))
    }
}

/// Parses the JSON lines of a build's response.
struct Answers<'a> {
    trace: Trace,
    last: VecDeque<String>,
    tell: &'a mut dyn FnMut(&str),
}

impl Answers<'_> {
    fn line(&mut self, line: &[u8]) -> Result<()> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        let value: Value = serde_json::from_slice(line).context("the engine's response is not JSON")?;
        if let Some(error) = value.get("error").and_then(Value::as_str) {
            let said: String = self.last.iter().map(|line| format!("\n  {line}")).collect();
            bail!("{}{said}", error.trim());
        }
        if let Some(text) = value.get("stream").and_then(Value::as_str) {
            text.lines().map(str::trim_end).filter(|line| !line.is_empty()).for_each(|line| self.tell(line));
        }
        if value.get("id").and_then(Value::as_str) == Some("moby.buildkit.trace") {
            let bytes = value.get("aux").and_then(Value::as_str).map(|text| base64::prelude::BASE64_STANDARD.decode(text));
            for line in bytes.and_then(Result::ok).map(|bytes| self.trace.lines(&bytes)).unwrap_or_default() {
                self.tell(&line);
            }
        }
        Ok(())
    }

    fn tell(&mut self, line: &str) {
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
        (self.tell)(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_last_words() {
        let mut told = Vec::new();
        let mut tell = |line: &str| told.push(line.to_owned());
        let mut answers = Answers { trace: Trace::default(), last: VecDeque::new(), tell: &mut tell };
        answers.line(b"{\"stream\":\"Step 1\\n\"}\r\n").expect("line");
        let error = answers.line(br#"{"error":"exit code: 1"}"#).expect_err("error").to_string();
        assert_eq!(error, "exit code: 1\n  Step 1");
        assert!(answers.line(b"<html>").is_err());
        assert_eq!(told, ["Step 1"]);
    }
}
