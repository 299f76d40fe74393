//! Where the time of a training step goes, for the bench `roofline`: a stopwatch for each thread.
//!
//! Without the feature `phases` nothing is measured, and nothing is compiled in.

/// A part of a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// All that has no name: meetings, and what lies between steps.
    Other,
    /// Weights into panels.
    Pack,
    /// Vectors of a batch's words: brought current, copied, fetched for the next step, moved.
    Words,
    /// Input projection.
    Project,
    /// The recurrent product, forward and backward.
    Forward,
    /// As [`Phase::Forward`].
    Backward,
    /// The gates, forward and backward.
    Gates,
    /// As [`Phase::Gates`].
    GatesBack,
    /// The head: scores, losses, and the way back to the encoder's outputs.
    Head,
    /// Gradients of the head's weights.
    HeadGrads,
    /// Gradients of the recurrent layers' weights.
    WeightGrads,
    /// Gradients of a layer's input.
    InputGrads,
    /// The optimizer's step for all weights but the words' vectors.
    Update,
}

impl Phase {
    /// Number of the phases.
    pub const COUNT: usize = Self::Update as usize + 1;
}

#[cfg(feature = "phases")]
mod watch {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    use crate::phases::Phase;

    thread_local! {
        static SPENT: Cell<[Duration; Phase::COUNT]> = const { Cell::new([Duration::ZERO; Phase::COUNT]) };
        static NOW: Cell<Option<(Phase, Instant)>> = const { Cell::new(None) };
    }

    /// Begins a phase of this thread; the one before ends.
    pub fn begin(phase: Phase) {
        let now = Instant::now();
        if let Some((before, start)) = NOW.replace(Some((phase, now))) {
            let mut spent = SPENT.get();
            spent[before as usize] += now - start;
            SPENT.set(spent);
        }
    }

    /// What this thread spent in each phase since the last call.
    pub fn take() -> [Duration; Phase::COUNT] {
        begin(Phase::Other);
        SPENT.replace([Duration::ZERO; Phase::COUNT])
    }
}

#[cfg(feature = "phases")]
pub use watch::{begin, take};

#[cfg(not(feature = "phases"))]
#[inline(always)]
pub(crate) const fn begin(_: Phase) {}
