use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why a request failed.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    cause: anyhow::Error,
}

impl Failure {
    pub fn new(status: StatusCode, cause: impl Into<anyhow::Error>) -> Self {
        Self { status, cause: cause.into() }
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, anyhow::anyhow!("there is no {what}"))
    }

    /// Another service that was needed for the response failed.
    pub fn bad_gateway(cause: anyhow::Error) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, cause)
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, cause)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self { status, cause } = self;
        if status.is_server_error() {
            tracing::error!(%status, "{cause:#}");
        }
        (status, format!("{cause:#}\n")).into_response()
    }
}
