//! The meeting of the ranks in a step: their gradients become the sum over all ranks' rows, in one message.
//!
//! What travels are the gradients of all dense parameters, after them those of the words and features that any rank reads in this
//! step, in the order of their ids, and after these the loss, the correct answers and whether something is not finite.

use std::ops::Range;

use super::exchange::{Group, Outcome};
use super::plans::{GroupStep, StepPlan};
use super::step::Step;
use crate::encoder::embedding::Own;
use crate::encoder::lookup::Lookup;
use crate::encoder::noise::Squares;
use crate::simd::dispatch;
use crate::threads::Member;

/// Rows of a table in what travels.
struct Rows<'a> {
    of: &'a Lookup,
    /// Where they begin.
    start: usize,
    /// The place of each of the plan's rows among them.
    places: &'a [u32],
    /// How many of the plan's rows have a gradient of this rank.
    own: usize,
}

impl Rows<'_> {
    fn len(&self) -> usize {
        self.places.len() * self.of.dims
    }

    fn share(&self, member: &Member<'_>) -> Range<usize> {
        member.share(self.places.len(), 8)
    }

    fn at(&self, row: usize) -> usize {
        self.start + self.places[row] as usize * self.of.dims
    }

    /// Copies this member's rows to what travels.
    unsafe fn pack(&self, member: &Member<'_>, travels: *mut f32) {
        for row in self.share(member) {
            // SAFETY: by the promise of `Step::reduce`; each row has its own place.
            unsafe {
                let to = travels.add(self.at(row));
                if row < self.own {
                    std::ptr::copy_nonoverlapping(self.of.grads.row(row), to, self.of.dims);
                } else {
                    std::ptr::write_bytes(to, 0, self.of.dims);
                }
            }
        }
    }

    /// The way back; returns this member's rows.
    unsafe fn unpack(&self, member: &Member<'_>, travels: *const f32) -> Range<usize> {
        let share = self.share(member);
        for row in share.clone() {
            // SAFETY: as `pack`.
            unsafe { std::ptr::copy_nonoverlapping(travels.add(self.at(row)), self.of.grads.row(row), self.of.dims) };
        }
        share
    }
}

impl Step<'_> {
    /// The gradients of a step for a rank without rows in it: zeros.
    pub(super) unsafe fn no_grads(&self, member: &Member<'_>) -> (Outcome, Own) {
        let share = member.share(self.params.flat_size, 1024);
        // SAFETY: the share is this member's.
        unsafe { std::ptr::write_bytes(self.mats.flat_grads.add(share.start), 0, share.len()) };
        (Outcome::NO_ROWS, Own::default())
    }

    /// Sums gradients and `outcome` over all ranks. Returns this member's rows of the embedding and its part of the square of the
    /// gradient's norm, which is the same bits on every rank, whatever its threads.
    ///
    /// # Safety
    /// As [`Step::run`]; all members must call it.
    pub(super) unsafe fn reduce(
        &self,
        member: &Member<'_>,
        plan: &StepPlan,
        (group, step): (Group<'_>, &GroupStep),
        outcome: &mut Outcome,
    ) -> (Own, f64) {
        let (params, travels) = (self.params, self.mats.flat_grads);
        let words = &self.embedding.words;
        let words = Rows { of: words, start: params.flat_size, places: &step.words, own: plan.words.own() };
        let behind = words.start + words.len();
        let own = plan.words.bags.as_ref().map_or(0, |bags| bags.own);
        let features = self.embedding.subwords.as_ref().map(|subwords| &subwords.features);
        let features = features.map(|of| Rows { of, start: behind, places: &step.features, own });
        let sums = behind + features.as_ref().map_or(0, Rows::len);
        member.meet();
        // SAFETY: by the caller's promise; `TrainSpace::fit` made room for what travels.
        unsafe {
            words.pack(member, travels);
            if let Some(features) = &features {
                features.pack(member, travels);
            }
            member.meet();
            group.sum(member, travels, sums, outcome);
            let all = std::slice::from_raw_parts(travels, sums);
            let mut own = Own::default();
            if outcome.failed || !outcome.finite {
                return (own, 0.0);
            }
            own.words = words.unpack(member, travels);
            own.features = features.map_or(0..0, |features| features.unpack(member, travels));
            (own, if member.rank() == 0 { self.squares_of(all) } else { 0.0 })
        }
    }

    /// Sum of the squares of all that travels, where a step needs it.
    fn squares_of(&self, travels: &[f32]) -> f64 {
        if self.options.clip_norm <= 0.0 {
            return 0.0;
        }
        let dense = self.own_parameters(&Member::alone());
        let dense: f64 = dense.into_iter().map(|range| dispatch(Squares(&travels[range]))).sum();
        dense + dispatch(Squares(&travels[self.params.flat_size..]))
    }
}
