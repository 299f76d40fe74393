//! One training step, as every member of the team runs it.
//!
//! Between two meetings each member works on its own share. The shares are: distinct words (gather, projection, their
//! gradients and their update), rows of the batch (recurrence, head), rows of the weight matrices (weight gradients).

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::exchange::{Group, Outcome};
use super::params::{EMBEDDING, LAYERS, Params, RECURRENT};
use super::plans::StepPlan;
use super::space::TrainMats;
use super::weight_drop::WeightDrop;
use crate::encoder::embedding::{Embedding, Own};
use crate::encoder::noise::Noise;
use crate::heads::pass::{HeadPacks, Unit};
use crate::optim::DenseShared;
use crate::phases::{Phase, begin};
use crate::random::key;
use crate::recurrent::layers::{LayerDropout, Layers, Source, Start, StateMats};
use crate::recurrent::packs::DirPacks;
use crate::recurrent::stack::Net;
use crate::recurrent::steps::Aside;
use crate::threads::Member;
use recurra_core::{StepOptions, layout::PackedLayout};

/// One member's sums, on a separate cache line.
#[repr(align(64))]
#[derive(Default)]
pub(super) struct Sums {
    pub loss: AtomicU64,
    pub correct: AtomicU64,
    pub norm: AtomicU64,
}

/// Everything that the team shares. What is written through the addresses belongs to one member at a time.
pub(super) struct Step<'a> {
    pub params: &'a Params,
    pub options: StepOptions<'a>,
    pub mats: &'a TrainMats,
    pub embedding: Embedding,
    /// Dropout of recurrent weights, where there is any.
    pub drops: Option<&'a WeightDrop>,
    /// For a second pass; none without adversarial noise.
    pub noise: Option<Noise>,
    pub flat: *mut f32,
    pub packs: *mut DirPacks,
    pub head_packs: *mut HeadPacks,
    /// The states that the rows of each batch begin with and leave; none where they begin with zeros.
    pub carried: Vec<StateMats>,
    pub rest: DenseShared,
    pub sums: &'a [Sums],
    /// The other ranks that make the same steps on their own rows.
    pub group: Option<Group<'a>>,
    /// Number of steps before these, and the seed, for the dropout masks.
    pub steps_before: u64,
    pub seed: u64,
    /// The same for the optimizer's state, which may be younger, and for its state of the embedding, which does not move
    /// while that is frozen.
    pub optimizer_steps: u64,
    pub word_steps: u64,
}

// SAFETY: the addresses are used as the type says.
unsafe impl Sync for Step<'_> {}

