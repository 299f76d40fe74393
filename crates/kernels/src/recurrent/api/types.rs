//! What goes in and out at the border, in PyTorch's layouts.

use crate::random::key;
use crate::recurrent::buffers::Trace;
use crate::recurrent::cells;
use crate::recurrent::config::RecurrentConfig;
use crate::recurrent::layers::LayerDropout;
use crate::recurrent::packs::DirPacks;
use crate::recurrent::segments::{Blocks, pad_rows, unpad_rows};
use crate::recurrent::shape::Shape;
use crate::recurrent::words::First;
use crate::simd::{Buf, zeros};
use recurra_core::layout::PackedLayout;

/// What the forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Values only; nothing is kept. Those of an LSTM may differ from the other modes' in their last bits, for speed.
    Inference,
    /// Like [`Mode::Eval`], bit for bit, but nothing is kept.
    Values,
    /// As in `eval()`, but keeps what [`backward`](super::backward()) needs.
    Eval,
    /// As in `train()`: dropout between layers, its mask a function of the seed.
    Train {
        /// Seed of the dropout masks.
        seed: u64,
    },
}

impl Mode {
    /// Whether a backward pass may follow.
    pub(super) fn keeps(self) -> bool {
        matches!(self, Self::Eval | Self::Train { .. })
    }
}

/// What the network computes.
#[derive(Clone, Debug)]
pub struct Output {
    /// Outputs of the last layer, `[total, directions * state]`, packed.
    pub output: Vec<f32>,
    /// Final states, `[layers * directions, rows, state]`, rows in sorted order.
    pub hn: Vec<f32>,
    /// Final cell states of an LSTM, `[layers * directions, rows, hidden]`; else empty.
    pub cn: Vec<f32>,
}

impl Output {
    /// Room for what the network computes.
    pub(super) fn zeros(config: &RecurrentConfig, layout: &PackedLayout) -> Self {
        let states = config.num_layers * config.directions() * layout.rows();
        let cells = if cells::of(config.cell).facts().cell_state { states * config.hidden_size } else { 0 };
        Self {
            output: zeros(layout.total() * config.output_size()),
            hn: zeros(states * config.state_size()),
            cn: zeros(cells),
        }
    }
}

/// Where [`forward_to`](super::forward_to) writes what [`Output`] describes.
pub struct OutputTo<'a> {
    /// Outputs of the last layer.
    pub output: &'a mut [f32],
    /// Final states.
    pub hn: &'a mut [f32],
    /// Final cell states of an LSTM; else empty.
    pub cn: &'a mut [f32],
}

/// Whether backward passes may follow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// More may follow.
    Any,
    /// It is the last, so that it may write over what was kept for it.
    Last,
}

/// What a later [`backward`](super::backward()) needs; it may be used more than once, until [`Passes::Last`].
pub struct Saved {
    pub(super) shape: Shape,
    pub(super) layout: PackedLayout,
    pub(super) packs: Vec<DirPacks>,
    pub(super) traces: Vec<Trace>,
    pub(super) first: First,
    /// Inputs of the layers above the first, after dropout.
    pub(super) inputs: Vec<Buf>,
    pub(super) mode: Mode,
    /// Whether the last backward pass has started.
    pub(super) spent: bool,
}

/// Gradients in the layouts of what they belong to.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// Of the packed input, `[total, input]`; of words, of each row of the table, `[rows, input]`.
    pub input: Vec<f32>,
    /// Of the initial states.
    pub h0: Vec<f32>,
    /// Of the initial cell states of an LSTM; else empty.
    pub c0: Vec<f32>,
    /// One per parameter, in PyTorch's order.
    pub params: Vec<Vec<f32>>,
}

/// Where [`backward_to`](super::backward_to) writes what [`Gradients`] describes; `None` skips a result, and its computation where that saves
/// work.
pub struct GradientsTo<'a> {
    /// Of the packed input, or of each row of the table.
    pub input: Option<&'a mut [f32]>,
    /// Of the initial states.
    pub h0: Option<&'a mut [f32]>,
    /// Of the initial cell states of an LSTM.
    pub c0: Option<&'a mut [f32]>,
    /// One per parameter, in PyTorch's order.
    pub params: Vec<Option<&'a mut [f32]>>,
}

impl Mode {
    /// The dropout between layers.
    pub(super) fn dropout(self, shape: &Shape) -> LayerDropout {
        match self {
            Self::Train { seed } => {
                LayerDropout::new(shape.config.dropout, shape.layers(), |layer| key(seed, [layer as u64, 0, 0]))
            }
            _ => LayerDropout::default(),
        }
    }
}

pub(super) fn load_states(blocks: Blocks, rows: usize, from: Option<&[f32]>, bufs: Vec<&mut Buf>) {
    for (part, buf) in bufs.into_iter().enumerate() {
        buf.fill(0.0);
        if let Some(from) = from {
            pad_rows(blocks, &from[part * rows * blocks.len..][..rows * blocks.len], buf);
        }
    }
}

pub(super) fn read_states<'a>(blocks: Blocks, rows: usize, bufs: impl Iterator<Item = &'a Buf>, out: &mut [f32]) {
    for (buf, out) in bufs.zip(out.chunks_exact_mut(rows * blocks.len)) {
        unpad_rows(blocks, buf, out);
    }
}
