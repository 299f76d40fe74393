//! Product of a row-major matrix with a packed one: `C = init + A B`.
//!
//! `B` is a weight matrix, packed once per step of the optimizer and then used for all time steps. It is cut into
//! panels as wide as the register tile (`NV` vectors), each stored row after row, so that the inner loop reads it in
//! order. The tile is `MR` rows of `A`: 6 x 4 vectors on AVX-512 and NEON (24 of 32 registers), 6 x 2 on AVX2
//! (12 of 16; a larger one spills, which costs a quarter).
//!
//! Tried instead, GFLOP/s of one thread's own time on an EPYC of the Zen 4 generation with AVX-512 (m x k x n; the
//! crates pack `B` at every call, which no caller can avoid there):
//!
//! | shape | this | `gemm` 0.19 | `matrixmultiply` 0.3 |
//! |---|---|---|---|
//! | 1 x 32 x 128 | 97 | 31 | 3 |
//! | 8 x 32 x 128 | 200 | 35 | 21 |
//! | 16 x 32 x 128 | 136 | 55 | 50 |
//! | 64 x 128 x 512 | 199 | 103 | 96 |
//! | 16 x 512 x 2048 | 159 | 15 | 40 |
//! | 64 x 512 x 2048 | 121 | 41 | 72 |
//! | 475 x 64 x 128 | 199 | 150 | 105 |

use super::{Buf, Kernel, Lanes, call, fma, isa, load, prefetch_all, store};
use crate::simd::Isa;

/// Columns of a panel for each instruction set: `NV * L`.
fn panel_width() -> usize {
    match isa() {
        Isa::Avx512 => 64,
        Isa::Avx2 | Isa::Neon => 16,
        Isa::Portable => 8,
    }
}

/// A matrix of `k` rows and `n` columns (a multiple of 16) in panels.
#[derive(Clone, Default)]
pub(crate) struct PackedB {
    data: Buf,
    width: usize,
    pub k: usize,
    pub n: usize,
}

/// A raw row-major matrix that threads may share.
#[derive(Clone, Copy)]
pub(crate) struct Mat {
    pub ptr: *mut f32,
    pub stride: usize,
}

// SAFETY: a Mat is only an address; code that dereferences it is responsible for the access.
unsafe impl Send for Mat {}
// SAFETY: as above.
unsafe impl Sync for Mat {}

impl Mat {
    pub fn new(buf: &mut Buf, stride: usize) -> Self {
        Self { ptr: buf.ptr(), stride }
    }

    /// Rows of a buffer that grows as needed.
    pub fn fit(buf: &mut Buf, rows: usize, stride: usize) -> Self {
        buf.grow(rows * stride);
        Self::new(buf, stride)
    }

    /// For a matrix that is only read.
    pub fn of(values: &[f32], stride: usize) -> Self {
        Self { ptr: values.as_ptr().cast_mut(), stride }
    }

    /// A matrix that is not there.
    pub const fn none() -> Self {
        Self { ptr: std::ptr::null_mut(), stride: 0 }
    }

    /// Whether the matrix is there.
    #[inline(always)]
    pub fn exists(self) -> bool {
        !self.ptr.is_null()
    }

    /// Address of a row.
    ///
    /// # Safety
    /// The row must be inside the matrix.
    #[inline(always)]
    pub unsafe fn row(self, row: usize) -> *mut f32 {
        // SAFETY: by the caller's promise.
        unsafe { self.ptr.add(row * self.stride) }
    }

    /// The matrix from a row and column on.
    ///
    /// # Safety
    /// As [`Mat::row`].
    #[inline(always)]
    pub unsafe fn at(self, row: usize, column: usize) -> Self {
        // SAFETY: by the caller's promise.
        Self { ptr: unsafe { self.ptr.add(row * self.stride + column) }, stride: self.stride }
    }
}

impl PackedB {
    /// Gives the matrix its size; the contents are then undefined until every part is packed.
    pub fn resize(&mut self, k: usize, n: usize) {
        assert!(n.is_multiple_of(16), "columns are padded to whole vectors");
        self.width = panel_width();
        (self.k, self.n) = (k, n);
        if self.data.is_empty() {
            self.data = Buf::scratch(k * n);
        }
        self.data.grow(k * n);
    }

