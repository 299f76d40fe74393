//! Sum of outer products, `C[i, j] += sum over n of A[n, i] B[n, j]`: the gradient of a weight matrix from the
//! gradients of its outputs (`A`) and its inputs (`B`); and column sums, the gradient of a bias.

use std::cell::RefCell;
use std::ops::Range;

use super::gemm::Mat;
use super::{Buf, Kernel, Lanes, call, fma, load, prefetch_all, store};

/// Width of `A` from which gathering pays, and four times that of `B`.
const WIDE: usize = 1024;
/// Rows whose parts of `A` and `B` fit into the first-level cache together.
const ROWS: usize = 64;
/// The same where the parts are gathered first.
const GATHERED_ROWS: usize = 128;
/// Columns of `A` that are gathered together, so that they stay in the second-level cache.
const GATHERED_COLUMNS: usize = 384;
/// Floats between two gathered tiles' parts of `A`; an odd number of cache lines, so that they do not meet in one set.
const PANEL: usize = GATHERED_ROWS * 8 + 16;

/// Rows `i` of `C` from the first `n` rows of `A` and `B`.
///
/// # Safety
/// The matrices must have the described sizes: `A` has at least `i.end` columns, `C` and `B` `columns` (a multiple of
/// 16); `i` starts and ends at a multiple of 8. The rows `i` of `C` must not be shared.
pub(crate) struct Outer {
    pub a: Mat,
    pub b: Mat,
    pub n: usize,
    pub i: Range<usize>,
    pub columns: usize,
    pub c: Mat,
    /// Whether `C` is overwritten instead of added to.
    pub fresh: bool,
    /// Receives the sum of each column `i` of `A`, the gradient of a bias, at the column's place.
    pub sums: Option<*mut f32>,
}

impl Kernel for Outer {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        if self.gathers() {
            return ROOM.with_borrow_mut(|room| self.gathered(s, room));
        }
        if let Some(sums) = self.sums {
            ColumnSums { a: self.a, n: self.n, columns: self.i.clone(), sums }.run(s);
        }
        let mut start = 0;
        while start < self.n || (start == 0 && self.fresh) {
            let n = ROWS.min(self.n - start);
            for (column, vectors) in panels::<S>(self.columns) {
                for (i, rows) in tiles::<S>(&self.i, vectors) {
                    // SAFETY: rows and columns are inside the matrices.
                    unsafe {
                        let tile = (self.a.at(start, i), self.b.at(start, column), self.c.at(i, column));
                        any_tile(s, (rows, vectors), tile, n, !(self.fresh && start == 0));
                    }
                }
            }
            start += ROWS;
        }
    }
}

thread_local! {
    /// Where a thread gathers `A`.
    static ROOM: RefCell<Buf> = RefCell::default();
}

impl Outer {
    /// Whether the tiles' parts of `A` and `B` are copied side by side first. In wide matrices a tile's values of all rows lie a
    /// power of two apart and drive each other out of the cache; the copy pays if enough tiles read it.
    fn gathers(&self) -> bool {
        self.n > 0 && self.a.stride.max(4 * self.columns) >= WIDE
    }

