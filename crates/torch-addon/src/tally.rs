//! `NativeTally`: what a training loop sums up on its device.

use crate::tensor::NativeTensor;
use napi_derive::napi;
use recurra_binding::IntoJs;
use recurra_torch::context::parse_device;
use recurra_torch::tally::{Tally, rows_right};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The sums of a [`NativeTally`].
#[napi(object, object_from_js = false)]
pub struct TallySums {
    /// Losses, each times its weight.
    pub loss: f64,
    /// Rows that were answered correctly.
    pub right: i64,
    /// Batches before the first whose loss was not finite.
    pub batches: u32,
    /// Whether there was such a batch.
    pub bad: bool,
}

/// Losses and right answers of batches, summed up on the device where they are.
#[napi]
pub struct NativeTally {
    tally: Mutex<Tally>,
}

impl NativeTally {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[napi]
impl NativeTally {
    /// Sums on a device, all zero.
    #[napi(constructor, catch_unwind)]
    pub fn new(device: String) -> napi::Result<Self> {
        Ok(Self { tally: Mutex::new(Tally::new(parse_device(&device).js()?).js()?) })
    }

    /// Looks at a loss before the step that follows from it.
    #[napi(catch_unwind)]
    pub fn watch(&self, loss: &NativeTensor) -> napi::Result<()> {
        self.lock().watch(&*loss.get()?).js()
    }

    /// Adds a batch that was watched.
    #[napi(catch_unwind)]
    pub fn add(
        &self,
        loss: &NativeTensor,
        logits: &NativeTensor,
        labels: &NativeTensor,
        weight: f64,
    ) -> napi::Result<()> {
        let right = rows_right(&*logits.get()?, &*labels.get()?).js()?;
        self.lock().add(&*loss.get()?, &right, weight).js()
    }

    /// The sums so far; waits for the device.
    #[napi(catch_unwind)]
    pub fn read(&self) -> napi::Result<TallySums> {
        let sums = self.lock().read().js()?;
        Ok(TallySums { loss: sums.loss, right: sums.right, batches: sums.batches as u32, bad: sums.bad })
    }
}