    /// The panels from `B` itself, `[k, n]` row-major.
    pub fn pack(&mut self, from: &[f32], stride: usize) {
        for start in (0..self.n).step_by(self.width) {
            let w = self.width.min(self.n - start);
            let panel = &mut self.data[start * self.k..][..w * self.k];
            for (row, to) in panel.chunks_exact_mut(w).enumerate() {
                to.copy_from_slice(&from[row * stride + start..][..w]);
            }
        }
    }

    /// The panels from `B` transposed, `[n, k]` row-major (the way PyTorch keeps weights).
    pub fn pack_transposed(&mut self, from: &[f32], stride: usize) {
        let k = self.k;
        for start in (0..self.n).step_by(self.width) {
            let w = self.width.min(self.n - start);
            let panel = &mut self.data[start * k..][..w * k];
            // Four rows at a time: each cache line of the panel is written by few passes.
            for column in (0..w).step_by(4) {
                let source: [&[f32]; 4] = std::array::from_fn(|i| &from[(start + column + i) * stride..][..k]);
                for (row, to) in panel.chunks_exact_mut(w).enumerate() {
                    let quad: [f32; 4] = std::array::from_fn(|i| source[i][row]);
                    to[column..column + 4].copy_from_slice(&quad);
                }
            }
        }
    }

    /// Where the panel is that begins at this column, and how many columns it has.
    pub fn panel(&self, start: usize) -> (*const f32, usize) {
        // SAFETY: `start` is below `n`, so the panel is inside `data`.
        (unsafe { self.data.as_ptr().add(start * self.k) }, self.width.min(self.n - start))
    }
}

/// What `C` is before the product is added.
#[derive(Clone, Copy)]
pub(crate) enum Init {
    Zero,
    /// The rows of another matrix, or of `C` itself.
    Of(Mat),
    /// The same values for each row.
    Bias(*const f32),
    /// Row `index[i]` of another matrix for row `i`.
    Rows(Mat, *const u32),
}

/// `C[m, b.n] = init + A[m, b.k] B`.
///
/// # Safety
/// The matrices must have the described sizes and not change while the kernel runs; `c` must not be shared.
pub(crate) struct Gemm<'a> {
    pub a: Mat,
    pub m: usize,
    pub b: &'a PackedB,
    pub c: Mat,
    pub init: Init,
}

/// Values of a row of `A` from which it pays to ask for what a tile begins with, and for where its result goes, before the products.
/// Of a large batch neither is in a cache near by.
const FETCHED: usize = 128;

/// Rows of `A` that go through all panels together, so that they stay in the second-level cache.
const ROWS: usize = 96;

impl Kernel for Gemm<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let mut row = 0;
        while row < self.m {
            let rows = ROWS.min(self.m - row);
            for start in (0..self.b.n).step_by(self.b.width) {
                // SAFETY: rows and columns are inside the matrices.
                unsafe {
                    let init = self.init.at(row, start);
                    let part =
                        Panel { a: self.a.at(row, 0), m: rows, b: self.b, start, c: self.c.at(row, start), init };
                    part.run(s);
                }
            }
            row += rows;
        }
    }
}

impl Init {
    /// From a row and a column on.
    ///
    /// # Safety
    /// They must be inside.
    #[inline(always)]
    unsafe fn at(self, row: usize, column: usize) -> Self {
        // SAFETY: by the caller's promise.
        unsafe {
            match self {
                Self::Bias(p) => Self::Bias(p.add(column)),
                Self::Of(mat) => Self::Of(mat.at(row, column)),
                Self::Rows(mat, index) => Self::Rows(mat.at(0, column), index.add(row)),
                Self::Zero => Self::Zero,
            }
        }
    }
}

/// The columns of one panel: `C[m, width] = init + A[m, b.k] B[.., start..]`.
///
/// # Safety
/// As [`Gemm`], but `c` and `init` begin at the panel's first column; `start` is one's.
pub(crate) struct Panel<'a> {
    pub a: Mat,
    pub m: usize,
    pub b: &'a PackedB,
    pub start: usize,
    pub c: Mat,
    pub init: Init,
}

impl Kernel for Panel<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let blocks = self.m.div_ceil(S::MR);
        let mut done = 0;
        for block in 0..blocks {
            let end = self.m * (block + 1) / blocks;
            // SAFETY: rows and columns are inside the matrices.
            unsafe { self.block(s, done, end - done) };
            done = end;
        }
    }
}

