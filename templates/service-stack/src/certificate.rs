//! A self-signed certificate for the gateway of a stack, for development.

use std::collections::HashMap;

use base64::Engine as _;
use bollard::Docker;
use bollard::models::SecretSpec;

use crate::requests::{Error, SelfSigned, missing};

/// Creates the two secrets unless the swarm already has both. The key exists only in memory and in the swarm.
pub async fn provide(
    docker: &Docker,
    wanted: &SelfSigned,
    labels: HashMap<String, String>,
) -> Result<(), Error> {
    let mut there = 0;
    for name in [&wanted.certificate, &wanted.key] {
        there += usize::from(!missing(docker.inspect_secret(name).await)?);
    }
    if there == 2 {
        return Ok(());
    }
    let names = ["localhost", &wanted.host, "127.0.0.1", "::1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names)?;
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    for (name, text) in [(&wanted.key, key), (&wanted.certificate, certificate)] {
        // A single one of the two is useless, so it is replaced.
        missing(docker.delete_secret(name).await)?;
        let spec = SecretSpec {
            name: Some(name.clone()),
            labels: Some(labels.clone()),
            data: Some(base64::prelude::BASE64_STANDARD.encode(text)),
            ..SecretSpec::default()
        };
        docker.create_secret(spec).await?;
    }
    Ok(())
}
