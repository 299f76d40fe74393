//! Progress of the work on a list of texts, polled by JavaScript, and its abort flag.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The share of the time spent counting n-grams; the rest is training.
const COUNTING: f32 = 0.3;

/// Shared by texts, their counts and the training on them.
#[derive(Default)]
pub(super) struct Progress {
    /// Set to stop the work.
    pub(super) abort: AtomicBool,
    /// Bits of the finished share.
    share: AtomicU32,
}

impl Progress {
    /// Reports the counted share of the texts.
    pub(super) fn counted(&self, share: f32) {
        self.share.store((COUNTING * share).to_bits(), Ordering::Relaxed);
    }

    /// Reports the finished share of the training. Threads may report out of order: the largest value is kept.
    pub(super) fn trained(&self, share: f32) {
        // Non-negative floats have the order of their bits.
        self.share.fetch_max((COUNTING + (1.0 - COUNTING) * share).to_bits(), Ordering::Relaxed);
    }

    /// The finished share of all work.
    pub(super) fn share(&self) -> f32 {
        f32::from_bits(self.share.load(Ordering::Relaxed))
    }
}
