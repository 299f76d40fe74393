//! One training step, as every member of the team runs it.
//!
//! Between two meetings each member works on its own share. The shares are: distinct words (gather, projection, their
//! gradients and their update), rows of the batch (recurrence, head), rows of the weight matrices (weight gradients).

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::config::StepOptions;
use super::head::Head;
use super::model::{FcPacks, Model};
use super::plan::Plan;
use super::space::TrainMats;
use crate::optim::{DenseShared, LateRows, LateShared, StepNumbers};
use crate::random::{Dropout, key};
use crate::recurrent::{DirPacks, Net, Projected};
use crate::simd::dispatch;
use crate::simd::gemm::Mat;
use crate::simd::outer::{ColumnSums, Outer};
use crate::threads::Member;

/// What dropout masks are for, so that each has its own.
const EMBEDDING: u64 = 1;
const LAYERS: u64 = 2;
const FEATURES: u64 = 3;

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
    pub options: StepOptions,
    pub mats: &'a TrainMats,
    pub embedding: *mut f32,
    pub flat: *mut f32,
    pub packs: *mut DirPacks,
    pub fc: *mut FcPacks,
    pub words: Words,
    pub rest: DenseShared,
    pub sums: &'a [Sums],
    /// Number of steps before the chunk, for the dropout masks.
    pub steps_before: u64,
    /// The same for the optimizer's state, which may be younger.
    pub optimizer_steps: u64,
}

/// How the embedding moves; see [`super::optimizer::Rows`].
#[derive(Clone, Copy)]
pub(super) enum Words {
    /// The second address is for the first member alone, to count a step.
    Late(LateShared, *mut LateRows),
    /// States, and the gradient of the whole matrix, zero between steps.
    Dense(DenseShared, *mut f32),
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
    fn drop(&self) -> bool {
        self.model.config.dropout > 0.0
    }

