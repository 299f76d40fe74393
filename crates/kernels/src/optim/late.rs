//! Dense optimizer steps for an embedding that cost what the batch's rows cost.
//!
//! Dense Adam moves every row at every step, also those without a gradient, but how those move is known beforehand. So
//! each row remembers the step it was last moved at, and makes up the missed steps when it is next read; the result is
//! that of the dense optimizer, not that of `SparseAdam`.

use super::StepNumbers;
use super::dense::DenseStep;
use super::rows::{Row, catch_up};
use super::tables::Tables;
use crate::simd::{Buf, Kernel, Lanes, call, dispatch, prefetch, prefetch_all, zeros};
use recurra_core::{Algorithm, Error, ErrorCode, Result};

/// Mark in `last` of a row whose state is zero: it has nothing to make up but AdamW's decay.
const STILL: u32 = 1 << 31;

/// The tables hold some 50 bytes a step; after this many, all rows catch up and the tables start afresh. Few in unit tests,
/// so that they get there.
const TABLE_STEPS: usize = if cfg!(test) { 32 } else { 1 << 18 };

/// Rows that [`LateRows::caught_up`] copies at a time.
const BLOCK: usize = 512;

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

/// All that a [`LateRows`] holds, to the bit: rows that are behind stay behind.
#[derive(Clone, Debug, PartialEq)]
pub struct LateState {
    /// The step at which no row was behind.
    pub base: u32,
    /// Learning rate of each step since.
    pub rates: Vec<f64>,
    /// The step at which each row was last moved; the highest bit marks rows whose states are zero.
    pub last: Vec<u32>,
    /// First state, `[rows, dims]`, as it was at each row's own last step.
    pub first: Vec<f32>,
    /// Second state where the rule has one, else empty.
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

    /// Begins new tables when the old ones have become large; tells how many steps there is room for. That it happens
    /// after a number of steps, however they come in chunks, makes an interrupted training continue bit for bit.
    pub(crate) fn make_room(&mut self, weights: &mut [f32]) -> Result<usize> {
        if self.tables.len() > TABLE_STEPS {
            self.flush(weights)?;
        }
        Ok(TABLE_STEPS + 1 - self.tables.len())
    }

    /// The weights that all rows would have after catching up, without letting them: catching up in two parts rounds
    /// differently, and looking must not change a training.
    ///
    /// # Errors
    /// `InvalidShape` when the weights do not fit.
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

    /// One of the two states, `[rows, dims]`, as it is.
    fn part(&self, at: usize) -> Vec<f32> {
        let mut values = zeros(self.rows * self.dims);
        for (to, row) in values.chunks_exact_mut(self.dims).zip(self.state.chunks_exact(self.stride)) {
            to.copy_from_slice(&row[at..at + self.dims]);
        }
        values
    }

    /// Everything, as it is.
    pub fn snapshot(&self) -> LateState {
        LateState {
            base: self.tables.base(),
            rates: self.tables.rates().to_vec(),
            last: self.last.clone(),
            first: self.part(0),
            second: if self.stride > self.dims { self.part(self.dims) } else { Vec::new() },
        }
    }

    /// Resumes from a [`LateRows::snapshot`] of the same algorithm.
    ///
    /// # Errors
    /// `InvalidShape` or `OutOfRange` when the state does not fit; nothing is changed then.
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
        let state = self.snapshot();
        Ok((state.first, state.second))
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

    /// Asks for the memory of rows that will soon catch up.
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
