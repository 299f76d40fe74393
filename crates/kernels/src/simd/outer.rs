//! Sum of outer products, `C[i, j] += sum over n of A[n, i] B[n, j]`: the gradient of a weight matrix from the
//! gradients of its outputs (`A`) and its inputs (`B`); and column sums, the gradient of a bias.

use std::ops::Range;

use super::gemm::Mat;
use super::{Kernel, Lanes, call, fma, load, store};

/// Rows whose parts of `A` and `B` fit into the first-level cache together.
const ROWS: usize = 64;
/// Rows `i` of `C` from the first `n` rows of `A` and `B`.
///
/// # Safety
/// The matrices must be as large as said: `A` has `i.end` columns at least, `C` and `B` `columns` (a multiple of 16);
/// `i` starts and ends at a multiple of 8. The rows `i` of `C` must not be shared.
pub(crate) struct Outer {
    pub a: Mat,
    pub b: Mat,
    pub n: usize,
    pub i: Range<usize>,
    pub columns: usize,
    pub c: Mat,
    /// Whether `C` is overwritten instead of added to.
    pub fresh: bool,
}

impl Kernel for Outer {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let mut start = 0;
        while start < self.n || (start == 0 && self.fresh) {
            let n = ROWS.min(self.n - start);
            let keep = !(self.fresh && start == 0);
            let mut column = 0;
            while column < self.columns {
                let vectors = ((self.columns - column) / S::L).min(2);
                let mut i = self.i.start;
                while i < self.i.end {
                    let rows = (self.i.end - i).min(most::<S>(vectors));
                    // SAFETY: rows and columns are inside the matrices.
                    let tile = unsafe { (self.a.at(start, i), self.b.at(start, column), self.c.at(i, column)) };
                    match (rows, vectors) {
                        (8, 1) => call(s, Tile::<8, 1> { tile, n, keep }),
                        (8, _) => call(s, Tile::<8, 2> { tile, n, keep }),
                        (6, _) => call(s, Tile::<6, 2> { tile, n, keep }),
                        (4, _) => call(s, Tile::<4, 2> { tile, n, keep }),
                        _ => call(s, Tile::<2, 2> { tile, n, keep }),
                    }
                    i += rows;
                }
                column += vectors * S::L;
            }
            start += ROWS;
        }
    }
}

/// Columns of `A` in a tile: an AVX2 tile of 8 x 2 would not fit into its 16 registers.
const fn most<S: Lanes>(vectors: usize) -> usize {
    if vectors == 1 || S::REGISTER_COUNT >= 32 { 8 } else { 6 }
}

struct Tile<const M: usize, const N: usize> {
    tile: (Mat, Mat, Mat),
    n: usize,
    keep: bool,
}

impl<const M: usize, const N: usize> Kernel for Tile<M, N> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let (a, b, c) = self.tile;
        let mut acc = [[s.splat_f32s(0.0); N]; M];
        // SAFETY: the tile is inside the matrices, as `Outer` requires.
        unsafe {
            for n in 0..self.n {
                let line = b.row(n);
                let mut bv = [s.splat_f32s(0.0); N];
                for (v, bv) in bv.iter_mut().enumerate() {
                    *bv = load(s, line.add(v * S::L));
                }
                let scalars = a.row(n);
                for (r, acc) in acc.iter_mut().enumerate() {
                    let av = s.splat_f32s(*scalars.add(r));
                    for (acc, &bv) in acc.iter_mut().zip(&bv) {
                        *acc = fma(s, av, bv, *acc);
                    }
                }
            }
            for (r, acc) in acc.iter().enumerate() {
                for (v, &acc) in acc.iter().enumerate() {
                    // Each block of rows is summed by itself first, which keeps long sums accurate.
                    let to = c.row(r).add(v * S::L);
                    store(s, to, if self.keep { s.add_f32s(load(s, to), acc) } else { acc });
                }
            }
        }
    }
}

/// `sums[j] = sum over n of A[n, j]` for `j` in `columns` (multiples of 16).
///
/// # Safety
/// The matrix must have `n` rows and `columns.end` columns, and `sums` that many values that are not shared.
pub(crate) struct ColumnSums {
    pub a: Mat,
    pub n: usize,
    pub columns: Range<usize>,
    pub sums: *mut f32,
}

impl Kernel for ColumnSums {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        for column in self.columns.clone().step_by(16) {
            let vectors = 16 / S::L;
            for v in 0..vectors {
                let at = column + v * S::L;
                let mut acc = [s.splat_f32s(0.0); 4];
                // SAFETY: as the struct requires.
                unsafe {
                    for n in 0..self.n {
                        acc[n % 4] = s.add_f32s(acc[n % 4], load(s, self.a.row(n).add(at)));
                    }
                    let sum = s.add_f32s(s.add_f32s(acc[0], acc[1]), s.add_f32s(acc[2], acc[3]));
                    store(s, self.sums.add(at), sum);
                }
            }
        }
    }
}