impl Step<'_> {
    /// The whole step number `number` of those that `options` has learning rates for. Returns the same on every member. The rows
    /// of the step after it are fetched at the same time: they come from all over the embedding, and nothing else in a step
    /// waits so long.
    ///
    /// # Safety
    /// All members of the team must run it at once; all addresses must be valid for the plan and not be used by anything else.
    pub unsafe fn run(&self, member: &Member<'_>, plan: &StepPlan, next: Option<&StepPlan>, number: u64) -> Outcome {
        let mask = self.steps_before + number;
        let embedding_key = self.key([mask, EMBEDDING, 0]);
        let fetch = |i: usize, steps: usize| {
            if let Some(next) = next {
                self.embedding.fetch(member, &next.words, i, steps);
            }
        };
        // SAFETY: by the caller's promise and the shares between meetings.
        unsafe {
            let weight_key = |part: u64| self.key([mask, RECURRENT, part]);
            if let Some(drops) = self.drops {
                drops.draw(member, &self.params.shape, self.flat, weight_key);
                member.meet();
            }
            begin(Phase::Pack);
            self.pack(member);
            begin(Phase::Words);
            self.embedding.gather(member, &plan.words, embedding_key);
            member.meet();
            // Rows that are fetched before a second pass would be gone from the cache after it.
            let first_aside: Option<Aside<'_>> = if self.noise.is_none() { Some(&fetch) } else { None };
            let layers = self.layers(plan, self.embedding.source(&plan.words), mask, first_aside);
            let (mut outcome, words) = if plan.words.is_empty() {
                self.no_grads(member)
            } else {
                self.grads(member, plan, &layers, &fetch, (mask, embedding_key))
            };
            if !outcome.finite && self.group.is_none() {
                return outcome;
            }
            let parameters = self.own_parameters(member);
            let words = if outcome.finite && !plan.words.is_empty() {
                if self.noise.is_some() {
                    self.add_grads(&parameters);
                }
                if let Some(drops) = self.drops {
                    drops.back(member, &self.params.shape, self.mats.flat_grads, weight_key);
                }
                self.add_tied(member, plan, words)
            } else {
                words
            };
            let (words, squares) = match self.group.zip(plan.group.as_ref()) {
                Some(group) => self.reduce(member, plan, group, &mut outcome),
                None => (words.clone(), self.squares(&parameters, &words)),
            };
            if !outcome.finite || outcome.failed {
                return outcome;
            }
            match self.clip(member, squares) {
                Some(scale) => {
                    if !plan.words.is_empty() {
                        layers.keep_states(&self.own_rows(member, plan), &self.carried);
                    }
                    self.update(member, plan, (words, parameters), number, scale);
                }
                None => outcome.finite = false,
            }
            outcome
        }
    }

    /// The gradients of a step's rows: all parameters' in the members' shares, and this member's words. Stops at a loss that is not
    /// finite.
    unsafe fn grads(
        &self,
        member: &Member<'_>,
        plan: &StepPlan,
        layers: &Layers<'_>,
        fetch: Aside<'_>,
        (mask, embedding_key): (u64, u64),
    ) -> (Outcome, Own) {
        let (embedding, words, grads) = (&self.embedding, &plan.words, self.mats.flat_grads);
        // SAFETY: by the promise of `run` and the shares between meetings.
        unsafe {
            let mut outcome = self.pass(member, plan, layers, mask, grads);
            if !outcome.finite {
                return (outcome, Own::default());
            }
            let Some(noise) = &self.noise else {
                let own = embedding.grads(member, layers, words, embedding_key, false);
                member.meet();
                layers.first_weight_grads(member, grads);
                return (outcome, own);
            };
            noise.gradients(embedding, member, layers, words, embedding_key);
            member.meet();
            layers.first_weight_grads(member, grads);
            noise.add(embedding, member, words, embedding_key);
            member.meet();
            let noisy = self.layers(plan, noise.source(), mask, Some(fetch));
            let more = self.mats.more_grads;
            outcome.finite = self.pass(member, plan, &noisy, mask, more).finite;
            if !outcome.finite {
                return (outcome, Own::default());
            }
            let own = embedding.grads(member, layers, words, embedding_key, true);
            member.meet();
            noisy.first_weight_grads(member, more);
            (outcome, own)
        }
    }

    pub(super) fn key(&self, what: [u64; 3]) -> u64 {
        key(self.seed, what)
    }

    /// The rows whose states and head are this member's. With one direction they are its own from the first layer's recurrence to
    /// the way back.
    pub(super) fn own_rows(&self, member: &Member<'_>, plan: &StepPlan) -> Range<usize> {
        if self.params.shape.dirs == 1 {
            plan.words.slices.get(member.rank()).cloned().unwrap_or(0..0)
        } else {
            member.share(plan.words.layout.rows(), 1)
        }
    }

    /// What this member takes through the head. With two directions rows need not be those of its recurrence, and where each token is
    /// answered they are shared by tokens: the first rows are the longest.
    pub(super) fn head_share(&self, member: &Member<'_>, layout: &PackedLayout, own: Range<usize>) -> Range<usize> {
        let head = &self.params.head;
        if head.shares_positions() {
            member.share(layout.total(), 1)
        } else if head.unit() == Unit::Token && self.params.shape.dirs > 1 {
            layout.slices(member.size()).swap_remove(member.rank())
        } else {
            own
        }
    }

    /// The states that this member's rows begin with.
    pub(super) fn start(&self, own: Range<usize>) -> Start<'_> {
        if self.carried.is_empty() { Start::Zeros(own) } else { Start::States(own, &self.carried) }
    }

    /// With two directions a row's states come from two members; a head that shares positions reads those of others in any case.
    pub(super) fn meet_around_head(&self, member: &Member<'_>) {
        if self.params.shape.dirs > 1 || self.params.head.shares_positions() {
            member.meet();
        }
    }

    /// Weights into panels: this member's share of the pieces.
    unsafe fn pack(&self, member: &Member<'_>) {
        let (shape, head) = (&self.params.shape, &self.params.head);
        // SAFETY: no member writes weights now; each piece is packed by one member.
        unsafe {
            let flat = std::slice::from_raw_parts(self.flat, self.params.flat_size);
            let recurrent = self.drops.map_or(flat, |drops| drops.weights());
            let pieces = shape.parts.len() * DirPacks::PIECES;
            for piece in (member.rank()..pieces + head.pieces()).step_by(member.size()) {
                if piece >= pieces {
                    head.pack(self.head_packs, piece - pieces, flat, true);
                } else {
                    let part = piece / DirPacks::PIECES;
                    let packs = self.packs.add(part);
                    DirPacks::pack(packs, piece % DirPacks::PIECES, shape, &shape.parts[part], (flat, recurrent), true);
                }
            }
        }
    }

    unsafe fn layers<'b>(
        &'b self,
        plan: &'b StepPlan,
        source: Source<'b>,
        mask: u64,
        aside: Option<Aside<'b>>,
    ) -> Layers<'b> {
        let shape = &self.params.shape;
        Layers {
            net: Net {
                shape,
                // SAFETY: all pieces were packed before the last meeting.
                packs: unsafe { std::slice::from_raw_parts(self.packs, shape.parts.len()) },
                layout: &plan.words.layout,
                slices: &plan.words.slices,
                aside,
            },
            source,
            dirs: &self.mats.dirs,
            y: &self.mats.y,
            dy: &self.mats.dy,
            projected: &self.mats.projected,
            from_inputs: false,
            dropout: LayerDropout::new(self.params.config.encoder.dropouts.layers as f32, shape.layers(), |layer| {
                self.key([mask, LAYERS, layer as u64])
            }),
        }
    }

    pub(super) fn sums(&self, member: &Member<'_>, of: fn(&Sums) -> &AtomicU64) -> impl Iterator<Item = u64> {
        self.sums[..member.size()].iter().map(move |sums| of(sums).load(Ordering::Relaxed))
    }

    /// The members' sums together, once they have met. `scale` makes the sum of losses the mean times the number of answers.
    pub(super) fn outcome(&self, member: &Member<'_>, scale: f64) -> Outcome {
        let loss = self.sums(member, |s| &s.loss).map(f64::from_bits).sum::<f64>() * scale;
        Outcome { loss, correct: self.sums(member, |s| &s.correct).sum(), finite: loss.is_finite(), failed: false }
    }
}
