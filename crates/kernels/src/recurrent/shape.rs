//! Where the parameters of each layer and direction are, and their packed forms.

use super::config::{Blocks, RecurrentConfig, Segment};
use super::infer::GatePanels;
use crate::simd::gemm::PackedB;
use crate::simd::{Buf, pad};
use recurra_core::Cell;

/// Segment numbers of one layer and direction.
#[derive(Clone, Debug)]
pub(crate) struct DirSegments {
    pub w_ih: usize,
    pub w_hh: usize,
    pub b: Option<(usize, usize)>,
    pub w_hr: Option<usize>,
}

/// A configuration with its private sizes.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub config: RecurrentConfig,
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
    /// Lays the parameters out in PyTorch's order, from `offset` on (which moves behind them).
    pub fn new(config: &RecurrentConfig, offset: &mut usize) -> Self {
        let hp = pad(config.hidden_size);
        let rp = pad(config.state_size());
        let gates = Blocks::new(config.cell.gates(), config.hidden_size);
        let mut shape = Self {
            config: config.clone(),
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
                let first = list.len();
                list.push(Segment::matrix(name("weight_ih"), gates, input, offset));
                list.push(Segment::matrix(name("weight_hh"), gates, state, offset));
                let b = config.bias.then(|| {
                    list.push(Segment::vector(name("bias_ih"), gates, offset));
                    list.push(Segment::vector(name("bias_hh"), gates, offset));
                    (first + 2, first + 3)
                });
                let w_hr = (config.proj_size > 0).then(|| {
                    let hidden = Blocks::new(1, config.hidden_size);
                    list.push(Segment::matrix(name("weight_hr"), state, hidden, offset));
                    list.len() - 1
                });
                shape.parts.push(DirSegments { w_ih: first, w_hh: first + 1, b, w_hr });
            }
        }
        shape
    }

    pub fn layers(&self) -> usize {
        self.config.num_layers
    }

    pub fn cell(&self) -> Cell {
        self.config.cell
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

/// The packed weights of one layer and direction.
#[derive(Clone, Default)]
pub(crate) struct DirPacks {
    pub ih_t: PackedB,
    pub hh_t: PackedB,
    pub hr_t: PackedB,
    pub ih: PackedB,
    pub hh: PackedB,
    pub hr: PackedB,
    /// The weights of an LSTM for inference, where it has them.
    pub gates: GatePanels,
    /// What the input projection adds: both biases, or only `bias_ih` for a GRU.
    pub bias_x: Buf,
    /// What the recurrent product of a GRU adds.
    pub bias_h: Buf,
}

impl DirPacks {
    /// Number of the pieces that [`DirPacks::pack`] takes.
    pub const PIECES: usize = 3;

    /// Packs one piece of the weights. `backward` also packs what only the backward pass needs.
    ///
    /// # Safety
    /// `this` must be valid. Different pieces touch different fields, so a team may share them out, but no piece may be
    /// packed by two threads at once, nor read meanwhile.
    pub unsafe fn pack(this: *mut Self, piece: usize, shape: &Shape, part: &DirSegments, flat: &[f32], backward: bool) {
        let of = |i: usize| &flat[shape.segments[i].offset..][..shape.segments[i].size()];
        let kp = shape.segments[part.w_ih].stride();
        let both = |t: &mut PackedB, b: &mut PackedB, values: &[f32], rows: usize, columns: usize| {
            t.resize(columns, rows);
            t.pack_transposed(values, columns);
            if backward {
                b.resize(rows, columns);
                b.pack(values, columns);
            }
        };
        // SAFETY: by the caller's promise; references are made to single fields only.
        unsafe {
            match piece {
                0 => both(&mut (*this).ih_t, &mut (*this).ih, of(part.w_ih), shape.gp, kp),
                1 => both(&mut (*this).hh_t, &mut (*this).hh, of(part.w_hh), shape.gp, shape.rp),
                _ => {
                    let (bias_x, bias_h) = (&mut (*this).bias_x, &mut (*this).bias_h);
                    bias_x.grow(shape.gp);
                    bias_h.grow(shape.gp);
                    if let Some((b_ih, b_hh)) = part.b {
                        bias_x.copy_from_slice(of(b_ih));
                        if shape.cell() == Cell::Gru {
                            bias_h.copy_from_slice(of(b_hh));
                        } else {
                            bias_x.iter_mut().zip(of(b_hh)).for_each(|(x, h)| *x += h);
                        }
                    }
                    if let Some(w_hr) = part.w_hr {
                        both(&mut (*this).hr_t, &mut (*this).hr, of(w_hr), shape.rp, shape.hp);
                    }
                }
            }
        }
    }

    /// Packs everything on the calling thread, for a backward pass too where one may follow.
    pub fn pack_all(&mut self, shape: &Shape, part: &DirSegments, flat: &[f32], backward: bool) {
        for piece in 0..Self::PIECES {
            // SAFETY: `self` is borrowed mutably.
            unsafe { Self::pack(self, piece, shape, part, flat, backward) };
        }
    }

    /// Lets an LSTM's inference go through [`Infer`](super::infer::Infer) or
    /// [`InferWide`](super::infer_wide::InferWide), where they can do it; with `input` also from inputs not yet projected. The
    /// rest must be packed.
    pub fn pack_gates(&mut self, shape: &Shape, part: &DirSegments, flat: &[f32], input: bool) {
        if shape.cell() != Cell::Lstm || part.w_hr.is_some() {
            return;
        }
        let of = |i: usize| &flat[shape.segments[i].offset..][..shape.segments[i].size()];
        self.gates.pack(of(part.w_hh), shape.hp, shape.rp);
        if input {
            self.gates.pack_input(of(part.w_ih), &self.bias_x, shape.hp, shape.segments[part.w_ih].stride());
        }
    }

    /// Whether inference of so many rows goes through all units of a step.
    pub fn infers_wide(&self, rows: usize) -> bool {
        self.gates.exist() && !self.gates.fit_groups(rows)
    }
}
