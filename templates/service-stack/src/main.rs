//! {{ name }}: a stack as one container. It brings the stack up, tells over HTTP how it is, and takes it down when it ends:
//! `GET /status`, `POST /deploy`, `POST /remove`, `GET /healthz`.

mod docker;
mod stack;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::signal::unix;

use stack::Stack;

/// The stack; whoever changes it holds the lock.
type Shared = Arc<Mutex<Stack>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut term = unix::signal(unix::SignalKind::terminate())?;
    let mut int = unix::signal(unix::SignalKind::interrupt())?;
    let path = std::env::var("STACK").unwrap_or_else(|_| "/etc/appbundle/stack.json".to_owned());
    let stack = Stack::read(&path)?;
    println!("{{ name }} controls the stack {}", stack.name());
    let shared: Shared = Arc::new(Mutex::new(stack));
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:{{ port }}".to_owned());
    let listener = TcpListener::bind(&address).await?;
    let app = app(Arc::clone(&shared));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let starting = Arc::clone(&shared);
    tokio::spawn(async move {
        match change(starting, Stack::deploy).await {
            Ok(_) => println!("all of it runs"),
            Err(error) => eprintln!("failed to bring the stack up: {error}"),
        }
    });
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    println!("taking the stack down");
    change(shared, Stack::remove).await?;
    println!("all of it is gone");
    Ok(())
}

fn app(shared: Shared) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route(
            "/status",
            get(|State(shared)| answer(shared, Stack::status)),
        )
        .route(
            "/deploy",
            post(|State(shared)| answer(shared, Stack::deploy)),
        )
        .route(
            "/remove",
            post(|State(shared)| answer(shared, Stack::remove)),
        )
        .with_state(shared)
}

async fn answer(shared: Shared, work: fn(&Stack) -> stack::Answer) -> (StatusCode, String) {
    match change(shared, work).await {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error}\n")),
    }
}

/// Works on the stack in a thread of its own: Docker's answers take as long as they take.
async fn change(shared: Shared, work: fn(&Stack) -> stack::Answer) -> Result<String, String> {
    let done = tokio::task::spawn_blocking(move || {
        let stack = match shared.lock() {
            Ok(stack) => stack,
            Err(poisoned) => poisoned.into_inner(),
        };
        work(&stack).map_err(|error| error.to_string())
    });
    done.await.map_err(|error| error.to_string())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[tokio::test(flavor = "multi_thread")]
    async fn it_is_healthy_and_knows_its_stack() {
        let text = r#"{ "Variables": "X", "App": "a", "Name": "s", "Networks": [], "Configs": [], "Services": [], "Stacks": [] }"#;
        let stack = Stack::parse(text, &|_| None).unwrap();
        assert_eq!(stack.name(), "a-s");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = app(Arc::new(Mutex::new(stack)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let asked = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let request = "GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        assert!(asked.await.unwrap().ends_with("ok"));
    }
}
