//! Weights whose optimizer steps are applied late, and what makes that invisible.
//!
//! An optimizer that steps only the rows with a gradient (`optim/late.rs`) enters the weight here. An embedding that
//! reads rows lets those catch up ([`catch_up`]); everything else that reaches the weight's memory, also through a view
//! made earlier, lets all rows catch up first ([`settle`]). While no weight is late both cost one read of a counter.

use crate::{Error, ErrorCode, Result, context};
use recurra_core::Algorithm;
use recurra_core::distinct::Distinct;
use recurra_kernels::optim::LateRows;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tch::{Device, Kind, Tensor};

/// A weight `[rows, dims]` with the state of its optimizer.
pub(crate) struct Rows {
    weight: Tensor,
    storage: usize,
    /// Its unique number in the registry.
    id: usize,
    pub late: LateRows,
    pub algorithm: Algorithm,
}

/// A [`Rows`] as its optimizer holds it. When the optimizer drops it, all rows catch up.
pub(crate) struct Owner(Arc<Mutex<Rows>>);

struct Entry {
    storage: usize,
    id: usize,
    rows: Weak<Mutex<Rows>>,
}

/// The weights that may have missed steps now; there are few, so a list is searched faster than a map.
static REGISTRY: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
/// How many there are, to be asked without the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks are taken in the order `Rows`, registry; this function holds the registry's alone.
fn find(storage: usize) -> Option<Arc<Mutex<Rows>>> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return None;
    }
    lock(&REGISTRY).iter().find(|entry| entry.storage == storage)?.rows.upgrade()
}

/// Makes up all missed steps of the weight with a storage (see [`context::storage`]), if it has any.
pub fn settle(storage: usize) -> Result<()> {
    find(storage).map_or(Ok(()), |rows| lock(&rows).settle())
}

/// As [`settle`], for the memory of a tensor.
pub(crate) fn settle_tensor(tensor: &Tensor) -> Result<()> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return Ok(());
    }
    settle(context::storage(tensor)?.0)
}

/// Makes up the missed steps of the rows that an embedding is about to read.
pub(crate) fn catch_up(weight: &Tensor, ids: &[u32]) -> Result<()> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return Ok(());
    }
    let Some(rows) = find(context::storage(weight)?.0) else { return Ok(()) };
    let mut rows = lock(&rows);
    if rows.weight.data_ptr() != weight.data_ptr() || rows.weight.size() != weight.size() {
        return rows.settle();
    }
    let (late, weights) = rows.parts();
    late.catch_up(weights, ids)
}

/// The number of weights that may have missed steps.
pub fn pending() -> usize {
    COUNT.load(Ordering::Acquire)
}

/// Whether a weight lies in memory as the kernels read it.
pub(crate) fn fits(weight: &Tensor) -> bool {
    weight.device() == Device::Cpu
        && weight.dim() == 2
        && weight.f_kind().is_ok_and(|kind| kind == Kind::Float)
        && weight.is_contiguous()
        && weight.size()[0] < i64::from(u32::MAX)
        && weight.numel() > 0
}

impl Rows {
    fn parts(&mut self) -> (&mut LateRows, &mut [f32]) {
        let address = self.weight.data_ptr().cast::<f32>();
        // SAFETY: the weight is a contiguous float32 tensor on the CPU (`Owner::new`), kept alive by the handle here.
        // Readers of its memory on this thread run after `settle` or `catch_up` returned.
        (&mut self.late, unsafe { slice::from_raw_parts_mut(address, self.weight.numel()) })
    }

    /// Makes up all missed steps and leaves the registry.
    pub fn settle(&mut self) -> Result<()> {
        let (late, weights) = self.parts();
        late.flush(weights)?;
        self.leave();
        Ok(())
    }

    fn leave(&self) {
        let mut registry = lock(&REGISTRY);
        registry.retain(|entry| entry.id != self.id && entry.rows.strong_count() > 0);
        COUNT.store(registry.len(), Ordering::Release);
    }

