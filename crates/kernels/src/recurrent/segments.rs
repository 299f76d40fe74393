//! Where a parameter lies in the flat private buffer, and the way between PyTorch's layout and the padded one.

use crate::simd::{pad, zeros};
use recurra_core::{Error, ErrorCode, Result};

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
    /// A matrix at `offset`, which moves past it.
    pub fn matrix(name: String, rows: Blocks, cols: Blocks, offset: &mut usize) -> Self {
        let segment = Self { name, shape: vec![rows.public(), cols.public()], offset: *offset, rows, cols };
        *offset += segment.size();
        segment
    }

    /// A vector at `offset`, which moves past it.
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

/// # Errors
/// `InvalidShape` where `what` has another number of values than its shape.
pub(crate) fn expect_len(what: &str, shape: &[usize], given: usize) -> Result<()> {
    let expected: usize = shape.iter().product();
    if expected == given {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::InvalidShape,
        format!("{what}: expected shape {shape:?} ({expected} values) but received {given} values"),
    ))
}
