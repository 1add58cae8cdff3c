//! When to try again, and after how long.

use std::time::{Duration, SystemTime};

/// Tries of one request.
pub const TRIES: u32 = 5;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(300);

/// No server makes us wait longer at a time.
const LONGEST: Duration = Duration::from_secs(60);

/// The pause before the try with this number, counted from 1; `asked` is the server's `Retry-After`.
pub fn pause(next: u32, asked: Option<Duration>) -> Duration {
    let own = FIRST * 2u32.saturating_pow(next.saturating_sub(1));
    // Several that failed together should not come back together.
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    let spread = own * (nanos % 256) / 1024;
    asked.unwrap_or(own + spread).min(LONGEST)
}

/// `Retry-After`: seconds or a date (RFC 9110, 10.2.3); none if it is neither.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default())
}

/// Whether an answer of this status may be another one soon.
pub fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        assert!(pause(1, None) < pause(2, None) && pause(2, None) < pause(3, None));
        assert_eq!(pause(1, Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(pause(1, Some(Duration::from_secs(1 << 40))), LONGEST);
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").expect("date");
        assert_eq!(retry_after(" 3 ", now), Some(Duration::from_secs(3)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:27:30 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }
}
