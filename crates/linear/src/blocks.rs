//! What the trainings of blocks of labels share: the problem, the work that is done, how many labels stand side by side.

use std::sync::{Mutex, PoisonError};

use crate::labels::Labels;
use crate::rows::Rows;
use crate::scaling::Scaling;
use crate::settings::TrainOptions;
use crate::solver::Problem;

/// What all trainings of one model share.
pub(crate) struct Shared<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) labels: Labels<'a>,
    pub(crate) outputs: usize,
    pub(crate) options: &'a TrainOptions<'a>,
}

impl<'a> Shared<'a> {
    pub(crate) fn problem(&self, scaling: &'a Scaling, members: &'a [u32]) -> Problem<'a> {
        let Self { rows, labels, outputs, options } = *self;
        Problem {
            rows,
            scaling,
            labels,
            outputs,
            members,
            row_weights: options.row_weights,
            class_weights: options.class_weights,
            tolerance: options.tolerance,
            max_epochs: options.max_epochs,
            seed: options.seed,
            abort: options.abort,
        }
    }
}

/// How much of the work is done.
pub(crate) struct Work<'a> {
    pub(crate) options: &'a TrainOptions<'a>,
    pub(crate) done: Mutex<(usize, usize)>,
}

impl Work<'_> {
    /// One of the pieces of work is done.
    pub(crate) fn step(&self) {
        if let Some(progress) = self.options.progress {
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            done.0 += 1;
            progress(done.0 as f32 / done.1.max(done.0) as f32);
        }
    }
}

/// Calls a function with the number of labels that are solved side by side.
macro_rules! by_lanes {
    ($outputs:expr, $call:ident($($argument:expr),*)) => {
        match $outputs {
            1 => $call::<1>($($argument),*),
            2..=4 => $call::<4>($($argument),*),
            _ => $call::<8>($($argument),*),
        }
    };
}

pub(crate) use by_lanes;

/// Labels that are solved side by side.
pub(crate) fn lanes(outputs: usize) -> usize {
    match outputs {
        1 => 1,
        2..=4 => 4,
        _ => 8,
    }
}
