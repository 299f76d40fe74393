//! Scores for texts: weights packed once, rows sorted and cut into batches, batches shared out to the team.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::batches::{BATCH_ROWS, cuts};
use super::params::Params;
use super::vectors::Inputs;
use crate::encoder::encoded::{Encoded, Needs};
use crate::encoder::frequent::{FrequentWords, Kept};
use crate::encoder::mean::mean;
use crate::encoder::table::WordTable;
use crate::encoder::words::WordRows;
use crate::heads::pass::{Aim, HeadPacks, HeadPass, HeadSpace, Unit};
#[cfg(feature = "training")]
use crate::heads::targets::in_packed_order;
use crate::recurrent::buffers::Trace;
use crate::recurrent::layers::{LayerDropout, Layers, Source, Start};
use crate::recurrent::packs::DirPacks;
use crate::recurrent::stack::{Net, slices};
use crate::recurrent::steps::{DirMats, KEPT};
use crate::simd::gemm::Mat;
use crate::simd::{Buf, zeros};
use crate::threads::{Member, Pool};
use recurra_core::{Forms, Rows, distinct::Distinct, fault, layout::PackedLayout};

/// Weights as prediction reads them; made when the first prediction after a change needs them.
#[derive(Default)]
pub(super) struct Frozen {
    pub packs: Vec<DirPacks>,
    pub head: HeadPacks,
    /// What the network reads of each word, where its forms are its own and are not yet one with their words.
    pub inputs: Option<Buf>,
    pub table: WordTable,
    /// Where tokens are words and the table of all would take too much.
    pub frequent: Option<FrequentWords>,
}

/// Buffers of one thread that predicts.
#[derive(Default)]
pub(super) struct Scratch {
    layout: PackedLayout,
    ids: Vec<u32>,
    distinct: Distinct,
    slots: Vec<u32>,
    traces: Vec<Trace>,
    x: Buf,
    projected: Vec<Buf>,
    y: [Buf; 2],
    head: HeadSpace,
}

impl Frozen {
    /// Packs the weights, with `codes` the recurrent ones in eight bits.
    pub fn new(params: &Params, flat: &[f32], codes: bool) -> Self {
        let shape = &params.shape;
        let mut frozen = Self { packs: vec![DirPacks::default(); shape.parts.len()], ..Self::default() };
        for (packs, part) in frozen.packs.iter_mut().zip(&shape.parts) {
            packs.pack_inference(shape, part, flat, true, codes);
        }
        params.head.pack_all(&mut frozen.head, flat, false);
        frozen
    }

    /// As [`WordTable::make`], where tokens are words and no forms that come with the texts; of the most frequent words only where all
    /// would take too much.
    pub fn project(&self, params: &Params, words: WordRows<'_>, pool: &Pool, tokens: usize) {
        if words.dims == params.config.encoder.inputs() {
            self.table.make(&params.shape, &self.packs, words, pool, tokens);
        }
        if let Some(frequent) = &self.frequent {
            frequent.make(&params.shape, &self.packs, words, pool);
        }
    }
}

/// What a prediction reads.
pub(super) struct Reader<'a> {
    pub params: &'a Params,
    pub vectors: Inputs<'a>,
    pub flat: &'a [f32],
    pub frozen: &'a Frozen,
}

/// The buffers of a pass that keeps nothing, as those of [`Layers`].
pub(super) struct PassBuffers<'a> {
    pub dirs: &'a [DirMats],
    pub y: &'a [Mat],
    pub projected: &'a [Mat],
}

/// Validated rows in the caller's order, one after the other.
#[derive(Clone, Copy)]
struct Placed<'a> {
    rows: Rows<'a>,
    /// Where the tokens of each row begin.
    starts: &'a [usize],
    /// The right tag of each token, where losses are asked for.
    gold: Option<&'a [i32]>,
}

/// What a prediction gives for each row, or each of its tokens.
#[derive(Clone, Copy)]
pub(super) enum Want {
    /// What the head makes of it.
    Head(Aim),
    /// The mean of the last layer's outputs over the row's tokens, both directions side by side; of heads that read all outputs only.
    Mean,
}

/// Where the values of each row are written, in the caller's order, and its loss where it is asked for.
struct Out {
    values: *mut f32,
    losses: *mut f32,
    want: Want,
}

// SAFETY: every row is written by one thread, once.
unsafe impl Sync for Out {}

