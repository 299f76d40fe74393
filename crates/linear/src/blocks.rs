//! The data that the trainings of all blocks of labels share, and the number of labels in a block.

use crate::error::Result;
use crate::labels::Labels;
use crate::parallel;
use crate::rows::Rows;
use crate::scaling::Scaling;
use crate::settings::TrainOptions;
use crate::solver::{Candidate, Problem, Solver};
use crate::work::Work;

/// The data that all trainings of one model share.
pub(crate) struct Shared<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) labels: Labels<'a>,
    pub(crate) outputs: usize,
    pub(crate) options: &'a TrainOptions<'a>,
    pub(crate) work: &'a Work<'a>,
}

impl<'a> Shared<'a> {
    pub(crate) fn problem(&self, scaling: &'a Scaling, members: &'a [u32]) -> Problem<'a> {
        let Self { rows, labels, outputs, options, work } = *self;
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
            work: Some(work),
        }
    }
}

/// Calls a function with the number of labels solved side by side as its const parameter.
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

/// Computes a result from the solution of a block of labels.
pub(crate) trait BlockTask {
    type Output: Send;

    /// The result for labels `block * L..`, from their solution and the number of epochs it took.
    fn run<const L: usize>(&self, solver: &Solver<'_, L>, epochs: usize) -> Self::Output;
}

/// Solves all labels block by block and computes a result from each solution.
pub(crate) fn each_block<T: BlockTask + Sync>(
    shared: &Shared<'_>,
    scaling: &Scaling,
    members: &[u32],
    candidate: Candidate,
    of: &T,
) -> Result<Vec<T::Output>> {
    fn one<const L: usize, T: BlockTask>(
        problem: &Problem<'_>,
        block: usize,
        candidate: Candidate,
        of: &T,
    ) -> Result<T::Output> {
        let mut solver = Solver::<L>::new(problem, block * L);
        let epochs = solver.solve(candidate)?;
        Ok(of.run(&solver, epochs))
    }
    let problem = shared.problem(scaling, members);
    let (outputs, problem) = (shared.outputs, &problem);
    let blocks = outputs.div_ceil(lanes(outputs));
    let solved = |(): &mut (), block| match outputs {
        1 => one::<1, T>(problem, block, candidate, of),
        2..=4 => one::<4, T>(problem, block, candidate, of),
        _ => one::<8, T>(problem, block, candidate, of),
    };
    parallel::map(shared.options.threads, blocks, || (), solved).into_iter().collect()
}

/// Number of labels solved side by side.
pub(crate) fn lanes(outputs: usize) -> usize {
    match outputs {
        1 => 1,
        2..=4 => 4,
        _ => 8,
    }
}
