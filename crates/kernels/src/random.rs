//! Counter-based random bits for dropout: the same key and counter give the same bits on every thread, so a mask is
//! computed again in the backward pass instead of being kept.

use std::ops::Range;

use crate::simd::gemm::Mat;
use crate::simd::{Kernel, Lanes, dispatch};

/// A 64-bit key from a seed and up to three numbers that say what it is for (SplitMix64's mixing function).
#[must_use]
pub fn key(seed: u64, parts: [u64; 3]) -> u64 {
    parts.iter().fold(mix(seed), |state, &part| mix(state ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// 32 well-mixed bits of a counter: two keyed rounds of the "lowbias32" multiply-xorshift function.
#[inline(always)]
fn bits(counter: u32, low: u32, high: u32) -> u32 {
    let mut x = counter ^ low;
    x ^= x >> 16;
    x = x.wrapping_mul(0x21f0_aaad);
    x = (x ^ (x >> 15)).wrapping_add(high);
    x = x.wrapping_mul(0x735a_2d97);
    x ^= x >> 15;
    x = x.wrapping_mul(0x2c1b_3c6d);
    x ^ (x >> 16)
}

/// A random choice among numbered things.
#[derive(Clone, Copy)]
pub(crate) struct Chosen {
    key: u64,
    threshold: u32,
}

impl Chosen {
    /// Each thing is chosen with probability `p`.
    pub fn new(key: u64, p: f32) -> Self {
        Self { key, threshold: (f64::from(p) * 4_294_967_296.0) as u32 }
    }

    /// Whether the thing with this number is chosen.
    pub fn has(self, number: u32) -> bool {
        bits(number, self.key as u32, (self.key >> 32) as u32) < self.threshold
    }
}

/// Dropout of consecutive values: each is set to zero with probability `p`, else divided by `1 - p`.
/// The mask depends on `key` and on the value's number, the first of which is `start`.
struct Dropout<'a> {
    key: u64,
    start: usize,
    p: f32,
    values: &'a mut [f32],
}

impl Kernel for Dropout<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        // Plain loop: every operation is one that the compiler vectorises with the instruction set of `S`.
        let (low, high) = (self.key as u32, (self.key >> 32) as u32);
        let threshold = (f64::from(self.p) * 4_294_967_296.0) as u32;
        let scale = 1.0 / (1.0 - self.p);
        let start = self.start as u32;
        for (i, value) in self.values.iter_mut().enumerate() {
            let keep = bits(start.wrapping_add(i as u32), low, high) >= threshold;
            *value = if keep { *value * scale } else { 0.0 };
        }
    }
}

/// Dropout of some rows of a matrix; the mask depends on `key` and on the values' places.
///
/// # Safety
/// The rows must be inside and this thread's.
pub(crate) unsafe fn drop_rows(key: u64, p: f32, mat: Mat, rows: Range<usize>) {
    // SAFETY: by the caller's promise.
    let values = unsafe { std::slice::from_raw_parts_mut(mat.row(rows.start), rows.len() * mat.stride) };
    dispatch(Dropout { key, start: rows.start * mat.stride, p, values });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropout_keeps_the_stated_share_and_scales_it() {
        let mut values = vec![1.0f32; 1 << 20];
        dispatch(Dropout { key: key(7, [1, 2, 3]), start: 0, p: 0.3, values: &mut values });
        let kept = values.iter().filter(|&&v| v != 0.0).count() as f64 / values.len() as f64;
        assert!((kept - 0.7).abs() < 0.002, "kept {kept}");
        assert!(values.iter().all(|&v| v == 0.0 || (v - 1.0 / 0.7).abs() < 1e-6));
        // Neighbours are independent: pairs are both kept with probability 0.49.
        let pairs = values.windows(2).filter(|w| w[0] != 0.0 && w[1] != 0.0).count() as f64 / values.len() as f64;
        assert!((pairs - 0.49).abs() < 0.002, "pairs {pairs}");
    }

    #[test]
    fn the_stated_share_is_chosen() {
        let chosen = Chosen::new(key(7, [4, 0, 0]), 0.2);
        let share = (0..1 << 20).filter(|&i| chosen.has(i)).count() as f64 / f64::from(1 << 20);
        assert!((share - 0.2).abs() < 0.002, "{share}");
        assert!((0..1 << 16).all(|i| !Chosen::new(9, 0.0).has(i)));
    }

    #[test]
    fn a_part_has_the_mask_of_the_whole() {
        let key = key(1, [0, 0, 0]);
        let (mut whole, mut part) = (vec![1.0f32; 100], vec![1.0f32; 40]);
        dispatch(Dropout { key, start: 0, p: 0.5, values: &mut whole });
        dispatch(Dropout { key, start: 60, p: 0.5, values: &mut part });
        assert_eq!(whole[60..], part[..]);
    }
}
