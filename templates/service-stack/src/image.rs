//! Marks the images of services, so that a rebuilt image counts as a change.

use bollard::Docker;
use bollard::models::TaskSpecContainerSpec;

use crate::requests::{Error, is_missing};

/// The container label with the image's ID.
const IMAGE_LABEL: &str = "io.github.cargo-appbundle.image";

/// Makes a service change when its image was rebuilt under the same name: adds the image's digest in its registry, or, if no
/// registry answers, a label with its local ID.
pub async fn mark(docker: &Docker, container: &mut TaskSpecContainerSpec) -> Result<(), Error> {
    let image = container.image.clone().unwrap_or_default();
    if has_registry(&image) {
        let found = docker.inspect_registry_image(&image, None).await;
        let digest = found.ok().and_then(|found| found.descriptor.digest);
        if let Some(digest) = digest {
            container.image = Some(format!("{image}@{digest}"));
            return Ok(());
        }
    }
    match docker.inspect_image(&image).await {
        Ok(found) => {
            let labels = container.labels.get_or_insert_default();
            labels.insert(IMAGE_LABEL.to_owned(), found.id.unwrap_or_default());
            Ok(())
        }
        // The swarm pulls it.
        Err(error) if is_missing(&error) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether an image's name begins with a registry.
fn has_registry(image: &str) -> bool {
    let host = image.split_once('/').map(|(host, _)| host);
    host.is_some_and(|host| host == "localhost" || host.contains(['.', ':']))
}
