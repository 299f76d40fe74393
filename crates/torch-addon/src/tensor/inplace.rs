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

    /// Subtracts `alpha * other`.
    #[napi(catch_unwind, js_name = "sub_")]
    pub fn sub_(&self, other: &NativeTensor, alpha: f64) -> napi::Result<()> {
        inplace::sub_(&*self.get()?, &*other.get()?, alpha).js()
    }

    /// Adds `alpha * value`.
    #[napi(catch_unwind, js_name = "addScalar_")]
    pub fn add_scalar_(&self, value: f64, alpha: f64) -> napi::Result<()> {
        inplace::add_scalar_(&*self.get()?, value, alpha).js()
    }

    /// Subtracts `alpha * value`.
    #[napi(catch_unwind, js_name = "subScalar_")]
    pub fn sub_scalar_(&self, value: f64, alpha: f64) -> napi::Result<()> {
        inplace::sub_scalar_(&*self.get()?, value, alpha).js()
    }

    /// Multiplies by a tensor.
    #[napi(catch_unwind, js_name = "mul_")]
    pub fn mul_(&self, other: &NativeTensor) -> napi::Result<()> {
        inplace::mul_(&*self.get()?, &*other.get()?).js()
    }

    /// Divides by a tensor.
    #[napi(catch_unwind, js_name = "div_")]
    pub fn div_(&self, other: &NativeTensor) -> napi::Result<()> {
        inplace::div_(&*self.get()?, &*other.get()?).js()
    }

    /// Divides by a number.
    #[napi(catch_unwind, js_name = "divScalar_")]
    pub fn div_scalar_(&self, value: f64) -> napi::Result<()> {
        inplace::div_scalar_(&*self.get()?, value).js()
    }

    /// Limits the elements to the bounds there are.
    #[napi(catch_unwind, js_name = "clamp_")]
    pub fn clamp_(&self, min: Option<f64>, max: Option<f64>) -> napi::Result<()> {
        inplace::clamp_(&*self.get()?, min, max).js()
    }

    /// Sets the elements where the mask is true.
    #[napi(catch_unwind, js_name = "maskedFill_")]
    pub fn masked_fill_(&self, mask: &NativeTensor, value: f64) -> napi::Result<()> {
        inplace::masked_fill_(&*self.get()?, &*mask.get()?, value).js()
    }

    /// Multiplies by a number.
    #[napi(catch_unwind, js_name = "mulScalar_")]
    pub fn mul_scalar_(&self, value: f64) -> napi::Result<()> {
        inplace::mul_scalar_(&*self.get()?, value).js()
    }
}
