//! Optimizers with the results of `torch.optim`: fused dense steps, and late steps for embeddings.

mod dense;
mod late;
mod rows;
mod tables;

pub use dense::Dense;
pub(crate) use dense::DenseShared;
pub(crate) use late::LateShared;
pub use late::{LateRows, LateState};

use recurra_core::Algorithm;

/// The factors of one step for the kernels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepNumbers {
    pub adam: bool,
    /// Adam: `lr / (1 - b1^t)`; SGD: `lr`.
    pub size: f32,
    /// Adam: `1 / sqrt(1 - b2^t)`.
    pub root: f32,
    pub eps: f32,
    /// Weight of the gradient in the first state (Adam: `1 - b1`; SGD: `1 - dampening`, 1 at the first step).
    pub mix: f32,
    /// Weight of the old first state (SGD's momentum; Adam uses `1 - mix`).
    pub keep: f32,
    pub beta2: f32,
    /// `1 - b2`, rounded after the subtraction: 1 - 0.999 computed in float32 has a relative error of 5e-5.
    pub mix2: f32,
    /// Factor of the weights before the step (AdamW).
    pub shrink: f32,
    /// L2 weight decay.
    pub l2: f32,
    pub nesterov: bool,
    pub momentum: bool,
    /// Factor of the gradient, from clipping.
    pub scale: f32,
}

impl StepNumbers {
    /// The factors of step `t`, from 1.
    pub fn new(algorithm: &Algorithm, t: u64, lr: f64, scale: f32) -> Self {
        let zero = Self {
            adam: true,
            size: lr as f32,
            root: 1.0,
            eps: 0.0,
            mix: 1.0,
            keep: 0.0,
            beta2: 0.0,
            mix2: 0.0,
            shrink: 1.0,
            l2: 0.0,
            nesterov: false,
            momentum: false,
            scale,
        };
        match algorithm {
            Algorithm::Adam(o) | Algorithm::AdamW(o) => {
                let decoupled = matches!(algorithm, Algorithm::AdamW(_));
                Self {
                    size: (lr / (1.0 - o.beta1.powf(t as f64))) as f32,
                    root: (1.0 / (1.0 - o.beta2.powf(t as f64)).sqrt()) as f32,
                    eps: o.eps as f32,
                    mix: (1.0 - o.beta1) as f32,
                    beta2: o.beta2 as f32,
                    mix2: (1.0 - o.beta2) as f32,
                    shrink: if decoupled { (1.0 - lr * o.weight_decay) as f32 } else { 1.0 },
                    l2: if decoupled { 0.0 } else { o.weight_decay as f32 },
                    ..zero
                }
            }
            Algorithm::Sgd(o) => Self {
                adam: false,
                mix: if t == 1 { 1.0 } else { (1.0 - o.dampening) as f32 },
                keep: o.momentum as f32,
                l2: o.weight_decay as f32,
                nesterov: o.nesterov,
                momentum: o.momentum != 0.0,
                ..zero
            },
        }
    }
}