    #[inline(always)]
    fn gathered<S: Lanes>(&self, s: S, room: &mut Buf) {
        room.grow(GATHERED_COLUMNS.div_ceil(most::<S>(2)) * PANEL);
        let (room, mut panel) = (room.ptr(), Lines([0.0; GATHERED_ROWS * 32]));
        let panel = panel.0.as_mut_ptr();
        for start in (0..self.n).step_by(GATHERED_ROWS) {
            let n = GATHERED_ROWS.min(self.n - start);
            for first in self.i.clone().step_by(GATHERED_COLUMNS) {
                let own = first..self.i.end.min(first + GATHERED_COLUMNS);
                // SAFETY: rows and columns are inside the matrices; a tile's part of the room has `GATHERED_ROWS` rows of at
                // most 8 columns, and the panel as many of at most two vectors.
                unsafe {
                    let mut part = [0.0; GATHERED_COLUMNS];
                    for row in 0..n {
                        let from = self.a.row(start + row);
                        if self.sums.is_some() {
                            let values = std::slice::from_raw_parts(from.add(own.start), own.len());
                            part.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                        }
                        for (tile, (i, rows)) in tiles::<S>(&own, 2).enumerate() {
                            let to = room.add(tile * PANEL + row * rows);
                            match rows {
                                8 => copy::<8>(from.add(i), to),
                                6 => copy::<6>(from.add(i), to),
                                4 => copy::<4>(from.add(i), to),
                                _ => copy::<2>(from.add(i), to),
                            }
                        }
                    }
                    if let Some(sums) = self.sums {
                        // Each block of rows is summed by itself first, as in a tile.
                        let sums = std::slice::from_raw_parts_mut(sums.add(own.start), own.len());
                        for (sum, part) in sums.iter_mut().zip(&part) {
                            *sum = if start == 0 { *part } else { *sum + part };
                        }
                    }
                    for (column, vectors) in panels::<S>(self.columns) {
                        let width = vectors * S::L;
                        for row in 0..n {
                            let from = self.b.row(start + row).add(column);
                            for v in 0..vectors {
                                store(s, panel.add(row * width + v * S::L), load(s, from.add(v * S::L)));
                            }
                        }
                        let b = Mat { ptr: panel, stride: width };
                        for (tile, (i, rows)) in tiles::<S>(&own, 2).enumerate() {
                            let a = Mat { ptr: room.add(tile * PANEL), stride: rows };
                            let keep = !(self.fresh && start == 0);
                            any_tile(s, (rows, vectors), (a, b, self.c.at(i, column)), n, keep);
                        }
                    }
                }
            }
        }
    }
}

/// On a boundary of cache lines.
#[repr(align(64))]
struct Lines<const N: usize>([f32; N]);

#[inline(always)]
unsafe fn copy<const N: usize>(from: *const f32, to: *mut f32) {
    // SAFETY: by the caller's promise, N values on both sides.
    unsafe { to.cast::<[f32; N]>().write_unaligned(from.cast::<[f32; N]>().read_unaligned()) }
}

/// First column and number of vectors of each part of the columns.
#[inline(always)]
fn panels<S: Lanes>(columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..columns).step_by(2 * S::L).map(move |column| (column, ((columns - column) / S::L).min(2)))
}

/// First column of `A` and number of them for each tile that is `vectors` vectors wide.
#[inline(always)]
fn tiles<S: Lanes>(own: &Range<usize>, vectors: usize) -> impl Iterator<Item = (usize, usize)> {
    let (end, most) = (own.end, most::<S>(vectors));
    own.clone().step_by(most).map(move |i| (i, (end - i).min(most)))
}

/// Columns of `A` in a tile: an AVX2 tile of 8 x 2 would not fit into its 16 registers.
const fn most<S: Lanes>(vectors: usize) -> usize {
    if vectors == 1 || S::REGISTER_COUNT >= 32 { 8 } else { 6 }
}

