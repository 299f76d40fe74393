//! What a training sums up, on the device that it runs on: nobody waits for a GPU before the sums are read.

use crate::Result;
use crate::error::IntoResult;
use crate::tensor::convert::to_f64;
use tch::{Device, Kind, Tensor};

const NONE: [i64; 0] = [];

/// Sums over batches. From the first loss on that is not finite nothing is added, and [`Tally::bad`] keeps an optimizer from moving
/// anything.
pub struct Tally {
    loss: Tensor,
    right: Tensor,
    batches: Tensor,
    bad: Tensor,
}

/// The sums of a [`Tally`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Losses, each times its weight.
    pub loss: f64,
    /// Rows labelled rightly.
    pub right: i64,
    /// Batches before the first whose loss or gradient was not finite.
    pub batches: usize,
    /// Whether there was such a batch.
    pub bad: bool,
}

impl Tally {
    /// Sums on a device, all zero.
    pub fn new(device: Device) -> Result<Self> {
        let zero = |kind| Tensor::f_zeros(NONE, (kind, device)).torch();
        Ok(Self {
            loss: zero(Kind::Double)?,
            right: zero(Kind::Double)?,
            batches: zero(Kind::Double)?,
            bad: zero(Kind::Float)?,
        })
    }

    /// 1 as `float32` once a loss or a gradient was not finite, else 0.
    pub fn bad(&self) -> &Tensor {
        &self.bad
    }

    /// Looks at a loss, or at the norm of a gradient, before the step that follows from it.
    pub fn watch(&mut self, value: &Tensor) -> Result<()> {
        let bad = value.detach().f_isfinite().torch()?.f_logical_not().torch()?.f_to_kind(Kind::Float).torch()?;
        self.bad = self.bad.f_maximum(&bad.f_reshape(NONE).torch()?).torch()?;
        Ok(())
    }

    /// Adds a batch that was watched: its loss, which of its rows were right, and what the loss counts for.
    pub fn add(&mut self, loss: &Tensor, right: &Tensor, weight: f64) -> Result<()> {
        let loss = loss.detach().f_reshape(NONE).torch()?.f_to_kind(Kind::Double).torch()?;
        let loss = loss.f_mul_scalar(weight).torch()?;
        let right = right.detach().f_sum(Kind::Double).torch()?;
        let counts = Tensor::f_ones_like(&self.batches).torch()?;
        let bad = self.bad.f_gt(0.0).torch()?;
        for (sum, value) in [(&mut self.loss, &loss), (&mut self.right, &right), (&mut self.batches, &counts)] {
            *sum = sum.f_add(&value.f_masked_fill(&bad, 0.0).torch()?).torch()?;
        }
        Ok(())
    }

    /// The sums so far; waits for the device, once.
    pub fn read(&self) -> Result<Sums> {
        let bad = self.bad.f_to_kind(Kind::Double).torch()?;
        let all = Tensor::f_stack(&[&self.loss, &self.right, &self.batches, &bad], 0).torch()?;
        let values = to_f64(&all)?;
        Ok(Sums { loss: values[0], right: values[1] as i64, batches: values[2] as usize, bad: values[3] > 0.0 })
    }
}

/// Which rows of `logits` `[rows, classes]` have their largest value at their label; `bool` `[rows]`.
pub fn rows_right(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    logits.detach().f_argmax(1, false).torch()?.f_eq_tensor(labels).torch()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_first_bad_loss_on_nothing_is_added() {
        let mut tally = Tally::new(Device::Cpu).unwrap();
        let right = Tensor::from_slice(&[true, false, true]);
        for loss in [0.5_f32, 0.25, f32::NAN, 8.0] {
            let loss = Tensor::from(loss);
            tally.watch(&loss).unwrap();
            tally.add(&loss, &right, 3.0).unwrap();
        }
        assert_eq!(tally.read().unwrap(), Sums { loss: 2.25, right: 4, batches: 2, bad: true });
    }
}
