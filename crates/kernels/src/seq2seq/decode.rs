//! The search for target units: greedy, or with a beam.
//!
//! At each step the extensions of a row's hypotheses by one unit are ordered by the sum of their log-probabilities, and the best
//! `2 beam_size` are looked at. Those among the best `beam_size` that end are finished; the best `beam_size` that do not end are kept.
//! The search of a row ends when `beam_size` hypotheses are finished, or when those that are kept are as long as allowed: they are then
//! finished as they are. With a beam of one this takes the most probable unit each time.

use std::cmp::Ordering as Order;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLockReadGuard};

use super::attention::Span;
use super::decoder::{Decoder, DecoderDropout, StepRows};
use super::encoder::{gather, layers};
use super::model::{Seq2Seq, Weights};
use super::packs::Packs;
use super::params::{Params, Table};
use super::pass::{Inputs, Pass, memory};
use super::plan::{PairPlan, spans};
use super::space::{DecoderMats, Mats, Purpose, Sizes, Space};
use crate::encoder::plan::{Finders, Plan};
use crate::pool::softmax::{ExpSum, Largest};
use crate::recurrent::layers::{LayerDropout, Source, Start};
use crate::recurrent::stack::Net;
use crate::simd::gemm::{Init, Mat};
use crate::simd::{Buf, dispatch};
use crate::threads::Member;
use recurra_core::{DecodeOptions, Error, ErrorCode, Result, Rows, layout::PackedLayout};

/// Hypotheses that go through a step together: enough to fill the tiles, few enough for the cache.
const TOGETHER: usize = 48;

/// The projections of all target units are kept where they take at most this many bytes.
const TABLE_BYTES: usize = 64 << 20;

/// Weights as searches read them.
pub(super) struct Frozen {
    pub packs: Packs,
    /// The projection of each target unit, where they are few enough; else empty.
    table: Buf,
    /// The same of source units for each direction of the encoder's first layer.
    sources: Vec<Buf>,
}

impl Frozen {
    pub fn new(params: &Params, flat: &[f32]) -> Self {
        let mut packs = Packs::default();
        packs.fill(params, flat);
        let few = |rows: usize, width: usize| rows.saturating_mul(width).saturating_mul(4) <= TABLE_BYTES;
        let Table { offset, rows, width } = params.target;
        let small = few(rows, params.gp);
        let mut table = Buf::zeros(if small { rows * params.gp } else { 0 });
        if small {
            let (x, bias) = (Mat::of(&flat[offset..], width), Init::Bias(packs.layers[0].bias.as_ptr()));
            let to = Mat::new(&mut table, params.gp);
            // SAFETY: the embedding and the table have a row for each unit.
            unsafe { packs.layers[0].embedded.there(x, rows, to, bias) };
        }
        let (Table { offset, rows, width }, shape) = (params.source, &params.shape);
        let dirs = if few(rows, shape.gp * shape.dirs) { shape.dirs } else { 0 };
        let mut sources: Vec<Buf> = (0..dirs).map(|_| Buf::zeros(rows * shape.gp)).collect();
        if dirs > 0 {
            let to: Vec<Mat> = sources.iter_mut().map(|buf| Mat::new(buf, shape.gp)).collect();
            let layout = PackedLayout::default();
            let net = Net { shape, packs: &packs.encoder, layout: &layout, slices: &[], aside: None };
            // SAFETY: the embedding and each table have a row for each unit.
            unsafe { net.project(&Member::alone(), 0, Mat::of(&flat[offset..], width), rows, &to) };
        }
        Self { packs, table, sources }
    }

    /// Bytes of everything.
    pub fn bytes(&self) -> usize {
        4 * (self.table.len() + self.sources.iter().map(|buf| buf.len()).sum::<usize>())
    }
}

/// Buffers of one thread that searches or scores.
#[derive(Default)]
pub(super) struct Scratch {
    pub finders: Finders,
    pub space: Space,
}

/// What a search found, row by row, of each row the best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// Units of all results, without the end unit.
    pub units: Vec<i32>,
    /// Where the units of each result begin, and at last how many there are. `[rows * best + 1]`.
    pub starts: Vec<u32>,
    /// The sum of the log-probabilities of each result, that of the end unit included where it was reached; minus infinity for a
    /// result that there is not. `[rows * best]`.
    pub scores: Vec<f32>,
    /// For each unit of each result a weight for each source unit of its row, in that order; empty if not asked for.
    pub alignments: Vec<f32>,
}

/// One result.
#[derive(Clone, Debug)]
struct Found {
    score: f64,
    /// The score that results are ordered by.
    normal: f64,
    units: Vec<i32>,
    alignments: Vec<f32>,
}

/// A unit of a hypothesis, and the one before it.
#[derive(Clone, Copy)]
struct Node {
    before: u32,
    unit: u32,
}

/// Before the first unit.
const NOTHING: u32 = u32::MAX;

/// A hypothesis that is kept.
#[derive(Clone, Copy)]
struct Live {
    row: usize,
    score: f64,
    /// Its last unit among the nodes.
    node: u32,
}

