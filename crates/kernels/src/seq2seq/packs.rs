//! The weights as the kernels read them.

use super::params::{Linear, Matrix, Params};
use crate::recurrent::packs::DirPacks;
use crate::simd::Buf;
use crate::simd::gemm::{Gemm, Init, Mat, PackedB};
use crate::simd::{dispatch, pad};

/// A matrix for the way there, and where something is trained for the way back.
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
    /// On the embedded unit; of the first layer alone.
    pub embedded: Pack,
    /// On the input, and where the cell adds both also on the state.
    pub main: Pack,
    /// On the state, where the cell takes its product apart.
    pub state: Pack,
    /// What all products that are not kept apart begin with.
    pub bias: Buf,
}

/// Everything.
#[derive(Default)]
pub(super) struct Packs {
    pub encoder: Vec<DirPacks>,
    /// Of the states `h` and `c`.
    pub bridges: Vec<[Pack; 2]>,
    pub layers: Vec<LayerPacks>,
    pub memory: Pack,
    pub query: Pack,
    pub context: Pack,
    pub output: Pack,
    pub units: Pack,
}

/// What a member of a team packs at a time.
pub(super) enum Task {
    Encoder(*mut DirPacks, usize, usize),
    Matrix(*mut Pack, Matrix),
    Bias(*mut Buf, usize),
}

// SAFETY: only addresses; each task is done by one member.
unsafe impl Send for Task {}
// SAFETY: as above.
unsafe impl Sync for Task {}

impl Packs {
    /// The work of packing, in parts that touch different memory.
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

    /// Packs everything on the calling thread, for prediction alone.
    pub fn fill(&mut self, params: &Params, flat: &[f32]) {
        for task in self.tasks(params) {
            // SAFETY: the addresses are of this value, which is borrowed mutably.
            unsafe { task.run(params, flat, false) };
        }
    }
}

impl Task {
    /// Packs; `backward` also what only the way back needs.
    ///
    /// # Safety
    /// The addresses must be valid and used by no other thread.
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
