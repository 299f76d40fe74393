//! Communication between ranks in a step: the gradients of all parameters, including embeddings, are summed over all
//! ranks.

use super::params::Table;
use super::plan::{GroupPairs, PairPlan};
use super::step::Step;
use crate::network::exchange::{Exchange, Outcome};
use crate::threads::Member;
use recurra_core::{Error, ErrorCode, Result};

/// Adds the totals of all ranks to each plan.
///
/// # Errors
/// As [`Exchange::all_gather`]; `Distributed` if the ranks' networks, step counts or numbers of batches differ.
pub(super) fn agree(exchange: &dyn Exchange, plans: &mut [PairPlan], size: usize, steps: u64) -> Result<()> {
    let head = [size as u64, steps, plans.len() as u64];
    let own = plans.iter().flat_map(|plan| [plan.layout.total() as u64, plan.rows.len() as u64]);
    let message: Vec<u8> = head.into_iter().chain(own).flat_map(u64::to_le_bytes).collect();
    let all = exchange.all_gather(&message)?;
    let all: Vec<Vec<u64>> =
        all.iter().map(|bytes| bytes.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect()).collect();
    for (rank, theirs) in all.iter().enumerate() {
        if theirs.len() != 3 + 2 * plans.len() || theirs[..3] != head {
            let message = format!(
                "rank {} and rank {rank} do not train the same network in step: parameters, steps so far and batches are {head:?} and {:?}",
                exchange.rank(),
                &theirs[..theirs.len().min(3)]
            );
            return Err(Error::new(ErrorCode::Distributed, message).at_rank(u32::try_from(rank).ok()));
        }
    }
    for (number, plan) in plans.iter_mut().enumerate() {
        let sum = |at: usize| all.iter().map(|theirs| theirs[3 + 2 * number + at]).sum();
        plan.group = Some(GroupPairs { answers: sum(0), rows: sum(1) });
    }
    Ok(())
}

impl Step<'_> {
    /// Runs a step on a rank without pairs: its gradients are zero.
    ///
    /// # Safety
    /// As [`Step::run`].
    pub(super) unsafe fn run_without_rows(&self, member: &Member<'_>, number: u64) -> Outcome {
        let share = member.share(self.params.flat_size, 1024);
        // SAFETY: the share is this member's.
        unsafe {
            std::ptr::write_bytes(self.mats.flat_grads.add(share.start), 0, share.len());
            member.meet();
            let outcome = self.update(member, number, Outcome::NO_ROWS);
            member.meet();
            self.clear_tables(member);
            outcome
        }
    }

    /// Ends a step whose loss is not finite: tells the other ranks.
    ///
    /// # Safety
    /// As [`Step::run`].
    pub(super) unsafe fn refused(&self, member: &Member<'_>, mut outcome: Outcome) -> Outcome {
        member.meet();
        // SAFETY: by the caller's promise.
        unsafe {
            self.reduce(member, &mut outcome);
            if self.group.is_some() {
                member.meet();
                self.clear_tables(member);
            }
        }
        outcome
    }

    /// Sums gradients and `outcome` over all ranks, after a barrier. Returns whether to apply the step.
    ///
    /// # Safety
    /// As [`Step::run`]; all members must call it.
    pub(super) unsafe fn reduce(&self, member: &Member<'_>, outcome: &mut Outcome) -> bool {
        let Some(group) = self.group else { return outcome.finite };
        // SAFETY: by the caller's promise; there is room after the gradients.
        unsafe { group.sum(member, self.mats.flat_grads, self.params.flat_size, outcome) };
        outcome.finite && !outcome.failed
    }

    /// Resets the gradients of the embeddings to zero, whichever rank they came from.
    ///
    /// # Safety
    /// As [`Step::run`]; all members must call it.
    pub(super) unsafe fn clear_tables(&self, member: &Member<'_>) {
        for Table { offset, rows, width } in [self.params.source, self.params.target] {
            let share = member.share(rows * width, 1024);
            // SAFETY: the share is this member's.
            unsafe { std::ptr::write_bytes(self.mats.flat_grads.add(offset + share.start), 0, share.len()) };
        }
    }
}
