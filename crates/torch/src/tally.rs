//! What a training sums up, on the device that it runs on: the host waits for a GPU only when the sums are read.
//!
//! A step of a small network takes as long as its launches do, so a batch costs as few as can be: one for the flag, and what finds
//! the right answers. The numbers stay where they are, one tensor each, and are fetched together.

use crate::error::IntoResult;
use crate::shim::{self, check, handle};
use crate::tensor::convert::to_f64;
use crate::{Result, autograd::GradMode};
use tch::{Device, Kind, Tensor};

const NONE: [i64; 0] = [];
/// Maximum batches whose numbers are kept separately; then it synchronises with the device.
const MOST_PENDING: usize = 4096;

/// Sums over batches. From the first loss on that is not finite nothing is added, and [`Tally::bad`] keeps an optimizer from moving
/// anything.
pub struct Tally {
    bad: Tensor,
    one: Tensor,
    /// What was watched since the last batch.
    watched: Vec<Tensor>,
    pending: Vec<Batch>,
    sums: Sums,
}

/// The numbers of a batch, each a tensor of one element on the device.
struct Batch {
    watched: Vec<Tensor>,
    loss: Tensor,
    right: Tensor,
    weight: f64,
}

/// The sums of a [`Tally`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Losses, each times its weight.
    pub loss: f64,
    /// Rows classified correctly.
    pub right: i64,
    /// Batches before the first whose loss or gradient was not finite.
    pub batches: usize,
    /// Whether there was such a batch.
    pub bad: bool,
}

impl Tally {
    /// Sums on a device, all zero.
    pub fn new(device: Device) -> Result<Self> {
        Ok(Self {
            bad: Tensor::f_zeros(NONE, (Kind::Float, device)).torch()?,
            one: Tensor::f_ones(NONE, (Kind::Float, device)).torch()?,
            watched: Vec::new(),
            pending: Vec::new(),
            sums: Sums::default(),
        })
    }

    /// 1 as `float32` once a loss or a gradient was not finite, otherwise 0.
    pub fn bad(&self) -> &Tensor {
        &self.bad
    }

    /// 1 as `float32` without dimensions: the gradient of a loss by itself.
    pub(crate) fn one(&self) -> &Tensor {
        &self.one
    }

    /// Looks at a loss, or at the norm of a gradient, before the step that follows from it. One element.
    pub fn watch(&mut self, value: &Tensor) -> Result<()> {
        // SAFETY: borrowed handles of live tensors.
        check(unsafe { shim::recurra_note_non_finite(handle(value), handle(&self.bad), handle(&self.one)) })?;
        self.watched.push(value.detach());
        Ok(())
    }

    /// Adds a batch that was watched: its loss, which of its rows were right, and what the loss counts for.
    pub fn add(&mut self, loss: &Tensor, right: &Tensor, weight: f64) -> Result<()> {
        let _mode = GradMode::new(false);
        let right = right.detach().f_sum(Kind::Int64).torch()?;
        let watched = std::mem::take(&mut self.watched);
        self.pending.push(Batch { watched, loss: loss.detach(), right, weight });
        if self.pending.len() < MOST_PENDING { Ok(()) } else { self.settle() }
    }

    /// The sums so far; waits for the device.
    pub fn read(&mut self) -> Result<Sums> {
        self.settle()?;
        Ok(self.sums)
    }

