//! One training step, as every member of the team runs it.
//!
//! Between two meetings each member works on its own share. The shares are: distinct words (gather, projection, their
//! gradients and their update), rows of the batch (recurrence, head), rows of the weight matrices (weight gradients).

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::attention::AttentionPacks;
use super::config::StepOptions;
use super::head::Head;
use super::model::{FcPacks, Model};
use super::plan::Plan;
use super::space::TrainMats;
use super::words::Words;
use crate::optim::{DenseShared, StepNumbers};
use crate::random::{Dropout, key};
use crate::recurrent::{DirPacks, Net, Projected};
use crate::simd::dispatch;
use crate::simd::gemm::Mat;
use crate::threads::Member;
use recurra_core::fault;

/// What dropout masks are for, so that each has its own.
pub(super) const EMBEDDING: u64 = 1;
const LAYERS: u64 = 2;
const FEATURES: u64 = 3;
pub(super) const WORDS: u64 = 4;

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
    pub model: &'a Model,
    pub options: StepOptions<'a>,
    pub mats: &'a TrainMats,
    pub embedding: *mut f32,
    pub flat: *mut f32,
    pub packs: *mut DirPacks,
    pub fc: *mut FcPacks,
    pub attention: *mut AttentionPacks,
    pub words: Words,
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
    /// Whether positions differ from their words' rows, so that equal words cannot be computed once.
    pub(super) fn drops_words(&self) -> bool {
        self.model.config.embedding_dropout > 0.0
    }

    fn drops_layers(&self) -> bool {
        self.model.config.dropout > 0.0
    }

    pub(super) unsafe fn dropout(&self, number: u64, what: [u64; 2], mat: Mat, rows: Range<usize>) {
        let config = &self.model.config;
        let p = if what[0] == EMBEDDING { config.embedding_dropout } else { config.dropout };
        let key = key(self.model.config.seed, [number, what[0], what[1]]);
        let n = rows.len() * mat.stride;
        // SAFETY: the rows are this member's.
        let values = unsafe { std::slice::from_raw_parts_mut(mat.row(rows.start), n) };
        dispatch(Dropout { key, start: rows.start * mat.stride, p, values });
    }

    /// Copies words' weights into rows of the first layer's input.
    unsafe fn gather(&self, words: impl Iterator<Item = u32>, first: usize) {
        let dims = self.model.config.embedding_dim;
        for (i, word) in words.enumerate() {
            // SAFETY: words were checked; the rows are this member's. Padding columns stay zero.
            unsafe {
                let from = self.embedding.add(word as usize * dims);
                std::ptr::copy_nonoverlapping(from, self.mats.x.row(first + i), dims);
            }
        }
    }

    /// Weights into panels, words into rows.
    unsafe fn prepare(&self, member: &Member<'_>, plan: &Plan, number: u64) {
        let shape = &self.model.shape;
        // SAFETY: nobody writes weights now; each piece is packed by one member.
        unsafe {
            let flat = std::slice::from_raw_parts(self.flat, self.model.flat_size);
            let pieces = shape.parts.len() * DirPacks::PIECES;
            for piece in (member.rank()..pieces + 2).step_by(member.size()) {
                if piece == pieces {
                    (*self.fc).pack(self.model, flat, true);
                } else if piece > pieces {
                    (*self.attention).pack(self.model, flat, true);
                } else {
                    let part = piece / DirPacks::PIECES;
                    DirPacks::pack(
                        self.packs.add(part),
                        piece % DirPacks::PIECES,
                        shape,
                        &shape.parts[part],
                        flat,
                        true,
                    );
                }
            }
            let words = member.share(plan.ids.len(), 8);
            if let Words::Late(late, _) = self.words {
                late.catch_up(&plan.ids[words.clone()]);
            }
            if !self.drops_words() {
                self.gather(plan.ids[words.clone()].iter().copied(), words.start);
                return;
            }
            member.meet();
            let positions = member.share(plan.slots.len(), 8);
            self.gather(plan.slots[positions.clone()].iter().map(|&slot| plan.ids[slot as usize]), positions.start);
            self.dropout(number, [EMBEDDING, 0], self.mats.x, positions);
        }
    }

    /// The whole step number `number` of those that `options` has learning rates for. Returns the same on every member. The rows
    /// of the step after it are fetched meanwhile: they come from all over the embedding, and nothing else in a step waits so long.
    ///
    /// # Safety
    /// All members of the team must run it at once; all addresses must be valid for the plan and used by nobody else.
    pub unsafe fn run(&self, member: &Member<'_>, plan: &Plan, next: Option<&Plan>, number: u64) -> Outcome {
        let (shape, mats, layout) = (&self.model.shape, self.mats, &plan.layout);
        let (rows, total, layers, dirs) = (layout.rows(), layout.total(), shape.layers(), shape.dirs);
        let inputs = if self.drops_words() { total } else { plan.ids.len() };
        let mask = self.steps_before + number;
        let sums = &self.sums[member.rank()];
        // SAFETY: by the caller's promise and the shares between meetings.
        unsafe {
            self.prepare(member, plan, mask);
            member.meet();
            let soon = next.map_or(&[][..], |next| &next.ids[member.share(next.ids.len(), 8)]);
            let fetch = |i: usize, steps: usize| {
                if let Words::Late(late, _) = self.words {
                    late.fetch(&soon[soon.len() * i / steps..soon.len() * (i + 1) / steps]);
                }
            };
            let net = Net {
                shape,
                packs: std::slice::from_raw_parts(self.packs, shape.parts.len()),
                layout,
                slices: &plan.slices,
                aside: Some(&fetch),
            };
            // With one direction a member's rows are its own from the first layer's recurrence to the way back.
            let own =
                if dirs == 1 { plan.slices.get(member.rank()).cloned().unwrap_or(0..0) } else { member.share(rows, 1) };
            let meet_if_two = || {
                if dirs > 1 {
                    member.meet()
                }
            };
            for layer in 0..layers {
                let parts = &mats.dirs[layer * dirs..][..dirs];
                let gates: Vec<Mat> = parts.iter().map(|m| m.gates).collect();
                let table = layer == 0 && !self.drops_words();
                let (x, n, to) = match layer {
                    0 => (mats.x, inputs, if table { &mats.projected } else { &gates }),
                    _ => (mats.y[layer - 1], total, &gates),
                };
                net.project(member, layer, x, n, to);
                for m in parts {
                    let clear = |mat: Mat| {
                        if mat.exists() {
                            std::ptr::write_bytes(mat.row(own.start), 0, own.len() * mat.stride)
                        }
                    };
                    [m.h, m.c, m.dh, m.dc].into_iter().for_each(clear);
                }
                member.meet();
                let projected = |mat: &Mat| {
                    if table { Projected::Table(*mat, plan.slots.as_ptr()) } else { Projected::Packed(*mat) }
                };
                net.forward(member, layer, parts, &to.iter().map(projected).collect::<Vec<_>>());
                if layer + 1 < layers {
                    member.meet();
                    if self.drops_layers() {
                        self.dropout(mask, [LAYERS, layer as u64], mats.y[layer], member.share(total, 8));
                        member.meet();
                    }
                }
            }
            meet_if_two();
            let head = Head {
                model: self.model,
                packs: &*self.fc,
                attention: &*self.attention,
                flat: self.flat,
                layout,
                mats: mats.head,
                top: &mats.dirs[(layers - 1) * dirs..],
                dropout: Some(key(self.model.config.seed, [mask, FEATURES, 0])),
                rows: own,
            };
            head.forward();
            let divisor = plan.targets.divisor(&self.options.loss, rows, self.model.config.num_classes);
            let (loss, correct) = head.loss(&plan.targets, &self.options.loss, divisor);
            sums.loss.store(loss.to_bits(), Ordering::Relaxed);
            sums.correct.store(correct, Ordering::Relaxed);
            head.backward();
            meet_if_two();
            net.backward(member, layers - 1, head.top);
            member.meet();
            let total_of = |of: fn(&Sums) -> &AtomicU64| {
                self.sums[..member.size()].iter().map(move |s| of(s).load(Ordering::Relaxed))
            };
            let loss = total_of(|s| &s.loss).map(f64::from_bits).sum::<f64>() * (rows as f64 / divisor);
            let mut outcome = Outcome { loss, correct: total_of(|s| &s.correct).sum(), finite: loss.is_finite() };
            if !outcome.finite {
                return outcome;
            }
            fault::point("step");
            self.head_grads(member, rows, total);
            for layer in (1..layers).rev() {
                let parts = &mats.dirs[layer * dirs..][..dirs];
                let dg: Vec<Mat> = parts.iter().map(|m| m.dg).collect();
                net.weight_grads(member, layer, parts, (mats.y[layer - 1], total), &dg, mats.flat_grads);
                let share = net.input_grads(member, layer, &dg, total, mats.dy[layer - 1]);
                if self.drops_layers() {
                    self.dropout(mask, [LAYERS, layer as u64 - 1], mats.dy[layer - 1], share);
                }
                member.meet();
                net.backward(member, layer - 1, &mats.dirs[(layer - 1) * dirs..][..dirs]);
                member.meet();
            }
            let words = self.word_grads(member, &net, plan, mask);
            let parts = &mats.dirs[..dirs];
            let dg: Vec<Mat> =
                if self.drops_words() { parts.iter().map(|m| m.dg).collect() } else { mats.projected.clone() };
            member.meet();
            net.weight_grads(member, 0, parts, (mats.x, inputs), &dg, mats.flat_grads);
            let numbers = |t, scale| StepNumbers::new(&self.options.algorithm, t, self.options.lr(number), scale);
            let mut scale = 1.0;
            let own = self.own_parameters(member);
            if self.options.clip_norm > 0.0 {
                let square = |start: *const f32, n: usize| {
                    let list = std::slice::from_raw_parts(start, n);
                    list.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>()
                };
                let rest: f64 = own.iter().map(|range| square(mats.flat_grads.add(range.start), range.len())).sum();
                let words = square(mats.d_rows.row(words.start), words.len() * mats.d_rows.stride);
                sums.norm.store((rest + words).to_bits(), Ordering::Relaxed);
                member.meet();
                let norm = total_of(|s| &s.norm).map(f64::from_bits).sum::<f64>().sqrt();
                if !norm.is_finite() {
                    outcome.finite = false;
                    return outcome;
                }
                // torch.nn.utils.clip_grad_norm_: at most 1, and 1e-6 against division by zero.
                scale = (self.options.clip_norm / (norm + 1e-6)).min(1.0) as f32;
            }
            let t = self.word_steps + number + 1;
            self.move_words(member, plan, words, (t, numbers(t, scale)));
            fault::point("update");
            for range in own {
                self.rest.step(self.flat, mats.flat_grads, range, numbers(self.optimizer_steps + number + 1, scale));
            }
            // Nobody reads the tables between the first meeting of a step and the last.
            if let (0, Words::Late(_, late), false) = (member.rank(), self.words, self.options.freeze_embedding) {
                (*late).begin(self.options.lr(number));
            }
            member.meet();
            outcome
        }
    }
}