impl Panel<'_> {
    #[inline(always)]
    unsafe fn block<S: Lanes>(&self, s: S, row: usize, m: usize) {
        let (panel, w) = self.b.panel(self.start);
        let mut column = 0;
        while column < w {
            let vectors = ((w - column) / S::L).min(S::NV);
            // SAFETY: as for the caller.
            let tile = unsafe {
                Tile {
                    a: self.a.at(row, 0),
                    k: self.b.k,
                    b: panel.add(column),
                    w,
                    c: self.c.at(row, column),
                    init: self.init.at(row, column),
                }
            };
            match (m, vectors) {
                (1, 1) => call(s, Fixed::<1, 1>(tile)),
                (1, 2) => call(s, Fixed::<1, 2>(tile)),
                (1, 3) => call(s, Fixed::<1, 3>(tile)),
                (1, _) => call(s, Fixed::<1, 4>(tile)),
                (2, 1) => call(s, Fixed::<2, 1>(tile)),
                (2, 2) => call(s, Fixed::<2, 2>(tile)),
                (2, 3) => call(s, Fixed::<2, 3>(tile)),
                (2, _) => call(s, Fixed::<2, 4>(tile)),
                (3, 1) => call(s, Fixed::<3, 1>(tile)),
                (3, 2) => call(s, Fixed::<3, 2>(tile)),
                (3, 3) => call(s, Fixed::<3, 3>(tile)),
                (3, _) => call(s, Fixed::<3, 4>(tile)),
                (4, 1) => call(s, Fixed::<4, 1>(tile)),
                (4, 2) => call(s, Fixed::<4, 2>(tile)),
                (4, 3) => call(s, Fixed::<4, 3>(tile)),
                (4, _) => call(s, Fixed::<4, 4>(tile)),
                (5, 1) => call(s, Fixed::<5, 1>(tile)),
                (5, 2) => call(s, Fixed::<5, 2>(tile)),
                (5, 3) => call(s, Fixed::<5, 3>(tile)),
                (5, _) => call(s, Fixed::<5, 4>(tile)),
                (_, 1) => call(s, Fixed::<6, 1>(tile)),
                (_, 2) => call(s, Fixed::<6, 2>(tile)),
                (_, 3) => call(s, Fixed::<6, 3>(tile)),
                (_, _) => call(s, Fixed::<6, 4>(tile)),
            }
            column += vectors * S::L;
        }
    }
}

struct Tile {
    a: Mat,
    k: usize,
    b: *const f32,
    w: usize,
    c: Mat,
    init: Init,
}

struct Fixed<const M: usize, const N: usize>(Tile);

impl<const M: usize, const N: usize> Kernel for Fixed<M, N> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Tile { a, k, b, w, c, init } = self.0;
        let mut acc = [[s.splat_f32s(0.0); N]; M];
        // SAFETY: the tile is inside the matrices, as `Gemm` requires.
        unsafe {
            if k >= FETCHED {
                for r in 0..M {
                    match init {
                        Init::Of(mat) => prefetch_all(mat.row(r), N * S::L),
                        Init::Rows(mat, index) => prefetch_all(mat.row(*index.add(r) as usize), N * S::L),
                        Init::Zero | Init::Bias(_) => {}
                    }
                    prefetch_all(c.row(r), N * S::L);
                }
            }
            for i in 0..k {
                let line = b.add(i * w);
                let mut bv = [s.splat_f32s(0.0); N];
                for (v, bv) in bv.iter_mut().enumerate() {
                    *bv = load(s, line.add(v * S::L));
                }
                for (r, acc) in acc.iter_mut().enumerate() {
                    let av = s.splat_f32s(*a.row(r).add(i));
                    for (acc, &bv) in acc.iter_mut().zip(&bv) {
                        *acc = fma(s, av, bv, *acc);
                    }
                }
            }
            // What is there already is added last: the products alone are smaller, so their sum rounds less.
            for (r, acc) in acc.iter().enumerate() {
                let to = c.row(r);
                let from = match init {
                    Init::Zero => {
                        for (v, &acc) in acc.iter().enumerate() {
                            store(s, to.add(v * S::L), acc);
                        }
                        continue;
                    }
                    Init::Of(mat) => mat.row(r).cast_const(),
                    Init::Bias(p) => p,
                    Init::Rows(mat, index) => mat.row(*index.add(r) as usize),
                };
                for (v, &acc) in acc.iter().enumerate() {
                    store(s, to.add(v * S::L), s.add_f32s(acc, load(s, from.add(v * S::L))));
                }
            }
        }
    }
}
