//! {{ name }}: a service that works at regular intervals.

use std::time::Duration;

use tokio::signal::unix;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let seconds = std::env::var("INTERVAL_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut interval = tokio::time::interval(Duration::from_secs(seconds));
    let mut term = unix::signal(unix::SignalKind::terminate())?;
    let mut int = unix::signal(unix::SignalKind::interrupt())?;
    let mut round = 0;
    loop {
        tokio::select! {
            _ = interval.tick() => {
                round += 1;
                println!("{}", work(round));
            }
            _ = term.recv() => return Ok(()),
            _ = int.recv() => return Ok(()),
        }
    }
}

/// One round of work.
fn work(round: u64) -> String {
    format!("{{ name }}: round {round}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_works() {
        assert_eq!(work(3), "{{ name }}: round 3");
    }
}
