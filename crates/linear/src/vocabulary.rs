//! The vocabulary of n-grams, identified by fingerprints.

use crate::table::Table;

/// Fingerprints of n-grams in the order of their numbers: by descending number of rows, then by fingerprint.
#[derive(Clone, Debug)]
pub(crate) struct Vocabulary {
    pub(crate) prints: Vec<u32>,
    /// Number of rows with each n-gram.
    pub(crate) rows: Vec<u32>,
    table: Table,
}

impl Vocabulary {
    /// Creates a vocabulary from n-grams in this order.
    pub(crate) fn new(prints: Vec<u32>, rows: Vec<u32>) -> Self {
        let mut table = Table::new(prints.len());
        for (number, &print) in prints.iter().enumerate() {
            table.get_or_insert(print, number as u32);
        }
        Self { prints, rows, table }
    }

    pub(crate) fn len(&self) -> usize {
        self.prints.len()
    }

    #[inline]
    pub(crate) fn get(&self, print: u32) -> Option<u32> {
        self.table.get(print)
    }

    /// The n-grams for whose numbers `keep` returns true.
    pub(crate) fn filter(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept = |values: &[u32]| -> Vec<u32> {
            values.iter().enumerate().filter(|(number, _)| keep(*number)).map(|(_, &value)| value).collect()
        };
        Self::new(kept(&self.prints), kept(&self.rows))
    }
}

/// Adds up the rows of equal n-grams and sorts them by descending number of rows, then by fingerprint. Drops n-grams
/// with fewer than `min_rows` rows.
pub(crate) fn merge(mut counted: Vec<(u32, u32)>, min_rows: u32) -> Vec<(u32, u32)> {
    counted.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::with_capacity(counted.len());
    for (print, rows) in counted {
        match merged.last_mut() {
            Some(last) if last.0 == print => last.1 = last.1.saturating_add(rows),
            _ => merged.push((print, rows)),
        }
    }
    merged.retain(|&(_, rows)| rows >= min_rows);
    merged.sort_unstable_by_key(|&(print, rows)| (std::cmp::Reverse(rows), print));
    merged
}
