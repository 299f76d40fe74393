//! What joins the networks of several processes that train as one.

use std::sync::{Mutex, PoisonError};

use crate::threads::Member;
use recurra_core::{Error, Result};

/// The ranks of a group, each of which has a network of the same configuration and its own share of the rows.
///
/// All ranks make the same calls in the same order; each call blocks until all have made it, or fails.
pub trait Exchange: Send + Sync {
    /// This process's number in the group, from 0.
    fn rank(&self) -> usize;

    /// Processes in the group.
    fn size(&self) -> usize;

    /// Sums the values of all ranks in place; every rank gets the same bits.
    ///
    /// # Errors
    /// `Distributed` where a rank is lost or silent.
    fn all_reduce(&self, values: &mut [f32]) -> Result<()>;

    /// The bytes of all ranks, rank by rank.
    ///
    /// # Errors
    /// As [`Exchange::all_reduce`].
    fn all_gather(&self, bytes: &[u8]) -> Result<Vec<Vec<u8>>>;
}

/// The seed of the dropout masks of a rank.
pub(crate) fn dropout_seed(seed: u64, exchange: Option<&dyn Exchange>) -> u64 {
    // An odd constant (the golden ratio's) takes different ranks to seeds that are far apart; rank 0 keeps the network's own.
    seed ^ (exchange.map_or(0, Exchange::rank) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// What all members of a team know after a step's forward pass.
pub(crate) struct Outcome {
    pub loss: f64,
    pub correct: u64,
    pub finite: bool,
    /// Whether the ranks could not meet.
    pub failed: bool,
}

impl Outcome {
    /// That of a rank without rows in a step.
    pub const NO_ROWS: Self = Self { loss: 0.0, correct: 0, finite: true, failed: false };
}

/// Numbers that travel after the gradients: loss, correct answers, and whether something is not finite.
pub(crate) const SUMS: usize = 3;

/// The group of a chunk's steps.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a> {
    pub exchange: &'a dyn Exchange,
    /// Why a meeting failed.
    pub failure: &'a Mutex<Option<Error>>,
}

impl Group<'_> {
    /// Sums `len` numbers and `outcome` over all ranks; all members of the team must call it.
    ///
    /// # Safety
    /// `travels` must have room for [`SUMS`] numbers after them, and nothing else may use it; all members must have met.
    pub unsafe fn sum(&self, member: &Member<'_>, travels: *mut f32, len: usize, outcome: &mut Outcome) {
        // SAFETY: by the caller's promise; only the first member writes, and the others read once they have met.
        unsafe {
            if member.rank() == 0 {
                let all = std::slice::from_raw_parts_mut(travels, len + SUMS);
                let flag = if outcome.finite { 0.0 } else { 1.0 };
                all[len..].copy_from_slice(&[outcome.loss as f32, outcome.correct as f32, flag]);
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = self.exchange.all_reduce(all).err();
            }
            member.meet();
            outcome.failed = self.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some();
            let sums = std::slice::from_raw_parts(travels.add(len), SUMS);
            (outcome.loss, outcome.correct, outcome.finite) = (f64::from(sums[0]), sums[1] as u64, sums[2] == 0.0);
        }
    }
}
