//! How what several shards learned in a round becomes one table.

use pulp::{Simd, WithSimd};

use crate::kernels::{add, approach};
use crate::rows::Copies;

/// How fast the way that is left for a row shrinks with each update, for a learning rate of 1.
const SHRINKING: f64 = 0.25;

/// Shards, and the part of a table that their copies of rows are put into.
pub(crate) struct Merging<'a> {
    /// The part, which begins with row `first`.
    pub(crate) table: &'a mut [f32],
    pub(crate) width: usize,
    pub(crate) first: usize,
    pub(crate) shards: &'a [&'a Copies],
    /// The learning rate of the round.
    pub(crate) rate: f32,
}

/// Puts the shards' copies of rows into a part of the table.
///
/// A row that one shard alone moved becomes its copy. Where several did, their differences are added and shortened. The reason: if a
/// row comes to rest somewhere, `n` updates take it `1 - exp(-a n)` of the way, and those of `k` shards one after the other
/// `1 - exp(-a n k)`, which is less than `k` times as far. With few updates this is the sum of the differences, with many their mean.
pub(crate) fn merge(merging: Merging<'_>) {
    pulp::Arch::new().dispatch(merging);
}

impl WithSimd for Merging<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { table, width, first, shards, rate } = self;
        let rows = first..first + table.len() / width;
        let a = std::env::var("SHRINK").map_or(SHRINKING, |v| v.parse().unwrap()) * f64::from(rate);
        let way = |moves: u32| -(-a * f64::from(moves)).exp_m1();
        let mut sum = vec![0.0; width];
        for (number, shard) in shards.iter().enumerate() {
            for &row in shard.of.iter().filter(|&&row| rows.contains(&(row as usize))) {
                // The first shard that has the row puts in what all of them have.
                if shards[..number].iter().any(|earlier| earlier.get(row).is_some()) {
                    continue;
                }
                let to = &mut table[(row as usize - first) * width..][..width];
                let (mut copies, mut moves, mut ways) = (0.0, 0, 0.0);
                sum.fill(0.0);
                for (copy, moved) in shards[number..].iter().filter_map(|shard| shard.get(row)) {
                    copies += 1.0;
                    moves += moved;
                    ways += way(moved);
                    add(s, &mut sum, copy);
                }
                let share = if ways > 0.0 { (way(moves) / ways) as f32 } else { 1.0 };
                approach(s, to, &sum, copies, share);
            }
        }
    }
}
