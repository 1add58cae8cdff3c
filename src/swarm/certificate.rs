//! The self-signed certificate of a stack's gateway, for development.

use anyhow::{Context as _, Result};

use super::tree::Node;
use crate::app::Certificate;
use crate::engine::{Engine, SwarmFacts};
use crate::render;
use crate::shell::Shell;

/// Creates the gateway's certificate for the swarm's host and `localhost`, unless the swarm already has it. The key is never
/// written to disk here; only the swarm stores it.
///
/// # Errors
/// When the swarm rejects it.
pub fn provide(engine: &Engine, facts: &SwarmFacts, node: &Node<'_>, shell: &Shell) -> Result<()> {
    let https = node.stack.gateway.as_ref().and_then(|gateway| gateway.https.as_ref());
    if https.is_none_or(|https| https.certificate != Certificate::SelfSigned) {
        return Ok(());
    }
    let (certificate, key) = render::self_signed(&node.full);
    if engine.has_secret(&certificate)? && engine.has_secret(&key)? {
        return Ok(());
    }
    // A certificate without its key is useless, and so is the reverse.
    [&certificate, &key].into_iter().try_for_each(|name| engine.remove_secret(name))?;
    let names = vec!["localhost".to_owned(), facts.host.clone(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).context("failed to create a certificate")?;
    engine.create_secret(&key, &node.full, &made.signing_key.serialize_pem())?;
    engine.create_secret(&certificate, &node.full, &made.cert.pem())?;
    shell.status("Creating", format_args!("self-signed certificate {certificate}"));
    Ok(())
}
