//! Progress of a training.

use std::sync::{Mutex, PoisonError};

/// The work done, in solutions of a block of labels.
pub(crate) struct Work<'a> {
    pub(crate) progress: Option<&'a (dyn Fn(f32) + Sync)>,
    /// Total number of solutions.
    pub(crate) pieces: usize,
    pub(crate) done: Mutex<f64>,
}

impl Work<'_> {
    /// Adds a part of a solution, from 0 to 1.
    pub(crate) fn advance(&self, by: f64) {
        if let Some(progress) = self.progress {
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            *done += by;
            progress((*done / self.pieces.max(1) as f64).min(1.0) as f32);
        }
    }
}
