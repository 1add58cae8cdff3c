//! DSSE envelopes (Dead Simple Signing Envelope, v1.0) around in-toto statements: one on each line of a `.intoto.jsonl` file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::statement::Statement;
use super::verifying_key::VerifyingKey;

/// `payloadType` of in-toto statements.
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Bytes of a file of envelopes that are read.
pub const LARGEST_ENVELOPES: u64 = 64 << 20;

/// A signed document.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// A statement whose signature is good.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What is said.
    pub statement: Statement,
    /// Which of the keys says it.
    pub key: usize,
}

/// Why an envelope is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be read.
    Damaged(String),
    /// None of the keys made a signature of it.
    OtherKey,
}

/// A statement as it is signed.
pub struct Unsigned {
    payload: Vec<u8>,
}

impl Unsigned {
    /// Prepares a statement.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn new(statement: &Statement) -> serde_json::Result<Self> {
        Ok(Self { payload: serde_json::to_vec(statement)? })
    }

    /// What the signature is of: the pre-authentication encoding.
    pub fn message(&self) -> Vec<u8> {
        encoding(IN_TOTO, &self.payload)
    }

    /// The envelope with a signature of that message, and a line feed.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn seal(&self, key: &VerifyingKey, signature: &[u8]) -> serde_json::Result<String> {
        let sig = STANDARD.encode(key.for_envelope(signature));
        let envelope = Envelope {
            payload: STANDARD.encode(&self.payload),
            payload_type: IN_TOTO.into(),
            signatures: vec![EnvelopeSignature { keyid: key.fingerprint().hex(), sig }],
        };
        serde_json::to_string(&envelope).map(|text| text + "\n")
    }
}

/// `DSSEv1 LENGTH TYPE LENGTH PAYLOAD` (protocol.md, "Signature Definition").
fn encoding(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

/// Reads a file of envelopes; each has to be signed with one of the keys.
///
/// # Errors
/// When one is damaged, or signed with other keys only; when there is none.
pub fn open(text: &[u8], keys: &[VerifyingKey]) -> Result<Vec<Signed>, Refusal> {
    read(text, |opened| {
        let key = opened.signer(keys)?.ok_or(Refusal::OtherKey)?;
        Ok(Signed { statement: opened.statement()?, key })
    })
}

/// The statements in a file of envelopes, whoever signed them.
///
/// # Errors
/// When one is damaged; when there is none.
pub fn unverified(text: &[u8]) -> Result<Vec<Statement>, Refusal> {
    read(text, |opened| opened.statement())
}

fn read<T>(text: &[u8], one: impl Fn(Opened) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
    let text = std::str::from_utf8(text).map_err(|_| Refusal::Damaged("it is not UTF-8".into()))?;
    let all = text.split_terminator('\n').map(|line| one(Opened::read(line)?)).collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() { Err(Refusal::Damaged("it is empty".into())) } else { Ok(all) }
}

/// An envelope whose signatures were not looked at.
struct Opened {
    payload: Vec<u8>,
    signatures: Vec<EnvelopeSignature>,
}

impl Opened {
    fn read(line: &str) -> Result<Self, Refusal> {
        let damaged = |why: String| Refusal::Damaged(why);
        let Envelope { payload, payload_type, signatures } =
            serde_json::from_str(line).map_err(|error| damaged(format!("it is not an envelope: {error}")))?;
        if payload_type != IN_TOTO {
            return Err(damaged(format!("its payload has the type `{}`, not `{IN_TOTO}`", payload_type.escape_debug())));
        }
        let payload = STANDARD.decode(payload).map_err(|error| damaged(format!("its payload is not base64: {error}")))?;
        Ok(Self { payload, signatures })
    }

    /// Which of the keys signed it.
    fn signer(&self, keys: &[VerifyingKey]) -> Result<Option<usize>, Refusal> {
        let message = encoding(IN_TOTO, &self.payload);
        for EnvelopeSignature { keyid, sig } in &self.signatures {
            let damaged = |error| Refusal::Damaged(format!("its signature is not base64: {error}"));
            let sig = STANDARD.decode(sig).map_err(damaged)?;
            // `keyid` is only a hint, and not signed. One that leads to no key here is of no use; other tools leave it empty.
            let fits = |key: &VerifyingKey| {
                (keyid.is_empty() || *keyid == key.fingerprint().hex())
                    && key.for_envelope(&key.normalized(&sig).unwrap_or_default()) == sig
            };
            if let Some(key) = keys.iter().position(|key| fits(key) && key.verifies(&message, &sig)) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    fn statement(&self) -> Result<Statement, Refusal> {
        Statement::parse(&self.payload).map_err(Refusal::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::trust::signing_key::SigningKey;
    use crate::trust::statement::Subject;

    /// The example of protocol.md.
    #[test]
    fn the_encoding_is_that_of_the_specification() {
        assert_eq!(
            encoding("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn every_flipped_bit_of_a_file_of_envelopes_is_refused() {
        let (key, _) = SigningKey::generate().expect("key");
        let (other, _) = SigningKey::generate().expect("key");
        let keys = [other.public().clone(), key.public().clone()];
        let statement = Statement::release("com.example.demo", "1.0.0+x", vec![Subject::new("a", Digest::of(b"a"))]);
        let unsigned = Unsigned::new(&statement).expect("JSON");
        let line = unsigned.seal(key.public(), &key.sign(&unsigned.message()).expect("signed")).expect("JSON");
        let text = format!("{line}{line}");
        let signed = open(text.as_bytes(), &keys).expect("good");
        assert_eq!((signed.len(), signed[1].key, &signed[1].statement), (2, 1, &statement));
        assert_eq!(open(text.as_bytes(), &keys[..1]).expect_err("other"), Refusal::OtherKey);
        assert!(open(b"", &keys).is_err());
        let mut flipped = text.clone().into_bytes();
        for at in 0..flipped.len() {
            for bit in 0..8 {
                flipped[at] ^= 1 << bit;
                assert!(open(&flipped, &keys).is_err(), "bit {bit} of byte {at}");
                flipped[at] ^= 1 << bit;
            }
        }
    }
}
