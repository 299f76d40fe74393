//! `NativeOptimizer`: Adam, AdamW and SGD with their state.

use crate::background::background;
use crate::tally::NativeTally;
use crate::tensor::{NativeTensor, TensorList, unsettled, wrap};
use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ClassInstance, ObjectFinalize};
use napi_derive::napi;
use recurra_binding::{Background, IntoJs, adjust_external_memory, to_js};
use recurra_core::OptimizerKind;
use recurra_torch::optim::{self, Entry, Optimizer, Slot};
use recurra_torch::{Error, ErrorCode, Result};
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Options of one group; what is left out has PyTorch's default.
#[napi(object)]
#[derive(Clone, Copy)]
pub struct OptimizerOptions {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the average of gradients (Adam).
    pub beta1: Option<f64>,
    /// Decay of the average of squares (Adam).
    pub beta2: Option<f64>,
    /// Added to the denominator (Adam).
    pub eps: Option<f64>,
    /// Weight decay.
    pub weight_decay: Option<f64>,
    /// Keep the maximum of the squares (Adam).
    pub amsgrad: Option<bool>,
    /// Momentum (SGD).
    pub momentum: Option<f64>,
    /// Dampening of momentum (SGD).
    pub dampening: Option<f64>,
    /// Nesterov momentum (SGD).
    pub nesterov: Option<bool>,
    /// Climb instead of descend.
    pub maximize: Option<bool>,
}

impl OptimizerOptions {
    fn complete(&self, kind: OptimizerKind) -> optim::OptimizerOptions {
        let defaults = optim::OptimizerOptions::defaults(kind);
        optim::OptimizerOptions {
            lr: self.lr,
            beta1: self.beta1.unwrap_or(defaults.beta1),
            beta2: self.beta2.unwrap_or(defaults.beta2),
            eps: self.eps.unwrap_or(defaults.eps),
            weight_decay: self.weight_decay.unwrap_or(defaults.weight_decay),
            amsgrad: self.amsgrad.unwrap_or(defaults.amsgrad),
            momentum: self.momentum.unwrap_or(defaults.momentum),
            dampening: self.dampening.unwrap_or(defaults.dampening),
            nesterov: self.nesterov.unwrap_or(defaults.nesterov),
            maximize: self.maximize.unwrap_or(defaults.maximize),
        }
    }
}

/// Parameters with their options.
#[napi(object, object_to_js = false)]
pub struct OptimizerGroup<'env> {
    /// The parameters.
    pub params: TensorList<'env>,
    /// Their options.
    pub options: OptimizerOptions,
}

/// One state tensor, handed out.
#[napi(object, object_from_js = false)]
pub struct OptimizerState {
    /// Position of the parameter, counted through all groups.
    pub index: u32,
    /// PyTorch's name.
    #[napi(ts_type = "'step' | 'exp_avg' | 'exp_avg_sq' | 'max_exp_avg_sq' | 'momentum_buffer'")]
    pub name: String,
    /// The tensor.
    pub tensor: NativeTensor,
}

/// One state tensor, handed in.
#[napi(object, object_to_js = false)]
pub struct OptimizerStateInput<'env> {
    /// Position of the parameter, counted through all groups.
    pub index: u32,
    /// PyTorch's name.
    pub name: String,
    /// The tensor.
    pub tensor: ClassInstance<'env, NativeTensor>,
}

type Shared = Arc<Mutex<Optimizer>>;

/// A panic that was caught leaves tensors as valid as any exception of libtorch does.
fn lock(shared: &Shared) -> MutexGuard<'_, Optimizer> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An optimizer; its state lives outside JavaScript.
#[napi(custom_finalize)]
pub struct NativeOptimizer {
    kind: OptimizerKind,
    shared: RefCell<Option<Shared>>,
    counted: Cell<usize>,
}

impl NativeOptimizer {
    fn shared(&self) -> napi::Result<Shared> {
        self.shared
            .borrow()
            .clone()
            .ok_or_else(|| to_js(Error::new(ErrorCode::Disposed, "this optimizer was disposed")))
    }

    /// Tells V8 what the state takes now.
    fn count(&self, env: Env, bytes: usize) {
        adjust_external_memory(env, bytes as i64 - self.counted.replace(bytes) as i64);
    }

