//! Steps of embeddings that cost what the rows of the batch cost, with the numbers of the dense optimizers.
//!
//! A gradient that comes from embeddings alone is sparse: it names its rows. `recurra_kernels::optim` moves those and
//! lets the others catch up when they are read; `crate::late` sees to that. Options that no row can make up later (L2
//! weight decay, amsgrad) take the dense path, and so does a weight whose gradients are dense.

use super::options::OptimizerOptions;
use super::param::{LateState, Param};
use super::slots::Slots;
use crate::Result;
use crate::error::IntoResult;
use crate::late::{Gathered, Owner, fits};
use crate::shim::{self, check, handle};
use crate::tensor::convert::to_dense;
use recurra_core::{AdamOptions, Algorithm, OptimizerKind, SgdOptions};
use recurra_kernels::optim::LateRows;
use std::slice;
use tch::{Device, Kind, Tensor};

/// The kernels' rule, where steps can be made up later.
fn rule(kind: OptimizerKind, o: &OptimizerOptions) -> Option<Algorithm> {
    let adam =
        || AdamOptions { beta1: o.beta1, beta2: o.beta2, eps: o.eps, weight_decay: o.weight_decay, amsgrad: o.amsgrad };
    let algorithm = match kind {
        OptimizerKind::Adam => Algorithm::Adam(adam()),
        OptimizerKind::AdamW => Algorithm::AdamW(adam()),
        OptimizerKind::Sgd => Algorithm::Sgd(SgdOptions {
            momentum: o.momentum,
            dampening: o.dampening,
            weight_decay: o.weight_decay,
            nesterov: o.nesterov,
        }),
    };
    algorithm.cannot_defer().is_none().then_some(algorithm)
}

/// The values of a contiguous CPU tensor.
///
/// # Safety
/// `T` must be the tensor's element type, and nothing may write to it while the slice is used.
unsafe fn view<T>(tensor: &Tensor) -> &[T] {
    if tensor.numel() == 0 {
        return &[];
    }
    // SAFETY: by the caller's promise.
    unsafe { slice::from_raw_parts(tensor.data_ptr().cast::<T>().cast_const(), tensor.numel()) }
}

impl Param {
    /// Makes the step and returns `None`, or returns the gradient, dense, for the dense path.
    pub(super) fn step_late(
        &mut self,
        grad: Tensor,
        kind: OptimizerKind,
        options: &OptimizerOptions,
    ) -> Result<Option<Tensor>> {
        let sparse = grad.is_sparse();
        if !sparse && self.late.is_none() {
            return Ok(Some(grad));
        }
        let Some(rule) = rule(kind, options).filter(|_| fits(&self.tensor) && grad.device() == Device::Cpu) else {
            self.end_late()?;
            return Ok(Some(if sparse { to_dense(&grad)? } else { grad }));
        };
        let scale = if options.maximize { -1.0 } else { 1.0 };
        if matches!(rule, Algorithm::Sgd(o) if o.momentum == 0.0) {
            // Nothing is missed without a state.
            self.end_late()?;
            crate::late::settle_tensor(&self.tensor)?;
            let alpha = -options.lr * f64::from(scale);
            // SAFETY: both handles are borrowed from live tensors.
            check(unsafe { shim::recurra_add_(handle(&self.tensor), handle(&grad), alpha) })?;
            return Ok(None);
        }
        self.begin_late(rule)?;
        let Some(LateState { owner, gathered }) = &mut self.late else { return Ok(Some(grad)) };
        let size = self.tensor.size();
        let (rows, dims) = (size[0] as usize, size[1] as usize);
        if sparse {
            let ids = grad.f_internal_indices().torch()?.f_contiguous().torch()?;
            let values = grad.f_internal_values().torch()?.f_contiguous().torch()?;
            // SAFETY: indices of a sparse tensor are int64, the values have the weight's dtype, float32.
            let (ids, values) = unsafe { (view(&ids), view(&values)) };
            gathered.gather(ids, values, (rows, dims))?;
            owner.step(&gathered.rows, gathered.sums(values), options.lr, scale)?;
        } else {
            let all: Vec<u32> = (0..rows as u32).collect();
            let dense = grad.f_contiguous().torch()?;
            // SAFETY: a gradient has the dtype and shape of its weight, float32.
            owner.step(&all, unsafe { view(&dense) }, options.lr, scale)?;
        }
        // SAFETY: a borrowed handle. The kernels wrote behind libtorch's back: graphs that saved the weight must notice.
        check(unsafe { shim::recurra_bump_version(handle(&self.tensor)) })?;
        Ok(None)
    }

    /// Hands the state over to the kernels, also when options changed that they keep.
    fn begin_late(&mut self, rule: Algorithm) -> Result<()> {
        if let Some(LateState { owner, .. }) = &self.late {
            if owner.lock().algorithm == rule {
                return Ok(());
            }
            self.end_late()?;
        }
        let size = self.tensor.size();
        let mut late = LateRows::new(rule, size[0] as usize, size[1] as usize)?;
        let taken = std::mem::take(&mut self.slots);
        let (first, second) = if matches!(rule, Algorithm::Sgd(_)) {
            (taken.momentum_buffer.get(), None)
        } else {
            (taken.exp_avg.get(), taken.exp_avg_sq.get())
        };
        if let Some(first) = first {
            // PyTorch counts no steps of SGD; what matters is whether there was one.
            let step = taken.step.get().map_or(Ok(1.0), |step| step.f_double_value(&[])).torch()?;
            let (first, second) =
                (first.f_contiguous().torch()?, second.map(Tensor::f_contiguous).transpose().torch()?);
            // SAFETY: state tensors have dtype and shape of their weight, float32.
            let second = second.as_ref().map_or(&[][..], |second| unsafe { view(second) });
            // SAFETY: as above.
            late.import(step as u64, unsafe { view(&first) }, second)?;
        }
        self.late = Some(LateState { owner: Owner::new(&self.tensor, late, rule)?, gathered: Gathered::default() });
        Ok(())
    }

    /// Takes the state back into tensors; all rows catch up.
    pub(super) fn end_late(&mut self) -> Result<()> {
        if let Some(state) = self.late.take() {
            self.slots = late_slots(&state, &self.tensor)?;
        }
        Ok(())
    }
}

/// The state as tensors; all rows catch up.
pub(super) fn late_slots(state: &LateState, weight: &Tensor) -> Result<Slots> {
    let mut rows = state.owner.lock();
    let (first, second, steps) = rows.export()?;
    let tensor = |values: &[f32]| Tensor::f_from_slice(values).torch()?.f_view(weight.size().as_slice()).torch();
    let mut slots = Slots::default();
    if second.is_empty() {
        slots.momentum_buffer = tensor(&first)?.into();
    } else {
        let all: [i64; 0] = [];
        slots.exp_avg = tensor(&first)?.into();
        slots.exp_avg_sq = tensor(&second)?.into();
        slots.step = Tensor::f_full(&all[..], steps as f64, (Kind::Float, Device::Cpu)).torch()?.into();
    }
    Ok(slots)
}
