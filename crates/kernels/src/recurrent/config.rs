//! What a recurrent network is made of, and how its parameters lie in memory.

use crate::simd::{pad, zeros};
use recurra_core::{Cell, Error, ErrorCode, Result};

/// Layers take some memory each, whatever their size.
const MOST_LAYERS: usize = 4096;

/// 64 TiB of float32; with the padding of small sizes, a sixteenth of it has to do.
pub(crate) const MOST_PARAMETERS: f64 = (1u64 << 44) as f64;

/// Sizes and options of a recurrent network; the names are those of `torch.nn.LSTM`.
#[derive(Clone, Debug, PartialEq)]
pub struct RecurrentConfig {
    /// Kind of cell.
    pub cell: Cell,
    /// Features of the input.
    pub input_size: usize,
    /// Features of the hidden state.
    pub hidden_size: usize,
    /// Layers on top of each other.
    pub num_layers: usize,
    /// Whether each layer also reads the sequences backwards.
    pub bidirectional: bool,
    /// Features of the projected state, 0 for none (LSTM only).
    pub proj_size: usize,
    /// Whether there are `bias_ih` and `bias_hh`.
    pub bias: bool,
    /// Probability of dropping an output between two layers, in training.
    pub dropout: f32,
}

impl RecurrentConfig {
    /// A network of one layer and one direction, with bias and without projection or dropout.
    pub fn new(cell: Cell, input_size: usize, hidden_size: usize) -> Self {
        Self {
            cell,
            input_size,
            hidden_size,
            num_layers: 1,
            bidirectional: false,
            proj_size: 0,
            bias: true,
            dropout: 0.0,
        }
    }

    /// # Errors
    /// `InvalidArgument` when a size is 0, the projection does not fit or the dropout is outside [0, 1).
    pub fn validate(&self) -> Result<()> {
        let fail = |message: String| Err(Error::new(ErrorCode::InvalidArgument, message));
        for (name, value) in
            [("inputSize", self.input_size), ("hiddenSize", self.hidden_size), ("numLayers", self.num_layers)]
        {
            if value == 0 {
                return fail(format!("{name} must be at least 1 but is 0"));
            }
        }
        if self.num_layers > MOST_LAYERS {
            return fail(format!("numLayers must be at most {MOST_LAYERS} but is {}", self.num_layers));
        }
        // In float64, where nothing overflows: the sizes as they are computed with later do.
        let size = |n: usize| n as f64;
        let inputs = size(self.input_size).max(2.0 * size(self.hidden_size));
        let rows = size(self.cell.gates() * self.directions() * self.num_layers) * size(self.hidden_size);
        if rows * (inputs + size(self.hidden_size)) > MOST_PARAMETERS {
            return fail(format!(
                "inputSize {}, hiddenSize {} and numLayers {} make a network that no computer can hold",
                self.input_size, self.hidden_size, self.num_layers
            ));
        }
        if self.proj_size > 0 && (self.cell != Cell::Lstm || self.proj_size >= self.hidden_size) {
            return fail(format!(
                "projSize {} needs an LSTM with a larger hiddenSize, not {:?} with {}",
                self.proj_size, self.cell, self.hidden_size
            ));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return fail(format!("dropout must be at least 0 and below 1 but is {}", self.dropout));
        }
        Ok(())
    }

    /// Directions: 1 or 2.
    pub fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }

    /// Features of the state that goes round: the projected one where there is a projection.
    pub fn state_size(&self) -> usize {
        if self.proj_size > 0 { self.proj_size } else { self.hidden_size }
    }

    /// Features of an output row.
    pub fn output_size(&self) -> usize {
        self.directions() * self.state_size()
    }
}

/// One side of a matrix: `count` blocks of `len` values, each padded to `padded` in the private layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub count: usize,
    pub len: usize,
    pub padded: usize,
}

impl Blocks {
    pub fn new(count: usize, len: usize) -> Self {
        Self { count, len, padded: pad(len) }
    }

    pub fn public(self) -> usize {
        self.count * self.len
    }

    pub fn private(self) -> usize {
        self.count * self.padded
    }

