//! The states that rows keep from batch to batch, where consecutive batches are consecutive parts of the same streams.

use std::ops::Deref;

use super::params::Params;
use crate::recurrent::layers::StateMats;
use crate::recurrent::segments::{Blocks, pad_rows, unpad_rows};
use crate::recurrent::shape::Shape;
use crate::simd::gemm::Mat;
use crate::simd::{Buf, zeros};
use recurra_core::{Chunk, Error, ErrorCode, Initial, NamedArray, Result};

/// States of the rows of all layers, in the order of the rows.
pub(super) struct Carried {
    rows: usize,
    /// `h` of each layer, and `c` if the cell has it; padded.
    layers: Vec<(Buf, Option<Buf>)>,
}

impl Carried {
    /// All states zero.
    pub fn zeros(shape: &Shape, rows: usize) -> Self {
        let layer = |_| {
            let c = shape.facts().cell_state.then(|| Buf::zeros(rows * shape.hp));
            (Buf::zeros(rows * shape.rp), c)
        };
        Self { rows, layers: (0..shape.layers()).map(layer).collect() }
    }

    /// Makes `now`, the states that the last chunk left, those that a chunk begins with; none where each batch begins with zeros.
    ///
    /// # Errors
    /// As [`Chunk::validate_streams`]; `InvalidShape` where there are no states to continue with, or those of another number of
    /// rows. Nothing is changed then.
    pub fn begin(now: &mut Option<Self>, chunk: &Chunk<'_>, initial: Initial, shape: &Shape) -> Result<()> {
        if initial == Initial::Zeros {
            *now = None;
            return Ok(());
        }
        chunk.validate_streams()?;
        let Some(&rows) = chunk.batch_sizes.iter().find(|&&rows| rows > 0) else { return Ok(()) };
        let rows = rows as usize;
        if initial == Initial::Begin {
            *now = Some(Self::zeros(shape, rows));
            return Ok(());
        }
        let there = match now {
            Some(now) if now.rows == rows => return Ok(()),
            Some(now) => format!("there are those of {} rows", now.rows),
            None => "there are none".into(),
        };
        let message = format!("the chunk continues with the states of {rows} rows, but {there}");
        Err(Error::new(ErrorCode::InvalidShape, message))
    }

    /// Addresses of the states of each layer.
    pub fn mats(&mut self, shape: &Shape) -> Vec<StateMats> {
        let mats = |(h, c): &mut (Buf, Option<Buf>)| StateMats {
            h: Mat::new(h, shape.rp),
            c: c.as_mut().map_or(Mat::none(), |c| Mat::new(c, shape.hp)),
        };
        self.layers.iter_mut().map(mats).collect()
    }

    /// The states under names that begin with `prefix`, `[rows, hidden_size]` each.
    pub fn export(&self, prefix: &str, shape: &Shape) -> Vec<NamedArray> {
        let blocks = Blocks::new(1, shape.config.hidden_size);
        let array = |what: &str, layer: usize, padded: &Buf| {
            let mut values = zeros(self.rows * blocks.len);
            unpad_rows(blocks, padded, &mut values);
            NamedArray::of(format!("{prefix}{what}_l{layer}"), vec![self.rows, blocks.len], &values)
        };
        let layer = |(layer, (h, c)): (usize, &(Buf, Option<Buf>))| {
            [Some(array("h", layer, h)), c.as_ref().map(|c| array("c", layer, c))]
        };
        self.layers.iter().enumerate().flat_map(layer).flatten().collect()
    }

    /// The reverse of [`Carried::export`]; `find` looks an array up. None where there is no state at all.
    ///
    /// # Errors
    /// What is wrong with an array.
    pub fn import<'a, D: Deref<Target = [u8]> + 'a>(
        params: &Params,
        prefix: &str,
        mut find: impl FnMut(&str) -> Option<&'a NamedArray<D>>,
    ) -> std::result::Result<Option<Self>, String> {
        let (shape, size) = (&params.shape, params.config.encoder.hidden_size);
        let Some(&[rows, _]) = find(&format!("{prefix}h_l0")).map(|array| &array.shape[..]) else { return Ok(None) };
        let mut values = |what: &str, layer: usize| {
            let name = format!("{prefix}{what}_l{layer}");
            let array = find(&name).ok_or_else(|| format!("{name} is missing"))?;
            array
                .values::<f32>()
                .filter(|values| {
                    array.shape == [rows, size] && rows.checked_mul(size) == Some(values.len()) && rows > 0
                })
                .ok_or_else(|| format!("{name} is not float32 of shape [{rows}, {size}]"))
        };
        // A shape alone must not ask for memory that the file has no values for.
        values("h", 0)?;
        let blocks = Blocks::new(1, size);
        let mut carried = Self::zeros(shape, rows);
        for (layer, (h, c)) in carried.layers.iter_mut().enumerate() {
            pad_rows(blocks, &values("h", layer)?, h);
            if let Some(c) = c {
                pad_rows(blocks, &values("c", layer)?, c);
            }
        }
        Ok(Some(carried))
    }
}
