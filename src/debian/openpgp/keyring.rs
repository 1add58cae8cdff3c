//! The keys that may sign (RFC 4880, 11.1): primary keys, and the subkeys that they vouch for.

use anyhow::{Result, ensure};
use ring::digest;

use super::algorithm::PublicKey;
use super::packet::{Fields, PUBLIC_KEY, PUBLIC_SUBKEY, SIGNATURE, USER_ID, packets};
use super::signature::Signature;
use super::{Cleartext, armor};

/// The flag of a key that may sign data.
const SIGNS: u8 = 0x02;

/// A key that may sign.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The name of its owner.
    pub owner: String,
    /// When it becomes void, in seconds since the epoch.
    pub expires: Option<u64>,
    id: [u8; 8],
    created: u64,
    key: PublicKey,
}

/// Keys that may sign.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    signers: Vec<Signer>,
}

/// A key as it stands in a keyring.
struct Found<'a> {
    body: &'a [u8],
    created: u64,
    key: PublicKey,
}

impl<'a> Found<'a> {
    /// `None` for other versions and algorithms.
    fn read(body: &'a [u8]) -> Result<Option<Self>> {
        let mut fields = Fields(body);
        if fields.byte()? != 4 {
            return Ok(None);
        }
        let created = fields.number(4)? as u64;
        let algorithm = fields.byte()?;
        Ok(PublicKey::read(algorithm, &mut fields)?.map(|key| Self { body, created, key }))
    }

    /// What signatures of this key are over (RFC 4880, 5.2.4).
    fn hashed(&self) -> Vec<u8> {
        let mut bytes = vec![0x99];
        bytes.extend((self.body.len() as u16).to_be_bytes());
        bytes.extend_from_slice(self.body);
        bytes
    }

    fn signer(self, owner: &str, lifetime: Option<u64>) -> Signer {
        let sum = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.hashed());
        let mut id = [0; 8];
        id.copy_from_slice(&sum.as_ref()[12..]);
        Signer {
            owner: owner.to_owned(),
            expires: lifetime.map(|seconds| self.created.saturating_add(seconds)),
            id,
            created: self.created,
            key: self.key,
        }
    }
}

impl Keyring {
    /// Reads exported keys, armored or not.
    ///
    /// # Errors
    /// When they are damaged, or none of them can sign.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let armored;
        let bytes = match bytes.first() {
            Some(first) if first & 0x80 != 0 => bytes,
            _ => {
                armored = armor::blocks(&String::from_utf8_lossy(bytes), "PUBLIC KEY BLOCK")?;
                &armored
            }
        };
        let packets = packets(bytes)?;
        let starts: Vec<usize> = (0..packets.len()).filter(|at| packets[*at].0 == PUBLIC_KEY).collect();
        let mut signers = Vec::new();
        for (at, start) in starts.iter().enumerate() {
            let end = starts.get(at + 1).copied().unwrap_or(packets.len());
            signers.extend(of_one(&packets[*start..end])?);
        }
        ensure!(!signers.is_empty(), "it has no key that can sign");
        Ok(Self { signers })
    }

    /// The text of a message, if a known key signed it that is not void at `now`.
    ///
    /// # Errors
    /// When it is not signed, a known key's signature is of other bytes, or none of its signatures counts.
    pub fn verified(&self, message: &[u8], now: u64) -> Result<String> {
        let message = Cleartext::parse(message)?;
        let canonical = message.canonical();
        let (mut good, mut faults) = (false, Vec::new());
        for signature in message.signatures.iter().filter(|signature| signature.class <= 1) {
            let issuer = signature.issuer.unwrap_or_default();
            let shown: String = issuer.iter().map(|byte| format!("{byte:02X}")).collect();
            let Some(signer) = self.signers.iter().find(|signer| signer.id == issuer) else {
                faults.push(format!("the key {shown} is unknown"));
                continue;
            };
            ensure!(
                signature.is_by(&signer.key, &canonical),
                "its signature with the key {shown} ({}) does not match the text",
                signer.owner
            );
            let expires = signature.lifetime.map(|seconds| signature.created.saturating_add(seconds));
            if signer.expires.is_some_and(|end| end <= now) {
                faults.push(format!("the key {shown} ({}) has expired", signer.owner));
            } else if expires.is_some_and(|end| end <= now) {
                faults.push(format!("the signature with the key {shown} has expired"));
            } else if signature.created < signer.created {
                faults.push(format!("the signature with the key {shown} is older than the key"));
            } else {
                good = true;
            }
        }
        ensure!(good || !faults.is_empty(), "it has no signature that is understood");
        ensure!(
            good,
            "no signature is valid: {}\nhelp: if this is the right archive, set `keyring` to a file with its current keys",
            faults.join(", ")
        );
        Ok(message.text)
    }
}

