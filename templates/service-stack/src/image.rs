//! Images as the tasks of services name them.

use bollard::Docker;
use bollard::models::TaskSpecContainerSpec;

use crate::requests::{Error, is_missing};

/// The label of containers with the sum of their image.
const IMAGE_LABEL: &str = "io.github.cargo-appbundle.image";

/// Makes an image that was built again under its name another one: with its digest in the registry, if it is in one that
/// answers, else with its sum here as a label.
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
        // The swarm asks for it.
        Err(error) if is_missing(&error) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether an image's name begins with the registry that has it.
fn has_registry(image: &str) -> bool {
    let host = image.split_once('/').map(|(host, _)| host);
    host.is_some_and(|host| host == "localhost" || host.contains(['.', ':']))
}
