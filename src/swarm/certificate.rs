//! A certificate that signs itself, for the gateway of a stack that is under development.

use anyhow::{Context as _, Result};

use super::tree::Node;
use crate::app::Certificate;
use crate::engine::{Engine, SwarmFacts};
use crate::render;
use crate::shell::Shell;

/// Makes the certificate that a stack's gateway asks for, unless the swarm has it: for this machine's name and `localhost`. Its key is
/// only ever in memory and in the swarm.
///
/// # Errors
/// When the swarm does not take it.
pub fn provide(engine: &Engine, facts: &SwarmFacts, node: &Node<'_>, shell: &Shell) -> Result<()> {
    let https = node.stack.gateway.as_ref().and_then(|gateway| gateway.https.as_ref());
    if https.is_none_or(|https| https.certificate != Certificate::SelfSigned) {
        return Ok(());
    }
    let (certificate, key) = render::self_signed(&node.full);
    if engine.has_secret(&certificate)? && engine.has_secret(&key)? {
        return Ok(());
    }
    // One without the other is of no use.
    [&certificate, &key].into_iter().try_for_each(|name| engine.remove_secret(name))?;
    let names = vec!["localhost".to_owned(), facts.host.clone(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).context("failed to create a certificate")?;
    engine.create_secret(&key, &node.full, &made.signing_key.serialize_pem())?;
    engine.create_secret(&certificate, &node.full, &made.cert.pem())?;
    shell.status("Creating", format_args!("self-signed certificate {certificate}"));
    Ok(())
}
