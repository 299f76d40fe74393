//! Progress of the work on a list of texts, polled by JavaScript, and its abort flag.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Share of the time spent counting n-grams; the rest is training.
const COUNTING: f32 = 0.3;

/// Shared by texts, their counts and the training on them.
#[derive(Default)]
pub(super) struct Progress {
    /// Set to abort the work.
    pub(super) abort: AtomicBool,
    /// Bits of the completed share.
    share: AtomicU32,
}

impl Progress {
    /// Reports the share of the texts that are counted.
    pub(super) fn counted(&self, share: f32) {
        self.share.store((COUNTING * share).to_bits(), Ordering::Relaxed);
    }

    /// Reports the completed share of the training. Threads may report out of order, so the largest value is kept.
    pub(super) fn trained(&self, share: f32) {
        // Non-negative floats sort like their bits.
        self.share.fetch_max((COUNTING + (1.0 - COUNTING) * share).to_bits(), Ordering::Relaxed);
    }

    /// The completed share of all work.
    pub(super) fn share(&self) -> f32 {
        f32::from_bits(self.share.load(Ordering::Relaxed))
    }
}
