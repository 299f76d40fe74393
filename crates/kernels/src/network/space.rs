//! The memory of training, sized once for a chunk.

use super::params::Params;
use super::plans::StepPlan;
use super::weight_drop::WeightDrop;
use crate::encoder::encoded::Needs;
use crate::encoder::plan::Finders;
use crate::heads::pass::{Aim, HeadMats, HeadPacks, HeadSpace};
use crate::recurrent::buffers::{Grads, Trace};
use crate::recurrent::packs::DirPacks;
use crate::recurrent::steps::DirMats;
use crate::simd::gemm::Mat;
use crate::simd::{Buf, pad};

/// Buffers that live from chunk to chunk and grow as needed.
#[derive(Default)]
pub(super) struct TrainSpace {
    pub finders: Vec<Finders>,
    pub packs: Vec<DirPacks>,
    pub head_packs: HeadPacks,
    head: HeadSpace,
    traces: Vec<Trace>,
    grads: Vec<Grads>,
    x: Buf,
    dx: Buf,
    d_rows: Buf,
    inputs: Buf,
    d_words: Buf,
    d_features: Buf,
    projected: Vec<Buf>,
    y: Vec<Buf>,
    dy: Vec<Buf>,
    /// Behind the gradients, where there are other ranks, what else travels to them.
    flat_grads: Buf,
    noisy: Buf,
    more_grads: Buf,
    dropped: Buf,
}

/// Addresses of everything, for all members of the team.
pub(super) struct TrainMats {
    /// Inputs of the first layer: a row for each distinct input, or with dropout for each position.
    pub x: Mat,
    pub dx: Mat,
    /// Gradients of the distinct inputs; the same as `dx` without dropout.
    pub d_rows: Mat,
    /// Distinct inputs before any dropout; with subwords only. The same as `x` without dropout.
    pub inputs: Mat,
    /// Gradients of the distinct words, and of the distinct features.
    pub d_words: Mat,
    pub d_features: Mat,
    /// Input projection of the distinct inputs for each direction, later its gradient. Unused with dropout.
    pub projected: Vec<Mat>,
    /// Outputs of each layer and their gradients.
    pub y: Vec<Mat>,
    pub dy: Vec<Mat>,
    pub dirs: Vec<DirMats>,
    pub head: HeadMats,
    pub flat_grads: *mut f32,
    /// With adversarial noise the second pass's input of the first layer, a row for each position, and its gradients of all
    /// parameters but the embedding.
    pub noisy: Mat,
    pub more_grads: *mut f32,
}

// SAFETY: only addresses; see Mat.
unsafe impl Send for TrainMats {}
// SAFETY: as above.
unsafe impl Sync for TrainMats {}

