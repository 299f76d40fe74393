//! The memory of a pass, allocated once per chunk.

use super::packs::padded;
use super::params::Params;
use super::plan::PairPlan;
use crate::encoder::plan::Plan;
use crate::network::exchange::SUMS;
use crate::recurrent::buffers::{Grads, Trace};
use crate::recurrent::steps::DirMats;
use crate::simd::Buf;
use crate::simd::gemm::Mat;

/// Buffers that are handed out in sequence, so that each purpose gets the same one each time.
#[derive(Default)]
struct Arena {
    buffers: Vec<Buf>,
    next: usize,
}

impl Arena {
    fn mat(&mut self, rows: usize, width: usize) -> Mat {
        if self.next == self.buffers.len() {
            self.buffers.push(Buf::default());
        }
        let buf = &mut self.buffers[self.next];
        self.next += 1;
        Mat::fit(buf, rows, width)
    }

    fn some(&mut self, there: bool, rows: usize, width: usize) -> Mat {
        let mat = self.mat(if there { rows } else { 0 }, width);
        if there { mat } else { Mat::none() }
    }
}

/// Buffers that are kept between chunks and grow as needed.
#[derive(Default)]
pub(super) struct Space {
    traces: Vec<Trace>,
    grads: Vec<Grads>,
    arena: Arena,
}

/// Addresses of the encoder's buffers.
pub(super) struct EncoderMats {
    /// Inputs of the first layer, a row per distinct unit, or with dropout per position; and their gradients.
    pub x: Mat,
    pub dx: Mat,
    /// The projections of the distinct units for each direction, later their gradients.
    pub projected: Vec<Mat>,
    pub y: Vec<Mat>,
    pub dy: Vec<Mat>,
    pub dirs: Vec<DirMats>,
}

/// Addresses of the buffers of one of the decoder's layers.
#[derive(Clone, Copy)]
pub(super) struct LayerMats {
    // A row per packed position.
    /// The input, followed by the previous state.
    pub feed: Mat,
    pub gates: Mat,
    pub cprev: Mat,
    pub saved: Mat,
    pub dgh: Mat,
    /// The layer's output after dropout, which is the next layer's input; only with dropout. Later its gradient.
    pub inner: Mat,
    // A row per sequence.
    pub h: Mat,
    pub c: Mat,
    /// The recurrent product, if it is kept separate.
    pub recurrent: Mat,
    /// The initial states from the bridge.
    pub h0: Mat,
    pub c0: Mat,
    /// The encoder's final states, both directions concatenated.
    pub final_h: Mat,
    pub final_c: Mat,
    /// Gradients of the feed and of the second state; finally those of the initial states.
    pub d_feed: Mat,
    pub dc: Mat,
    /// Gradients before the bridge's tanh.
    pub d_bridge_h: Mat,
    pub d_bridge_c: Mat,
}

/// Addresses of the decoder's buffers in the forward pass.
pub(super) struct DecoderMats {
    pub layers: Vec<LayerMats>,
    // A row per packed position.
    /// The last layer's output.
    pub top: Mat,
    /// The attentional output, after dropout.
    pub tilde: Mat,
    /// Attention weights of the source units.
    pub weights: Mat,
    // A row per sequence.
    /// The previous attentional output.
    pub fed: Mat,
    pub query: Mat,
    /// Buffer for reordering the attentional outputs.
    pub spare: Mat,
}

/// Addresses of all buffers, for all members of a team.
pub(super) struct Mats {
    pub encoder: EncoderMats,
    // A row per source unit; the memory of the rows is concatenated.
    pub memory: Mat,
    pub keys: Mat,
    pub values: Mat,
    pub d_memory: Mat,
    pub d_keys: Mat,
    pub d_values: Mat,
    /// Inputs of the decoder: a row per distinct unit or per position; and their gradients.
    pub x: Mat,
    pub dx: Mat,
    /// Projections of the distinct units, and their gradients.
    pub table: Mat,
    pub d_table: Mat,
    pub decoder: DecoderMats,
    // A row per packed position.
    /// Gradient of the attentional output, later before the tanh.
    pub d_tilde: Mat,
    /// Scores of units, later their gradients.
    pub scores: Mat,
    pub d_query: Mat,
    // A row per sequence.
    pub d_top: Mat,
    /// Gradients of the encoder's final states, both directions concatenated.
    pub d_final_h: Mat,
    pub d_final_c: Mat,
    pub d_through: Mat,
    /// For finding the most probable unit.
    pub guess: Mat,
    pub flat_grads: *mut f32,
}

// SAFETY: only addresses; see Mat.
unsafe impl Send for Mats {}
// SAFETY: as above.
unsafe impl Sync for Mats {}

/// The purpose of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Purpose {
    /// Whether there is a backward pass.
    pub training: bool,
    /// Whether the decoder's inputs are only known step by step, or differ between positions.
    pub positions: bool,
}

/// Sizes of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Number of sequences and of decoder positions.
    pub rows: usize,
    pub total: usize,
    /// Number of source units.
    pub units: usize,
    /// Number of distinct units that the decoder reads.
    pub distinct: usize,
    /// Number of source units in the longest row.
    pub longest: usize,
}

impl Space {
    /// Allocates space for the largest of some batches.
    pub fn fit(&mut self, params: &Params, plans: &[PairPlan], purpose: Purpose) -> Mats {
        let most = |of: fn(&PairPlan) -> usize| plans.iter().map(of).max().unwrap_or(0);
        let sizes = Sizes {
            rows: most(|p| p.rows.len()),
            total: most(|p| p.layout.total()),
            units: most(PairPlan::units),
            distinct: most(|p| p.ids.len()),
            longest: most(|p| p.source.layout.steps()),
        };
        self.fit_sizes(params, plans.iter().map(|plan| &plan.source), sizes, purpose)
    }