/// An extension of a hypothesis.
#[derive(Clone, Copy)]
struct Extension {
    score: f64,
    parent: usize,
    unit: u32,
}

impl Seq2Seq {
    /// Searches for the target units of some rows. Results depend neither on the number of threads nor on other rows.
    ///
    /// # Errors
    /// `OutOfRange` and `InvalidShape` for rows that are none, as [`DecodeOptions::validate`]; `Aborted` where `abort` became true.
    pub fn decode(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        options: &DecodeOptions<'_>,
        abort: Option<&AtomicBool>,
    ) -> Result<Decoded> {
        self.params.config.check_sources(tokens, lengths)?;
        options.validate(lengths.len())?;
        let weights = self.frozen()?;
        self.search(&weights, (tokens, lengths), options, abort)
    }

    /// As [`Seq2Seq::decode`], on the calling thread alone; none where it would have to wait. For short rows, which take less time than
    /// a change of thread.
    ///
    /// # Errors
    /// As there.
    pub fn decode_at_once(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        options: &DecodeOptions<'_>,
    ) -> Result<Option<Decoded>> {
        self.params.config.check_sources(tokens, lengths)?;
        options.validate(lengths.len())?;
        match self.weights.try_read() {
            Ok(weights) if weights.frozen.is_some() => {
                self.search(&weights, (tokens, lengths), options, None).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn search(
        &self,
        weights: &Weights,
        (tokens, lengths): (&[i32], &[i32]),
        options: &DecodeOptions<'_>,
        abort: Option<&AtomicBool>,
    ) -> Result<Decoded> {
        let rows = by_length(lengths);
        let found: Vec<Mutex<Vec<Found>>> = lengths.iter().map(|_| Mutex::default()).collect();
        let many = (TOGETHER / options.beam_size).max(1);
        self.each(weights, &rows.order, many, |frozen, flat, scratch, some| {
            let search = Search { params: &self.params, frozen, flat, options, abort };
            let results = search.run(tokens, lengths, &rows.starts, some, scratch)?;
            for (&row, results) in some.iter().zip(results) {
                *found[row as usize].lock().unwrap_or_else(PoisonError::into_inner) = results;
            }
            Ok(())
        })?;
        let mut all = Decoded { starts: vec![0], ..Decoded::default() };
        for row in found {
            let mut results = row.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter();
            for _ in 0..options.best {
                match results.next() {
                    Some(found) => {
                        all.units.extend(found.units);
                        all.alignments.extend(found.alignments);
                        all.scores.push(found.score as f32);
                    }
                    None => all.scores.push(f32::NEG_INFINITY),
                }
                all.starts.push(all.units.len() as u32);
            }
        }
        Ok(all)
    }

    /// Hands out parts of the rows to the team; the first error is the result.
    pub(super) fn each(
        &self,
        weights: &Weights,
        order: &[u32],
        many: usize,
        work: impl Fn(&Frozen, &[f32], &mut Scratch, &[u32]) -> Result<()> + Sync,
    ) -> Result<()> {
        let Some(frozen) = &weights.frozen else {
            return Err(Error::new(ErrorCode::Internal, "the weights changed while a search began"));
        };
        let parts: Vec<&[u32]> = order.chunks(many).collect();
        let (next, failure) = (AtomicUsize::new(0), Mutex::new(Ok(())));
        let run = |_: &Member<'_>| {
            let spare = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
            let mut scratch = spare().pop().unwrap_or_default();
            while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = work(frozen, &weights.flat, &mut scratch, part) {
                    next.store(parts.len(), Ordering::Relaxed);
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Err(error);
                }
            }
            spare().push(scratch);
        };
        if parts.len() > 1 {
            self.pool.run_if_free(run)
        } else {
            run(&Member::alone())
        }
        failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The weights, packed where they have changed. A training may come between.
    pub(super) fn frozen(&self) -> Result<RwLockReadGuard<'_, Weights>> {
        loop {
            let weights = self.read();
            if weights.frozen.is_some() {
                return Ok(weights);
            }
            drop(weights);
            let mut weights = self.write();
            weights.draw(&self.params)?;
            if weights.frozen.is_none() {
                weights.frozen = Some(Frozen::new(&self.params, &weights.flat));
            }
        }
    }
}

/// Rows by falling length, and where the units of each begin.
pub(super) struct ByLength {
    pub order: Vec<u32>,
    pub starts: Vec<usize>,
}

pub(super) fn by_length(lengths: &[i32]) -> ByLength {
    let mut sum = 0;
    let start = |&length: &i32| {
        sum += length as usize;
        sum - length as usize
    };
    let starts = lengths.iter().map(start).collect();
    let mut order: Vec<u32> = (0..lengths.len() as u32).collect();
    order.sort_by_key(|&row| std::cmp::Reverse(lengths[row as usize]));
    ByLength { order, starts }
}

/// Source units and lengths of some rows.
pub(super) fn some_rows(tokens: &[i32], lengths: &[i32], starts: &[usize], some: &[u32]) -> (Vec<i32>, Vec<i32>) {
    let own: Vec<i32> = some.iter().map(|&row| lengths[row as usize]).collect();
    let mut units = Vec::with_capacity(own.iter().map(|&length| length as usize).sum());
    for &row in some {
        units.extend_from_slice(&tokens[starts[row as usize]..][..lengths[row as usize] as usize]);
    }
    (units, own)
}

/// The encoder over a batch, on the calling thread.
///
/// # Safety
/// The matrices must fit the plan and be this thread's.
pub(super) unsafe fn encode(params: &Params, frozen: &Frozen, flat: &[f32], plan: &Plan, mats: &Mats) {
    let alone = Member::alone();
    let tables: Vec<Mat> = frozen.sources.iter().map(|buf| Mat::of(buf, params.shape.gp)).collect();
    let units: Vec<u32>;
    // SAFETY: by the caller's promise.
    unsafe {
        let mut layers = layers(params, &frozen.packs, plan, &mats.encoder, false, LayerDropout::default());
        if tables.is_empty() {
            gather(&alone, params, flat.as_ptr(), plan, &mats.encoder, None);
        } else {
            units = plan.slots.iter().map(|&slot| plan.ids[slot as usize]).collect();
            layers.source = Source::Projected { tables: &tables, slots: units.as_ptr() };
        }
        layers.forward(&alone, Start::Zeros(0..plan.layout.rows()));
    }
}

/// A search over some rows.
struct Search<'a> {
    params: &'a Params,
    frozen: &'a Frozen,
    flat: &'a [f32],
    options: &'a DecodeOptions<'a>,
    abort: Option<&'a AtomicBool>,
}

