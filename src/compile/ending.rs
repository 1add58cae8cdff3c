//! Ends Cargo when the user interrupts.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::process::end_group_of;

/// Time for Cargo to exit after it was asked to.
const GRACE: Duration = Duration::from_secs(3);

/// How often to check for an interrupt.
const PAUSE: Duration = Duration::from_millis(20);

/// Stops the process group of a child on the first interrupt; kills it on the second one, or if it does not exit in time.
pub fn end_on(wishes: &AtomicUsize, child: u32, ended: &AtomicBool) {
    let mut asked: Option<(Instant, usize)> = None;
    while !ended.load(Ordering::Relaxed) {
        let count = wishes.load(Ordering::Relaxed);
        match asked {
            None if count > 0 => {
                asked = Some((Instant::now(), count));
                end_group_of(child, false);
            }
            Some((since, before)) if count > before || since.elapsed() > GRACE => end_group_of(child, true),
            _ => {}
        }
        std::thread::sleep(PAUSE);
    }
}
