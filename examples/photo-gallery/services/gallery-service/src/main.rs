//! Stores photos, lists them, and serves the web page.

mod store;

use std::sync::Arc;

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use gallery_common::{Client, Failure, JPEG, Photo, config, serve};
use serde::Deserialize;
use tower_http::services::ServeDir;

use crate::store::Store;

const PORT: u16 = 8081;

struct Gallery {
    store: Store,
    client: Client,
    thumbnailer: String,
    token: String,
}

type Shared = State<Arc<Gallery>>;

fn main() -> Result<()> {
    let gallery = Gallery {
        store: Store::open(config::env_or("DATA_DIR", "/data").into())?,
        client: Client::new(),
        thumbnailer: config::env_or("THUMBNAILER_URL", "http://127.0.0.1:8082"),
        token: config::env_or("TOKEN", ""),
    };
    let routes = Router::new()
        .route("/photos", get(list).post(add))
        .route("/photos/{id}", get(picture))
        .route("/photos/{id}/thumbnail", get(thumbnail))
        .fallback_service(ServeDir::new(config::env_or("WEB_ROOT", "/srv/web")))
        .with_state(Arc::new(gallery));
    serve(PORT, routes)
}

async fn list(State(gallery): Shared) -> Result<Json<Vec<Photo>>, Failure> {
    Ok(Json(gallery.store.list()?))
}

async fn add(State(gallery): Shared, headers: HeaderMap, picture: Bytes) -> Result<impl IntoResponse, Failure> {
    let shown = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    if !gallery.token.is_empty() && shown != Some(format!("Bearer {}", gallery.token).as_bytes()) {
        return Err(Failure::new(StatusCode::UNAUTHORIZED, anyhow::anyhow!("only who has the token adds photos")));
    }
    if !picture.starts_with(b"\xff\xd8\xff") {
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, anyhow::anyhow!("this is no JPEG")));
    }
    Ok((StatusCode::CREATED, Json(gallery.store.add(&picture)?)))
}

async fn picture(State(gallery): Shared, Path(id): Path<u32>) -> Result<impl IntoResponse, Failure> {
    let picture = gallery.store.read(id)?.ok_or_else(|| Failure::not_found("such photo"))?;
    Ok(([(header::CONTENT_TYPE, JPEG)], picture))
}

#[derive(Deserialize)]
struct Size {
    #[serde(default = "Size::default_width")]
    width: u32,
}

impl Size {
    fn default_width() -> u32 {
        320
    }
}

async fn thumbnail(
    State(gallery): Shared,
    Path(id): Path<u32>,
    Query(Size { width }): Query<Size>,
) -> Result<impl IntoResponse, Failure> {
    let picture = gallery.store.read(id)?.ok_or_else(|| Failure::not_found("such photo"))?;
    let url = format!("{}/scale?width={width}", gallery.thumbnailer);
    let thumbnail = gallery.client.post(url, JPEG, picture.into()).await.map_err(Failure::bad_gateway)?;
    Ok(([(header::CONTENT_TYPE, JPEG)], thumbnail))
}
