//! Search for target units: greedy, or with a beam.
//!
//! At each step, the extensions of a row's hypotheses by one unit are ranked by log-probability, and the best `2
//! beam_size` are considered. Those among the best `beam_size` that end are finished; the best `beam_size` that do not
//! end are kept. The search of a row ends when `beam_size` hypotheses are finished, or when the kept ones have the
//! maximum length; they are then finished as they are. A beam of one takes the most probable unit each time.

use std::cmp::Ordering as Order;
use std::sync::atomic::{AtomicBool, Ordering};

use super::attention::Span;
use super::decoder::{Decoder, DecoderDropout, StepRows};
use super::frozen::{Frozen, Scratch, encode};
use super::params::{Params, Table};
use super::pass::{Inputs, Pass, memory};
use super::plan::{PairPlan, spans};
use super::rows::some_rows;
use super::space::{DecoderMats, Mats, Purpose, Sizes};
use crate::encoder::plan::{Omitted, Plan};
use crate::pool::softmax::{ExpSum, Largest};
use crate::simd::dispatch;
use crate::simd::gemm::{Init, Mat};
use recurra_core::{DecodeOptions, Error, ErrorCode, Result, Rows};

/// One result.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub score: f64,
    /// The score by which results are ranked.
    normal: f64,
    pub units: Vec<i32>,
    pub alignments: Vec<f32>,
}

/// A unit of a hypothesis, with a link to the previous one.
#[derive(Clone, Copy)]
struct Node {
    before: u32,
    unit: u32,
}

/// The link before the first unit.
const NOTHING: u32 = u32::MAX;

/// A hypothesis in progress.
#[derive(Clone, Copy)]
struct Live {
    row: usize,
    score: f64,
    /// The node of its last unit.
    node: u32,
}

/// An extension of a hypothesis.
#[derive(Clone, Copy)]
struct Extension {
    score: f64,
    parent: usize,
    unit: u32,
}

/// A search over some rows.
pub(super) struct Search<'a> {
    pub params: &'a Params,
    pub frozen: &'a Frozen,
    pub flat: &'a [f32],
    pub options: &'a DecodeOptions<'a>,
    pub abort: Option<&'a AtomicBool>,
}

/// The hypotheses of all rows.
struct Hypotheses {
    live: Vec<Live>,
    nodes: Vec<Node>,
    /// Attention weights of each node, if requested, and the start of each node's weights.
    weights: Vec<f32>,
    places: Vec<usize>,
    finished: Vec<Vec<Found>>,
}

