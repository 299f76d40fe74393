//! Rows as packed features: number and count in four bytes. Values are computed from them.

use crate::math::Portable;

/// Number of rows in a chunk.
pub(crate) const CHUNK: usize = 4096;
/// Bits of a feature's number; the other bits contain the code of its count.
const NUMBER_BITS: u32 = 24;
const NUMBER: u32 = (1 << NUMBER_BITS) - 1;
/// Counts up to this one have a code each; larger counts share codes that are 4 % apart.
const EXACT: u32 = 160;

/// The code of a count.
#[inline]
fn code(count: u32) -> u32 {
    if count <= EXACT {
        count
    } else {
        (EXACT + 1 + ((count as f32 / EXACT as f32).portable_ln() * 25.0) as u32).min(255)
    }
}

/// `1 + ln(count)` for each code of a count.
pub(crate) fn weights_of_codes() -> [f32; 256] {
    std::array::from_fn(|code| {
        let code = code as u32;
        let ln = if code <= EXACT {
            f64::from(code.max(1)).portable_ln()
        } else {
            f64::from(EXACT).portable_ln() + (f64::from(code - EXACT) - 0.5) / 25.0
        };
        (1.0 + ln) as f32
    })
}

/// Unpacks an entry into a feature's number and the code of its count.
#[inline]
pub(crate) const fn unpack(entry: u32) -> (usize, usize) {
    ((entry & NUMBER) as usize, (entry >> NUMBER_BITS) as usize)
}

/// Counts the features of one text.
pub(crate) struct Bag {
    counts: Vec<u16>,
    touched: Vec<u32>,
    weights: [f32; 256],
}

impl Bag {
    /// An empty bag of features with numbers below `features`.
    pub(crate) fn new(features: usize) -> Self {
        Self { counts: vec![0; features], touched: Vec::new(), weights: weights_of_codes() }
    }

    /// Counts a feature.
    #[inline]
    pub(crate) fn add(&mut self, number: u32) {
        let count = &mut self.counts[number as usize];
        if *count == 0 {
            self.touched.push(number);
        }
        *count = count.saturating_add(1);
    }

    /// Number of distinct features.
    pub(crate) fn len(&self) -> usize {
        self.touched.len()
    }

    /// Empties the bag: calls `each` with the packed features and the weights of their counts, in order of first
    /// occurrence. The first `words` of them are words. Returns the reciprocal of the norm of each kind, 0 for a kind
    /// without features.
    #[inline]
    pub(crate) fn take(&mut self, words: usize, idf: &[f32], mut each: impl FnMut(u32, f32)) -> [f32; 2] {
        let mut squares = [0.0f32; 2];
        for (at, number) in self.touched.drain(..).enumerate() {
            let code = code(u32::from(std::mem::take(&mut self.counts[number as usize])));
            let weight = self.weights[code as usize];
            let value = weight * idf[number as usize];
            squares[usize::from(at >= words)] += value * value;
            each(number | code << NUMBER_BITS, weight);
        }
        squares.map(inverse_norm)
    }
}

/// Reciprocal of the square root; 0 for 0.
pub(crate) fn inverse_norm(square: f32) -> f32 {
    if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 }
}

struct Row {
    end: usize,
    words: u32,
}

/// Some rows, concatenated.
pub(crate) struct Chunk {
    entries: Vec<u32>,
    rows: Vec<Row>,
}

impl Chunk {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), rows: Vec::new() }
    }

    /// Appends a bag's features and empties the bag.
    pub(crate) fn push(&mut self, bag: &mut Bag, words: usize, idf: &[f32]) {
        bag.take(words, idf, |entry, _| self.entries.push(entry));
        self.rows.push(Row { end: self.entries.len(), words: words as u32 });
    }
}

/// The features of many rows; created by [`Counter::finish`](crate::Counter::finish).
pub struct Rows {
    chunks: Vec<Chunk>,
    len: usize,
}

impl Rows {
    pub(crate) fn new(mut chunks: Vec<Chunk>, len: usize) -> Self {
        for chunk in &mut chunks {
            chunk.entries.shrink_to_fit();
        }
        Self { chunks, len }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Total number of features of all rows.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.entries.len()).sum()
    }

    /// Memory of the rows, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        4 * self.entries() + self.len * size_of::<Row>()
    }

    /// Packed features of a row: words, then characters.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> [&[u32]; 2] {
        let (chunk, at) = (&self.chunks[row / CHUNK], row % CHUNK);
        let from = if at == 0 { 0 } else { chunk.rows[at - 1].end };
        let Row { end, words } = &chunk.rows[at];
        let (words, chars) = chunk.entries[from..*end].split_at(*words as usize);
        [words, chars]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_exact_or_close() {
        let weights = weights_of_codes();
        for count in 1..7_000u32 {
            let (weight, exact) = (weights[code(count) as usize], 1.0 + (f64::from(count)).ln() as f32);
            // Half of the 4 % between two codes.
            let bound = if count <= EXACT { 1e-6 } else { 0.0201 };
            assert!((weight - exact).abs() < bound, "{count}: {weight} {exact}");
        }
    }
}
