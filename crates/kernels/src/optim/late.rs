//! Dense optimizer steps for an embedding that cost what the batch's rows cost.
//!
//! Dense Adam moves every row at every step, also those without a gradient, but how those move is known beforehand. So
//! each row remembers the step it was last moved at, and makes up the missed steps when it is next read; the result is
//! that of the dense optimizer, not that of `SparseAdam`.

use super::dense::DenseStep;
use super::rows::{Row, catch_up, prefetch};
use super::tables::Tables;
use super::{Algorithm, StepNumbers};
use crate::error::{Error, ErrorCode, Result};
use crate::simd::{Buf, Kernel, Lanes, call, dispatch};

/// Mark in `last` of a row whose state is zero: it has nothing to make up but AdamW's decay.
const STILL: u32 = 1 << 31;

/// The tables hold some 40 bytes a step; after so many all rows catch up and they begin anew.
const TABLE_STEPS: usize = 1 << 18;

/// State of an optimizer for the rows of a matrix `[rows, dims]` that is read and written row by row.
pub struct LateRows {
    algorithm: Algorithm,
    rows: usize,
    dims: usize,
    /// Row by row: the first state, and the second where the rule has one.
    state: Buf,
    stride: usize,
    last: Vec<u32>,
    tables: Tables,
}

/// Addresses for a team whose members work on different rows.
#[derive(Clone, Copy)]
pub(crate) struct LateShared {
    weights: *mut f32,
    state: *mut f32,
    last: *mut u32,
    tables: *const Tables,
    dims: usize,
    stride: usize,
    two: bool,
}

// SAFETY: only addresses; the methods that use them state what the caller must ensure.
unsafe impl Send for LateShared {}
// SAFETY: as above.
unsafe impl Sync for LateShared {}

impl LateRows {
    /// State at step 0.
    ///
    /// # Errors
    /// `InvalidArgument` for options outside their range, or where [`Algorithm::cannot_defer`] gives a reason: use
    /// [`super::Dense`] then.
    pub fn new(algorithm: Algorithm, rows: usize, dims: usize) -> Result<Self> {
        algorithm.validate()?;
        if let Some(reason) = algorithm.cannot_defer() {
            return Err(Error::new(ErrorCode::InvalidArgument, format!("steps cannot be applied late: {reason}")));
        }
        let stride = dims * if algorithm.two_states() { 2 } else { 1 };
        let (state, last) = (Buf::zeros(rows * stride), vec![STILL; rows]);
        Ok(Self { algorithm, rows, dims, state, stride, last, tables: Tables::new(&algorithm, 0) })
    }

    /// Number of steps made.
    pub fn step_count(&self) -> u64 {
        u64::from(self.tables.now())
    }

    /// Bytes that the state takes.
    pub fn bytes(&self) -> usize {
        self.state.len() * 4 + self.last.len() * 4 + self.tables.len() * 40
    }

