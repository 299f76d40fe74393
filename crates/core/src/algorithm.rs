//! Optimizers and their options, as in `torch.optim`. The learning rate is passed with each step.

use crate::error::{Error, ErrorCode, Result};

/// A kind of optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptimizerKind {
    /// Adam with L2 weight decay.
    Adam,
    /// Adam with decoupled weight decay.
    AdamW,
    /// Stochastic gradient descent, with or without momentum.
    Sgd,
}

impl OptimizerKind {
    /// Every kind of optimizer.
    pub const ALL: [Self; 3] = [Self::Adam, Self::AdamW, Self::Sgd];

    /// Name of the optimizer in training options: `adam`, `adamw` or `sgd`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::AdamW => "adamw",
            Self::Sgd => "sgd",
        }
    }

    /// Name of PyTorch's class: `Adam`, `AdamW` or `SGD`.
    pub const fn class_name(self) -> &'static str {
        match self {
            Self::Adam => "Adam",
            Self::AdamW => "AdamW",
            Self::Sgd => "SGD",
        }
    }

    /// Looks up an optimizer by its [`OptimizerKind::name`]. The match is exact.
    ///
    /// # Errors
    /// `InvalidArgument` for another name.
    pub fn parse(name: &str) -> Result<Self> {
        find(name, Self::name)
    }

    /// Looks up an optimizer by its [`OptimizerKind::class_name`]. The match is exact.
    ///
    /// # Errors
    /// `InvalidArgument` for another name.
    pub fn from_class_name(name: &str) -> Result<Self> {
        find(name, Self::class_name)
    }
}

fn find(name: &str, name_of: fn(OptimizerKind) -> &'static str) -> Result<OptimizerKind> {
    let found = OptimizerKind::ALL.into_iter().find(|&kind| name_of(kind) == name);
    found.ok_or_else(|| {
        let known = OptimizerKind::ALL.map(|kind| format!("'{}'", name_of(kind))).join(", ");
        Error::new(ErrorCode::InvalidArgument, format!("optimizer must be one of {known}, but is '{name}'"))
            .about("optimizer")
    })
}

/// An optimizer with its options: how a step updates the weights.
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
    /// Decay rate of the gradient's running mean.
    pub beta1: f64,
    /// Decay rate of the squared gradient's running mean.
    pub beta2: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Whether to divide by the maximum of the squared mean so far.
    pub amsgrad: bool,
}

impl Default for AdamOptions {
    /// PyTorch's defaults: 0.9, 0.999, 1e-8, no weight decay.
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, amsgrad: false }
    }
}

/// Options of SGD.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SgdOptions {
    /// Fraction of the previous step's direction that is kept; 0 for plain SGD.
    pub momentum: f64,
    /// Fraction of the gradient that is not added to the momentum, from the second step on.
    pub dampening: f64,
    /// Weight decay, added to the gradient.
    pub weight_decay: f64,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
}

impl Algorithm {
    /// The optimizer with PyTorch's defaults except for these two options. `momentum` applies to SGD only.
    pub fn new(kind: OptimizerKind, weight_decay: f64, momentum: f64) -> Self {
        let adam = AdamOptions { weight_decay, ..AdamOptions::default() };
        match kind {
            OptimizerKind::Adam => Self::Adam(adam),
            OptimizerKind::AdamW => Self::AdamW(adam),
            OptimizerKind::Sgd => Self::Sgd(SgdOptions { weight_decay, momentum, ..SgdOptions::default() }),
        }
    }

    /// The kind of optimizer.
    pub const fn kind(&self) -> OptimizerKind {
        match self {
            Self::Adam(_) => OptimizerKind::Adam,
            Self::AdamW(_) => OptimizerKind::AdamW,
            Self::Sgd(_) => OptimizerKind::Sgd,
        }
    }

    /// Checks the options.
    ///
    /// # Errors
    /// `InvalidArgument` for an option outside its range.
    pub fn validate(&self) -> Result<()> {
        let unit = |v: f64| (0.0..1.0).contains(&v);
        let positive = |v: f64| v >= 0.0 && v.is_finite();
        let problem = match self {
            Self::Adam(o) | Self::AdamW(o) => {
                if !unit(o.beta1) || !unit(o.beta2) {
                    let message = format!("betas must be at least 0 and below 1 but are {} and {}", o.beta1, o.beta2);
                    Some(("betas", message))
                } else if !positive(o.eps) || !positive(o.weight_decay) {
                    let message =
                        format!("eps and weightDecay must not be negative but are {} and {}", o.eps, o.weight_decay);
                    Some((if positive(o.eps) { "weightDecay" } else { "eps" }, message))
                } else {
                    None
                }
            }
            Self::Sgd(o) => {
                let named = [("momentum", positive(o.momentum)), ("weightDecay", positive(o.weight_decay))];
                let bad = named.into_iter().chain([("dampening", o.dampening.is_finite())]).find(|(_, fits)| !fits);
                if let Some((name, _)) = bad {
                    let message = "momentum and weightDecay must not be negative, dampening must be finite";
                    Some((name, message.to_string()))
                } else if o.nesterov && (o.momentum == 0.0 || o.dampening != 0.0) {
                    Some(("nesterov", "nesterov needs a momentum and no dampening".to_string()))
                } else {
                    None
                }
            }
        };
        problem.map_or(Ok(()), |(name, message)| Err(Error::new(ErrorCode::InvalidArgument, message).about(name)))
    }

