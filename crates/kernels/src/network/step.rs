//! One training step, as every member of the team runs it.
//!
//! Between two meetings each member works on its own share. The shares are: distinct words (gather, projection, their
//! gradients and their update), rows of the batch (recurrence, head), rows of the weight matrices (weight gradients).

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::params::{EMBEDDING, FEATURES, LAYERS, Params};
use super::plans::StepPlan;
use super::space::TrainMats;
use crate::encoder::embedding::Embedding;
use crate::encoder::encoded::Encoded;
use crate::heads::head::{HeadDropout, HeadPacks, HeadPass};
use crate::optim::{DenseShared, StepNumbers};
use crate::random::key;
use crate::recurrent::layers::{LayerDropout, Layers};
use crate::recurrent::packs::DirPacks;
use crate::recurrent::segments::Segment;
use crate::recurrent::stack::Net;
use crate::recurrent::steps::Aside;
use crate::threads::Member;
use recurra_core::{StepOptions, fault};

/// One member's sums, on a cache line of its own.
#[repr(align(64))]
#[derive(Default)]
pub(super) struct Sums {
    loss: AtomicU64,
    correct: AtomicU64,
    norm: AtomicU64,
}

/// Everything that the team shares. What is written through the addresses belongs to one member at a time.
pub(super) struct Step<'a> {
    pub params: &'a Params,
    pub options: StepOptions<'a>,
    pub mats: &'a TrainMats,
    pub embedding: Embedding,
    pub flat: *mut f32,
    pub packs: *mut DirPacks,
    pub head_packs: *mut HeadPacks,
    pub rest: DenseShared,
    pub sums: &'a [Sums],
    /// Number of steps before these, for the dropout masks.
    pub steps_before: u64,
    /// The same for the optimizer's state, which may be younger, and for its state of the embedding, which does not move
    /// while that is frozen.
    pub optimizer_steps: u64,
    pub word_steps: u64,
}

// SAFETY: the addresses are used as the type says.
unsafe impl Sync for Step<'_> {}

