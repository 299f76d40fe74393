//! Where the parameters of each layer and direction are.

use super::cells::kernel::{AnyCell, Facts, Recurrence};
use super::cells::of;
use super::config::RecurrentConfig;
use super::segments::{Blocks, Segment};
use crate::simd::pad;

/// Segment numbers of one layer and direction.
#[derive(Clone, Debug)]
pub(crate) struct DirSegments {
    pub w_ih: usize,
    pub w_hh: Option<usize>,
    pub b_ih: Option<usize>,
    pub b_hh: Option<usize>,
    pub w_hr: Option<usize>,
}

/// A configuration with its private sizes.
#[derive(Clone)]
pub(crate) struct Shape {
    pub config: RecurrentConfig,
    pub cell: &'static dyn AnyCell,
    /// Padded hidden size.
    pub hp: usize,
    /// Padded size of the state that goes round.
    pub rp: usize,
    /// Padded width of all gates.
    pub gp: usize,
    pub dirs: usize,
    pub segments: Vec<Segment>,
    /// Indexed by `layer * dirs + direction`.
    pub parts: Vec<DirSegments>,
}

impl Shape {
    /// Lays the parameters out in PyTorch's order, from `offset` on, which moves past them.
    pub fn new(config: &RecurrentConfig, offset: &mut usize) -> Self {
        let hp = pad(config.hidden_size);
        let rp = pad(config.state_size());
        let cell = of(config.cell);
        let gates = Blocks::new(cell.facts().gates, config.hidden_size);
        let recurrent = cell.facts().recurrence != Recurrence::None;
        let mut shape = Self {
            config: config.clone(),
            cell,
            hp,
            rp,
            gp: gates.private(),
            dirs: config.directions(),
            segments: Vec::new(),
            parts: Vec::new(),
        };
        let state = Blocks::new(1, config.state_size());
        for layer in 0..config.num_layers {
            for dir in 0..shape.dirs {
                let name = |what: &str| format!("{what}_l{layer}{}", if dir == 1 { "_reverse" } else { "" });
                let input = shape.input(layer);
                let list = &mut shape.segments;
                let mut add = |segment: Segment| {
                    list.push(segment);
                    list.len() - 1
                };
                let w_ih = add(Segment::matrix(name("weight_ih"), gates, input, offset));
                let w_hh = recurrent.then(|| add(Segment::matrix(name("weight_hh"), gates, state, offset)));
                let b_ih = config.bias.then(|| add(Segment::vector(name("bias_ih"), gates, offset)));
                let b_hh = (config.bias && recurrent).then(|| add(Segment::vector(name("bias_hh"), gates, offset)));
                let w_hr = (config.proj_size > 0).then(|| {
                    let hidden = Blocks::new(1, config.hidden_size);
                    add(Segment::matrix(name("weight_hr"), state, hidden, offset))
                });
                shape.parts.push(DirSegments { w_ih, w_hh, b_ih, b_hh, w_hr });
            }
        }
        shape
    }

    pub fn layers(&self) -> usize {
        self.config.num_layers
    }

    pub fn facts(&self) -> Facts {
        self.cell.facts()
    }

    /// Columns of a layer's input.
    pub fn input(&self, layer: usize) -> Blocks {
        if layer == 0 { Blocks::new(1, self.config.input_size) } else { self.output() }
    }

    /// Columns of a layer's output.
    pub fn output(&self) -> Blocks {
        Blocks::new(self.dirs, self.config.state_size())
    }
}
