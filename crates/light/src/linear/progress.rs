//! How far the work on a list of texts is, which JavaScript asks from time to time, and whether it is still wanted.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The share of the time that the counting of n-grams takes; the rest is the training's.
const COUNTING: f32 = 0.3;

/// What texts, what was counted of them and the training on it have in common.
#[derive(Default)]
pub(super) struct Progress {
    /// Becomes true when the work is to end.
    pub(super) abort: AtomicBool,
    /// Bits of the share that is done.
    share: AtomicU32,
}

impl Progress {
    /// A share of the texts is counted.
    pub(super) fn counted(&self, share: f32) {
        self.share.store((COUNTING * share).to_bits(), Ordering::Relaxed);
    }

    /// A share of the training is done. Threads may tell out of order: the largest stays.
    pub(super) fn trained(&self, share: f32) {
        // Numbers from 0 on have the order of their bits.
        self.share.fetch_max((COUNTING + (1.0 - COUNTING) * share).to_bits(), Ordering::Relaxed);
    }

    /// The share of all that is done.
    pub(super) fn share(&self) -> f32 {
        f32::from_bits(self.share.load(Ordering::Relaxed))
    }
}
