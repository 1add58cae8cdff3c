//! Progress by bytes.

use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on the last line of the terminal; it goes away when dropped.
pub struct Progress<'a> {
    bar: ProgressBar,
    /// Whether a bar stands on the last line.
    busy: &'a AtomicBool,
}

impl<'a> Progress<'a> {
    pub(super) fn new(target: ProgressDrawTarget, total: u64, verb: &str, busy: &'a AtomicBool) -> Self {
        let style = ProgressStyle::with_template("{prefix:>12.cyan.bold} [{bar:25}] {bytes}/{total_bytes} {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(total), target).with_style(style).with_prefix(verb.to_owned());
        Self { bar, busy }
    }

    /// `bytes` more are done.
    pub fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// What advances the bar from wherever bytes are handled, for as long as it takes.
    pub fn handle(&self) -> impl Fn(u64) + Send + Sync + use<> {
        let bar = self.bar.clone();
        move |bytes| bar.inc(bytes)
    }

    /// What is being worked on.
    pub fn message(&self, text: impl Into<String>) {
        self.bar.set_message(text.into());
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        self.busy.store(false, Ordering::Relaxed);
    }
}