    /// Fetches what is pending and adds it up.
    fn settle(&mut self) -> Result<()> {
        let batches = std::mem::take(&mut self.pending);
        // A batch that was watched but never added, because something failed, counts as well.
        let rest = std::mem::take(&mut self.watched);
        if self.sums.bad || (batches.is_empty() && rest.is_empty()) {
            return Ok(());
        }
        let _mode = GradMode::new(false);
        let losses = fetch(batches.iter().map(|batch| &batch.loss))?;
        let rights = fetch(batches.iter().map(|batch| &batch.right))?;
        let watched = fetch(batches.iter().flat_map(|batch| &batch.watched).chain(&rest))?;
        let mut watched = watched.into_iter();
        for (batch, (loss, right)) in batches.iter().zip(losses.into_iter().zip(rights)) {
            let finite = watched.by_ref().take(batch.watched.len()).all(|value| value.is_finite());
            if !finite {
                self.sums.bad = true;
                return Ok(());
            }
            self.sums.loss += loss * batch.weight;
            self.sums.right += right as i64;
            self.sums.batches += 1;
        }
        self.sums.bad = watched.any(|value| !value.is_finite());
        Ok(())
    }
}

/// The elements of tensors of one element, fetched together.
fn fetch<'a>(values: impl Iterator<Item = &'a Tensor>) -> Result<Vec<f64>> {
    let flat = values.map(|value| value.f_reshape(NONE).torch()).collect::<Result<Vec<_>>>()?;
    if flat.is_empty() {
        return Ok(Vec::new());
    }
    to_f64(&Tensor::f_stack(&flat, 0).torch()?.f_to_kind(Kind::Double).torch()?)
}

/// Which rows of `logits` `[rows, classes]` have their largest value at their label; `bool` `[rows]`.
pub fn rows_right(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    logits.detach().f_argmax(1, false).torch()?.f_eq_tensor(labels).torch()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(losses: &[f32]) -> Tally {
        let mut tally = Tally::new(Device::Cpu).unwrap();
        let right = Tensor::from_slice(&[true, false, true]);
        for &loss in losses {
            let loss = Tensor::from(loss);
            tally.watch(&loss).unwrap();
            tally.add(&loss, &right, 3.0).unwrap();
        }
        tally
    }

    #[test]
    fn from_the_first_bad_loss_on_nothing_is_added() {
        let mut tally = tally(&[0.5, 0.25, f32::NAN, 8.0]);
        assert_eq!(tally.read().unwrap(), Sums { loss: 2.25, right: 4, batches: 2, bad: true });
        assert_eq!(tally.read().unwrap(), Sums { loss: 2.25, right: 4, batches: 2, bad: true });
        assert_eq!(tally.bad().double_value(&[]), 1.0);
    }

    #[test]
    fn sums_go_on_after_they_were_read_and_when_many_are_pending() {
        let mut tally = tally(&[0.5, 0.25]);
        assert_eq!(tally.read().unwrap(), Sums { loss: 2.25, right: 4, batches: 2, bad: false });
        for _ in 0..MOST_PENDING + 3 {
            let loss = Tensor::from(1.0_f64);
            tally.watch(&loss).unwrap();
            tally.add(&loss, &Tensor::from_slice(&[true]), 1.0).unwrap();
        }
        assert_eq!(tally.pending.len(), 3);
        let count = MOST_PENDING + 5;
        let wanted = Sums { loss: count as f64 + 0.25, right: count as i64 + 2, batches: count, bad: false };
        assert_eq!(tally.read().unwrap(), wanted);
    }

    #[test]
    fn a_loss_of_any_floating_dtype_is_looked_at_and_stays_as_it_is() {
        for kind in [Kind::Float, Kind::Double, Kind::BFloat16] {
            for (value, bad) in [(1.5, false), (f64::INFINITY, true), (f64::NEG_INFINITY, true), (f64::NAN, true)] {
                let mut tally = Tally::new(Device::Cpu).unwrap();
                let loss = Tensor::from(value).to_kind(kind).set_requires_grad(true);
                let version = crate::tensor::version(&loss).unwrap();
                tally.watch(&loss).unwrap();
                assert_eq!(tally.bad().double_value(&[]) > 0.0, bad, "{kind:?} {value}");
                assert_eq!(tally.read().unwrap().bad, bad);
                assert_eq!(crate::tensor::version(&loss).unwrap(), version);
                assert!(value.is_nan() || loss.double_value(&[]) == value);
            }
        }
    }
}
