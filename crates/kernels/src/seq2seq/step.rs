//! One training step, as every member of the team runs it.
//!
//! Between two barriers, each member works on its own share: rows of the encoder, rows of the decoder, positions of the
//! scores, rows of the weight matrices. Sums over rows or positions are computed in order, so the number of members
//! does not change the result.

use std::slice::{from_raw_parts, from_raw_parts_mut};

use super::decoder::{Decoder, DecoderDropout};
use super::encoder::{UnitDropout, gather, layers};
use super::packs::{Packs, Task};
use super::params::{Params, Table};
use super::pass::{Inputs, Pass, Sampling, memory};
use super::plan::PairPlan;
use super::space::Mats;
use crate::heads::losses::cross_entropy;
use crate::network::exchange::{Group, Outcome};
use crate::optim::{DenseShared, StepNumbers};
use crate::random::{Chosen, key};
use crate::recurrent::layers::{LayerDropout, Start};
use crate::simd::gemm::Init;
use crate::threads::Member;
use recurra_core::{StepOptions, fault};

/// The purposes of a step's random numbers, so that each has its own.
pub(super) const WORDS: u64 = 1;
const EMBEDDING: u64 = 2;
const LAYERS: u64 = 3;
const TARGETS: u64 = 4;
const DECODER: u64 = 5;
const OUTPUT: u64 = 6;
const SAMPLING: u64 = 7;

/// Number of parameters whose squares are summed together and that one member updates.
pub(super) const BLOCK: usize = 4096;

/// Values exchanged between members, by packed position or block of parameters.
pub(super) struct Notes {
    pub losses: *mut f64,
    pub right: *mut bool,
    pub squares: *mut f64,
    /// The units that the decoder read.
    pub units: *mut u32,
}

/// The data shared by the team. Each address is written by one member at a time.
pub(super) struct Step<'a> {
    pub params: &'a Params,
    pub options: StepOptions<'a>,
    pub mats: &'a Mats,
    pub flat: *mut f32,
    pub packs: *const Packs,
    pub tasks: Vec<Task>,
    pub states: DenseShared,
    pub notes: Notes,
    /// The other ranks, which run the same steps on their own pairs.
    pub group: Option<Group<'a>>,
    /// Number of steps before these, and the seed, for the dropout masks.
    pub steps_before: u64,
    pub seed: u64,
    /// The number of steps of the optimizer's state, which may be younger.
    pub optimizer_steps: u64,
}

// SAFETY: the addresses are used as the type says.
unsafe impl Sync for Step<'_> {}

