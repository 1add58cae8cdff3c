//! Takes photos and sends them to the gallery.

mod scene;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use gallery_common::{Client, Failure, JPEG, Photo, config, serve};

const PORT: u16 = 8080;

struct Camera {
    client: Client,
    gallery: String,
    taken: AtomicU32,
}

fn main() -> Result<()> {
    let camera = Camera {
        client: Client::new().with_token(config::env_or("TOKEN", "")),
        gallery: config::env_or("GALLERY_URL", "http://127.0.0.1:8081"),
        taken: AtomicU32::new(0),
    };
    serve(PORT, Router::new().route("/camera/capture", post(capture)).with_state(Arc::new(camera)))
}

async fn capture(State(camera): State<Arc<Camera>>) -> Result<impl IntoResponse, Failure> {
    let number = camera.taken.fetch_add(1, Ordering::Relaxed);
    let picture = tokio::task::spawn_blocking(move || scene::picture(number)).await??;

    let url = format!("{}/photos", camera.gallery);
    let answer = camera.client.post(url, JPEG, picture.into()).await.map_err(Failure::bad_gateway)?;
    let photo: Photo = serde_json::from_slice(&answer)?;
    // The gallery's page comes from another port, which browsers treat as another site.
    Ok(([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(photo)))
}
