//! Dropout from the global generator.

use crate::Result;
use crate::check::{floating, probability};
use crate::error::IntoResult;
use tch::Tensor;

/// Zeroes elements with probability `p` and scales the others by `1 / (1 - p)`; nothing where `train` is false.
pub fn dropout(x: &Tensor, p: f64, train: bool) -> Result<Tensor> {
    probability("dropout", p)?;
    if train {
        floating("dropout", "input", x)?;
    }
    x.f_dropout(p, train).torch()
}
