//! Optimizers with the numbers of `torch.optim`: fused dense steps, and steps applied late for embeddings.

mod dense;
mod late;
mod rows;
mod tables;

pub use dense::Dense;
pub(crate) use dense::DenseShared;
pub(crate) use late::LateShared;
pub use late::{LateRows, LateState};

use recurra_core::{Error, ErrorCode, Result};

/// The rule by which a step moves the weights; the options are those of `torch.optim`, the learning rate comes with
/// each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Algorithm {
    /// `torch.optim.Adam`: weight decay is added to the gradient.
    Adam(AdamOptions),
    /// `torch.optim.AdamW`: weight decay shrinks the weights directly.
    AdamW(AdamOptions),
    /// `torch.optim.SGD`.
    Sgd(SgdOptions),
}

/// Options of Adam and AdamW.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamOptions {
    /// Decay of the gradient's mean.
    pub beta1: f64,
    /// Decay of the squared gradient's mean.
    pub beta2: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Whether the largest squared mean so far is used.
    pub amsgrad: bool,
}

impl Default for AdamOptions {
    /// PyTorch's: 0.9, 0.999, 1e-8, no decay.
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, amsgrad: false }
    }
}

/// Options of SGD.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SgdOptions {
    /// Share of the last step's direction that is kept; 0 for plain SGD.
    pub momentum: f64,
    /// Share of the gradient that is left out of the momentum after the first step.
    pub dampening: f64,
    /// Weight decay, added to the gradient.
    pub weight_decay: f64,
    /// Nesterov's momentum.
    pub nesterov: bool,
}

impl Algorithm {
    /// # Errors
    /// `InvalidArgument` for an option outside its range.
    pub fn validate(&self) -> Result<()> {
        let unit = |v: f64| (0.0..1.0).contains(&v);
        let positive = |v: f64| v >= 0.0 && v.is_finite();
        let problem = match self {
            Self::Adam(o) | Self::AdamW(o) => {
                if !unit(o.beta1) || !unit(o.beta2) {
                    Some(format!("betas must be at least 0 and below 1 but are {} and {}", o.beta1, o.beta2))
                } else if !positive(o.eps) || !positive(o.weight_decay) {
                    Some(format!("eps and weightDecay must not be negative but are {} and {}", o.eps, o.weight_decay))
                } else {
                    None
                }
            }
            Self::Sgd(o) => {
                if !positive(o.momentum) || !positive(o.weight_decay) || !o.dampening.is_finite() {
                    Some("momentum and weightDecay must not be negative, dampening must be finite".to_string())
                } else if o.nesterov && (o.momentum == 0.0 || o.dampening != 0.0) {
                    Some("nesterov needs a momentum and no dampening".to_string())
                } else {
                    None
                }
            }
        };
        problem.map_or(Ok(()), |message| Err(Error::new(ErrorCode::InvalidArgument, message)))
    }

    /// Why steps without a gradient cannot be made up later; `None` where they can.
    ///
    /// Making up needs the missed steps to be a function of the row's state that has a short form: with L2 decay each
    /// weight feeds its own gradient, and amsgrad keeps a maximum for each weight, so those move every row at every step.
    pub fn cannot_defer(&self) -> Option<&'static str> {
        match self {
            Self::Adam(o) | Self::AdamW(o) => {
                if o.amsgrad {
                    Some("amsgrad keeps a maximum for each weight")
                } else if matches!(self, Self::Adam(_)) && o.weight_decay != 0.0 {
                    Some("L2 weight decay gives every row a gradient at every step")
                } else if o.eps <= 0.0 {
                    Some("without eps a row that never had a gradient divides by zero")
                } else if o.beta1 >= 0.995 * o.beta2.sqrt() {
                    Some("beta1 is so close to the root of beta2 that missed steps do not fade")
                } else {
                    None
                }
            }
            Self::Sgd(o) => {
                if o.weight_decay != 0.0 {
                    Some("L2 weight decay gives every row a gradient at every step")
                } else if o.momentum > 0.995 {
                    Some("the momentum is so large that missed steps do not fade")
                } else {
                    None
                }
            }
        }
    }

    /// Whether there is a second state beside the first (Adam's squared mean).
    pub(crate) fn two_states(&self) -> bool {
        !matches!(self, Self::Sgd(_))
    }
}

/// The numbers of one step, as the kernels use them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepNumbers {
    pub adam: bool,
    /// Adam: `lr / (1 - b1^t)`; SGD: `lr`.
    pub size: f32,
    /// Adam: `1 / sqrt(1 - b2^t)`.
    pub root: f32,
    pub eps: f32,
    /// Share of the gradient that enters the first state (Adam: `1 - b1`; SGD: `1 - dampening`, 1 at the first step).
    pub mix: f32,
    /// Share of the first state that stays (SGD's momentum; Adam uses `1 - mix`).
    pub keep: f32,
    pub beta2: f32,
    /// `1 - b2`, rounded after the difference: 1 - 0.999 in float32 is wrong by 5e-5 of itself.
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
    /// Numbers of step `t`, counted from 1.
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
