use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::{MAX_PICTURE, config};

/// Runs a service until it receives a signal to stop; open requests are still answered.
/// Adds `GET /healthz`, and logs to stderr, filtered by `RUST_LOG`.
// Not async, so that the server is compiled once, here, and not again in every service.
pub fn serve(default_port: u16, routes: Router) -> Result<()> {
    log_to_stderr()?;
    let app = routes.route("/healthz", get(async || "ok")).layer(DefaultBodyLimit::max(MAX_PICTURE));
    let address = config::listen_address(default_port)?;
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(listen(address, app))
}

async fn listen(address: SocketAddr, app: Router) -> Result<()> {
    let stop = stop_signal()?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("failed to listen on `{address}`"))?;
    tracing::info!(%address, "listening");
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    tracing::info!("stopped");
    Ok(())
}

fn log_to_stderr() -> Result<()> {
    let filter: Targets = config::env_or("RUST_LOG", "info").parse().context("`RUST_LOG` is not a log filter")?;
    tracing_subscriber::registry().with(fmt::layer().with_writer(std::io::stderr)).with(filter).init();
    Ok(())
}

/// Returns on SIGTERM, which container engines send, or SIGINT, which Ctrl-C sends.
/// The handlers are installed immediately: the first process of a container ignores signals that it does not handle.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
