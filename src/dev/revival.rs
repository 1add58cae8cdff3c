//! When to start services again that crashed, or whose containers were removed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long to wait before a service starts again: at first, and at most. Each time, the pause doubles.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A service that ran this long waits as at first.
const CALM: Duration = Duration::from_secs(60);

/// The services that are down, or were.
#[derive(Default)]
pub struct Revivals {
    by_service: BTreeMap<String, Revival>,
}

struct Revival {
    /// The next pause.
    pause: Duration,
    /// When it starts again; `None` while it runs.
    at: Option<Instant>,
    /// When it last started again.
    since: Instant,
}

impl Revivals {
    /// Takes note of the services that are down now. Returns those that it did not know to be down, each with its pause.
    pub fn note(&mut self, down: &[String], now: Instant) -> Vec<(String, Duration)> {
        // Those that wait but are not down were started again for another reason.
        self.by_service.retain(|name, revival| revival.at.is_none() || down.contains(name));
        let mut new = Vec::new();
        for name in down {
            let fresh = Revival { pause: PAUSE.0, at: None, since: now };
            let revival = self.by_service.entry(name.clone()).or_insert(fresh);
            if revival.at.is_some() {
                continue;
            }
            if now.saturating_duration_since(revival.since) > CALM {
                revival.pause = PAUSE.0;
            }
            new.push((name.clone(), revival.pause));
            revival.at = Some(now + revival.pause);
            revival.pause = PAUSE.1.min(revival.pause * 2);
        }
        new
    }

    /// Takes the services whose pause is over.
    pub fn due(&mut self, now: Instant) -> Vec<String> {
        let mut due = Vec::new();
        for (name, revival) in &mut self.by_service {
            if revival.at.is_some_and(|at| at <= now) {
                (revival.at, revival.since) = (None, now);
                due.push(name.clone());
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_the_service_runs_for_a_while() {
        let mut revivals = Revivals::default();
        let mut now = Instant::now();
        let down = vec!["a".to_owned()];
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let new = revivals.note(&down, now);
            assert_eq!(revivals.note(&down, now), []);
            assert!(revivals.due(now).is_empty());
            pauses.push(new[0].1.as_secs());
            now += new[0].1;
            assert_eq!(revivals.due(now), down);
            assert!(revivals.note(&[], now).is_empty());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        now += CALM * 2;
        assert_eq!(revivals.note(&down, now), [("a".to_owned(), PAUSE.0)]);
        // An edit started it meanwhile.
        assert!(revivals.note(&[], now).is_empty() && revivals.due(now + CALM).is_empty());
        assert_eq!(revivals.note(&down, now), [("a".to_owned(), PAUSE.0)]);
    }
}
