//! Gradients of a tensor.

use super::{NativeTensor, wrap};
use crate::background::background;
use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use recurra_binding::{Background, IntoJs};
use recurra_torch::Tensor;
use recurra_torch::autograd;

fn shared(gradient: Option<&NativeTensor>) -> napi::Result<Option<Tensor>> {
    gradient.map(NativeTensor::share).transpose()
}

#[napi]
impl NativeTensor {
    /// Whether operations on it are recorded.
    #[napi(catch_unwind)]
    pub fn requires_grad(&self) -> napi::Result<bool> {
        Ok(self.peek()?.requires_grad())
    }

    /// Records operations on this leaf, or not.
    #[napi(catch_unwind)]
    pub fn set_requires_grad(&self, on: bool) -> napi::Result<()> {
        autograd::set_requires_grad(&*self.peek()?, on).js()
    }

    /// Whether it is not the result of a recorded operation.
    #[napi(catch_unwind)]
    pub fn is_leaf(&self) -> napi::Result<bool> {
        Ok(self.peek()?.is_leaf())
    }

    /// Name of the recorded function that computed it.
    #[napi(catch_unwind)]
    pub fn grad_name(&self) -> napi::Result<Option<String>> {
        autograd::grad_name(&*self.peek()?).js()
    }

    /// The accumulated gradient.
    #[napi(catch_unwind)]
    pub fn grad(&self, env: Env) -> napi::Result<Option<NativeTensor>> {
        autograd::dense_grad(&*self.peek()?).js()?.map(|grad| wrap(env, Ok(grad))).transpose()
    }

    /// Replaces the accumulated gradient.
    #[napi(catch_unwind)]
    pub fn set_grad(&self, grad: Option<&NativeTensor>) -> napi::Result<()> {
        autograd::set_grad(&*self.peek()?, shared(grad)?.as_ref()).js()
    }

    /// Leaves it without a gradient.
    #[napi(catch_unwind)]
    pub fn zero_grad(&self) -> napi::Result<()> {
        autograd::set_grad(&*self.peek()?, None).js()
    }

    /// Adds gradients into the leaves that this tensor depends on.
    #[napi(catch_unwind)]
    pub fn backward(&self, gradient: Option<&NativeTensor>, retain_graph: bool) -> napi::Result<()> {
        autograd::backward(&*self.get()?, shared(gradient)?.as_ref(), retain_graph).js()
    }

    /// The same off the main thread.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn backward_async(
        &self,
        gradient: Option<&NativeTensor>,
        retain_graph: bool,
    ) -> napi::Result<AsyncTask<Background<(), ()>>> {
        let (tensor, gradient) = (self.share()?, shared(gradient)?);
        let work = move || autograd::backward(&tensor, gradient.as_ref(), retain_graph);
        Ok(AsyncTask::new(background(work, |_, ()| Ok(()))))
    }
}
