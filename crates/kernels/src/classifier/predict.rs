//! Probabilities for texts: weights packed once, rows sorted and cut into batches, batches shared out to the team.

mod batches;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, TryLockError};

use super::attention::{AttentionPacks, AttentionSpace};
use super::config::Pooling;
use super::head::{Head, HeadMats};
use super::model::{FcPacks, Model};
use crate::recurrent::{DirMats, DirPacks, Net, Projected, Trace, slices};
use crate::simd::gemm::Mat;
use crate::simd::{Buf, zeros};
use crate::threads::{Member, Pool};
use batches::{BATCH_ROWS, cuts};
use recurra_core::fault;
use recurra_core::layout::PackedLayout;

/// The projections of all words are kept when they take at most this many bytes.
const TABLE_BYTES: usize = 256 << 20;

/// Weights as prediction reads them; made when the first prediction after a change needs them.
#[derive(Default)]
pub(super) struct Frozen {
    packs: Vec<DirPacks>,
    fc: FcPacks,
    attention: AttentionPacks,
    /// Input projection of every word, for each direction, once it is there.
    table: OnceLock<Vec<Buf>>,
    /// Held by who makes the table; nobody waits for it.
    making: Mutex<()>,
}

/// Buffers of one thread that predicts.
#[derive(Default)]
pub(super) struct Scratch {
    layout: PackedLayout,
    ids: Vec<u32>,
    traces: Vec<Trace>,
    x: Buf,
    projected: Vec<Buf>,
    y: [Buf; 2],
    features: Buf,
    logits: Buf,
    attention: AttentionSpace,
}

fn mat(buf: &mut Buf, rows: usize, width: usize) -> Mat {
    buf.grow(rows * width);
    Mat::new(buf, width)
}

impl Frozen {
    /// Packs the weights.
    pub fn new(model: &Model, flat: &[f32]) -> Self {
        let mut frozen = Self { packs: vec![DirPacks::default(); model.shape.parts.len()], ..Self::default() };
        for (packs, part) in frozen.packs.iter_mut().zip(&model.shape.parts) {
            packs.pack_all(&model.shape, part, flat, false);
            packs.pack_gates(&model.shape, part, flat, true);
        }
        frozen.fc.pack(model, flat, false);
        frozen.attention.pack(model, flat, false);
        frozen
    }

    /// Makes the table of all words, if it is worth it after so many tokens and small enough, and nobody else is at it.
    pub fn project(&self, model: &Model, embedding: &[f32], pool: &Pool, tokens: usize) {
        let (words, shape) = (model.config.vocab_size, &model.shape);
        if tokens < words || words * shape.gp * shape.dirs * 4 > TABLE_BYTES || self.table.get().is_some() {
            return;
        }
        let _making = match self.making.try_lock() {
            Ok(guard) => guard,
            // Whoever failed at it left nothing behind.
            Err(TryLockError::Poisoned(guard)) => guard.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        fault::point("table");
        let table = self.table_of(model, embedding, pool);
        let _ = self.table.set(table);
    }

    /// Projects every word, for each direction.
    fn table_of(&self, model: &Model, embedding: &[f32], pool: &Pool) -> Vec<Buf> {
        let (words, shape) = (model.config.vocab_size, &model.shape);
        let mut table: Vec<Buf> = (0..shape.dirs).map(|_| Buf::zeros(words * shape.gp)).collect();
        let to: Vec<Mat> = table.iter_mut().map(|buf| Mat::new(buf, shape.gp)).collect();
        let (dims, width) = (model.config.embedding_dim, shape.input(0).private());
        let layout = PackedLayout::default();
        let net = Net { shape, packs: &self.packs, layout: &layout, slices: &[], aside: None };
        pool.run(|member| {
            let mut x = Buf::zeros(256 * width);
            let share = member.share(words, 256);
            for start in share.clone().step_by(256) {
                let n = 256.min(share.end - start);
                for row in 0..n {
                    x[row * width..][..dims].copy_from_slice(&embedding[(start + row) * dims..][..dims]);
                }
                // SAFETY: the rows are this member's and inside the table.
                unsafe {
                    let to: Vec<Mat> = to.iter().map(|mat| mat.at(start, 0)).collect();
                    net.project(&Member::alone(), 0, Mat::of(&x, width), n, &to);
                }
            }
        });
        table
    }
}

/// What a prediction gives for each class.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Probabilities,
    Logits,
}

/// What a prediction reads.
pub(super) struct Reader<'a> {
    pub model: &'a Model,
    pub embedding: &'a [f32],
    pub flat: &'a [f32],
    pub frozen: &'a Frozen,
}

/// What is being filled in, rows in the caller's order.
struct Out(*mut f32, Output);

// SAFETY: every row is written by one thread, once.
unsafe impl Sync for Out {}

