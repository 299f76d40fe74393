//! The memory of training, sized once for a chunk.

use super::attention::{AttentionPacks, AttentionSpace};
use super::config::Pooling;
use super::head::HeadMats;
use super::model::{FcPacks, Model};
use super::plan::Plan;
use crate::recurrent::{DirMats, DirPacks, Grads, Trace};
use crate::simd::Buf;
use crate::simd::gemm::Mat;
use recurra_core::distinct::Distinct;

/// Buffers that live from chunk to chunk and grow as needed.
#[derive(Default)]
pub(super) struct TrainSpace {
    pub distinct: Vec<Distinct>,
    pub packs: Vec<DirPacks>,
    pub fc: FcPacks,
    pub attention_packs: AttentionPacks,
    attention: AttentionSpace,
    traces: Vec<Trace>,
    grads: Vec<Grads>,
    x: Buf,
    dx: Buf,
    d_rows: Buf,
    projected: Vec<Buf>,
    y: Vec<Buf>,
    dy: Vec<Buf>,
    features: Buf,
    d_features: Buf,
    logits: Buf,
    at: Vec<u32>,
    pub flat_grads: Buf,
}

/// Addresses of everything, for all members of the team.
pub(super) struct TrainMats {
    /// Inputs of the first layer: a row for each distinct word, or with dropout for each position.
    pub x: Mat,
    pub dx: Mat,
    /// Gradients of the distinct words; the same as `dx` without dropout.
    pub d_rows: Mat,
    /// Input projection of the distinct words for each direction, later its gradient. Unused with dropout.
    pub projected: Vec<Mat>,
    /// Outputs of each layer and their gradients.
    pub y: Vec<Mat>,
    pub dy: Vec<Mat>,
    pub dirs: Vec<DirMats>,
    pub head: HeadMats,
    pub flat_grads: *mut f32,
}

// SAFETY: only addresses; see Mat.
unsafe impl Send for TrainMats {}
// SAFETY: as above.
unsafe impl Sync for TrainMats {}

fn mat(buf: &mut Buf, rows: usize, width: usize) -> Mat {
    buf.grow(rows * width);
    Mat::new(buf, width)
}

impl TrainSpace {
    /// Makes the space fit the largest of the batches.
    pub fn fit(&mut self, model: &Model, plans: &[Plan]) -> TrainMats {
        let most = |of: fn(&Plan) -> usize| plans.iter().map(of).max().unwrap_or(0);
        let (rows, total) = (most(|p| p.layout.rows()), most(|p| p.layout.total()));
        let distinct = most(|p| p.ids.len());
        let shape = &model.shape;
        let (parts, layers) = (shape.parts.len(), shape.layers());
        let drop = model.config.embedding_dropout > 0.0;
        let inputs = if drop { total } else { distinct };
        let (input, width) = (shape.input(0).private(), shape.output().private());
        self.traces.resize_with(parts, Trace::default);
        self.grads.resize_with(parts, Grads::default);
        self.packs.resize_with(parts, DirPacks::default);
        self.projected.resize_with(shape.dirs, Buf::default);
        for list in [&mut self.y, &mut self.dy] {
            list.resize_with(layers, Buf::default);
        }
        let with_outputs = |layer: usize| layer + 1 < layers || model.config.pooling != Pooling::Last;
        let outputs = |list: &mut [Buf]| -> Vec<Mat> {
            let one = |(layer, buf): (usize, &mut Buf)| {
                if with_outputs(layer) { mat(buf, total, width) } else { Mat::none() }
            };
            list.iter_mut().enumerate().map(one).collect()
        };
        let (y, dy) = (outputs(&mut self.y), outputs(&mut self.dy));
        let mut dirs = Vec::with_capacity(parts);
        for (part, (trace, grads)) in self.traces.iter_mut().zip(&mut self.grads).enumerate() {
            let mut m = trace.mats(shape, rows, total, true);
            grads.add_to(&mut m, shape, rows, total, true);
            let (layer, column) = (part / shape.dirs, part % shape.dirs * shape.rp);
            if with_outputs(layer) {
                // SAFETY: the column is inside the row.
                (m.y, m.dy) = unsafe { (y[layer].at(0, column), dy[layer].at(0, column)) };
            }
            dirs.push(m);
        }
        let table =
            |list: &mut [Buf]| list.iter_mut().map(|buf| mat(buf, if drop { 0 } else { distinct }, shape.gp)).collect();
        let classes = model.fc_weight.rows.private();
        self.at.resize(self.at.len().max(if model.config.pooling == Pooling::Max { rows * width } else { 0 }), 0);
        self.flat_grads.grow(model.flat_size);
        let dx = mat(&mut self.dx, inputs, input);
        TrainMats {
            x: mat(&mut self.x, inputs, input),
            dx,
            d_rows: if drop { mat(&mut self.d_rows, distinct, input) } else { dx },
            projected: table(&mut self.projected),
            head: HeadMats {
                features: mat(&mut self.features, rows, width),
                d_features: mat(&mut self.d_features, rows, width),
                at: self.at.as_mut_ptr(),
                logits: mat(&mut self.logits, rows, classes),
                y: y[layers - 1],
                dy: dy[layers - 1],
                attention: self.attention.fit(model, rows, total, true),
            },
            y,
            dy,
            dirs,
            flat_grads: self.flat_grads.ptr(),
        }
    }
}