/// What all members know after a step's forward pass.
pub(super) struct Outcome {
    pub loss: f64,
    pub correct: u64,
    pub finite: bool,
}

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
        let soon = next.map_or(&[][..], |next| &next.words.ids[member.share(next.words.ids.len(), 8)]);
        let fetch = |i: usize, steps: usize| {
            self.embedding.fetch(&soon[soon.len() * i / steps..soon.len() * (i + 1) / steps]);
        };
        let own = self.own_rows(member, plan);
        // SAFETY: by the caller's promise and the shares between meetings.
        unsafe {
            self.pack(member);
            self.embedding.gather(member, &plan.words, embedding_key);
            member.meet();
            let layers = self.layers(plan, mask, &fetch);
            layers.forward(member, Some(own.clone()));
            self.meet_if_two(member);
            let encoded = self.encoded(&layers, plan);
            let divisor = self.head(member, plan, encoded, own, mask);
            self.meet_if_two(member);
            layers.backward_top(member);
            member.meet();
            let mut outcome = self.outcome(member, encoded.layout.rows() as f64 / divisor);
            if !outcome.finite {
                return outcome;
            }
            fault::point("step");
            let grads = self.mats.flat_grads;
            self.params.head.weight_grads(member, &encoded, &self.mats.head, grads);
            layers.backward(member, Some(grads));
            let words = self.embedding.grads(member, &layers, &plan.words, embedding_key);
            member.meet();
            layers.first_weight_grads(member, grads);
            let parameters = self.own_parameters(member);
            match self.clip(member, &parameters, words.clone()) {
                Some(scale) => self.update(member, plan, (words, parameters), number, scale),
                None => outcome.finite = false,
            }
            outcome
        }
    }

    fn key(&self, what: [u64; 3]) -> u64 {
        key(self.params.config.seed, what)
    }

    /// The rows whose states and head are this member's. With one direction they are its own from the first layer's recurrence to
    /// the way back.
    fn own_rows(&self, member: &Member<'_>, plan: &StepPlan) -> Range<usize> {
        if self.params.shape.dirs == 1 {
            plan.words.slices.get(member.rank()).cloned().unwrap_or(0..0)
        } else {
            member.share(plan.words.layout.rows(), 1)
        }
    }

    /// With two directions a row's states come from two members.
    fn meet_if_two(&self, member: &Member<'_>) {
        if self.params.shape.dirs > 1 {
            member.meet();
        }
    }

    /// Weights into panels: this member's share of the pieces.
    unsafe fn pack(&self, member: &Member<'_>) {
        let (shape, head) = (&self.params.shape, &self.params.head);
        // SAFETY: no member writes weights now; each piece is packed by one member.
        unsafe {
            let flat = std::slice::from_raw_parts(self.flat, self.params.flat_size);
            let pieces = shape.parts.len() * DirPacks::PIECES;
            for piece in (member.rank()..pieces + head.pieces()).step_by(member.size()) {
                if piece >= pieces {
                    head.pack(self.head_packs, piece - pieces, flat, true);
                } else {
                    let part = piece / DirPacks::PIECES;
                    let packs = self.packs.add(part);
                    DirPacks::pack(packs, piece % DirPacks::PIECES, shape, &shape.parts[part], flat, true);
                }
            }
        }
    }

    unsafe fn layers<'b>(&'b self, plan: &'b StepPlan, mask: u64, fetch: Aside<'b>) -> Layers<'b> {
        let shape = &self.params.shape;
        Layers {
            net: Net {
                shape,
                // SAFETY: all pieces were packed before the last meeting.
                packs: unsafe { std::slice::from_raw_parts(self.packs, shape.parts.len()) },
                layout: &plan.words.layout,
                slices: &plan.words.slices,
                aside: Some(fetch),
            },
            source: self.embedding.source(&plan.words),
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

    fn encoded<'b>(&'b self, layers: &'b Layers<'b>, plan: &'b StepPlan) -> Encoded<'b> {
        let last = self.params.shape.layers() - 1;
        let (y, dy) = (self.mats.y[last], self.mats.dy[last]);
        Encoded { layout: &plan.words.layout, top: layers.top(), y, dy, part: self.params.shape.rp }
    }

    /// Scores, losses and the way back to the encoder, for this member's rows. Returns what the losses are divided by.
    unsafe fn head(
        &self,
        member: &Member<'_>,
        plan: &StepPlan,
        encoded: Encoded<'_>,
        rows: Range<usize>,
        mask: u64,
    ) -> f64 {
        let (head, p) = (&self.params.head, self.params.config.encoder.dropouts.layers as f32);
        let dropout = (p > 0.0).then(|| HeadDropout { key: self.key([mask, FEATURES, 0]), p });
        let divisor = head.divisor(&plan.targets, &self.options.loss, encoded.layout.rows());
        // SAFETY: the rows are this member's; the packs were made before the last meeting.
        let tally = unsafe {
            let pass =
                HeadPass { encoded, rows, mats: self.mats.head, packs: &*self.head_packs, flat: self.flat, dropout };
            head.forward(&pass);
            let tally = head.loss(&pass, &plan.targets, &self.options.loss, divisor);
            head.backward(&pass);
            tally
        };
        let sums = &self.sums[member.rank()];
        sums.loss.store(tally.loss.to_bits(), Ordering::Relaxed);
        sums.correct.store(tally.correct, Ordering::Relaxed);
        divisor
    }

    fn sums(&self, member: &Member<'_>, of: fn(&Sums) -> &AtomicU64) -> impl Iterator<Item = u64> {
        self.sums[..member.size()].iter().map(move |sums| of(sums).load(Ordering::Relaxed))
    }

    /// The members' sums together, once they have met. `scale` makes the sum of losses the mean times the number of rows.
    fn outcome(&self, member: &Member<'_>, scale: f64) -> Outcome {
        let loss = self.sums(member, |s| &s.loss).map(f64::from_bits).sum::<f64>() * scale;
        Outcome { loss, correct: self.sums(member, |s| &s.correct).sum(), finite: loss.is_finite() }
    }

    /// The parameters whose gradients this member computes, so that it can move them without a meeting: the shares of
    /// [`Net::weight_grads`] and of the head's.
    fn own_parameters(&self, member: &Member<'_>) -> Vec<Range<usize>> {
        let head = self.params.head.segments().into_iter().map(|segment| (segment, 16));
        let unit = |segment: &Segment| if segment.shape.len() > 1 { 8 } else { 16 };
        let rnn = self.params.shape.segments.iter().map(|segment| (segment, unit(segment)));
        let range = |(segment, unit): (&Segment, usize)| {
            let wide = if segment.shape.len() > 1 { segment.stride() } else { 1 };
            let share = member.share(segment.size() / wide, unit);
            segment.offset + share.start * wide..segment.offset + share.end * wide
        };
        rnn.chain(head).map(range).collect()
    }

    /// The factor of the gradient, from its norm over all members; `None` where that is not finite.
    unsafe fn clip(&self, member: &Member<'_>, parameters: &[Range<usize>], words: Range<usize>) -> Option<f32> {
        if self.options.clip_norm <= 0.0 {
            return Some(1.0);
        }
        let (grads, d_rows) = (self.mats.flat_grads, self.embedding.d_rows);
        // SAFETY: the parameters and words are this member's.
        let square = |start: *const f32, n: usize| unsafe {
            let list = std::slice::from_raw_parts(start, n);
            list.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>()
        };
        // SAFETY: as above.
        let own = unsafe {
            let rest: f64 = parameters.iter().map(|range| square(grads.add(range.start), range.len())).sum();
            rest + square(d_rows.row(words.start), words.len() * d_rows.stride)
        };
        self.sums[member.rank()].norm.store(own.to_bits(), Ordering::Relaxed);
        member.meet();
        let norm = self.sums(member, |s| &s.norm).map(f64::from_bits).sum::<f64>().sqrt();
        // torch.nn.utils.clip_grad_norm_: at most 1, and 1e-6 against division by zero.
        norm.is_finite().then(|| (self.options.clip_norm / (norm + 1e-6)).min(1.0) as f32)
    }

    /// The optimizer's step for this member's words and parameters.
    unsafe fn update(
        &self,
        member: &Member<'_>,
        plan: &StepPlan,
        (words, parameters): (Range<usize>, Vec<Range<usize>>),
        number: u64,
        scale: f32,
    ) {
        let lr = self.options.lr(number as usize);
        let numbers = |t: u64| StepNumbers::new(&self.options.algorithm, t, lr, scale);
        let t = self.word_steps + number + 1;
        // SAFETY: words and parameters are this member's.
        unsafe {
            self.embedding.update(member, &plan.words, words, (t, numbers(t)));
            fault::point("update");
            for range in parameters {
                self.rest.step(self.flat, self.mats.flat_grads, range, numbers(self.optimizer_steps + number + 1));
            }
            // No member reads the tables between the first meeting of a step and the last.
            if member.rank() == 0 {
                self.embedding.count_step(lr);
            }
        }
        member.meet();
    }
}
