//! Late (deferred) optimizer steps for an embedding: they have the result of a dense optimizer, but only cost as much
//! as the batch's rows.
//!
//! Dense Adam updates every row at every step, also those without a gradient, but those updates are known in advance.
//! So each row stores the step of its last update, and the skipped steps are applied when it is next read. The result
//! is that of the dense optimizer, not that of `SparseAdam`.

use super::StepNumbers;
use super::dense::DenseStep;
use super::rows::{Row, catch_up};
use super::tables::Tables;
use crate::simd::{Buf, Kernel, Lanes, call, dispatch, prefetch, prefetch_all, zeros};
use recurra_core::{Algorithm, Error, ErrorCode, Result};

/// Flag in `last` of a row whose state is zero: it only needs AdamW's decay.
const STILL: u32 = 1 << 31;

/// The tables take about 50 bytes per step. After this many steps, all rows are brought up to date and the tables
/// restart. Few in unit tests, so that they reach it.
const TABLE_STEPS: usize = if cfg!(test) { 32 } else { 1 << 18 };

/// Number of rows that [`LateRows::caught_up`] copies at a time.
const BLOCK: usize = 512;

/// State of an optimizer for the rows of a matrix `[rows, dims]` that is read and written row by row.
pub struct LateRows {
    algorithm: Algorithm,
    rows: usize,
    dims: usize,
    /// Row by row: the first state, and the second if the optimizer has one.
    state: Buf,
    stride: usize,
    last: Vec<u32>,
    tables: Tables,
}

/// The complete state of a [`LateRows`], bit for bit. Deferred rows stay deferred.
#[derive(Clone, Debug, PartialEq)]
pub struct LateState {
    /// The step at which all rows were up to date.
    pub base: u32,
    /// Learning rate of each step since.
    pub rates: Vec<f64>,
    /// The step of each row's last update; the highest bit marks rows whose states are zero.
    pub last: Vec<u32>,
    /// First state, `[rows, dims]`, as of each row's last update.
    pub first: Vec<f32>,
    /// Second state if the optimizer has one, otherwise empty.
    pub second: Vec<f32>,
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
    /// Creates the state at step 0.
    ///
    /// # Errors
    /// `InvalidArgument` for options outside their range, or if [`Algorithm::cannot_defer`] gives a reason; use
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

    /// Number of steps so far.
    pub fn step_count(&self) -> u64 {
        u64::from(self.tables.now())
    }