    /// The same, from the sizes of the decoder's part.
    pub fn fit_sizes<'p>(
        &mut self,
        params: &Params,
        sources: impl Iterator<Item = &'p Plan> + Clone,
        sizes: Sizes,
        purpose: Purpose,
    ) -> Mats {
        self.arena.next = 0;
        let Purpose { training, positions } = purpose;
        let Sizes { rows, total, units, distinct, longest } = sizes;
        let encoder = self.encoder(params, sources, training);
        let (hp, gp, mp, vp, tp) = (params.hp, params.gp, params.mp, params.vp, params.target.width);
        let a = &mut self.arena;
        let facts = params.cell.facts();
        let drops = params.config.encoder.dropouts.layers > 0.0;
        let query = params.scores.query.is_some();
        let count = params.layers.len();
        let layers = (0..count)
            .map(|layer| LayerMats {
                feed: a.mat(total, 2 * hp),
                gates: a.mat(total, gp),
                cprev: a.some(facts.cell_state, total, hp),
                saved: a.some(facts.saves, total, hp),
                dgh: a.some(training && params.apart(), total, gp),
                inner: a.some(training && drops && layer + 1 < count, total, hp),
                h: a.mat(rows, hp),
                c: a.some(facts.cell_state, rows, hp),
                recurrent: a.some(params.apart(), rows, gp),
                h0: a.mat(rows, hp),
                c0: a.some(facts.cell_state, rows, hp),
                final_h: a.mat(rows, mp),
                final_c: a.some(facts.cell_state, rows, mp),
                d_feed: a.some(training, rows, 2 * hp),
                dc: a.some(training && facts.cell_state, rows, hp),
                d_bridge_h: a.some(training, rows, hp),
                d_bridge_c: a.some(training && facts.cell_state, rows, hp),
            })
            .collect();
        let inputs = if positions { total } else { distinct };
        Mats {
            encoder,
            memory: a.mat(units, mp),
            keys: a.mat(units, hp),
            values: a.mat(units, hp),
            d_memory: a.some(training, units, mp),
            d_keys: a.some(training, units, hp),
            d_values: a.some(training, units, hp),
            x: a.mat(inputs, tp),
            dx: a.some(training, inputs, tp),
            table: a.some(!positions, distinct, gp),
            d_table: a.some(training && !positions, distinct, gp),
            decoder: DecoderMats {
                layers,
                top: a.mat(total, hp),
                tilde: a.mat(total, hp),
                weights: a.mat(total, padded(longest)),
                fed: a.mat(rows, hp),
                query: a.some(query, rows, hp),
                spare: a.some(!training, rows, hp),
            },
            d_tilde: a.some(training, total, hp),
            scores: a.mat(total, vp),
            d_query: a.some(training && query, total, hp),
            d_top: a.some(training, rows, hp),
            d_final_h: a.some(training, rows, mp),
            d_final_c: a.some(training && facts.cell_state, rows, mp),
            d_through: a.some(training && query, rows, hp),
            guess: a.some(positions, rows, vp),
            // With other ranks, the step's sums are sent after the gradients.
            flat_grads: a.mat(if training { params.flat_size + SUMS } else { 0 }, 1).ptr,
        }
    }

    /// The encoder's buffers, including the last layer's outputs.
    fn encoder<'p>(
        &mut self,
        params: &Params,
        plans: impl Iterator<Item = &'p Plan> + Clone,
        training: bool,
    ) -> EncoderMats {
        let most = |of: fn(&Plan) -> usize| plans.clone().map(of).max().unwrap_or(0);
        let (rows, total) = (most(|p| p.layout.rows()), most(|p| p.layout.total()));
        let (shape, a) = (&params.shape, &mut self.arena);
        let positions = training && params.config.encoder.dropouts.embedding > 0.0;
        let distinct = most(|p| p.inputs());
        let inputs = if positions { total } else { distinct };
        let (ep, width) = (params.source.width, params.mp);
        let x = a.mat(inputs, ep);
        let dx = a.some(training, inputs, ep);
        // In prediction, they also contain the projections of positions for the layers above.
        let held = if training { distinct } else { distinct.max(total) };
        let projected = (0..shape.dirs).map(|_| a.mat(held, shape.gp)).collect();
        let y: Vec<Mat> = (0..shape.layers()).map(|_| a.mat(total, width)).collect();
        let dy: Vec<Mat> = (0..shape.layers()).map(|_| a.some(training, total, width)).collect();
        self.traces.resize_with(shape.parts.len(), Trace::default);
        self.grads.resize_with(shape.parts.len(), Grads::default);
        let mut dirs = Vec::with_capacity(shape.parts.len());
        for (part, (trace, grads)) in self.traces.iter_mut().zip(&mut self.grads).enumerate() {
            let mut m = trace.mats(shape, rows, total, training);
            let (layer, column) = (part / shape.dirs, part % shape.dirs * shape.rp);
            // SAFETY: the column is inside the row.
            m.y = unsafe { y[layer].at(0, column) };
            if training {
                grads.add_to(&mut m, shape, rows, total, true);
                // SAFETY: as above.
                m.dy = unsafe { dy[layer].at(0, column) };
            }
            dirs.push(m);
        }
        EncoderMats { x, dx, projected, y, dy, dirs }
    }
}