impl Reader<'_> {
    /// Probabilities or logits `[rows, classes]` of validated rows. Few rows are computed on the calling thread.
    pub fn predict(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        output: Output,
        pool: &Pool,
        take: impl Fn() -> Scratch + Sync,
        give: impl Fn(Scratch) + Sync,
    ) -> recurra_core::Result<Vec<f32>> {
        let mut values = zeros(lengths.len() * self.model.config.num_classes);
        let out = Out(values.as_mut_ptr(), output);
        let mut starts = Vec::with_capacity(lengths.len());
        let mut sum = 0;
        for &length in lengths {
            starts.push(sum);
            sum += length as usize;
        }
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
                let rows = &order[cuts[batch]..cuts[batch + 1]];
                if let Err(error) = self.batch(tokens, lengths, &starts, rows, &mut scratch, &out) {
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
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map(|()| values)
    }

    fn batch(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        starts: &[usize],
        rows: &[u32],
        scratch: &mut Scratch,
        out: &Out,
    ) -> recurra_core::Result<()> {
        let (model, shape, member) = (self.model, &self.model.shape, Member::alone());
        let own: Vec<i32> = rows.iter().map(|&row| lengths[row as usize]).collect();
        fault::point("predict");
        scratch.layout.rebuild(&own, None)?;
        let layout = &scratch.layout;
        let (total, count, layers, dirs) = (layout.total(), layout.rows(), shape.layers(), shape.dirs);
        scratch.ids.clear();
        for (time, &running) in layout.batch_sizes().iter().enumerate() {
            let sorted = &layout.sorted_indices()[..running as usize];
            scratch.ids.extend(sorted.iter().map(|&row| tokens[starts[rows[row as usize] as usize] + time] as u32));
        }
        scratch.traces.resize_with(dirs, Trace::default);
        scratch.projected.resize_with(dirs, Buf::default);
        let width = shape.output().private();
        // It may come while this batch is computed: asked for once.
        let table = self.frozen.table.get();
        let y: Vec<Mat> = scratch.y.iter_mut().map(|buf| mat(buf, total, width)).collect();
        // All layers have the same hidden size.
        let wide = self.frozen.packs[0].infers_wide(count);
        let projected: Vec<Mat> = if wide || (table.is_some() && layers == 1) {
            Vec::new()
        } else {
            scratch.projected.iter_mut().map(|buf| mat(buf, total, shape.gp)).collect()
        };
        let mut dirs_mats: Vec<DirMats> =
            scratch.traces.iter_mut().map(|trace| trace.mats(shape, count, total, false)).collect();
        let cuts = slices(layout, dirs, 1);
        let net = Net { shape, packs: &self.frozen.packs, layout, slices: &cuts, aside: None };
        // SAFETY: all buffers belong to this call and have the sizes of this batch; ids were validated.
        unsafe {
            for layer in 0..layers {
                let has_y = layer + 1 < layers || model.config.pooling != Pooling::Last;
                for (dir, m) in dirs_mats.iter_mut().enumerate() {
                    m.y = if has_y { y[layer % 2].at(0, dir * shape.rp) } else { Mat::none() };
                    let clear = |mat: Mat| {
                        if mat.exists() {
                            std::ptr::write_bytes(mat.ptr, 0, count * mat.stride)
                        }
                    };
                    clear(m.h);
                    clear(m.c);
                }
                let x: Vec<Projected> = if let (0, Some(table)) = (layer, table) {
                    let row = |buf: &Buf| Projected::Table(Mat::of(buf, shape.gp), scratch.ids.as_ptr());
                    table.iter().map(row).collect()
                } else {
                    let input = if layer == 0 {
                        let (dims, input) =
                            (model.config.embedding_dim, mat(&mut scratch.x, total, shape.input(0).private()));
                        for (position, &id) in scratch.ids.iter().enumerate() {
                            let from = self.embedding.as_ptr().add(id as usize * dims);
                            std::ptr::copy_nonoverlapping(from, input.row(position), dims);
                        }
                        input
                    } else {
                        y[(layer - 1) % 2]
                    };
                    if wide {
                        vec![Projected::Input(input); dirs]
                    } else {
                        net.project(&member, layer, input, total, &projected);
                        projected.iter().map(|&mat| Projected::Packed(mat)).collect()
                    }
                };
                net.forward(&member, layer, &dirs_mats, &x);
            }
            let classes = model.fc_weight.rows.private();
            let none = Mat::none();
            let mats = HeadMats {
                features: mat(&mut scratch.features, count, width),
                d_features: none,
                at: std::ptr::null_mut(),
                logits: mat(&mut scratch.logits, count, classes),
                y: y[(layers - 1) % 2],
                dy: none,
                attention: scratch.attention.fit(model, count, total, false),
            };
            let head = Head {
                model,
                packs: &self.frozen.fc,
                attention: &self.frozen.attention,
                flat: self.flat.as_ptr(),
                layout,
                mats,
                top: &dirs_mats,
                dropout: None,
                rows: 0..count,
            };
            head.forward();
            if out.1 == Output::Probabilities {
                head.probabilities();
            }
            for (place, &row) in layout.sorted_indices().iter().enumerate() {
                let to = out.0.add(rows[row as usize] as usize * model.config.num_classes);
                std::ptr::copy_nonoverlapping(mats.logits.row(place), to, model.config.num_classes);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