    fn check(&self, weights: &[f32], rows: &[u32]) -> Result<()> {
        if weights.len() != self.rows * self.dims {
            let message = format!("expected {} x {} weights but received {}", self.rows, self.dims, weights.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        match rows.iter().find(|&&row| row as usize >= self.rows) {
            None => Ok(()),
            Some(row) => {
                let message = format!("row {row} is outside the matrix of {} rows", self.rows);
                Err(Error::new(ErrorCode::OutOfRange, message))
            }
        }
    }

    pub(crate) fn shared(&mut self, weights: *mut f32) -> LateShared {
        LateShared {
            weights,
            state: self.state.ptr(),
            last: self.last.as_mut_ptr(),
            tables: &raw const self.tables,
            dims: self.dims,
            stride: self.stride,
            two: self.algorithm.two_states(),
        }
    }

    /// Makes up the missed steps of these rows, so that they are what the dense optimizer would have.
    ///
    /// # Errors
    /// `InvalidShape` or `OutOfRange` when weights or rows do not fit.
    pub fn catch_up(&mut self, weights: &mut [f32], rows: &[u32]) -> Result<()> {
        self.check(weights, rows)?;
        let shared = self.shared(weights.as_mut_ptr());
        // SAFETY: rows and weights were checked, and both are borrowed mutably.
        unsafe { shared.catch_up(rows) };
        Ok(())
    }

    /// Makes up the missed steps of all rows: before anything else sees the matrix.
    ///
    /// # Errors
    /// `InvalidShape` when the weights do not fit.
    pub fn flush(&mut self, weights: &mut [f32]) -> Result<()> {
        let rows: Vec<u32> = (0..self.rows as u32).collect();
        self.catch_up(weights, &rows)?;
        self.tables = Tables::new(&self.algorithm, self.tables.now());
        Ok(())
    }

    /// One step: row `rows[i]` has the gradient `grads[i * dims ..] * scale`, all others none. Rows must be distinct.
    ///
    /// # Errors
    /// `InvalidShape` or `OutOfRange` when weights, rows or gradients do not fit.
    pub fn step(&mut self, weights: &mut [f32], rows: &[u32], grads: &[f32], lr: f64, scale: f32) -> Result<()> {
        self.check(weights, rows)?;
        if grads.len() != rows.len() * self.dims {
            let message = format!("expected {} x {} gradients but received {}", rows.len(), self.dims, grads.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        self.make_room(weights)?;
        let now = self.tables.now() + 1;
        let numbers = StepNumbers::new(&self.algorithm, u64::from(now), lr, scale);
        let shared = self.shared(weights.as_mut_ptr());
        // SAFETY: rows, weights and gradients were checked, and all are borrowed.
        unsafe {
            shared.catch_up(rows);
            shared.update(rows, (grads.as_ptr(), self.dims), now, numbers);
        }
        self.begin(lr);
        Ok(())
    }

    /// Begins new tables when the old ones have become large.
    pub(crate) fn make_room(&mut self, weights: &mut [f32]) -> Result<()> {
        if self.tables.len() > TABLE_STEPS { self.flush(weights) } else { Ok(()) }
    }

    /// Counts the step whose updates were made.
    pub(crate) fn begin(&mut self, lr: f64) {
        self.tables.push(lr);
    }

    /// First and second state as PyTorch keeps them (`exp_avg`, `exp_avg_sq`; for SGD `momentum_buffer` and nothing),
    /// `[rows, dims]`. All rows catch up first.
    ///
    /// # Errors
    /// As [`LateRows::flush`].
    pub fn export(&mut self, weights: &mut [f32]) -> Result<(Vec<f32>, Vec<f32>)> {
        self.flush(weights)?;
        let part =
            |at: usize| self.state.chunks_exact(self.stride).flat_map(|r| &r[at..at + self.dims]).copied().collect();
        Ok((part(0), if self.stride > self.dims { part(self.dims) } else { Vec::new() }))
    }

    /// Takes over an exported state that belongs to `step` steps.
    ///
    /// # Errors
    /// `InvalidShape` when a state does not fit; nothing is changed then.
    pub fn import(&mut self, step: u64, first: &[f32], second: &[f32]) -> Result<()> {
        let n = self.rows * self.dims;
        let expected = if self.stride > self.dims { n } else { 0 };
        if first.len() != n || second.len() != expected || step >= u64::from(STILL) {
            let given = format!("{} and {} values at step {step}", first.len(), second.len());
            let message = format!("expected states of {n} and {expected} values but received {given}");
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        for (i, row) in self.state.chunks_exact_mut(self.stride).enumerate() {
            row[..self.dims].copy_from_slice(&first[i * self.dims..][..self.dims]);
            if expected > 0 {
                row[self.dims..].copy_from_slice(&second[i * self.dims..][..self.dims]);
            }
            self.last[i] = step as u32 | if row.iter().all(|&x| x == 0.0) { STILL } else { 0 };
        }
        self.tables = Tables::new(&self.algorithm, step as u32);
        Ok(())
    }
}

impl LateShared {
    #[inline(always)]
    unsafe fn row(&self, row: u32) -> Row {
        let row = row as usize;
        // SAFETY: by the promise of the callers the row exists.
        unsafe {
            let m = self.state.add(row * self.stride);
            Row {
                p: self.weights.add(row * self.dims),
                m,
                v: if self.two { m.add(self.dims) } else { m },
                dims: self.dims,
            }
        }
    }

    #[inline(always)]
    unsafe fn prefetch(&self, row: Option<&u32>) {
        if let Some(&row) = row {
            // SAFETY: by the promise of the callers the row exists.
            let row = unsafe { self.row(row) };
            prefetch(row.p, self.dims);
            prefetch(row.m, self.stride);
        }
    }

    /// # Safety
    /// All rows must exist; no other thread may use them.
    pub unsafe fn catch_up(self, rows: &[u32]) {
        dispatch(CatchUp(self, rows));
    }

    /// Step number `now` for rows that have caught up; one thread gives it to the tables.
    ///
    /// # Safety
    /// As [`LateShared::catch_up`]; `grads` must have a row for each, `stride` apart.
    pub unsafe fn update(self, rows: &[u32], (grads, stride): (*const f32, usize), now: u32, numbers: StepNumbers) {
        dispatch(Update { shared: self, rows, grads, stride, now, numbers });
    }
}

/// Rows to look ahead: a row from memory takes about as long as a few rows' work.
const AHEAD: usize = 6;

struct CatchUp<'a>(LateShared, &'a [u32]);

impl Kernel for CatchUp<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Self(shared, rows) = self;
        // SAFETY: by the promise of `LateShared::catch_up`.
        unsafe {
            let tables = &*shared.tables;
            for (i, &row) in rows.iter().enumerate() {
                shared.prefetch(rows.get(i + AHEAD));
                let last = &mut *shared.last.add(row as usize);
                let (since, still) = (*last & !STILL, *last & STILL != 0);
                if since != tables.now() {
                    let missed = tables.missed(since, still);
                    if !still || missed.shrink != 1.0 {
                        catch_up(s, shared.row(row), since, &missed, tables);
                    }
                    *last = tables.now() | (*last & STILL);
                }
            }
        }
    }
}

struct Update<'a> {
    shared: LateShared,
    rows: &'a [u32],
    grads: *const f32,
    stride: usize,
    /// The step's number; the tables may be getting it at the same time.
    now: u32,
    numbers: StepNumbers,
}

impl Kernel for Update<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        // SAFETY: by the promise of `LateShared::update`.
        unsafe {
            for (i, &row) in self.rows.iter().enumerate() {
                self.shared.prefetch(self.rows.get(i + AHEAD));
                let Row { p, m, v, dims } = self.shared.row(row);
                let g = self.grads.add(i * self.stride);
                let peak = std::ptr::null_mut();
                call(s, DenseStep { numbers: self.numbers, n: dims, p, g, m, v, peak });
                *self.shared.last.add(row as usize) = self.now;
            }
        }
    }
}