impl Reader<'_> {
    /// Answers or scores of validated rows or of their tokens; with the right tags `gold` of their tokens also the loss of each row. Few
    /// rows are computed on the calling thread.
    pub fn predict(
        &self,
        rows: Rows<'_>,
        gold: Option<&[i32]>,
        want: Want,
        pool: &Pool,
        take: impl Fn() -> Scratch + Sync,
        give: impl Fn(Scratch) + Sync,
    ) -> recurra_core::Result<(Vec<f32>, Vec<f32>)> {
        let (tokens, lengths) = (rows.tokens, rows.lengths);
        let (head, encoder) = (&self.params.head, &self.params.config.encoder);
        let each = if head.unit() == Unit::Row { lengths.len() } else { tokens.len() };
        let (answers, width) = match want {
            Want::Head(Aim::Answers) => (each, head.answer_width()),
            Want::Head(_) => (each, head.outputs()),
            Want::Mean => (lengths.len(), self.params.shape.dirs * encoder.hidden_size),
        };
        let mut values = zeros(answers.saturating_mul(width));
        let mut losses = zeros(gold.map_or(0, |_| lengths.len()));
        let out = Out { values: values.as_mut_ptr(), losses: losses.as_mut_ptr(), want };
        let mut starts = Vec::with_capacity(lengths.len());
        let mut sum = 0;
        for &length in lengths {
            starts.push(sum);
            sum += length as usize;
        }
        let rows = Placed { rows, starts: &starts, gold };
        let mut order: Vec<u32> = (0..lengths.len() as u32).collect();
        if lengths.len() > BATCH_ROWS {
            order.sort_by_key(|&row| std::cmp::Reverse(lengths[row as usize]));
        }
        let cuts = cuts(order.iter().map(|&row| lengths[row as usize] as usize), sum, pool.size());
        let batches = if order.is_empty() { 0 } else { cuts.len() - 1 };
        let next = AtomicUsize::new(0);
        let failure = Mutex::new(Ok(()));
        let work = |_: &Member<'_>| {
            let mut scratch = take();
            loop {
                let batch = next.fetch_add(1, Ordering::Relaxed);
                if batch >= batches {
                    break;
                }
                if let Err(error) = self.batch(rows, &order[cuts[batch]..cuts[batch + 1]], &mut scratch, &out) {
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Err(error);
                    break;
                }
            }
            give(scratch);
        };
        if batches > 1 {
            pool.run_if_free(work)
        } else {
            work(&Member::alone())
        }
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map(|()| (values, losses))
    }

    /// The rows numbered `chosen`, on the calling thread.
    fn batch(&self, placed: Placed<'_>, chosen: &[u32], scratch: &mut Scratch, out: &Out) -> recurra_core::Result<()> {
        fault::point("predict");
        scratch.read(placed, chosen)?;
        let Scratch { layout, ids, distinct, slots, traces, x, projected, y, head } = scratch;
        let (shape, count, total) = (&self.params.shape, layout.rows(), layout.total());
        let (layers, width) = (shape.layers(), shape.output().private());
        let y = y.each_mut().map(|buf| Mat::fit(buf, total, width));
        let outputs: Vec<Mat> = (0..layers).map(|layer| y[layer % 2]).collect();
        let dirs = self.directions(traces, count, total, &outputs);
        // Asked for once, since it may come at any time.
        let table: Option<Vec<Mat>> =
            self.frozen.table.get().map(|table| table.iter().map(|buf| Mat::of(buf, shape.gp)).collect());
        // All layers have the same hidden size.
        let from_inputs = shape.cell.infers_from_inputs(&self.frozen.packs[0], count);
        projected.resize_with(shape.dirs, Buf::default);
        let mixed = match (&table, &self.frozen.frequent) {
            // Until the frequent words are known, a cell that takes its inputs as they are is faster. A compressed model's answers keep
            // their last bits, so that it projects its words from the beginning.
            (None, Some(frequent)) if from_inputs && !self.vectors.words.coded() && frequent.get().is_none() => {
                frequent.count(ids);
                None
            }
            (None, Some(frequent)) => {
                let kept = frequent.get();
                let made = self.project_words((frequent, kept), ids, (distinct, slots), x, projected);
                Some((kept.map_or_else(|| made.clone(), |kept| kept.mats(shape)), made))
            }
            _ => None,
        };
        let whole = table.as_deref().map(|tables| Source::Projected { tables, slots: ids.as_ptr() });
        let mixed = mixed.as_ref().map(|(kept, made)| Source::Mixed { made, kept, slots: slots.as_ptr() });
        let source = match (whole.or(mixed), placed.rows.forms) {
            (Some(projected), _) => projected,
            // Equal forms are put together and projected once.
            (None, Some(forms)) if !from_inputs => {
                let different = number(ids, forms.len(), distinct, slots);
                let x = self.gather(&different, Some(forms), x);
                Source::Words { x, count: different.len(), slots: slots.as_ptr() }
            }
            (None, forms) => Source::Positions(self.gather(ids, forms, x)),
        };
        let projects = !from_inputs && (table.is_none() || layers > 1);
        let projected: Vec<Mat> =
            projected.iter_mut().filter(|_| projects).map(|buf| Mat::fit(buf, total, shape.gp)).collect();
        let cuts = slices(layout, shape.dirs, 1);
        let buffers = PassBuffers { dirs: &dirs, y: &outputs, projected: &projected };
        let pass = self.layers(layout, &cuts, source, buffers, from_inputs);
        // SAFETY: all buffers belong to this call and have the sizes of this batch; ids were validated.
        unsafe { pass.forward(&Member::alone(), Start::Zeros(0..count)) };
        let encoded = Encoded { layout, top: pass.top(), y: outputs[layers - 1], dy: Mat::none(), part: shape.rp };
        // SAFETY: as above.
        unsafe {
            match out.want {
                Want::Head(aim) => self.answer(encoded, head, (placed, chosen), (out, aim)),
                Want::Mean => self.means(encoded, chosen, out.values),
            }
        }
        Ok(())
    }

    /// The projections of a batch's words that are not kept, each different one once, and for each position in `slots` the number of
    /// its row among them or those that are kept.
    fn project_words(
        &self,
        (frequent, kept): (&FrequentWords, Option<&Kept>),
        ids: &[u32],
        (distinct, slots): (&mut Distinct, &mut Vec<u32>),
        x: &mut Buf,
        projected: &mut [Buf],
    ) -> Vec<Mat> {
        frequent.count(ids);
        let shape = &self.params.shape;
        let different = number(ids, self.params.config.encoder.vocab_size, distinct, slots);
        // Not fewer than there are positions: the next layer's projections come into the same memory.
        let to: Vec<Mat> = projected.iter_mut().map(|buf| Mat::fit(buf, ids.len(), shape.gp)).collect();
        let (mut missing, mut rows) = (Vec::new(), Vec::with_capacity(different.len()));
        for &word in &different {
            match kept.and_then(|kept| kept.place(word)) {
                Some(place) => rows.push(place as u32 | KEPT),
                None => {
                    rows.push(missing.len() as u32);
                    missing.push(word);
                }
            }
        }
        slots.iter_mut().for_each(|slot| *slot = rows[*slot as usize]);
        let x = self.gather(&missing, None, x);
        let layout = PackedLayout::default();
        let net = Net { shape, packs: &self.frozen.packs, layout: &layout, slices: &[], aside: None };
        // SAFETY: both have a row for each missing word, and are this call's.
        unsafe { net.project(&Member::alone(), 0, x, missing.len(), &to) };
        to
    }

    /// A pass through all layers that keeps nothing for a way back.
    pub(super) fn layers<'b>(
        &'b self,
        layout: &'b PackedLayout,
        slices: &'b [Range<usize>],
        source: Source<'b>,
        PassBuffers { dirs, y, projected }: PassBuffers<'b>,
        from_inputs: bool,
    ) -> Layers<'b> {
        Layers {
            net: Net { shape: &self.params.shape, packs: &self.frozen.packs, layout, slices, aside: None },
            source,
            dirs,
            y,
            dy: &[],
            projected,
            from_inputs,
            dropout: LayerDropout::default(),
        }
    }

    /// The means of rows' outputs, into the caller's values.
    unsafe fn means(&self, Encoded { layout, y, part, .. }: Encoded<'_>, chosen: &[u32], out: *mut f32) {
        let (hidden, dirs) = (self.params.config.encoder.hidden_size, self.params.shape.dirs);
        for (place, &row) in layout.sorted_indices().iter().enumerate() {
            let length = layout.lengths()[place] as usize;
            for dir in 0..dirs {
                let at = (chosen[row as usize] as usize * dirs + dir) * hidden;
                // SAFETY: by the caller's promise; each row has its own place, and a padded output at each of its
                // positions.
                unsafe {
                    let to = std::slice::from_raw_parts_mut(out.add(at), hidden);
                    for offset in &layout.offsets()[..length] {
                        let output = std::slice::from_raw_parts(y.at(offset + place, dir * part).ptr, hidden);
                        to.iter_mut().zip(output).for_each(|(sum, value)| *sum += value);
                    }
                    let share = 1.0 / length as f32;
                    to.iter_mut().for_each(|sum| *sum *= share);
                }
            }
        }
    }

    /// The buffers of each layer and direction: the same ones for all layers, since nothing is kept.
    fn directions(&self, traces: &mut Vec<Trace>, count: usize, total: usize, outputs: &[Mat]) -> Vec<DirMats> {
        let shape = &self.params.shape;
        traces.resize_with(shape.dirs, Trace::default);
        let mut dirs: Vec<DirMats> = Vec::with_capacity(shape.parts.len());
        dirs.extend(traces.iter_mut().map(|trace| trace.mats(shape, count, total, false)));
        for part in shape.dirs..shape.parts.len() {
            dirs.push(dirs[part % shape.dirs]);
        }
        for (part, m) in dirs.iter_mut().enumerate() {
            let (layer, dir) = (part / shape.dirs, part % shape.dirs);
            if layer + 1 < shape.layers() || self.params.head.needs() == Needs::Outputs {
                // SAFETY: the column is inside the row.
                m.y = unsafe { outputs[layer].at(0, dir * shape.rp) };
            }
        }
        dirs
    }

    /// The vectors of words or forms.
    pub(super) fn gather(&self, ids: &[u32], forms: Option<&Forms>, x: &mut Buf) -> Mat {
        let x = Mat::fit(x, ids.len(), self.params.shape.input(0).private());
        self.embed(ids, forms, x);
        x
    }

    /// Writes the vectors of validated words or forms into rows of `x`, which must be there.
    pub fn embed(&self, ids: &[u32], forms: Option<&Forms>, x: Mat) {
        let (words, width) = (self.vectors.words, self.params.config.encoder.inputs());
        for (row, &id) in ids.iter().enumerate() {
            // SAFETY: there is a row for each id, at least as wide.
            let to = unsafe { std::slice::from_raw_parts_mut(x.row(row), width) };
            let (word, behind) = to.split_at_mut(words.dims);
            let number = forms.map_or(id, |forms| forms.word(id as usize)) as usize;
            words.row_into(number, word);
            if let Some(forms) = forms {
                // SAFETY: the features of forms were checked, and nothing writes weights while they are read.
                unsafe { mean(self.vectors.features.as_ptr(), forms.features(id as usize), behind) };
            }
        }
    }

    /// From vectors to the caller's values.
    unsafe fn answer(
        &self,
        encoded: Encoded<'_>,
        space: &mut HeadSpace,
        (Placed { rows, starts, gold }, chosen): (Placed<'_>, &[u32]),
        (out, aim): (&Out, Aim),
    ) {
        let (head, layout) = (&self.params.head, encoded.layout);
        let mats = head.fit(space, layout.rows(), layout.total(), aim);
        let (packs, flat) = (&self.frozen.head, self.flat.as_ptr());
        let pass = HeadPass { encoded, rows: head.whole(layout), mats, packs, flat, dropout: None };
        let (from, width) = match aim {
            Aim::Answers => (mats.answers, head.answer_width()),
            _ => (mats.scores, head.outputs()),
        };
        // SAFETY: by the caller's promise; there is room for the answers to every row, or to every token of it.
        unsafe {
            head.predict(&pass, aim);
            let copy =
                |at: usize, to: usize| std::ptr::copy_nonoverlapping(from.row(at), out.values.add(to * width), width);
            for (place, &row) in layout.sorted_indices().iter().enumerate() {
                let row = chosen[row as usize] as usize;
                match head.unit() {
                    Unit::Row => copy(place, row),
                    Unit::Token => {
                        for (time, offset) in layout.offsets()[..rows.lengths[row] as usize].iter().enumerate() {
                            copy(offset + place, starts[row] + time);
                        }
                    }
                }
            }
            // Only a validation asks for losses, and that is a part of a training.
            #[cfg(not(feature = "training"))]
            let _ = (gold, out.losses);
            #[cfg(feature = "training")]
            if let Some(gold) = gold {
                let starts: Vec<usize> = chosen.iter().map(|&row| starts[row as usize]).collect();
                let gold = in_packed_order(gold, &starts, layout);
                head.losses(&pass, &gold, &mut |place, loss| {
                    let row = chosen[layout.sorted_indices()[place] as usize] as usize;
                    out.losses.add(row).write(loss as f32);
                });
            }
        }
    }
}

/// The different ones among some ids below `count`, in order of first use; `slots` receives the place of each.
fn number(ids: &[u32], count: usize, distinct: &mut Distinct, slots: &mut Vec<u32>) -> Vec<u32> {
    let mut different = Vec::new();
    distinct.begin(count);
    slots.clear();
    slots.extend(ids.iter().map(|&id| distinct.number(id, &mut different)));
    different
}

impl Scratch {
    /// Layout and packed words of the rows numbered `chosen`.
    fn read(&mut self, Placed { rows, starts, .. }: Placed<'_>, chosen: &[u32]) -> recurra_core::Result<()> {
        let own: Vec<i32> = chosen.iter().map(|&row| rows.lengths[row as usize]).collect();
        self.layout.rebuild(&own, None)?;
        self.ids.clear();
        for (time, &running) in self.layout.batch_sizes().iter().enumerate() {
            let sorted = &self.layout.sorted_indices()[..running as usize];
            let start = |&row: &u32| starts[chosen[row as usize] as usize];
            self.ids.extend(sorted.iter().map(|row| rows.tokens[start(row) + time] as u32));
        }
        Ok(())
    }
}