    fn free(&self, env: Env) {
        self.shared.take();
        self.count(env, 0);
    }
}

impl ObjectFinalize for NativeOptimizer {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.free(env);
        Ok(())
    }
}

#[napi]
impl NativeOptimizer {
    /// An optimizer of groups of parameters.
    #[napi(constructor, catch_unwind, ts_args_type = "kind: 'Adam' | 'AdamW' | 'SGD', groups: Array<OptimizerGroup>")]
    pub fn new(kind: String, groups: Vec<OptimizerGroup<'_>>) -> napi::Result<Self> {
        let kind = OptimizerKind::from_class_name(&kind).js()?;
        let groups = groups.iter().map(|group| Ok((unsettled(&group.params)?, group.options.complete(kind))));
        let optimizer = Optimizer::new(kind, groups.collect::<napi::Result<Vec<_>>>()?).js()?;
        let shared = RefCell::new(Some(Arc::new(Mutex::new(optimizer))));
        Ok(Self { kind, shared, counted: Cell::new(0) })
    }

    /// Moves every parameter that has a gradient.
    #[napi(catch_unwind)]
    pub fn step(&self, env: Env) -> napi::Result<()> {
        let shared = self.shared()?;
        let mut optimizer = lock(&shared);
        optimizer.step().js()?;
        self.count(env, optimizer.state_bytes());
        Ok(())
    }

    /// As `step`, but moves nothing once the tally has met a loss that is not finite; on a GPU the host does not wait for that.
    #[napi(catch_unwind)]
    pub fn step_unless(&self, env: Env, tally: &NativeTally) -> napi::Result<()> {
        let shared = self.shared()?;
        let mut optimizer = lock(&shared);
        optimizer.step_unless(Some(tally.lock().bad())).js()?;
        self.count(env, optimizer.state_bytes());
        Ok(())
    }

    /// The same off the main thread.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn step_async(&self) -> napi::Result<AsyncTask<Background<(), ()>>> {
        let shared = self.shared()?;
        Ok(AsyncTask::new(background(move || lock(&shared).step(), |_, ()| Ok(()))))
    }

    /// Leaves every parameter without a gradient.
    #[napi(catch_unwind)]
    pub fn zero_grad(&self) -> napi::Result<()> {
        lock(&self.shared()?).zero_grad().js()
    }

    /// Sets the options of a group.
    #[napi(catch_unwind)]
    pub fn set_options(&self, group: u32, options: OptimizerOptions) -> napi::Result<()> {
        lock(&self.shared()?).set_options(group as usize, options.complete(self.kind)).js()
    }

    /// All state; the tensors are those that the optimizer moves, not copies.
    #[napi(catch_unwind)]
    pub fn state(&self, env: Env) -> napi::Result<Vec<OptimizerState>> {
        let entries = lock(&self.shared()?).state().js()?;
        let hand_out = |entry: Entry| {
            let (index, name) = (entry.index as u32, entry.slot.name().to_owned());
            Ok(OptimizerState { index, name, tensor: wrap(env, Ok(entry.tensor))? })
        };
        entries.into_iter().map(hand_out).collect()
    }

    /// Replaces all state by copies; everything is checked before anything changes.
    #[napi(catch_unwind, ts_args_type = "entries: Array<{ index: number, name: string, tensor: NativeTensor }>")]
    pub fn load_state(&self, env: Env, entries: Vec<OptimizerStateInput<'_>>) -> napi::Result<()> {
        let take_in = |entry: &OptimizerStateInput<'_>| -> napi::Result<Entry> {
            let slot: Result<Slot> = Slot::parse(&entry.name);
            Ok(Entry { index: entry.index as usize, slot: slot.js()?, tensor: entry.tensor.share()? })
        };
        let entries = entries.iter().map(take_in).collect::<napi::Result<Vec<_>>>()?;
        let shared = self.shared()?;
        let mut optimizer = lock(&shared);
        optimizer.load_state(&entries).js()?;
        self.count(env, optimizer.state_bytes());
        Ok(())
    }

    /// Lets go of parameters and state; doing it again does nothing.
    #[napi(catch_unwind)]
    pub fn dispose(&self, env: Env) {
        self.free(env);
    }
}
