//! The weights, packed for the kernels.

use super::params::{Linear, Matrix, Params};
use crate::recurrent::packs::DirPacks;
use crate::simd::Buf;
use crate::simd::gemm::{Gemm, Init, Mat, PackedB};
use crate::simd::{dispatch, pad};

/// A matrix packed for the forward pass and, in training, for the backward pass.
#[derive(Default)]
pub(super) struct Pack {
    there: PackedB,
    back: PackedB,
}

impl Pack {
    fn fill(&mut self, matrix: Matrix, flat: &[f32], backward: bool) {
        let Matrix { offset, rows, cols, stride } = matrix;
        let values = &flat[offset..];
        self.there.resize(cols, rows);
        self.there.pack_transposed(values, stride);
        if backward {
            self.back.resize(rows, cols);
            self.back.pack(values, stride);
        }
    }

    /// `c = init + a W^T` for `m` rows.
    ///
    /// # Safety
    /// As [`Gemm`].
    pub unsafe fn there(&self, a: Mat, m: usize, c: Mat, init: Init) {
        dispatch(Gemm { a, m, b: &self.there, c, init });
    }

    /// `c = init + a W` for `m` rows.
    ///
    /// # Safety
    /// As [`Gemm`].
    pub unsafe fn back(&self, a: Mat, m: usize, c: Mat, init: Init) {
        dispatch(Gemm { a, m, b: &self.back, c, init });
    }
}

/// A layer of the decoder.
#[derive(Default)]
pub(super) struct LayerPacks {
    /// For the embedded unit; only in the first layer.
    pub embedded: Pack,
    /// For the input and, if the cell adds both products, also for the state.
    pub main: Pack,
    /// For the state, if the cell needs its product separately.
    pub state: Pack,
    /// The bias of all products that are not kept separate.
    pub bias: Buf,
}

/// All packed weights.
#[derive(Default)]
pub(super) struct Packs {
    pub encoder: Vec<DirPacks>,
    /// For the states `h` and `c`.
    pub bridges: Vec<[Pack; 2]>,
    pub layers: Vec<LayerPacks>,
    pub memory: Pack,
    pub query: Pack,
    pub context: Pack,
    pub output: Pack,
    pub units: Pack,
}

/// A unit of packing work for one member of a team.
pub(super) enum Task {
    Encoder(*mut DirPacks, usize, usize),
    Matrix(*mut Pack, Matrix),
    Bias(*mut Buf, usize),
}

// SAFETY: only addresses; each task is run by one member.
unsafe impl Send for Task {}
// SAFETY: as above.
unsafe impl Sync for Task {}

impl Packs {
    /// The packing work, in parts that touch different memory.
    pub fn tasks(&mut self, params: &Params) -> Vec<Task> {
        let parts = params.shape.parts.len();
        self.encoder.resize_with(parts, DirPacks::default);
        self.bridges.resize_with(params.bridges.len(), Default::default);
        self.layers.resize_with(params.layers.len(), LayerPacks::default);
        let mut tasks = Vec::new();
        let mut matrix = |pack: &mut Pack, matrix: Matrix| tasks.push(Task::Matrix(pack, matrix));
        let linear = |linear: Linear| linear.weight;
        matrix(&mut self.units, params.units.weight);
        for (packs, layer) in self.layers.iter_mut().zip(&params.layers) {
            let cols = if params.added() { layer.input.stride } else { layer.input.cols };
            matrix(&mut packs.main, Matrix { cols, ..layer.input });
            if let Some(state) = layer.state.filter(|_| params.apart()) {
                matrix(&mut packs.state, state);
            }
            if let Some(embedded) = layer.embedded {
                matrix(&mut packs.embedded, embedded);
            }
        }
        for ([h, c], bridge) in self.bridges.iter_mut().zip(&params.bridges) {
            matrix(h, linear(bridge.h));
            if let Some(bridge) = bridge.c {
                matrix(c, linear(bridge));
            }
        }
        matrix(&mut self.memory, linear(params.scores.memory));
        if let Some((query, _)) = params.scores.query {
            matrix(&mut self.query, query);
        }
        matrix(&mut self.context, params.context);
        matrix(&mut self.output, linear(params.output));
        for (part, packs) in self.encoder.iter_mut().enumerate() {
            let packs: *mut DirPacks = packs;
            tasks.extend((0..DirPacks::PIECES).map(|piece| Task::Encoder(packs, part, piece)));
        }
        tasks.extend(self.layers.iter_mut().enumerate().map(|(layer, packs)| Task::Bias(&raw mut packs.bias, layer)));
        tasks
    }

    /// Packs everything on the calling thread, for prediction only.
    pub fn fill(&mut self, params: &Params, flat: &[f32]) {
        for task in self.tasks(params) {
            // SAFETY: the addresses are of this value, which is borrowed mutably.
            unsafe { task.run(params, flat, false) };
        }
    }
}

impl Task {
    /// Packs; with `backward`, also what the backward pass needs.
    ///
    /// # Safety
    /// The addresses must be valid and not used by other threads.
    pub unsafe fn run(&self, params: &Params, flat: &[f32], backward: bool) {
        // SAFETY: by the caller's promise.
        unsafe {
            match *self {
                Self::Encoder(packs, part, piece) => {
                    let shape = &params.shape;
                    DirPacks::pack(packs, piece, shape, &shape.parts[part], (flat, flat), backward);
                }
                Self::Matrix(pack, matrix) => (*pack).fill(matrix, flat, backward),
                Self::Bias(to, layer) => {
                    let (layer, gp, to) = (&params.layers[layer], params.gp, &mut *to);
                    to.grow(gp);
                    to[..gp].copy_from_slice(&flat[layer.b_ih..][..gp]);
                    if let Some(b_hh) = layer.b_hh.filter(|_| params.added()) {
                        to.iter_mut().zip(&flat[b_hh..][..gp]).for_each(|(to, b)| *to += b);
                    }
                }
            }
        }
    }
}

/// Padded number of source units of a row.
pub(super) const fn padded(units: usize) -> usize {
    pad(units)
}
