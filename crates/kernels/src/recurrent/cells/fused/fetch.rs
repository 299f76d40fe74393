//! Rows of a table that a later step reads, fetched into the cache while products are computed.

use crate::simd::{PREFETCHES, prefetch};

/// Values of a state from which the lines are asked for at a distance. A processor waits for some lines of the memory at once, and stops
/// at one more; but shorter products are faster without a break.
const LONG: usize = 128;

/// A part of `M` rows: a line of the cache for each gate.
#[derive(Clone, Copy)]
pub(super) struct Fetch<const M: usize> {
    rows: Option<[*const f32; M]>,
}

impl<const M: usize> Fetch<M> {
    pub const NOTHING: Self = Self { rows: None };

    /// The part from value `from` on.
    #[inline(always)]
    pub fn new(rows: [*const f32; M], from: usize) -> Self {
        Self { rows: Some(rows.map(|row| row.wrapping_add(from))) }
    }

    /// Whether the lines are asked for at a distance, during the products with `values` values.
    #[inline(always)]
    pub fn apart(&self, values: usize) -> bool {
        PREFETCHES && self.rows.is_some() && values >= LONG
    }

    /// Asks for a line of each row, `from` values later.
    #[inline(always)]
    pub fn line(&self, from: usize) {
        if let (true, Some(rows)) = (PREFETCHES, self.rows) {
            for row in rows {
                prefetch(row.wrapping_add(from));
            }
        }
    }
}
