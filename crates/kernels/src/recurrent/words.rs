//! Input that is rows of an embedding: each different word is kept, projected and differentiated once.

use std::sync::Arc;

use super::layers::Source;
use super::segments::{Blocks, expect_len, pad_rows};
use crate::simd::Buf;
use crate::simd::gemm::Mat;
use recurra_core::{Error, ErrorCode, Result, distinct::Users};

/// Copies of some rows of an embedding, as the kernels read them.
pub struct Table {
    rows: Buf,
    len: usize,
    blocks: Blocks,
}

impl Table {
    /// The rows `ids` of `weights` `[.., dims]`.
    ///
    /// # Errors
    /// `OutOfRange` for an id beyond the weights.
    pub fn gather(weights: &[f32], dims: usize, ids: &[u32]) -> Result<Self> {
        let blocks = Blocks::new(1, dims);
        let width = blocks.private();
        // Padding columns must be zero.
        let mut rows = if width == dims { Buf::scratch(ids.len() * width) } else { Buf::zeros(ids.len() * width) };
        for (&id, to) in ids.iter().zip(rows.chunks_exact_mut(width.max(1))) {
            let from = weights.get(id as usize * dims..(id as usize + 1) * dims).ok_or_else(|| {
                let message = format!("expected an id below {} but received {id}", weights.len() / dims.max(1));
                Error::new(ErrorCode::OutOfRange, message)
            })?;
            to[..dims].copy_from_slice(from);
        }
        Ok(Self { rows, len: ids.len(), blocks })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Width of a row.
    pub fn dims(&self) -> usize {
        self.blocks.len
    }

    /// Writes row `slots[i]` to `to[i * dims ..]`; the slots must be below [`Table::len`].
    pub fn expand(&self, slots: &[u32], to: &mut [f32]) {
        let (width, dims) = (self.blocks.private(), self.dims());
        for (&slot, to) in slots.iter().zip(to.chunks_exact_mut(dims.max(1))) {
            to.copy_from_slice(&self.rows[slot as usize * width..][..dims]);
        }
    }

    /// For reading only.
    pub(super) fn mat(&self) -> Mat {
        Mat::of(&self.rows, self.blocks.private())
    }
}

/// What goes into a network, step by step.
#[derive(Clone)]
pub enum Input<'a> {
    /// `[total, input]`.
    Rows(&'a [f32]),
    /// For each packed position the number of its row in the table.
    Words(Arc<Table>, &'a [u32]),
}

/// [`Input`] as it is kept for the layers.
pub(super) enum First {
    /// Rows of the private width.
    Rows(Buf),
    Words {
        table: Arc<Table>,
        slots: Vec<u32>,
        users: Users,
    },
}

impl First {
    pub fn new(input: &Input<'_>, total: usize, blocks: Blocks, keep: bool) -> Result<Self> {
        match input {
            Input::Rows(x) => {
                expect_len("input", &[total, blocks.len], x.len())?;
                let mut rows = Buf::zeros(total * blocks.private());
                pad_rows(blocks, x, &mut rows);
                Ok(Self::Rows(rows))
            }
            Input::Words(table, slots) => {
                if slots.len() != total || table.dims() != blocks.len {
                    let message = format!(
                        "input: expected {total} words of width {} but received {} of width {}",
                        blocks.len,
                        slots.len(),
                        table.dims()
                    );
                    return Err(Error::new(ErrorCode::InvalidShape, message));
                }
                if let Some(slot) = slots.iter().find(|&&slot| slot as usize >= table.len()) {
                    let message = format!("input: expected a row below {} but received {slot}", table.len());
                    return Err(Error::new(ErrorCode::OutOfRange, message));
                }
                let users = if keep { Users::new(slots, table.len()) } else { Users::default() };
                Ok(Self::Words { table: Arc::clone(table), slots: slots.to_vec(), users })
            }
        }
    }

    /// As the layers read it.
    pub fn source(&self, blocks: Blocks) -> Source<'static> {
        match self {
            Self::Rows(rows) => Source::Positions(Mat::of(rows, blocks.private())),
            Self::Words { table, slots, .. } => {
                Source::Words { x: table.mat(), count: table.len(), slots: slots.as_ptr() }
            }
        }
    }

    /// Number of distinct words, 0 for rows.
    pub fn words(&self) -> usize {
        if let Self::Words { table, .. } = self { table.len() } else { 0 }
    }

    /// The positions of each word, where there are words.
    pub fn users(&self) -> Option<&Users> {
        if let Self::Words { users, .. } = self { Some(users) } else { None }
    }

    /// The rows to project, and how many.
    pub fn rows(&self, total: usize, blocks: Blocks) -> (Mat, usize) {
        match self {
            Self::Rows(rows) => (Mat::of(rows, blocks.private()), total),
            Self::Words { table, .. } => (table.mat(), table.len()),
        }
    }
}
