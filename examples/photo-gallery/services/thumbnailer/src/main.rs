//! Scales photos down.

mod scale;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use gallery_common::{Failure, JPEG, serve};
use serde::Deserialize;

const PORT: u16 = 8082;

fn main() -> Result<()> {
    serve(PORT, Router::new().route("/scale", post(scale)))
}

#[derive(Deserialize)]
struct Size {
    width: u32,
}

async fn scale(Query(size): Query<Size>, picture: Bytes) -> Result<impl IntoResponse, Failure> {
    // Scaling takes a while, so it runs on another thread; other requests are answered meanwhile.
    let thumbnail = tokio::task::spawn_blocking(move || scale::to_width(&picture, size.width))
        .await?
        .map_err(|cause| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, cause))?;
    Ok(([(header::CONTENT_TYPE, JPEG)], thumbnail))
}