    /// Whether these options keep the state of an optimizer that ran with the options `before`.
    ///
    /// As in PyTorch, the options of a parameter group may change while its state is kept. The state and the step count
    /// are reset if the optimizer changes, or if amsgrad or SGD's momentum is turned on or off: the state then has a
    /// different form, and the old one has no values for it.
    pub fn keeps_state_of(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Adam(now), Self::Adam(before)) | (Self::AdamW(now), Self::AdamW(before)) => {
                now.amsgrad == before.amsgrad
            }
            (Self::Sgd(now), Self::Sgd(before)) => (now.momentum == 0.0) == (before.momentum == 0.0),
            _ => false,
        }
    }

    /// Why skipped steps without a gradient cannot be applied later; `None` if they can.
    ///
    /// Deferring requires that the skipped steps have a closed form in the row's state. With L2 decay, each weight
    /// feeds its own gradient; amsgrad keeps a maximum for each weight. Both update every row at every step.
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

    /// Whether the optimizer has a second state (Adam's squared mean).
    pub fn two_states(&self) -> bool {
        !matches!(self, Self::Sgd(_))
    }

    /// The optimizer as stored in a checkpoint: its kind, then its options in declaration order, with flags as 0 and 1.
    pub fn to_numbers(&self) -> [f64; 6] {
        let flag = |value: bool| f64::from(u8::from(value));
        let adam = |kind, o: &AdamOptions| [kind, o.beta1, o.beta2, o.eps, o.weight_decay, flag(o.amsgrad)];
        match self {
            Self::Adam(o) => adam(0.0, o),
            Self::AdamW(o) => adam(1.0, o),
            Self::Sgd(o) => [2.0, o.momentum, o.dampening, o.weight_decay, flag(o.nesterov), 0.0],
        }
    }

    /// The inverse of [`Algorithm::to_numbers`].
    ///
    /// # Errors
    /// `StateMismatch` unless there are six numbers with a known kind and all options in range.
    pub fn from_numbers(numbers: &[f64]) -> Result<Self> {
        let mismatch = |message: String| Error::new(ErrorCode::StateMismatch, message);
        let &[kind, a, b, c, d, e] = numbers else {
            return Err(mismatch(format!("an optimizer needs six numbers, not {}", numbers.len())));
        };
        let adam = AdamOptions { beta1: a, beta2: b, eps: c, weight_decay: d, amsgrad: e != 0.0 };
        let algorithm = match kind {
            0.0 => Self::Adam(adam),
            1.0 => Self::AdamW(adam),
            2.0 => Self::Sgd(SgdOptions { momentum: a, dampening: b, weight_decay: c, nesterov: d != 0.0 }),
            _ => return Err(mismatch(format!("there is no optimizer number {kind}"))),
        };
        algorithm.validate().map_err(|error| mismatch(error.message().to_owned()))?;
        Ok(algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_as_they_are_written() {
        for kind in OptimizerKind::ALL {
            assert_eq!(OptimizerKind::parse(kind.name()), Ok(kind));
            assert_eq!(OptimizerKind::from_class_name(kind.class_name()), Ok(kind));
            assert_eq!(Algorithm::new(kind, 0.0, 0.0).kind(), kind);
        }
        for wrong in ["Adam", "ADAMW", "rmsprop", ""] {
            let error = OptimizerKind::parse(wrong).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert!(error.message().contains("'adam', 'adamw', 'sgd'"), "{error}");
        }
        assert!(OptimizerKind::from_class_name("sgd").is_err());
    }

    #[test]
    fn numbers_lead_back_to_the_rule() {
        let adam = AdamOptions { beta1: 0.8, weight_decay: 0.1, amsgrad: true, ..AdamOptions::default() };
        let sgd = SgdOptions { momentum: 0.9, weight_decay: 0.2, nesterov: true, ..SgdOptions::default() };
        for rule in [Algorithm::Adam(adam), Algorithm::AdamW(adam), Algorithm::Sgd(sgd)] {
            assert_eq!(Algorithm::from_numbers(&rule.to_numbers()), Ok(rule));
        }
        for wrong in [&[0.0; 5][..], &[3.0, 0.0, 0.0, 0.0, 0.0, 0.0], &[0.0, 2.0, 0.0, 0.0, 0.0, 0.0]] {
            assert_eq!(Algorithm::from_numbers(wrong).unwrap_err().code(), ErrorCode::StateMismatch);
        }
    }

    #[test]
    fn a_state_survives_other_options_and_not_another_form() {
        let new = Algorithm::new;
        assert!(new(OptimizerKind::Adam, 0.1, 0.0).keeps_state_of(&new(OptimizerKind::Adam, 0.0, 0.0)));
        assert!(new(OptimizerKind::Sgd, 0.1, 0.5).keeps_state_of(&new(OptimizerKind::Sgd, 0.0, 0.9)));
        assert!(!new(OptimizerKind::Sgd, 0.0, 0.9).keeps_state_of(&new(OptimizerKind::Sgd, 0.0, 0.0)));
        assert!(!new(OptimizerKind::AdamW, 0.0, 0.0).keeps_state_of(&new(OptimizerKind::Adam, 0.0, 0.0)));
        let amsgrad = Algorithm::Adam(AdamOptions { amsgrad: true, ..AdamOptions::default() });
        assert!(!amsgrad.keeps_state_of(&new(OptimizerKind::Adam, 0.0, 0.0)));
    }
}
