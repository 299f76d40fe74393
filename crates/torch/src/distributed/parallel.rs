//! Gradients that are averaged over the ranks while a backward pass still runs, as PyTorch's `DistributedDataParallel`.

use super::buckets::{Bucket, fill};
use super::call::ReduceOp;
use super::group::Group;
use crate::autograd::{GradMode, grad, set_grad};
use crate::error::{IntoResult, argument};
use crate::shim::hooks::{after_backward, on_gradient};
use crate::tensor::convert::{clone, to_dense};
use crate::{Device, Error, ErrorCode, Kind, Result, Tensor};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A bucket that is on its way.
struct Sent {
    flat: Tensor,
    arrival: Receiver<Result<()>>,
}

/// What one backward pass has done so far.
#[derive(Default)]
struct Pass {
    begun: bool,
    ready: Vec<bool>,
    sent: Vec<Sent>,
}

struct State {
    group: Group,
    params: Vec<Tensor>,
    buckets: Vec<Bucket>,
    /// Embeddings, whose gradients may name their rows: they travel at the end of a pass.
    tables: Vec<usize>,
    syncs: AtomicBool,
    pass: Mutex<Pass>,
}

// SAFETY: the handles are only read, which libtorch allows from any thread; gradients are changed by the backward pass that owns them.
unsafe impl Sync for State {}

/// The parameters of a module whose gradients are averaged. Dropped, backward passes leave them as they are again.
pub struct Parallel(Arc<State>);

fn lost() -> Error {
    Error::new(ErrorCode::Disposed, "the process group was closed during a backward pass")
}

impl Parallel {
    /// Averages the gradients of leaves on the CPU from the next backward pass on. `tables` says which of them are weights of embeddings;
    /// parameters, their order and `bucket_bytes` must be the same on all ranks.
    ///
    /// # Errors
    /// `InvalidArgument` for a parameter that is not on the CPU.
    pub fn new(group: Group, params: Vec<Tensor>, tables: &[bool], bucket_bytes: usize) -> Result<Self> {
        if params.iter().any(|param| param.device() != Device::Cpu) {
            return Err(argument(
                "DistributedDataParallel: gloo exchanges gradients on the CPU; a parameter is on another device",
            ));
        }
        let is_table = |at: usize| tables.get(at).copied().unwrap_or(false);
        let buckets = fill(&params, |at| !is_table(at), bucket_bytes)?;
        let tables = (0..params.len()).filter(|&at| is_table(at)).collect();
        let syncs = AtomicBool::new(true);
        let state = Arc::new(State { group, params, buckets, tables, syncs, pass: Mutex::default() });
        for (at, param) in state.params.iter().enumerate() {
            let weak: Weak<State> = Arc::downgrade(&state);
            on_gradient(param, move || weak.upgrade().map_or(Ok(()), |state| State::ready(&state, at)))?;
        }
        Ok(Self(state))
    }

    /// Whether backward passes average, or only add up what is averaged later; returns what it was.
    pub fn set_syncs(&self, on: bool) -> bool {
        self.0.syncs.swap(on, Ordering::Relaxed)
    }
}

impl State {
    fn pass(&self) -> MutexGuard<'_, Pass> {
        self.pass.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A parameter has its gradient: buckets whose parameters all have theirs are sent, in order.
    fn ready(state: &Arc<Self>, at: usize) -> Result<()> {
        if !state.syncs.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut pass = state.pass();
        if !pass.begun {
            *pass = Pass { begun: true, ready: vec![false; state.params.len()], sent: Vec::new() };
            let own = Arc::clone(state);
            after_backward(move || own.end())?;
        }
        pass.ready[at] = true;
        while let Some(bucket) = state.buckets.get(pass.sent.len())
            && bucket.params.iter().all(|&param| pass.ready[param])
        {
            let sent = state.send(bucket)?;
            pass.sent.push(sent);
        }
        Ok(())
    }

    /// Sends the gradients of a bucket, and after them which parameters have one at all.
    fn send(&self, bucket: &Bucket) -> Result<Sent> {
        let _mode = GradMode::new(false);
        let options = (bucket.kind, Device::Cpu);
        let share = 1.0 / f64::from(self.group.size());
        let mut parts = Vec::with_capacity(bucket.params.len() + 1);
        let mut has = Vec::with_capacity(bucket.params.len());
        for &at in &bucket.params {
            let param = &self.params[at];
            let grad = grad(param)?;
            has.push(if grad.is_some() { 1.0 } else { 0.0 });
            let part = match grad {
                Some(grad) if grad.is_sparse() => to_dense(&grad)?,
                Some(grad) => grad,
                None => Tensor::f_zeros(param.size(), options).torch()?,
            };
            parts.push(part.f_reshape([-1]).torch()?);
        }
        let all = Tensor::f_cat(&parts, 0).torch()?.f_mul_scalar(share).torch()?;
        let has = Tensor::f_from_slice(&has).torch()?.f_to_kind(bucket.kind).torch()?;
        let flat = Tensor::f_cat(&[all, has], 0).torch()?;
        let (sender, arrival) = sync_channel(1);
        let finish = Box::new(move |result| {
            let _ = sender.send(result);
        });
        self.group.all_reduce(&flat, ReduceOp::Sum, finish)?;
        Ok(Sent { flat, arrival })
    }

