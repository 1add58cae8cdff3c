//! {{ name }}: a service that answers over HTTP.

use axum::routing::get;
use tokio::net::TcpListener;
use tokio::signal::unix;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:{{ port }}".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("{{ name }} listens on {address}");
    axum::serve(listener, app())
        .with_graceful_shutdown(asked_to_stop())
        .await
}

fn app() -> axum::Router {
    axum::Router::new()
        .route("/", get(hello))
        .route("/healthz", get(healthz))
}

async fn hello() -> &'static str {
    "Hello from {{ name }}\n"
}

async fn healthz() -> &'static str {
    "ok"
}

/// Returns when the process is asked to stop: by a container engine (SIGTERM) or at a terminal (SIGINT).
async fn asked_to_stop() {
    let term = unix::signal(unix::SignalKind::terminate());
    let int = unix::signal(unix::SignalKind::interrupt());
    let (Ok(mut term), Ok(mut int)) = (term, int) else {
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn it_is_healthy() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app()).await });
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with("ok"), "{answer}");
    }
}
