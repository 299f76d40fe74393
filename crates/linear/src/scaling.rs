//! Scales counts to values: idf and norms of a set of rows.

use crate::math::Portable;
use crate::parallel;
use crate::rows::{CHUNK, Rows, inverse_norm, unpack, weights_of_codes};

/// Values of rows. A feature that occurs in none of the counted rows has value 0 and is ignored in the norms.
pub(crate) struct Scaling {
    /// idf of each feature; 0 for an ignored feature.
    pub(crate) idf: Vec<f32>,
    /// Reciprocal norms of words and of characters, for each row.
    pub(crate) norms: Vec<[f32; 2]>,
    /// Weight of each code of a count.
    pub(crate) weights: [f32; 256],
}

impl Scaling {
    /// Computes the norms of all rows for an idf.
    pub(crate) fn new(rows: &Rows, idf: Vec<f32>, threads: usize) -> Self {
        let weights = weights_of_codes();
        let chunks = parallel::map(
            threads,
            rows.len().div_ceil(CHUNK),
            || (),
            |(), chunk| {
                let rows_of = chunk * CHUNK..(chunk * CHUNK + CHUNK).min(rows.len());
                let norms = rows_of.map(|row| {
                    rows.get(row).map(|entries| {
                        let squares = entries.iter().map(|&entry| {
                            let (number, code) = unpack(entry);
                            let value = weights[code] * idf[number];
                            value * value
                        });
                        inverse_norm(squares.sum())
                    })
                });
                norms.collect::<Vec<_>>()
            },
        );
        Self { norms: chunks.concat(), idf, weights }
    }

    /// Computes the values as if there were only the rows in `members`.
    pub(crate) fn of_members(rows: &Rows, members: &[u32], features: usize, threads: usize) -> Self {
        let mut with = vec![0u32; features];
        for &row in members {
            for &entry in rows.get(row as usize).into_iter().flatten() {
                with[unpack(entry).0] += 1;
            }
        }
        let count = members.len() as f64;
        let idf = with.into_iter().map(|with| {
            if with == 0 { 0.0 } else { (((1.0 + count) / (1.0 + f64::from(with))).portable_ln() + 1.0) as f32 }
        });
        Self::new(rows, idf.collect(), threads)
    }
}
