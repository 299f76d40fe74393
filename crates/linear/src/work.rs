//! How much of a training is done.

use std::sync::{Mutex, PoisonError};

/// How much of the work is done, in solutions of a block of labels.
pub(crate) struct Work<'a> {
    pub(crate) progress: Option<&'a (dyn Fn(f32) + Sync)>,
    /// Solutions that there will be.
    pub(crate) pieces: usize,
    pub(crate) done: Mutex<f64>,
}

impl Work<'_> {
    /// A part of a solution is done, up to 1.
    pub(crate) fn advance(&self, by: f64) {
        if let Some(progress) = self.progress {
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            *done += by;
            progress((*done / self.pieces.max(1) as f64).min(1.0) as f32);
        }
    }
}