/// What a search knows of its rows' hypotheses.
struct Hypotheses {
    live: Vec<Live>,
    nodes: Vec<Node>,
    /// How much the source units counted at each node, where that is asked for, and where those of each begin.
    weights: Vec<f32>,
    places: Vec<usize>,
    finished: Vec<Vec<Found>>,
}

impl Search<'_> {
    fn run(
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
        let source = Plan::new(Rows::new(&units, &own), None, (params.shape.dirs, 1), &mut scratch.finders)?;
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

    /// Step after step until every row is finished.
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
                let parents = self.extend(&mut all, (spans, some), mats, time);
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

    /// What the step's product begins with: the projections of the units that are read.
    unsafe fn read(&self, mats: &Mats, inputs: &[u32]) -> Init {
        let Self { params, frozen, flat, .. } = self;
        if !frozen.table.is_empty() {
            return Init::Rows(Mat::of(&frozen.table, params.gp), inputs.as_ptr());
        }
        let (Table { offset, width, .. }, layer) = (params.target, &frozen.packs.layers[0]);
        let gates = mats.decoder.layers[0].gates;
        // SAFETY: by the caller's promise. The vectors are where they are, so that the rows go one by one.
        unsafe {
            for (row, &unit) in inputs.iter().enumerate() {
                let from = Mat::of(&flat[offset + unit as usize * width..], width);
                layer.embedded.there(from, 1, gates.at(row, 0), Init::Bias(layer.bias.as_ptr()));
            }
        }
        Init::Of(gates)
    }

    /// Extends all hypotheses by one unit; returns the number of each new one's parent.
    unsafe fn extend(
        &self,
        all: &mut Hypotheses,
        (spans, some): (&[Span], &[u32]),
        mats: &Mats,
        time: usize,
    ) -> Vec<usize> {
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
                        let found = self.finish(all, all.live[parent].node, score, true, spans[row].len);
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
                        let found = self.finish(all, hypothesis.node, hypothesis.score, false, spans[row].len);
                        all.finished[row].push(found);
                    }
                }
                parents.truncate(live.len());
            }
            first += count;
        }
        all.live = live;
        parents
    }

    /// Puts the extensions of a hypothesis among the best ones of its row.
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
            // Of equal ones the first stays. Not a number is worse than all.
            if unit as u32 == start || score.is_nan() || (full && best.last().is_some_and(|last| score <= last.score)) {
                continue;
            }
            let place = best.partition_point(|other| other.score.total_cmp(&score) != Order::Less);
            best.insert(place, Extension { score, parent, unit: unit as u32 });
            best.truncate(most);
        }
    }

    /// The result of a hypothesis whose last unit is at a node.
    fn finish(&self, all: &Hypotheses, node: u32, score: f64, ended: bool, len: usize) -> Found {
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
            for &node in path.iter().rev() {
                alignments.extend_from_slice(&all.weights[all.places[node]..][..len]);
            }
        }
        Found { score, normal, units, alignments }
    }

    /// Gives each new hypothesis the states of its parent.
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
            // What the layer began with is needed no more.
            copy(layer.h, layer.h0);
            std::mem::swap(&mut layer.h, &mut layer.h0);
            if layer.c.exists() {
                copy(layer.c, layer.c0);
                std::mem::swap(&mut layer.c, &mut layer.c0);
            }
        }
    }
}