impl Step<'_> {
    fn key(&self, what: [u64; 3]) -> u64 {
        key(self.seed, what)
    }

    /// The dropout of embedded units of a step, for the side that `what` names.
    fn unit_dropout(&self, mask: u64, what: u64) -> UnitDropout {
        let p = self.params.config.encoder.dropouts.embedding as f32;
        (p > 0.0).then(|| (self.key([mask, what, 0]), p))
    }

    /// Whether the decoder's inputs differ between positions, or are only known step by step.
    pub fn positions(params: &Params, options: &StepOptions<'_>) -> bool {
        params.config.encoder.dropouts.embedding > 0.0 || options.sampling > 0.0
    }

    /// Runs step `number` of those that `options` has learning rates for. Returns the same on every member.
    ///
    /// # Safety
    /// All members of the team must run it concurrently. All addresses must be valid for the plan and not used by
    /// anything else.
    pub unsafe fn run(&self, member: &Member<'_>, plan: &PairPlan, number: u64, scratch: &mut Vec<f32>) -> Outcome {
        if plan.is_empty() {
            // SAFETY: by the caller's promise.
            return unsafe { self.run_without_rows(member, number) };
        }
        let (params, mats) = (self.params, self.mats);
        let mask = self.steps_before + number;
        let p = params.config.encoder.dropouts.layers as f32;
        let source = self.unit_dropout(mask, EMBEDDING);
        let positions = Self::positions(params, &self.options);
        // SAFETY: by the caller's promise and the shares between meetings.
        unsafe {
            let flat = from_raw_parts(self.flat, params.flat_size);
            for task in self.tasks.iter().skip(member.rank()).step_by(member.size()) {
                task.run(params, flat, true);
            }
            gather(member, params, self.flat, &plan.source, &mats.encoder, source);
            if !positions {
                self.gather_targets(member, plan);
            }
            member.meet();
            let packs = &*self.packs;
            let dropout = LayerDropout::new(p, params.shape.layers(), |layer| self.key([mask, LAYERS, layer as u64]));
            let layers = layers(params, packs, &plan.source, &mats.encoder, source.is_some(), dropout);
            if !positions {
                let (embedded, share) = (&packs.layers[0].embedded, member.share(plan.ids.len(), 8));
                let bias = Init::Bias(packs.layers[0].bias.as_ptr());
                embedded.there(mats.x.at(share.start, 0), share.len(), mats.table.at(share.start, 0), bias);
            }
            let rows = plan.source.layout.rows();
            layers.forward(member, Start::Zeros(member.share(rows, 1)));
            member.meet();

            let pass = self.pass(packs, plan, mask, positions, p);
            let own = plan.slices.get(member.rank()).cloned().unwrap_or(0..0);
            pass.forward(own.clone());
            member.meet();
            self.losses(member, packs, plan);
            member.meet();
            let outcome = self.outcome(plan);
            if !outcome.finite {
                return self.refused(member, outcome);
            }
            fault::point("step");
            pass.backward(own, scratch);
            member.meet();
            self.decoder_grads(member, plan, positions);
            layers.backward_top(member);
            member.meet();
            layers.backward(member, Some(self.mats.flat_grads));
            self.encoder_grads(member, plan, &layers, source);
            self.target_grads(member, plan, packs, pass.inputs);
            member.meet();
            let outcome = self.update(member, number, outcome);
            self.clear_embeddings(member, plan, positions);
            outcome
        }
    }

    fn pass<'b>(&'b self, packs: &'b Packs, plan: &'b PairPlan, mask: u64, positions: bool, p: f32) -> Pass<'b> {
        let (params, mats) = (self.params, self.mats);
        let decoder = Decoder { params, packs, flat: self.flat, memory: memory(params, self.flat, mats) };
        let share = self.options.sampling as f32;
        let sampling = (share > 0.0).then(|| Sampling { chosen: Chosen::new(self.key([mask, SAMPLING, 0]), share) });
        let inputs = if positions {
            let dropout = self.unit_dropout(mask, TARGETS);
            let (x, units, guess) = (mats.x, self.notes.units, mats.guess);
            Inputs::Positions { x, units, dropout, sampling, guess, own: &plan.inputs }
        } else {
            Inputs::Table(mats.table)
        };
        let between = if p > 0.0 { params.layers.len() - 1 } else { 0 };
        let dropout = DecoderDropout {
            p: params.config.encoder.dropouts.of_outputs() as f32,
            between: p,
            layers: (0..between).map(|layer| self.key([mask, DECODER, layer as u64])).collect(),
            output: self.key([mask, OUTPUT, 0]),
        };
        Pass { decoder, plan, mats, inputs, dropout, keep: true }
    }

    /// Gathers this member's share of the decoder's distinct embedded units.
    unsafe fn gather_targets(&self, member: &Member<'_>, plan: &PairPlan) {
        let Table { offset, width, .. } = self.params.target;
        for row in member.share(plan.ids.len(), 8) {
            // SAFETY: as `run`; units were checked.
            unsafe {
                let from = self.flat.add(offset + plan.ids[row] as usize * width);
                std::ptr::copy_nonoverlapping(from, self.mats.x.row(row), width);
            }
        }
    }

    /// Computes scores and losses at this member's share of the positions, and the gradients of the attentional
    /// outputs.
    unsafe fn losses(&self, member: &Member<'_>, packs: &Packs, plan: &PairPlan) {
        let (params, mats) = (self.params, self.mats);
        let share = member.share(plan.layout.total(), 1);
        let (first, m) = (share.start, share.len());
        let part = (1.0 / plan.answers() as f64) as f32;
        // SAFETY: as `run`; the positions are this member's.
        unsafe {
            let scores = mats.scores.at(first, 0);
            let bias = Init::Bias(self.flat.add(params.units.bias.unwrap_or(0)));
            packs.units.there(mats.decoder.tilde.at(first, 0), m, scores, bias);
            for position in share {
                let values = from_raw_parts_mut(mats.scores.row(position), params.vp);
                let label = plan.labels[position] as usize;
                let one = cross_entropy(values, params.config.target_size, label, &self.options.loss, part);
                self.notes.losses.add(position).write(one.loss);
                self.notes.right.add(position).write(one.right);
            }
            packs.units.back(scores, m, mats.d_tilde.at(first, 0), Init::Zero);
        }
    }

    /// Sums the positions' losses, after a barrier.
    unsafe fn outcome(&self, plan: &PairPlan) -> Outcome {
        let total = plan.layout.total();
        // SAFETY: as `run`; nothing writes them now.
        let (losses, right) =
            unsafe { (from_raw_parts(self.notes.losses, total), from_raw_parts(self.notes.right, total)) };
        let loss = losses.iter().sum::<f64>();
        let correct = right.iter().filter(|right| **right).count() as u64;
        Outcome { loss, correct, finite: loss.is_finite(), failed: false }
    }

    /// The optimizer's step for this member's share of the parameters, once all gradients exist.
    pub(super) unsafe fn update(&self, member: &Member<'_>, number: u64, mut outcome: Outcome) -> Outcome {
        // SAFETY: by the caller's promise.
        if !unsafe { self.reduce(member, &mut outcome) } {
            return outcome;
        }
        let (size, grads) = (self.params.flat_size, self.mats.flat_grads);
        let share = member.share(size, BLOCK);
        // SAFETY: as `run`; the blocks are this member's.
        unsafe {
            if let Some(row) = self.params.config.encoder.padding_idx
                && member.rank() == 0
            {
                let Table { offset, width, .. } = self.params.source;
                std::ptr::write_bytes(grads.add(offset + row as usize * width), 0, width);
            }
            let mut scale = 1.0;
            if self.options.clip_norm > 0.0 {
                member.meet();
                for start in share.clone().step_by(BLOCK) {
                    let block = from_raw_parts(grads.add(start), BLOCK.min(share.end - start));
                    let sum = block.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
                    self.notes.squares.add(start / BLOCK).write(sum);
                }
                member.meet();
                let norm = from_raw_parts(self.notes.squares, size.div_ceil(BLOCK)).iter().sum::<f64>().sqrt();
                if !norm.is_finite() {
                    outcome.finite = false;
                    return outcome;
                }
                // torch.nn.utils.clip_grad_norm_: at most 1, with 1e-6 against division by zero.
                scale = (self.options.clip_norm / (norm + 1e-6)).min(1.0) as f32;
            } else if self.params.config.encoder.padding_idx.is_some() {
                member.meet();
            }
            fault::point("update");
            let lr = self.options.lr(number as usize);
            let t = self.optimizer_steps + number + 1;
            let numbers = StepNumbers::new(&self.options.algorithm, t, lr, scale);
            let mut start = share.start;
            // Frozen embeddings are not updated; the parameters between them are.
            let mut frozen = [self.params.source, self.params.target].to_vec();
            frozen.retain(|_| self.options.freeze_embedding);
            for Table { offset, rows, width } in frozen {
                let stop = offset.clamp(start, share.end);
                self.states.step(self.flat, grads, start..stop, numbers);
                start = (offset + rows * width).clamp(start, share.end);
            }
            self.states.step(self.flat, grads, start..share.end, numbers);
        }
        outcome
    }

    /// Resets the gradients of the embeddings to zero.
    unsafe fn clear_embeddings(&self, member: &Member<'_>, plan: &PairPlan, positions: bool) {
        if self.options.freeze_embedding {
            member.meet();
            return;
        }
        member.meet();
        if self.group.is_some() {
            // SAFETY: as `run`.
            return unsafe { self.clear_tables(member) };
        }
        let (source, target) = (self.params.source, self.params.target);
        let read = positions.then_some((self.notes.units, plan.layout.total()));
        // SAFETY: as `run`; each unit is one member's.
        unsafe {
            let clear = |table: Table, units: &[u32]| {
                for &unit in units.iter().filter(|&&unit| unit as usize % member.size() == member.rank()) {
                    let to = self.mats.flat_grads.add(table.offset + unit as usize * table.width);
                    std::ptr::write_bytes(to, 0, table.width);
                }
            };
            clear(source, &plan.source.ids);
            match read {
                Some((units, n)) => clear(target, from_raw_parts(units, n)),
                None => clear(target, &plan.ids),
            }
        }
    }
}