    /// The end of a backward pass: sends what is left, and waits for all.
    fn end(&self) -> Result<()> {
        let _mode = GradMode::new(false);
        let mut pass = std::mem::take(&mut *self.pass());
        for bucket in &self.buckets[pass.sent.len()..] {
            pass.sent.push(self.send(bucket)?);
        }
        for (bucket, sent) in self.buckets.iter().zip(pass.sent) {
            sent.arrival.recv().unwrap_or_else(|_| Err(lost()))?;
            self.receive(bucket, &sent.flat)?;
        }
        self.tables.iter().try_for_each(|&at| self.average_table(&self.params[at]))
    }

    fn receive(&self, bucket: &Bucket, flat: &Tensor) -> Result<()> {
        let count = bucket.params.len() as i64;
        let has = flat.f_narrow(0, flat.numel() as i64 - count, count).torch()?;
        let has = Vec::<f64>::try_from(has.f_to_kind(Kind::Double).torch()?).torch()?;
        let mut from = 0;
        for (&at, has) in bucket.params.iter().zip(has) {
            let param = &self.params[at];
            let part = flat.f_narrow(0, from, param.numel() as i64).torch()?.f_view(param.size().as_slice()).torch()?;
            from += param.numel() as i64;
            if has > 0.0 {
                self.put(param, &part)?;
            }
        }
        Ok(())
    }

    /// Makes a gradient of the average, in the memory of the one that is there.
    fn put(&self, param: &Tensor, average: &Tensor) -> Result<()> {
        match grad(param)? {
            Some(mut own) if !own.is_sparse() => {
                own.f_copy_(average).torch()?;
                Ok(())
            }
            _ => set_grad(param, Some(&clone(average)?)),
        }
    }

    /// Averages the gradient of an embedding: if it names its rows on all ranks, only those travel.
    fn average_table(&self, param: &Tensor) -> Result<()> {
        let own = grad(param)?;
        let sparse = own.as_ref().is_none_or(Tensor::is_sparse);
        let rows = match &own {
            Some(grad) if sparse => grad.f_internal_nnz().torch()?,
            _ => 0,
        };
        let about = Tensor::from_slice(&[i64::from(own.is_some()), i64::from(sparse), rows]);
        let about = Group::wait(|finish| self.group.all_gather(&about, finish))?;
        let about = about.iter().map(|one| Vec::<i64>::try_from(one).torch()).collect::<Result<Vec<_>>>()?;
        if about.iter().all(|one| one[0] == 0) {
            return Ok(());
        }
        let share = 1.0 / f64::from(self.group.size());
        let options = (param.f_kind().torch()?, Device::Cpu);
        if about.iter().any(|one| one[1] == 0) {
            let dense = match own {
                Some(grad) if sparse => to_dense(&grad)?,
                Some(grad) => grad,
                None => Tensor::f_zeros(param.size(), options).torch()?,
            };
            let dense = dense.f_mul_scalar(share).torch()?;
            Group::wait(|finish| self.group.all_reduce(&dense, ReduceOp::Sum, finish))?;
            return self.put(param, &dense);
        }
        let most = about.iter().map(|one| one[2]).max().unwrap_or(0);
        let dims = param.size()[1];
        let ids = Tensor::f_zeros([most], (Kind::Int64, Device::Cpu)).torch()?;
        let values = Tensor::f_zeros([most, dims], options).torch()?;
        if let Some(grad) = &own {
            let indices = grad.f_internal_indices().torch()?.f_view([-1]).torch()?;
            ids.f_narrow(0, 0, rows).torch()?.f_copy_(&indices).torch()?;
            let own = grad.f_internal_values().torch()?.f_mul_scalar(share).torch()?;
            values.f_narrow(0, 0, rows).torch()?.f_copy_(&own).torch()?;
        }
        let all_ids = Group::wait(|finish| self.group.all_gather(&ids, finish))?;
        let all_values = Group::wait(|finish| self.group.all_gather(&values, finish))?;
        let cut = |all: Vec<Tensor>| {
            let parts = all.iter().zip(&about).map(|(one, about)| one.f_narrow(0, 0, about[2]).torch());
            Tensor::f_cat(&parts.collect::<Result<Vec<_>>>()?, 0).torch()
        };
        let ids = cut(all_ids)?.f_view([1, -1]).torch()?;
        let grad =
            Tensor::f_sparse_coo_tensor_indices_size(&ids, &cut(all_values)?, param.size(), options, false).torch()?;
        set_grad(param, Some(&grad))
    }
}