/// # Safety
/// As [`Outer`].
#[inline(always)]
unsafe fn any_tile<S: Lanes>(s: S, size: (usize, usize), tile: (Mat, Mat, Mat), n: usize, keep: bool) {
    match size {
        (8, 1) => call(s, Tile::<8, 1> { tile, n, keep }),
        (8, _) => call(s, Tile::<8, 2> { tile, n, keep }),
        (6, 1) => call(s, Tile::<6, 1> { tile, n, keep }),
        (6, _) => call(s, Tile::<6, 2> { tile, n, keep }),
        (4, 1) => call(s, Tile::<4, 1> { tile, n, keep }),
        (4, _) => call(s, Tile::<4, 2> { tile, n, keep }),
        (_, 1) => call(s, Tile::<2, 1> { tile, n, keep }),
        _ => call(s, Tile::<2, 2> { tile, n, keep }),
    }
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
            for r in 0..M {
                prefetch_all(c.row(r), N * S::L);
            }
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

/// `sums[j] = sum over n of A[n, j]` for `j` in `columns` (multiples of 8).
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
        let whole = self.columns.len() / 16 * 16;
        if whole < self.columns.len() {
            // SAFETY: as the struct requires.
            unsafe { self.eight(self.columns.start + whole) };
        }
        for column in (self.columns.start..self.columns.start + whole).step_by(16) {
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

impl ColumnSums {
    /// Eight columns, summed in the same order as others.
    #[inline(always)]
    unsafe fn eight(&self, column: usize) {
        let mut acc = [[0.0f32; 8]; 4];
        for n in 0..self.n {
            // SAFETY: by the caller's promise.
            let values = unsafe { self.a.row(n).add(column).cast::<[f32; 8]>().read_unaligned() };
            acc[n % 4].iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        let [first, second, third, fourth] = acc;
        let pairs = first.iter().zip(second).zip(third.iter().zip(fourth));
        for (i, ((a, b), (c, d))) in pairs.enumerate() {
            // SAFETY: as above.
            unsafe { *self.sums.add(column + i) = (a + b) + (c + d) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::key;
    use crate::simd::dispatch;

    /// Compares rows `i` with sums in float64, and checks that nothing else changed.
    fn check(n: usize, (width, columns): (usize, usize), i: Range<usize>, fresh: bool, run: impl FnOnce(Outer)) {
        let value = |what, i| (key(n as u64, [what, i as u64, 0]) >> 40) as f32 / (1 << 24) as f32 - 0.5;
        let draw = |what, len| -> Vec<f32> { (0..len).map(|i| value(what, i)).collect() };
        let (a, b, before) = (draw(1, n * width), draw(2, n * columns), draw(3, width * columns));
        let mut c = before.clone();
        let to = Mat { ptr: c.as_mut_ptr(), stride: columns };
        let mut sums = vec![7.0f32; width];
        let (a_mat, b_mat, sums_at) = (Mat::of(&a, width), Mat::of(&b, columns), Some(sums.as_mut_ptr()));
        run(Outer { a: a_mat, b: b_mat, n, i: i.clone(), columns, c: to, fresh, sums: sums_at });
        let bound = 1e-6 * (1.0 + (n as f64).sqrt());
        for (column, &given) in sums.iter().enumerate() {
            let sum: f64 = (0..n).map(|row| f64::from(a[row * width + column])).sum();
            let expected = if i.contains(&column) { sum } else { 7.0 };
            assert!((f64::from(given) - expected).abs() < bound, "column {column}: {given}, {expected}");
        }
        for (at, (&given, &before)) in c.iter().zip(&before).enumerate() {
            let (row, column) = (at / columns, at % columns);
            if !i.contains(&row) {
                assert_eq!(given, before, "row {row} belongs to another thread");
                continue;
            }
            let product = |n: usize| f64::from(a[n * width + row]) * f64::from(b[n * columns + column]);
            let sum = (0..n).map(product).sum::<f64>() + if fresh { 0.0 } else { f64::from(before) };
            assert!(
                (f64::from(given) - sum).abs() < bound,
                "{n} x {width} x {columns}, {row}, {column}: {given}, {sum}"
            );
        }
    }

    #[test]
    fn sums_are_those_of_float64_gathered_or_not() {
        for n in [1, 64, 65, 128, 301] {
            for (width, columns, i) in [(48, 16, 0..48), (128, 48, 40..128), (1024, 16, 0..400), (400, 272, 8..400)] {
                for fresh in [true, false] {
                    check(n, (width, columns), i.clone(), fresh, dispatch);
                    check(n, (width, columns), i.clone(), fresh, |outer| call(pulp::Scalar128b, outer));
                }
            }
        }
        // Without any position a fresh sum is zero.
        check(0, (1024, 16), 0..1024, true, dispatch);
    }
}
