use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use axum::body::Bytes;
use axum::http::{Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::MAX_PICTURE;

const TIMEOUT: Duration = Duration::from_secs(30);

/// A boxed future.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Sends photos to other services; clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    token: String,
}

impl Client {
    pub fn new() -> Self {
        Self { http: legacy::Client::builder(TokioExecutor::new()).build_http(), token: String::new() }
    }

    /// Sends this token with every photo, unless it is empty.
    pub fn with_token(self, token: String) -> Self {
        Self { token, ..self }
    }

    /// Posts a photo, and returns the body of a successful response.
    // Boxed, so that the client is compiled once, here, and not again in every service.
    pub fn post(&self, url: String, content_type: &'static str, picture: Bytes) -> BoxFuture<Result<Bytes>> {
        let client = self.clone();
        Box::pin(async move {
            let answer = timeout(TIMEOUT, client.send(&url, content_type, picture)).await;
            answer.map_err(anyhow::Error::from).flatten().with_context(|| format!("failed to post a picture to `{url}`"))
        })
    }

    async fn send(&self, url: &str, content_type: &str, picture: Bytes) -> Result<Bytes> {
        let mut request = Request::post(url).header(header::CONTENT_TYPE, content_type);
        if !self.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        let response = self.http.request(request.body(Full::new(picture))?).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_PICTURE).collect().await.map_err(anyhow::Error::from_boxed)?.to_bytes();
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&body).trim());
        }
        Ok(body)
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}