/// A primary key with its names and subkeys. Signatures that do not verify count for nothing.
fn of_one(packets: &[(u8, &[u8])]) -> Result<Vec<Signer>> {
    let Some(primary) = Found::read(packets[0].1)? else { return Ok(Vec::new()) };
    let own = primary.hashed();
    let (mut subject, mut bytes) = (PUBLIC_KEY, own.clone());
    let mut owner = String::new();
    // The newest signature says what the key is for and how long.
    let mut newest: Option<Signature> = None;
    let mut subkeys: Vec<(Found<'_>, Option<Signature>, bool)> = Vec::new();
    for (tag, body) in &packets[1..] {
        match *tag {
            USER_ID => {
                subject = USER_ID;
                bytes = [&own[..], &[0xb4], &(body.len() as u32).to_be_bytes(), body].concat();
                if owner.is_empty() {
                    owner = String::from_utf8_lossy(body).into_owned();
                }
            }
            PUBLIC_SUBKEY => {
                subject = 0;
                if let Some(found) = Found::read(body)? {
                    subject = PUBLIC_SUBKEY;
                    bytes = [own.clone(), found.hashed()].concat();
                    subkeys.push((found, None, false));
                }
            }
            SIGNATURE => {
                let Some(signature) = Signature::read(body)?.filter(|signature| signature.is_by(&primary.key, &bytes)) else {
                    continue;
                };
                match (subject, signature.class, subkeys.last_mut()) {
                    (PUBLIC_KEY, 0x20, _) => return Ok(Vec::new()),
                    (PUBLIC_KEY, 0x1f, _) | (USER_ID, 0x10..=0x13, _) => newest = newer(newest, signature),
                    (PUBLIC_SUBKEY, 0x18, Some((_, binding, _))) => *binding = newer(binding.take(), signature),
                    (PUBLIC_SUBKEY, 0x28, Some((_, _, revoked))) => *revoked = true,
                    _ => {}
                }
            }
            _ => subject = 0,
        }
    }
    let Some(newest) = newest else { return Ok(Vec::new()) };
    let primary_end = newest.key_lifetime.map(|seconds| primary.created.saturating_add(seconds));
    let mut signers = Vec::new();
    for (found, binding, revoked) in subkeys {
        let Some(binding) = binding.filter(|_| !revoked) else { continue };
        // A key that signs must agree to be the subkey (RFC 4880, 5.2.1, 0x19).
        let over = [own.clone(), found.hashed()].concat();
        let agrees = binding.back.as_ref().is_some_and(|back| back.class == 0x19 && back.is_by(&found.key, &over));
        if agrees && binding.flags.is_some_and(|flags| flags & SIGNS != 0) {
            let mut signer = found.signer(&owner, binding.key_lifetime);
            signer.expires = [signer.expires, primary_end].into_iter().flatten().min();
            signers.push(signer);
        }
    }
    if newest.flags.is_none_or(|flags| flags & SIGNS != 0) {
        signers.push(primary.signer(&owner, newest.key_lifetime));
    }
    Ok(signers)
}

fn newer(one: Option<Signature>, other: Signature) -> Option<Signature> {
    match one {
        Some(one) if one.created > other.created => Some(one),
        _ => Some(other),
    }
}
