//! {{ name }}: runs a stack from one container. It deploys the stack, reports its state over HTTP, and removes it on exit:
//! `GET /status`, `POST /deploy`, `POST /remove`, `GET /healthz`. A SIGHUP does the same as `POST /deploy`.

mod certificate;
mod image;
mod requests;
mod stack;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::net::TcpListener;
use tokio::signal::unix;
use tokio::sync::{Mutex, watch};

use requests::{Error, Requests, Surroundings};
use stack::Stack;

/// The name of this service.
const NAME: &str = "{{ name }}";

/// The stack's requests, packed into the image.
const STACK: &str = "/etc/appbundle/stacks/{{ stack }}.json";

/// Seconds to wait for a response from Docker.
const PATIENCE: u64 = 120;

/// The stack, and what guards changes to it.
struct Controller {
    stack: Stack,
    /// Locked while the stack changes.
    changing: Mutex<()>,
    /// Whether this container is about to exit; nothing is deployed any more.
    ending: watch::Sender<bool>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut term = unix::signal(unix::SignalKind::terminate())?;
    let mut int = unix::signal(unix::SignalKind::interrupt())?;
    let mut again = unix::signal(unix::SignalKind::hangup())?;
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or(default.to_owned());
    let socket = variable("DOCKER_SOCKET", "/var/run/docker.sock");
    let docker = Docker::connect_with_unix(&socket, PATIENCE, API_DEFAULT_VERSION)?;
    let docker = docker.negotiate_version().await?;
    let host = docker.info().await?.name.unwrap_or_default();
    let path = variable("STACK", STACK);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let around = Surroundings {
        host,
        told: &|name| std::env::var(name).ok(),
    };
    let controller = Arc::new(Controller::new(Stack::new(
        docker,
        Requests::parse(&text, &around)?,
    )));
    println!("{NAME} controls the stack {}", controller.stack.name());
    let listener = TcpListener::bind(variable("LISTEN", "0.0.0.0:{{ port }}")).await?;
    let server = axum::serve(listener, app(Arc::clone(&controller)));
    tokio::spawn(async move { server.await });
    let starting = Arc::clone(&controller);
    tokio::spawn(async move {
        loop {
            match starting.deploy().await {
                Ok(_) => println!("the stack runs"),
                Err(error) => eprintln!("failed to deploy the stack: {error}"),
            }
            // A SIGHUP says that an image was rebuilt or replaced.
            again.recv().await;
        }
    });
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    println!("removing the stack");
    controller.ending.send_replace(true);
    controller.remove().await?;
    println!("the stack is removed");
    Ok(())
}

impl Controller {
    fn new(stack: Stack) -> Self {
        let (changing, ending) = (Mutex::new(()), watch::Sender::new(false));
        Self {
            stack,
            changing,
            ending,
        }
    }

    /// Deploys the stack, unless this container exits meanwhile; returns its state.
    async fn deploy(&self) -> Result<String, Error> {
        let _held = self.changing.lock().await;
        let mut ending = self.ending.subscribe();
        tokio::select! {
            up = self.stack.deploy() => up?,
            _ = ending.wait_for(|ending| *ending) => return Err("this container is exiting".into()),
        }
        self.status().await
    }

    async fn remove(&self) -> Result<String, Error> {
        let _held = self.changing.lock().await;
        self.stack.remove().await?;
        self.status().await
    }

    async fn status(&self) -> Result<String, Error> {
        Ok(serde_json::to_string_pretty(&self.stack.status().await?)? + "\n")
    }
}

type Shared = State<Arc<Controller>>;

fn app(controller: Arc<Controller>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route(
            "/status",
            get(async |State(c): Shared| told(c.status().await)),
        )
        .route(
            "/deploy",
            post(async |State(c): Shared| told(c.deploy().await)),
        )
        .route(
            "/remove",
            post(async |State(c): Shared| told(c.remove().await)),
        )
        .with_state(controller)
}

fn told(answer: Result<String, Error>) -> (StatusCode, String) {
    match answer {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn asked(request: &str) -> String {
        let text = r#"{ "Variables": "X", "App": "a", "Name": "s", "Networks": [], "Configs": [], "Services": [], "Stacks": [] }"#;
        let around = Surroundings {
            host: "h".to_owned(),
            told: &|_| None,
        };
        // Nothing listens on this port.
        let docker = Docker::connect_with_http("127.0.0.1:1", 1, API_DEFAULT_VERSION).unwrap();
        let stack = Stack::new(docker, Requests::parse(text, &around).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = app(Arc::new(Controller::new(stack)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn it_is_healthy_and_says_that_no_engine_answers() {
        assert!(asked("GET /healthz").await.ends_with("ok"));
        assert!(asked("GET /status").await.starts_with("HTTP/1.1 502"));
    }
}