    /// One step: the rows (distinct) have these gradients times `scale`, the others none.
    fn step(&mut self, rows: &[u32], grads: &[f32], lr: f64, scale: f32) -> Result<()> {
        let (late, weights) = self.parts();
        late.step(weights, rows, grads, lr, scale)
    }

    /// First and second state, `[rows, dims]`, and the number of steps; all rows catch up.
    pub fn export(&mut self) -> Result<(Vec<f32>, Vec<f32>, u64)> {
        let (late, weights) = self.parts();
        let (first, second) = late.export(weights)?;
        let steps = late.step_count();
        self.leave();
        Ok((first, second, steps))
    }
}

impl Owner {
    /// For a contiguous float32 weight `[rows, dims]` on the CPU; `late` is its state.
    pub fn new(weight: &Tensor, late: LateRows, algorithm: Algorithm) -> Result<Self> {
        let storage = context::storage(weight)?.0;
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self(Arc::new(Mutex::new(Rows { weight: weight.shallow_clone(), storage, id, late, algorithm }))))
    }

    /// The rows, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, Rows> {
        lock(&self.0)
    }

    /// A step, after which the rows without a gradient may be late. Another optimizer's missed steps come first.
    pub fn step(&self, rows: &[u32], grads: &[f32], lr: f64, scale: f32) -> Result<()> {
        let storage = self.lock().storage;
        if let Some(other) = find(storage).filter(|other| !Arc::ptr_eq(other, &self.0)) {
            lock(&other).settle()?;
        }
        let mut own = self.lock();
        // Entered under the lock and before the step: a thread that looks for the weight now waits for its rows.
        let mut registry = lock(&REGISTRY);
        if registry.iter().all(|entry| entry.id != own.id) {
            registry.push(Entry { storage, id: own.id, rows: Arc::downgrade(&self.0) });
            COUNT.store(registry.len(), Ordering::Release);
        }
        drop(registry);
        own.step(rows, grads, lr, scale)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // It can fail only where sizes do not fit, which they did at every step before.
        let _: Result<()> = self.lock().settle();
    }
}

/// The rows of a sparse gradient, each once, with the sums of their gradients.
#[derive(Default)]
pub(crate) struct Gathered {
    numbers: Distinct,
    pub rows: Vec<u32>,
    sums: Vec<f32>,
    /// Whether no row repeats, so that there is nothing to sum up.
    distinct: bool,
}

impl Gathered {
    /// Gathers entry `i` of `ids` with the gradient `values[i * dims ..]`.
    pub fn gather(&mut self, ids: &[i64], values: &[f32], (rows, dims): (usize, usize)) -> Result<()> {
        if let Some(id) = ids.iter().find(|id| !(0..rows as i64).contains(id)) {
            return Err(Error::new(ErrorCode::Internal, format!("a gradient is for row {id} of {rows}")));
        }
        self.rows.clear();
        self.numbers.begin(rows);
        let places: Vec<u32> = ids.iter().map(|&id| self.numbers.number(id as u32, &mut self.rows)).collect();
        self.distinct = self.rows.len() == ids.len();
        if self.distinct {
            return Ok(());
        }
        self.sums.clear();
        for (place, grad) in places.into_iter().zip(values.chunks_exact(dims)) {
            let at = place as usize * dims;
            // Numbers come in order of first use: a new one is the next.
            if at == self.sums.len() {
                self.sums.extend_from_slice(grad);
            } else {
                self.sums[at..][..dims].iter_mut().zip(grad).for_each(|(sum, g)| *sum += g);
            }
        }
        Ok(())
    }

    /// The gradients of [`Self::rows`], of the values that were gathered last.
    pub fn sums<'a>(&'a self, values: &'a [f32]) -> &'a [f32] {
        if self.distinct { values } else { &self.sums }
    }
}