    /// `(public, private)` start of each block.
    fn starts(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.count).map(move |i| (i * self.len, i * self.padded))
    }
}

/// One parameter inside the flat private buffer.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    /// PyTorch's name within the module, such as `weight_ih_l0_reverse`.
    pub name: String,
    /// PyTorch's shape.
    pub shape: Vec<usize>,
    pub offset: usize,
    pub rows: Blocks,
    pub cols: Blocks,
}

impl Segment {
    /// A matrix; `offset` moves behind it.
    pub fn matrix(name: String, rows: Blocks, cols: Blocks, offset: &mut usize) -> Self {
        let segment = Self { name, shape: vec![rows.public(), cols.public()], offset: *offset, rows, cols };
        *offset += segment.size();
        segment
    }

    /// A vector; `offset` moves behind it.
    pub fn vector(name: String, cols: Blocks, offset: &mut usize) -> Self {
        let rows = Blocks { count: 1, len: 1, padded: 1 };
        let segment = Self { name, shape: vec![cols.public()], offset: *offset, rows, cols };
        *offset += segment.size();
        segment
    }

    /// Private size, padding included.
    pub fn size(&self) -> usize {
        self.rows.private() * self.cols.private()
    }

    /// Public number of values.
    pub fn numel(&self) -> usize {
        self.rows.public() * self.cols.public()
    }

    /// Private length of a row.
    pub fn stride(&self) -> usize {
        self.cols.private()
    }

    fn lines(&self) -> impl Iterator<Item = (usize, usize)> {
        let (rows, cols) = (self.rows, self.cols);
        let (from, to, start) = (cols.public(), cols.private(), self.offset);
        rows.starts()
            .flat_map(move |(a, b)| (0..rows.len).map(move |i| (a + i, b + i)))
            .flat_map(move |(a, b)| cols.starts().map(move |(c, d)| (a * from + c, start + b * to + d)))
    }

    /// Copies the parameter from PyTorch's layout into the flat buffer.
    pub fn import(&self, public: &[f32], flat: &mut [f32]) {
        if self.size() == self.numel() {
            return flat[self.offset..][..self.size()].copy_from_slice(public);
        }
        for (from, to) in self.lines() {
            flat[to..to + self.cols.len].copy_from_slice(&public[from..from + self.cols.len]);
        }
    }

    /// Copies the parameter from the flat buffer into PyTorch's layout.
    pub fn export(&self, flat: &[f32]) -> Vec<f32> {
        let mut public = zeros(self.numel());
        self.export_to(flat, &mut public);
        public
    }

    /// As [`Segment::export`], into the caller's memory.
    pub fn export_to(&self, flat: &[f32], public: &mut [f32]) {
        if self.size() == self.numel() {
            return public.copy_from_slice(&flat[self.offset..][..self.size()]);
        }
        for (to, from) in self.lines() {
            public[to..to + self.cols.len].copy_from_slice(&flat[from..from + self.cols.len]);
        }
    }
}

/// Copies rows of `cols.public()` values into padded rows.
pub(crate) fn pad_rows(cols: Blocks, public: &[f32], private: &mut [f32]) {
    if cols.private() == cols.public() {
        let n = public.len().min(private.len());
        return private[..n].copy_from_slice(&public[..n]);
    }
    for (from, to) in public.chunks_exact(cols.public()).zip(private.chunks_exact_mut(cols.private())) {
        for (a, b) in cols.starts() {
            to[b..b + cols.len].copy_from_slice(&from[a..a + cols.len]);
        }
    }
}

/// The reverse of [`pad_rows`].
pub(crate) fn unpad_rows(cols: Blocks, private: &[f32], public: &mut [f32]) {
    if cols.private() == cols.public() {
        let n = public.len().min(private.len());
        return public[..n].copy_from_slice(&private[..n]);
    }
    for (from, to) in private.chunks_exact(cols.private()).zip(public.chunks_exact_mut(cols.public())) {
        for (b, a) in cols.starts() {
            to[b..b + cols.len].copy_from_slice(&from[a..a + cols.len]);
        }
    }
}