impl Search<'_> {
    /// The results of each of the rows numbered `some`.
    pub fn run(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        starts: &[usize],
        some: &[u32],
        scratch: &mut Scratch,
    ) -> Result<Vec<Vec<Found>>> {
        let (params, count) = (self.params, some.len());
        let (units, own) = some_rows(tokens, lengths, starts, some);
        scratch.finders.words.begin(params.config.encoder.vocab_size);
        let source =
            Plan::new(Rows::new(&units, &own), Omitted::default(), (params.shape.dirs, 1), &mut scratch.finders)?;
        let identity: Vec<u32> = (0..count as u32).collect();
        let (rows, spans) = spans(&source.layout, &identity);
        let plan = PairPlan { source, rows, spans, ..PairPlan::default() };
        let most = count * self.options.beam_size;
        let longest = plan.source.layout.steps();
        let sizes = Sizes { rows: most, total: most, units: plan.units(), distinct: 0, longest };
        let purpose = Purpose { training: false, positions: false };
        let mut mats = scratch.space.fit_sizes(params, std::iter::once(&plan.source), sizes, purpose);
        // SAFETY: the space is this thread's and fits the batch; units were checked.
        unsafe {
            encode(params, self.frozen, self.flat, &plan.source, &mats);
            let decoder = self.decoder(&mats);
            let (inputs, dropout) = (Inputs::Table(Mat::none()), DecoderDropout::default());
            Pass { decoder, plan: &plan, mats: &mats, inputs, dropout, keep: false }.prepare(0..count);
            self.steps(&plan.spans, some, &mut mats)
        }
    }

    fn decoder(&self, mats: &Mats) -> Decoder<'_> {
        let flat = self.flat.as_ptr();
        Decoder { params: self.params, packs: &self.frozen.packs, flat, memory: memory(self.params, flat, mats) }
    }

    /// Runs steps until every row is finished.
    unsafe fn steps(&self, spans: &[Span], some: &[u32], mats: &mut Mats) -> Result<Vec<Vec<Found>>> {
        let (params, packs) = (self.params, &self.frozen.packs);
        let decoder = self.decoder(mats);
        let live = (0..spans.len()).map(|row| Live { row, score: 0.0, node: NOTHING }).collect();
        let finished = vec![Vec::new(); spans.len()];
        let mut all = Hypotheses { live, nodes: Vec::new(), weights: Vec::new(), places: Vec::new(), finished };
        let mut inputs = vec![params.config.start_unit; spans.len()];
        let mut own: Vec<Span> = spans.to_vec();
        let bias = Init::Bias(decoder.at(params.units.bias.unwrap_or(0)));
        let mut time = 0;
        while !all.live.is_empty() {
            if self.abort.is_some_and(|abort| abort.load(Ordering::Relaxed)) {
                return Err(Error::new(ErrorCode::Aborted, "the search was aborted"));
            }
            let m = all.live.len();
            // SAFETY: there are at most as many hypotheses as rows in the space; units are those of the embedding.
            unsafe {
                let base = self.read(mats, &inputs);
                let rows = StepRows { position: 0, row: 0, m, spans: &own };
                decoder.step(&mats.decoder, rows, base, None, false);
                packs.units.there(mats.decoder.tilde, m, mats.scores, bias);
                let parents = self.extend(&mut all, (spans, some), mats, time)?;
                self.reorder(&mut mats.decoder, &parents);
            }
            inputs.clear();
            inputs.extend(all.live.iter().map(|live| all.nodes[live.node as usize].unit));
            own.clear();
            own.extend(all.live.iter().map(|live| spans[live.row]));
            time += 1;
        }
        for results in &mut all.finished {
            results.sort_by(|a, b| b.normal.total_cmp(&a.normal));
        }
        Ok(all.finished)
    }

    /// The initial value of the step's product: the projections of the read units.
    unsafe fn read(&self, mats: &Mats, inputs: &[u32]) -> Init {
        let Self { params, frozen, flat, .. } = self;
        if !frozen.table.is_empty() {
            return Init::Rows(Mat::of(&frozen.table, params.gp), inputs.as_ptr());
        }
        let (Table { offset, width, .. }, layer) = (params.target, &frozen.packs.layers[0]);
        let gates = mats.decoder.layers[0].gates;
        // SAFETY: guaranteed by the caller. The vectors are not contiguous, so rows are processed one by one.
        unsafe {
            for (row, &unit) in inputs.iter().enumerate() {
                let from = Mat::of(&flat[offset + unit as usize * width..], width);
                layer.embedded.there(from, 1, gates.at(row, 0), Init::Bias(layer.bias.as_ptr()));
            }
        }
        Init::Of(gates)
    }

    /// Extends all hypotheses by one unit. Returns the parent of each new one.
    unsafe fn extend(
        &self,
        all: &mut Hypotheses,
        (spans, some): (&[Span], &[u32]),
        mats: &Mats,
        time: usize,
    ) -> Result<Vec<usize>> {
        let beam = self.options.beam_size;
        let end = self.params.config.end_unit;
        let (mut live, mut parents, mut first) = (Vec::new(), Vec::new(), 0);
        let mut best: Vec<Extension> = Vec::with_capacity(2 * beam + 1);
        while first < all.live.len() {
            let row = all.live[first].row;
            let count = all.live[first..].iter().take_while(|live| live.row == row).count();
            best.clear();
            for parent in first..first + count {
                // SAFETY: by the caller's promise: the scores have a row for each hypothesis.
                unsafe { self.rank(&all.live[parent], parent, mats.scores, 2 * beam, &mut best) };
            }
            let mut kept = 0;
            for (place, &Extension { score, parent, unit }) in best.iter().enumerate() {
                if unit == end {
                    if place < beam {
                        let found = self.finish(all, all.live[parent].node, score, true, spans[row].len)?;
                        all.finished[row].push(found);
                    }
                } else if kept < beam {
                    kept += 1;
                    let node = all.nodes.len() as u32;
                    all.nodes.push(Node { before: all.live[parent].node, unit });
                    if self.options.alignments {
                        // SAFETY: as above.
                        let weights = unsafe { mats.decoder.weights.row(parent) };
                        all.places.push(all.weights.len());
                        room(&mut all.weights, spans[row].len)?;
                        // SAFETY: there is a weight for each of the row's source units.
                        all.weights.extend(unsafe { std::slice::from_raw_parts(weights, spans[row].len) });
                    }
                    live.push(Live { row, score, node });
                    parents.push(parent);
                }
            }
            let done = all.finished[row].len() >= beam;
            let longest = time + 1 >= self.options.max_lengths[some[row] as usize] as usize;
            if done || longest {
                for hypothesis in live.drain(live.len() - kept..) {
                    if !done {
                        let found = self.finish(all, hypothesis.node, hypothesis.score, false, spans[row].len)?;
                        all.finished[row].push(found);
                    }
                }
                parents.truncate(live.len());
            }
            first += count;
        }
        all.live = live;
        Ok(parents)
    }

    /// Inserts the extensions of a hypothesis into the best ones of its row.
    unsafe fn rank(&self, live: &Live, parent: usize, scores: Mat, most: usize, best: &mut Vec<Extension>) {
        let (classes, start) = (self.params.config.target_size, self.params.config.start_unit);
        // SAFETY: by the caller's promise.
        let values = unsafe { std::slice::from_raw_parts_mut(scores.row(parent), self.params.vp) };
        let largest = dispatch(Largest { values: &mut *values, classes });
        let sum = dispatch(ExpSum { values, less: largest });
        let base = live.score - f64::from(largest) - f64::from(sum.ln());
        for (unit, &value) in values[..classes].iter().enumerate() {
            let score = base + f64::from(value);
            let full = best.len() == most;
            // Of equal ones, the first is kept. NaN ranks last.
            if unit as u32 == start || score.is_nan() || (full && best.last().is_some_and(|last| score <= last.score)) {
                continue;
            }
            let place = best.partition_point(|other| other.score.total_cmp(&score) != Order::Less);
            best.insert(place, Extension { score, parent, unit: unit as u32 });
            best.truncate(most);
        }
    }

    /// The result of a hypothesis whose last unit is at a node.
    fn finish(&self, all: &Hypotheses, node: u32, score: f64, ended: bool, len: usize) -> Result<Found> {
        let (mut units, mut path, mut at) = (Vec::new(), Vec::new(), node);
        while at != NOTHING {
            let Node { before, unit } = all.nodes[at as usize];
            units.push(unit as i32);
            path.push(at as usize);
            at = before;
        }
        units.reverse();
        let length = units.len() + usize::from(ended);
        let normal = score / (length as f64).powf(self.options.length_penalty);
        let mut alignments = Vec::new();
        if self.options.alignments {
            room(&mut alignments, units.len() * len)?;
            for &node in path.iter().rev() {
                alignments.extend_from_slice(&all.weights[all.places[node]..][..len]);
            }
        }
        Ok(Found { score, normal, units, alignments })
    }

    /// Copies the states of the parent to each new hypothesis.
    unsafe fn reorder(&self, mats: &mut DecoderMats, parents: &[usize]) {
        if parents.iter().enumerate().all(|(at, &parent)| at == parent) {
            return;
        }
        let hp = self.params.hp;
        let copy = |from: Mat, to: Mat| {
            for (at, &parent) in parents.iter().enumerate() {
                // SAFETY: by the caller's promise; both have a row for each hypothesis.
                unsafe { std::ptr::copy_nonoverlapping(from.row(parent), to.row(at), hp) };
            }
        };
        copy(mats.fed, mats.spare);
        std::mem::swap(&mut mats.fed, &mut mats.spare);
        for layer in &mut mats.layers {
            // The initial states of the layer are no longer needed.
            copy(layer.h, layer.h0);
            std::mem::swap(&mut layer.h, &mut layer.h0);
            if layer.c.exists() {
                copy(layer.c, layer.c0);
                std::mem::swap(&mut layer.c, &mut layer.c0);
            }
        }
    }
}

/// Reserves space in a list that may be large.
///
/// # Errors
/// `OutOfMemory` if the system refuses it.
pub(super) fn room<T>(list: &mut Vec<T>, more: usize) -> Result<()> {
    list.try_reserve(more).map_err(|_| {
        let bytes = more.saturating_mul(size_of::<T>());
        Error::new(ErrorCode::OutOfMemory, format!("the system gives no memory for {bytes} more bytes"))
    })
}