    unsafe fn dropout(&self, number: u64, what: [u64; 2], mat: Mat, rows: Range<usize>) {
        let key = key(self.model.config.seed, [number, what[0], what[1]]);
        let n = rows.len() * mat.stride;
        // SAFETY: the rows are this member's.
        let values = unsafe { std::slice::from_raw_parts_mut(mat.row(rows.start), n) };
        dispatch(Dropout { key, start: rows.start * mat.stride, p: self.model.config.dropout, values });
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
            for piece in (member.rank()..pieces + 1).step_by(member.size()) {
                if piece == pieces {
                    (*self.fc).pack(self.model, flat, true);
                } else {
                    let part = piece / DirPacks::PIECES;
                    DirPacks::pack(self.packs.add(part), piece % DirPacks::PIECES, shape, &shape.parts[part], flat, true);
                }
            }
            let words = member.share(plan.ids.len(), 8);
            if let Words::Late(late, _) = self.words {
                late.catch_up(&plan.ids[words.clone()]);
            }
            if !self.drop() {
                self.gather(plan.ids[words.clone()].iter().copied(), words.start);
                return;
            }
            member.meet();
            let positions = member.share(plan.slots.len(), 8);
            self.gather(plan.slots[positions.clone()].iter().map(|&slot| plan.ids[slot as usize]), positions.start);
            self.dropout(number, [EMBEDDING, 0], self.mats.x, positions);
        }
    }

    /// The whole step number `number` of the chunk. Returns the same on every member.
    ///
    /// # Safety
    /// All members of the team must run it at once; all addresses must be valid for the plan and used by nobody else.
    pub unsafe fn run(&self, member: &Member<'_>, plan: &Plan, number: u64) -> Outcome {
        let (shape, mats, layout) = (&self.model.shape, self.mats, &plan.layout);
        let (rows, total, layers, dirs) = (layout.rows(), layout.total(), shape.layers(), shape.dirs);
        let inputs = if self.drop() { total } else { plan.ids.len() };
        let mask = self.steps_before + number;
        let sums = &self.sums[member.rank()];
        // SAFETY: by the caller's promise and the shares between meetings.
        unsafe {
            self.prepare(member, plan, mask);
            member.meet();
            let net = Net { shape, packs: std::slice::from_raw_parts(self.packs, shape.parts.len()), layout, slices: &plan.slices };
            // With one direction a member's rows are its own from the first layer's recurrence to the way back.
            let own = if dirs == 1 { plan.slices.get(member.rank()).cloned().unwrap_or(0..0) } else { member.share(rows, 1) };
            let meet_if_two = || if dirs > 1 { member.meet() };
            for layer in 0..layers {
                let parts = &mats.dirs[layer * dirs..][..dirs];
                let gates: Vec<Mat> = parts.iter().map(|m| m.gates).collect();
                let table = layer == 0 && !self.drop();
                let (x, n, to) = match layer {
                    0 => (mats.x, inputs, if table { &mats.projected } else { &gates }),
                    _ => (mats.y[layer - 1], total, &gates),
                };
                net.project(member, layer, x, n, to);
                for m in parts {
                    let clear = |mat: Mat| if mat.exists() { std::ptr::write_bytes(mat.row(own.start), 0, own.len() * mat.stride) };
                    [m.h, m.c, m.dh, m.dc].into_iter().for_each(clear);
                }
                member.meet();
                let projected = |mat: &Mat| if table { Projected::Table(*mat, plan.slots.as_ptr()) } else { Projected::Packed(*mat) };
                net.forward(member, layer, parts, &to.iter().map(projected).collect::<Vec<_>>());
                if layer + 1 < layers {
                    member.meet();
                    if self.drop() {
                        self.dropout(mask, [LAYERS, layer as u64], mats.y[layer], member.share(total, 8));
                        member.meet();
                    }
                }
            }
            meet_if_two();
            let head = Head {
                model: self.model,
                packs: &*self.fc,
                bias: self.flat.add(self.model.fc_bias.offset),
                layout,
                mats: mats.head,
                top: &mats.dirs[(layers - 1) * dirs..],
                dropout: Some(key(self.model.config.seed, [mask, FEATURES, 0])),
                rows: own,
            };
            head.forward();
            let (loss, correct) = head.loss(&plan.labels, rows);
            sums.loss.store(loss.to_bits(), Ordering::Relaxed);
            sums.correct.store(correct, Ordering::Relaxed);
            head.backward();
            meet_if_two();
            net.backward(member, layers - 1, head.top);
            member.meet();
            let total_of = |of: fn(&Sums) -> &AtomicU64| self.sums[..member.size()].iter().map(move |s| of(s).load(Ordering::Relaxed));
            let loss: f64 = total_of(|s| &s.loss).map(f64::from_bits).sum();
            let mut outcome = Outcome { loss, correct: total_of(|s| &s.correct).sum(), finite: loss.is_finite() };
            if !outcome.finite {
                return outcome;
            }
            self.head_grads(member, rows);
            for layer in (1..layers).rev() {
                let parts = &mats.dirs[layer * dirs..][..dirs];
                let dg: Vec<Mat> = parts.iter().map(|m| m.dg).collect();
                net.weight_grads(member, layer, parts, (mats.y[layer - 1], total), &dg, mats.flat_grads);
                let share = net.input_grads(member, layer, &dg, total, mats.dy[layer - 1]);
                if self.drop() {
                    self.dropout(mask, [LAYERS, layer as u64 - 1], mats.dy[layer - 1], share);
                }
                member.meet();
                net.backward(member, layer - 1, &mats.dirs[(layer - 1) * dirs..][..dirs]);
                member.meet();
            }
            let words = self.word_grads(member, &net, plan, mask);
            let parts = &mats.dirs[..dirs];
            let dg: Vec<Mat> = if self.drop() { parts.iter().map(|m| m.dg).collect() } else { mats.d_projected.clone() };
            member.meet();
            net.weight_grads(member, 0, parts, (mats.x, inputs), &dg, mats.flat_grads);
            let t = self.optimizer_steps + number + 1;
            let numbers = |scale| StepNumbers::new(&self.options.algorithm, t, self.options.lr, scale);
            let mut scale = 1.0;
            let share = member.share(self.model.flat_size, 256);
            member.meet();
            if self.options.clip_norm > 0.0 {
                let grads = std::slice::from_raw_parts(mats.flat_grads.add(share.start), share.len());
                let word_grads = std::slice::from_raw_parts(mats.d_rows.row(words.start), words.len() * mats.d_rows.stride);
                let square = |list: &[f32]| list.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>();
                sums.norm.store((square(grads) + square(word_grads)).to_bits(), Ordering::Relaxed);
                member.meet();
                let norm = total_of(|s| &s.norm).map(f64::from_bits).sum::<f64>().sqrt();
                if !norm.is_finite() {
                    outcome.finite = false;
                    return outcome;
                }
                // torch.nn.utils.clip_grad_norm_: at most 1, and 1e-6 against division by zero.
                scale = (self.options.clip_norm / (norm + 1e-6)).min(1.0) as f32;
            }
            self.move_words(member, plan, words, numbers(scale));
            self.rest.step(self.flat, mats.flat_grads, share, numbers(scale));
            member.meet();
            if let (0, Words::Late(_, late)) = (member.rank(), self.words) {
                (*late).begin(self.options.lr);
            }
            member.meet();
            outcome
        }
    }

    /// Gradients of the linear layer.
    unsafe fn head_grads(&self, member: &Member<'_>, rows: usize) {
        let (head, weight, bias) = (&self.mats.head, &self.model.fc_weight, &self.model.fc_bias);
        // SAFETY: each member writes its own rows.
        unsafe {
            let c = Mat { ptr: self.mats.flat_grads.add(weight.offset), stride: weight.stride() };
            let (a, b, i) = (head.logits, head.features, member.share(weight.rows.private(), 16));
            dispatch(ColumnSums { a, n: rows, columns: i.clone(), sums: self.mats.flat_grads.add(bias.offset) });
            dispatch(Outer { a, b, n: rows, i, columns: weight.stride(), c, fresh: true });
        }
    }

    /// Gradients of this member's share of the distinct words, into `d_rows`; returns the share.
    unsafe fn word_grads(&self, member: &Member<'_>, net: &Net<'_>, plan: &Plan, mask: u64) -> Range<usize> {
        let (mats, shape, total) = (self.mats, &self.model.shape, plan.layout.total());
        let words = member.share(plan.ids.len(), 8);
        let users = |word: usize| &plan.users[plan.starts[word] as usize..plan.starts[word + 1] as usize];
        let dg: Vec<Mat> = mats.dirs[..shape.dirs].iter().map(|m| m.dg).collect();
        // SAFETY: the share is this member's, what is read was finished before the last meeting.
        unsafe {
            if self.drop() {
                let share = net.input_grads(member, 0, &dg, total, mats.dx);
                self.dropout(mask, [EMBEDDING, 0], mats.dx, share);
                member.meet();
                for word in words.clone() {
                    add_rows(mats.dx, users(word), mats.d_rows, word);
                }
            } else {
                for (from, to) in dg.iter().zip(&mats.d_projected) {
                    for word in words.clone() {
                        add_rows(*from, users(word), *to, word);
                    }
                }
                net.input_grads(member, 0, &mats.d_projected, plan.ids.len(), mats.dx);
            }
            if let Some(padding) = self.model.config.padding_idx
                && let Some(word) = words.clone().find(|&word| plan.ids[word] == padding)
            {
                std::ptr::write_bytes(mats.d_rows.row(word), 0, mats.d_rows.stride);
            }
        }
        words
    }

    /// The optimizer's step for this member's share of the embedding.
    unsafe fn move_words(&self, member: &Member<'_>, plan: &Plan, words: Range<usize>, numbers: StepNumbers) {
        let d_rows = self.mats.d_rows;
        // SAFETY: words are distinct and shared out; the dense step's shares do not overlap.
        unsafe {
            match self.words {
                Words::Late(late, _) => {
                    late.update(&plan.ids[words.clone()], d_rows.row(words.start), d_rows.stride, numbers);
                }
                Words::Dense(states, grads) => {
                    let dims = self.model.config.embedding_dim;
                    let row = |word: usize| grads.add(plan.ids[word] as usize * dims);
                    for word in words.clone() {
                        std::ptr::copy_nonoverlapping(d_rows.row(word), row(word), dims);
                    }
                    member.meet();
                    let share = member.share(self.model.config.vocab_size * dims, 1024);
                    states.step(self.embedding, grads, share, numbers);
                    member.meet();
                    for word in words {
                        std::ptr::write_bytes(row(word), 0, dims);
                    }
                }
            }
        }
    }
}

/// `to[row] = sum of from[i]` for `i` in `users`.
unsafe fn add_rows(from: Mat, users: &[u32], to: Mat, row: usize) {
    dispatch(AddRows { from, users, to: Mat { ptr: to.ptr.wrapping_add(row * to.stride), stride: to.stride } });
}

struct AddRows<'a> {
    from: Mat,
    users: &'a [u32],
    to: Mat,
}

impl crate::simd::Kernel for AddRows<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: crate::simd::Lanes>(self, s: S) {
        // SAFETY: rows are inside the matrices, as the callers ensure; widths are multiples of 16.
        unsafe {
            for j in (0..self.to.stride).step_by(S::L) {
                let mut sum = s.splat_f32s(0.0);
                for &user in self.users {
                    sum = s.add_f32s(sum, crate::simd::load(s, self.from.row(user as usize).add(j)));
                }
                crate::simd::store(s, self.to.ptr.add(j), sum);
            }
        }
    }
}
