//! Merges the rows that several shards learned in a round into one table.

use pulp::{Simd, WithSimd};

use crate::kernels::{add, approach};
use crate::rows::Copies;

/// Rate at which a row's distance to its limit shrinks per update, for a learning rate of 1.
///
/// Measured on AG News with 8 shards: with 0.25 and 0.5, the vectors are as good as those of a single shard, by the
/// accuracy of classifiers that start from them. With 0.03, which is almost a sum, the vectors grow without bound.
const SHRINKING: f64 = 0.5;

/// Shards, and the part of a table that their copies are merged into.
pub(crate) struct Merging<'a> {
    /// The part, which starts with row `first`.
    pub(crate) table: &'a mut [f32],
    pub(crate) width: usize,
    pub(crate) first: usize,
    pub(crate) shards: &'a [&'a Copies],
    /// The learning rate of the round.
    pub(crate) rate: f32,
}

/// Merges the shards' copies of rows into a part of the table.
///
/// A row that only one shard updated becomes that shard's copy. If several did, their differences are added and scaled
/// down. The reason: if a row converges, `n` updates cover `1 - exp(-a n)` of the distance. The updates of `k` shards
/// in sequence would cover `1 - exp(-a n k)`, less than `k` times as much. With few updates, the result is the sum of
/// the differences; with many, their mean.
pub(crate) fn merge(merging: Merging<'_>) {
    pulp::Arch::new().dispatch(merging);
}

impl WithSimd for Merging<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { table, width, first, shards, rate } = self;
        let rows = first..first + table.len() / width;
        let a = SHRINKING * f64::from(rate);
        let way = |moves: u32| -(-a * f64::from(moves)).exp_m1();
        let mut sum = vec![0.0; width];
        for (number, shard) in shards.iter().enumerate() {
            for &row in shard.of.iter().filter(|&&row| rows.contains(&(row as usize))) {
                // The first shard with the row merges the copies of all shards.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Two shards, each of which moves a row of ones by a total of 1, in the given number of steps.
    fn merged(moves: [u32; 2], rate: f32) -> Vec<f32> {
        let mut table = vec![1.0; 3 * 16];
        let shards = moves.map(|moves| {
            let mut copies = Copies::new(3, 16).unwrap();
            for _ in 0..moves {
                let place = copies.place(&table, 1).unwrap();
                copies.moved(place).iter_mut().for_each(|value| *value += 1.0 / moves as f32);
            }
            copies
        });
        let shards: Vec<&Copies> = shards.iter().collect();
        // Split in two parts, as threads would.
        let (first, second) = table.split_at_mut(16);
        merge(Merging { table: first, width: 16, first: 0, shards: &shards, rate });
        merge(Merging { table: second, width: 16, first: 1, shards: &shards, rate });
        assert!(table[..16].iter().chain(&table[32..]).all(|&value| value == 1.0));
        table[16..32].to_vec()
    }

    #[test]
    fn differences_are_added_while_they_are_small_and_averaged_in_the_end() {
        let close = |moves, rate, expected: f32| {
            let given = merged(moves, rate);
            assert!(given.iter().all(|value| (value - expected).abs() < 1e-4), "{moves:?}: {given:?} {expected}");
        };
        close([0, 0], 0.1, 1.0);
        close([4, 0], 0.1, 2.0);
        close([1, 1], 1e-5, 3.0);
        close([4_096, 4_096], 0.1, 2.0);
        // (1 - exp(-0.5 * 0.1 * 60)) / (2 - exp(-0.5 * 0.1 * 40) - exp(-0.5 * 0.1 * 20)) of the sum, which is 2.
        close([40, 20], 0.1, 1.0 + 2.0 * 0.634_836);
    }
}
