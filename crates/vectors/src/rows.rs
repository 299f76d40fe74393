//! A shard's own copies of the rows that it changes, from a table that all shards read.

use crate::error::{Result, filled, reserve};

/// A shard's copies of rows of one table.
#[derive(Default)]
pub(crate) struct Copies {
    width: usize,
    /// For each row of the table, the place of its copy plus one; 0 if it has no copy.
    places: Vec<u32>,
    /// The copies, concatenated.
    rows: Vec<f32>,
    /// The table row of each copy.
    pub(crate) of: Vec<u32>,
    /// Number of updates of each copy.
    moves: Vec<u32>,
}

impl Copies {
    /// No copies yet, of a table of `rows` rows with `width` numbers each.
    pub(crate) fn new(rows: usize, width: usize) -> Result<Self> {
        Ok(Self { width, places: filled(0, rows)?, ..Self::default() })
    }

    /// The place of a row's copy, which is created if there is none.
    #[inline(always)]
    pub(crate) fn place(&mut self, table: &[f32], row: u32) -> Result<usize> {
        match self.places[row as usize] {
            0 => self.copy(table, row),
            place => Ok(place as usize - 1),
        }
    }

    #[cold]
    #[inline(never)]
    fn copy(&mut self, table: &[f32], row: u32) -> Result<usize> {
        let place = self.of.len();
        reserve(&mut self.of, 1)?;
        reserve(&mut self.moves, 1)?;
        reserve(&mut self.rows, self.width)?;
        self.of.push(row);
        self.moves.push(0);
        self.rows.extend_from_slice(&table[row as usize * self.width..][..self.width]);
        self.places[row as usize] = place as u32 + 1;
        Ok(place)
    }

    /// The copy at a place.
    #[inline(always)]
    pub(crate) fn at(&self, place: usize) -> &[f32] {
        &self.rows[place * self.width..][..self.width]
    }

    /// The copy at a place, for an update; counts the update.
    #[inline(always)]
    pub(crate) fn moved(&mut self, place: usize) -> &mut [f32] {
        self.moves[place] += 1;
        &mut self.rows[place * self.width..][..self.width]
    }

    /// The copy of a row and its number of updates, if there is one.
    pub(crate) fn get(&self, row: u32) -> Option<(&[f32], u32)> {
        let place = (self.places[row as usize] as usize).checked_sub(1)?;
        Some((self.at(place), self.moves[place]))
    }

    /// Memory in use, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        4 * (self.places.capacity() + self.rows.capacity() + self.of.capacity() + self.moves.capacity())
    }

    /// Removes all copies but keeps the memory.
    pub(crate) fn clear(&mut self) {
        for &row in &self.of {
            self.places[row as usize] = 0;
        }
        self.of.clear();
        self.moves.clear();
        self.rows.clear();
    }
}
