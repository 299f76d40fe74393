//! The packed layout: sequences of different lengths stored step by step, longest first, without padding.
//!
//! Step `t` contains one row for each sequence that has not ended: rows `offsets[t] .. offsets[t + 1]`. Row `b` of
//! every step belongs to the sequence `sorted_indices[b]`. The layout and its order (descending, stable) are those of
//! PyTorch's `PackedSequence`.

use std::ops::Range;

use crate::error::{Error, ErrorCode, Result};

/// The positions of a packed batch. In all methods, a row is a row of the sorted order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedLayout {
    lengths: Vec<u32>,
    sorted: Vec<u32>,
    unsorted: Vec<u32>,
    batch_sizes: Vec<u32>,
    offsets: Vec<usize>,
}

fn bad(code: ErrorCode, message: String) -> Error {
    Error::new(code, message)
}

impl PackedLayout {
    /// Creates the layout of sequences with these lengths, in any order. `max_time`, if given, is the number of steps
    /// of the padded batch.
    ///
    /// # Errors
    /// `InvalidArgument` if there is no sequence, `OutOfRange` if a length is below 1 or above `max_time`.
    pub fn new(lengths: &[i32], max_time: Option<usize>) -> Result<Self> {
        let mut layout = Self::default();
        layout.rebuild(lengths, max_time)?;
        Ok(layout)
    }

    /// Like [`PackedLayout::new`], but also checks that there is one length for each of `rows` sequences.
    ///
    /// # Errors
    /// `InvalidShape` if the number differs; otherwise as [`PackedLayout::new`].
    pub fn for_batch(lengths: &[i32], rows: usize, max_time: usize) -> Result<Self> {
        if lengths.len() != rows {
            return Err(bad(
                ErrorCode::InvalidShape,
                format!("expected one length for each of the {rows} sequences but received {} lengths", lengths.len()),
            ));
        }
        Self::new(lengths, Some(max_time))
    }

    /// Creates the layout of data that is already packed. The rows count as sorted.
    ///
    /// # Errors
    /// `InvalidArgument` if `batch_sizes` is empty, grows, or contains a number below 1.
    pub fn from_batch_sizes(batch_sizes: &[i32]) -> Result<Self> {
        let Some(&rows) = batch_sizes.first() else {
            return Err(bad(
                ErrorCode::InvalidArgument,
                "batch sizes are empty: expected one for each time step".into(),
            ));
        };
        let mut before = rows;
        for (t, &size) in batch_sizes.iter().enumerate() {
            if size < 1 || size > before {
                let message = if size < 1 {
                    format!("batch size {size} at step {t} is below 1")
                } else {
                    format!("batch sizes must not grow: {before} is followed by {size} at step {t}")
                };
                return Err(bad(ErrorCode::InvalidArgument, message));
            }
            before = size;
        }
        let mut lengths = vec![0i32; rows as usize];
        for &size in batch_sizes {
            lengths[..size as usize].iter_mut().for_each(|length| *length += 1);
        }
        Self::new(&lengths, None)
    }

    /// Replaces the layout by that of other lengths and reuses the memory.
    ///
    /// # Errors
    /// As [`PackedLayout::new`]; the layout is then unchanged.
    pub fn rebuild(&mut self, lengths: &[i32], max_time: Option<usize>) -> Result<()> {
        if lengths.is_empty() {
            return Err(bad(ErrorCode::InvalidArgument, "lengths are empty: expected at least one sequence".into()));
        }
        let longest = max_time.unwrap_or(i32::MAX as usize);
        if let Some((row, length)) = lengths.iter().enumerate().find(|&(_, &l)| l < 1 || l as usize > longest) {
            let what = if *length < 1 {
                "is below 1: an empty sequence cannot be packed".to_string()
            } else {
                format!("is above the batch's {longest} time steps")
            };
            return Err(bad(ErrorCode::OutOfRange, format!("length {length} of sequence {row} {what}")));
        }
        self.sorted.clear();
        self.sorted.extend(0..lengths.len() as u32);
        self.sorted.sort_by_key(|&row| std::cmp::Reverse(lengths[row as usize]));
        self.lengths.clear();
        self.lengths.extend(self.sorted.iter().map(|&row| lengths[row as usize] as u32));
        self.unsorted.clear();
        self.unsorted.resize(lengths.len(), 0);
        for (place, &row) in self.sorted.iter().enumerate() {
            self.unsorted[row as usize] = place as u32;
        }
        self.batch_sizes.clear();
        let mut running = lengths.len();
        for t in 0..self.lengths[0] {
            while self.lengths[running - 1] <= t {
                running -= 1;
            }
            self.batch_sizes.push(running as u32);
        }
        self.offsets.clear();
        self.offsets.push(0);
        let mut total = 0;
        for &size in &self.batch_sizes {
            total += size as usize;
            self.offsets.push(total);
        }
        Ok(())
    }

    /// Number of sequences.
    pub fn rows(&self) -> usize {
        self.sorted.len()
    }

    /// Number of time steps: the longest length.
    pub fn steps(&self) -> usize {
        self.batch_sizes.len()
    }

    /// Number of packed positions: the sum of the lengths.
    pub fn total(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Length of each sequence in sorted order, so descending.
    pub fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// `sorted_indices[b]` is the caller's row at place `b` of the sorted order.
    pub fn sorted_indices(&self) -> &[u32] {
        &self.sorted
    }

    /// `unsorted_indices[row]` is the place of the caller's row in the sorted order.
    pub fn unsorted_indices(&self) -> &[u32] {
        &self.unsorted
    }

    /// Number of sequences that have not ended, for each step.
    pub fn batch_sizes(&self) -> &[u32] {
        &self.batch_sizes
    }

    /// First packed position of each step, and the total at the end.
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Packed position of a sorted row at a time step; `None` if the sequence has ended.
    pub fn position(&self, row: usize, time: usize) -> Option<usize> {
        (row < *self.batch_sizes.get(time)? as usize).then(|| self.offsets[time] + row)
    }

    /// Sorted row and time step of a packed position; `None` beyond the end.
    pub fn row_and_time(&self, position: usize) -> Option<(usize, usize)> {
        if position >= self.total() {
            return None;
        }
        let time = self.offsets.partition_point(|&offset| offset <= position) - 1;
        Some((position - self.offsets[time], time))
    }

    /// Packed position of the mirrored time step within the sequence: the last token for the first, and so on.
    pub fn reversed_position(&self, row: usize, time: usize) -> Option<usize> {
        self.position(row, time)?;
        self.position(row, self.lengths[row] as usize - 1 - time)
    }

    /// Splits the sorted rows into `parts` ranges with about the same number of positions each. Ranges may be empty.
    pub fn slices(&self, parts: usize) -> Vec<Range<usize>> {
        let mut slices = Vec::with_capacity(parts);
        let (mut start, mut sum) = (0, 0);
        for part in 0..parts {
            let goal = self.total() * (part + 1) / parts;
            let mut end = start;
            while end < self.rows() && (part + 1 == parts || sum + self.lengths[end] as usize / 2 < goal) {
                sum += self.lengths[end] as usize;
                end += 1;
            }
            slices.push(start..end);
            start = end;
        }
        slices
    }
}