impl TrainSpace {
    /// Makes the space fit the largest of the batches, with `noise` also for a second pass.
    pub fn fit(&mut self, params: &Params, plans: &[StepPlan], noise: bool) -> TrainMats {
        let most = |of: fn(&StepPlan) -> usize| plans.iter().map(of).max().unwrap_or(0);
        let (rows, total) = (most(|p| p.words.layout.rows()), most(|p| p.words.layout.total()));
        let distinct = most(|p| p.words.inputs());
        let (words, features) = (most(|p| p.words.ids.len()), most(|p| p.words.features()));
        // Without subwords the words' gradients are those of the inputs, and words of other ranks stand after them.
        let d_inputs = if params.config.encoder.subwords.is_some() { distinct } else { distinct.max(words) };
        let shape = &params.shape;
        let drop = params.config.encoder.dropouts.embedding > 0.0;
        let inputs = if drop { total } else { distinct };
        let input = shape.input(0).private();
        self.packs.resize_with(shape.parts.len(), DirPacks::default);
        self.projected.resize_with(shape.dirs, Buf::default);
        let table = |buf: &mut Buf| Mat::fit(buf, if drop { 0 } else { distinct }, shape.gp);
        let projected = self.projected.iter_mut().map(table).collect();
        let (y, dy) = self.outputs(params, total);
        let dirs = self.directions(params, rows, total, (&y, &dy));
        let travels = plans.iter().filter_map(|p| p.group.as_ref()).map(|group| group.len(params)).max();
        self.flat_grads.grow(travels.unwrap_or(params.flat_size));
        let dx = Mat::fit(&mut self.dx, if drop { total } else { d_inputs }, input);
        self.more_grads.grow(if noise { params.flat_size } else { 0 });
        let x = Mat::fit(&mut self.x, inputs, input);
        let d_rows = if drop { Mat::fit(&mut self.d_rows, d_inputs, input) } else { dx };
        let (inputs, d_words, d_features) = match params.config.encoder.subwords {
            Some(subwords) => (
                if drop { Mat::fit(&mut self.inputs, distinct, input) } else { x },
                Mat::fit(&mut self.d_words, words, pad(params.config.encoder.embedding_dim)),
                Mat::fit(&mut self.d_features, features, pad(subwords.dim)),
            ),
            None => (Mat::none(), d_rows, Mat::none()),
        };
        let head = params.head.fit(&mut self.head, rows, total, Aim::Training);
        let group = |plan: &StepPlan, group: usize| plan.targets.groups.get(group).map_or(0, Vec::len);
        let most = |number: usize| plans.iter().map(|plan| group(plan, number)).max().unwrap_or(0);
        let head = params.head.fit_groups(&mut self.head, head, &most);
        TrainMats {
            x,
            dx,
            d_rows,
            inputs,
            d_words,
            d_features,
            projected,
            y,
            dy,
            dirs,
            head,
            flat_grads: self.flat_grads.ptr(),
            noisy: if noise { Mat::fit(&mut self.noisy, total, input) } else { Mat::none() },
            more_grads: self.more_grads.ptr(),
        }
    }

    /// Room for the recurrent weights without what is dropped, where any is.
    pub fn weight_drop(&mut self, params: &Params) -> Option<WeightDrop> {
        WeightDrop::new(params, &mut self.dropped)
    }

    /// Outputs of each layer that something reads, and their gradients.
    fn outputs(&mut self, params: &Params, total: usize) -> (Vec<Mat>, Vec<Mat>) {
        let (layers, width) = (params.shape.layers(), params.shape.output().private());
        let read = |layer: usize| layer + 1 < layers || params.head.needs() == Needs::Outputs;
        let fit = |list: &mut Vec<Buf>| -> Vec<Mat> {
            list.resize_with(layers, Buf::default);
            let one = |(layer, buf): (usize, &mut Buf)| {
                if read(layer) { Mat::fit(buf, total, width) } else { Mat::none() }
            };
            list.iter_mut().enumerate().map(one).collect()
        };
        (fit(&mut self.y), fit(&mut self.dy))
    }

    /// Buffers of each layer and direction.
    fn directions(&mut self, params: &Params, rows: usize, total: usize, (y, dy): (&[Mat], &[Mat])) -> Vec<DirMats> {
        let shape = &params.shape;
        self.traces.resize_with(shape.parts.len(), Trace::default);
        self.grads.resize_with(shape.parts.len(), Grads::default);
        let mut dirs = Vec::with_capacity(shape.parts.len());
        for (part, (trace, grads)) in self.traces.iter_mut().zip(&mut self.grads).enumerate() {
            let mut m = trace.mats(shape, rows, total, true);
            grads.add_to(&mut m, shape, rows, total, true);
            let (layer, column) = (part / shape.dirs, part % shape.dirs * shape.rp);
            if y[layer].exists() {
                // SAFETY: the column is inside the row.
                (m.y, m.dy) = unsafe { (y[layer].at(0, column), dy[layer].at(0, column)) };
            }
            dirs.push(m);
        }
        dirs
    }
}