    /// Size of the state in bytes.
    pub fn bytes(&self) -> usize {
        self.state.len() * 4 + self.last.len() * 4 + self.tables.len() * 48
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

    /// Applies the skipped steps of these rows, so that they equal those of the dense optimizer.
    ///
    /// # Errors
    /// `InvalidShape` or `OutOfRange` if weights or rows do not match.
    pub fn catch_up(&mut self, weights: &mut [f32], rows: &[u32]) -> Result<()> {
        self.check(weights, rows)?;
        let shared = self.shared(weights.as_mut_ptr());
        // SAFETY: rows and weights were checked, and both are borrowed mutably.
        unsafe { shared.catch_up(rows) };
        Ok(())
    }

    /// Applies the skipped steps of all rows, before anything else reads the matrix.
    ///
    /// # Errors
    /// `InvalidShape` if the weights do not match.
    pub fn flush(&mut self, weights: &mut [f32]) -> Result<()> {
        let rows: Vec<u32> = (0..self.rows as u32).collect();
        self.catch_up(weights, &rows)?;
        self.tables = Tables::new(&self.algorithm, self.tables.now());
        Ok(())
    }

    /// Runs one step: row `rows[i]` has the gradient `grads[i * dims ..] * scale`, all others have none. Rows must be
    /// distinct.
    ///
    /// # Errors
    /// `InvalidShape` or `OutOfRange` if weights, rows or gradients do not match.
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

    /// Starts new tables if the old ones have become large, and returns the number of steps there is space for. This
    /// depends only on the number of steps, not on how they are split into chunks, so an interrupted training resumes
    /// bit for bit.
    pub(crate) fn make_room(&mut self, weights: &mut [f32]) -> Result<usize> {
        if self.tables.len() > TABLE_STEPS {
            self.flush(weights)?;
        }
        Ok(TABLE_STEPS + 1 - self.tables.len())
    }

    /// The weights as if all rows were up to date, without changing them: applying the skipped steps in two parts would
    /// round differently, and reading must not change a training.
    ///
    /// # Errors
    /// `InvalidShape` if the weights do not match.
    pub fn caught_up(&self, weights: &[f32]) -> Result<Vec<f32>> {
        self.check(weights, &[])?;
        let (dims, stride) = (self.dims, self.stride);
        let mut result = zeros(weights.len());
        result.copy_from_slice(weights);
        let mut state = Buf::zeros(BLOCK * stride);
        let mut last = vec![0; BLOCK];
        let numbers: Vec<u32> = (0..BLOCK as u32).collect();
        for start in (0..self.rows).step_by(BLOCK) {
            let n = BLOCK.min(self.rows - start);
            state[..n * stride].copy_from_slice(&self.state[start * stride..][..n * stride]);
            last[..n].copy_from_slice(&self.last[start..][..n]);
            let shared = LateShared {
                weights: result[start * dims..].as_mut_ptr(),
                state: state.ptr(),
                last: last.as_mut_ptr(),
                tables: &raw const self.tables,
                dims,
                stride,
                two: self.algorithm.two_states(),
            };
            // SAFETY: the block's weights, states and steps are copies of this call, each of at least n rows.
            unsafe { shared.catch_up(&numbers[..n]) };
        }
        Ok(result)
    }

    /// One of the two states, `[rows, dims]`, without applying skipped steps.
    fn part(&self, at: usize) -> Vec<f32> {
        let mut values = zeros(self.rows * self.dims);
        for (to, row) in values.chunks_exact_mut(self.dims).zip(self.state.chunks_exact(self.stride)) {
            to.copy_from_slice(&row[at..at + self.dims]);
        }
        values
    }

    /// The complete state, without applying skipped steps.
    pub fn snapshot(&self) -> LateState {
        LateState {
            base: self.tables.base(),
            rates: self.tables.rates().to_vec(),
            last: self.last.clone(),
            first: self.part(0),
            second: if self.stride > self.dims { self.part(self.dims) } else { Vec::new() },
        }
    }

    /// Resumes from a [`LateRows::snapshot`] of the same optimizer.
    ///
    /// # Errors
    /// `InvalidShape` or `OutOfRange` if the state does not match; nothing is changed then.
    pub fn restore(&mut self, state: &LateState) -> Result<()> {
        let now = u64::from(state.base) + state.rates.len() as u64;
        let fail = |message: String| Err(Error::new(ErrorCode::OutOfRange, message));
        if state.last.len() != self.rows {
            let message = format!("expected the last steps of {} rows but received {}", self.rows, state.last.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        if state.rates.len() > TABLE_STEPS {
            return fail(format!("expected at most {TABLE_STEPS} learning rates but received {}", state.rates.len()));
        }
        if let Some(rate) = state.rates.iter().find(|&&rate| !(rate >= 0.0 && rate.is_finite())) {
            return fail(format!("{rate} is not a learning rate"));
        }
        let inside = state.base..=now.min(u64::from(STILL - 1)) as u32;
        if let Some(row) = state.last.iter().position(|&last| !inside.contains(&(last & !STILL))) {
            let step = state.last[row] & !STILL;
            return fail(format!("row {row} was last moved at step {step}, which is not from {} to {now}", state.base));
        }
        self.import(now, &state.first, &state.second)?;
        self.last.copy_from_slice(&state.last);
        self.tables = Tables::new(&self.algorithm, state.base);
        state.rates.iter().for_each(|&rate| self.tables.push(rate));
        Ok(())
    }

    /// Counts a step whose updates are done.
    pub(crate) fn begin(&mut self, lr: f64) {
        self.tables.push(lr);
    }

    /// First and second state as in PyTorch (`exp_avg`, `exp_avg_sq`; for SGD `momentum_buffer` and nothing), `[rows,
    /// dims]`. Brings all rows up to date first.
    ///
    /// # Errors
    /// As [`LateRows::flush`].
    pub fn export(&mut self, weights: &mut [f32]) -> Result<(Vec<f32>, Vec<f32>)> {
        self.flush(weights)?;
        let state = self.snapshot();
        Ok((state.first, state.second))
    }

    /// Replaces the state by an exported one after `step` steps.
    ///
    /// # Errors
    /// `InvalidShape` if a state does not match; nothing is changed then.
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

    /// Prefetches rows that will soon be brought up to date.
    #[inline(always)]
    pub fn fetch<'a>(&self, rows: impl IntoIterator<Item = &'a u32>) {
        for &row in rows {
            let row = row as usize;
            prefetch(self.last.wrapping_add(row).cast());
            prefetch_all(self.weights.wrapping_add(row * self.dims), self.dims);
            prefetch_all(self.state.wrapping_add(row * self.stride), self.stride);
        }
    }

    /// # Safety
    /// All rows must exist; no other thread may use them.
    pub unsafe fn catch_up(self, rows: &[u32]) {
        dispatch(CatchUp(self, rows));
    }

    /// Runs step number `now` for rows that are up to date. One thread adds the step to the tables.
    ///
    /// # Safety
    /// As [`LateShared::catch_up`]; `grads` must have a row for each, `stride` apart.
    pub unsafe fn update(self, rows: &[u32], (grads, stride): (*const f32, usize), now: u32, numbers: StepNumbers) {
        dispatch(Update { shared: self, rows, grads, stride, now, numbers });
    }
}

/// Number of rows to prefetch ahead: reading a row from memory takes about as long as processing a few rows.
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
                shared.fetch(rows.get(i + AHEAD));
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
    /// The step's number; it may be added to the tables concurrently.
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
                self.shared.fetch(self.rows.get(i + AHEAD));
                let Row { p, m, v, dims } = self.shared.row(row);
                let g = self.grads.add(i * self.stride);
                let peak = std::ptr::null_mut();
                call(s, DenseStep { numbers: self.numbers, n: dims, p, g, m, v, peak });
                *self.shared.last.add(row as usize) = self.now;
            }
        }
    }
}
