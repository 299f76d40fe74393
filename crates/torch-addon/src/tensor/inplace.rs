//! Changes in place.

use super::NativeTensor;
use napi_derive::napi;
use recurra_binding::IntoJs;
use recurra_torch::tensor::inplace;

#[napi]
impl NativeTensor {
    /// Copies values, converting dtype and device.
    #[napi(catch_unwind, js_name = "copy_")]
    pub fn copy_(&self, source: &NativeTensor) -> napi::Result<()> {
        inplace::copy_(&*self.get()?, &*source.get()?).js()
    }

    /// Sets every element.
    #[napi(catch_unwind, js_name = "fill_")]
    pub fn fill_(&self, value: f64) -> napi::Result<()> {
        inplace::fill_(&*self.get()?, value).js()
    }

    /// Sets every element to 0.
    #[napi(catch_unwind, js_name = "zero_")]
    pub fn zero_(&self) -> napi::Result<()> {
        inplace::zero_(&*self.get()?).js()
    }

    /// Fills from the normal distribution.
    #[napi(catch_unwind, js_name = "normal_")]
    pub fn normal_(&self, mean: f64, std: f64) -> napi::Result<()> {
        inplace::normal_(&*self.get()?, mean, std).js()
    }

    /// Fills uniformly.
    #[napi(catch_unwind, js_name = "uniform_")]
    pub fn uniform_(&self, from: f64, to: f64) -> napi::Result<()> {
        inplace::uniform_(&*self.get()?, from, to).js()
    }

    /// Adds `alpha * other`.
    #[napi(catch_unwind, js_name = "add_")]
    pub fn add_(&self, other: &NativeTensor, alpha: f64) -> napi::Result<()> {
        inplace::add_(&*self.get()?, &*other.get()?, alpha).js()
    }

    /// Multiplies by a number.
    #[napi(catch_unwind, js_name = "mulScalar_")]
    pub fn mul_scalar_(&self, value: f64) -> napi::Result<()> {
        inplace::mul_scalar_(&*self.get()?, value).js()
    }
}
