//! From many elements to few.

use super::{NativeTensor, wrap, wrap_all};
use napi::Env;
use napi_derive::napi;
use recurra_binding::IntoJs;
use recurra_torch::check::range_of;
use recurra_torch::tensor::reduce;

#[napi]
impl NativeTensor {
    /// Sum over dimensions, or all.
    #[napi(catch_unwind)]
    pub fn sum(&self, env: Env, dims: Option<Vec<i64>>, keepdim: bool) -> napi::Result<NativeTensor> {
        wrap(env, reduce::sum(&*self.get()?, dims.as_deref(), keepdim))
    }

    /// Mean over dimensions, or all.
    #[napi(catch_unwind)]
    pub fn mean(&self, env: Env, dims: Option<Vec<i64>>, keepdim: bool) -> napi::Result<NativeTensor> {
        wrap(env, reduce::mean(&*self.get()?, dims.as_deref(), keepdim))
    }

    /// The largest element.
    #[napi(catch_unwind)]
    pub fn max_all(&self, env: Env) -> napi::Result<NativeTensor> {
        wrap(env, reduce::max_all(&*self.get()?))
    }

    /// The smallest element.
    #[napi(catch_unwind)]
    pub fn min_all(&self, env: Env) -> napi::Result<NativeTensor> {
        wrap(env, reduce::min_all(&*self.get()?))
    }

    /// The largest elements along a dimension, and where they are.
    #[napi(catch_unwind)]
    pub fn max_dim(&self, env: Env, dim: i64, keepdim: bool) -> napi::Result<Vec<NativeTensor>> {
        wrap_all(env, reduce::max_dim(&*self.get()?, dim, keepdim).map(|(values, indices)| vec![values, indices]))
    }

    /// The smallest elements along a dimension, and where they are.
    #[napi(catch_unwind)]
    pub fn min_dim(&self, env: Env, dim: i64, keepdim: bool) -> napi::Result<Vec<NativeTensor>> {
        wrap_all(env, reduce::min_dim(&*self.get()?, dim, keepdim).map(|(values, indices)| vec![values, indices]))
    }

    /// Smallest and largest element of integers; null of none.
    #[napi(catch_unwind, ts_return_type = "[number, number] | null")]
    pub fn range(&self) -> napi::Result<Option<Vec<f64>>> {
        let ends = match self.known_range()? {
            Some(known) => Some(known),
            None => {
                let tensor = self.get()?;
                let ends = range_of(&tensor).js()?;
                if tensor.device().is_cuda() {
                    self.remember(ends)?;
                }
                ends
            }
        };
        Ok(ends.map(|(least, most)| vec![least as f64, most as f64]))
    }

    /// Where the largest element is.
    #[napi(catch_unwind)]
    pub fn argmax(&self, env: Env, dim: Option<i64>, keepdim: bool) -> napi::Result<NativeTensor> {
        wrap(env, reduce::argmax(&*self.get()?, dim, keepdim))
    }

    /// Where the smallest element is.
    #[napi(catch_unwind)]
    pub fn argmin(&self, env: Env, dim: Option<i64>, keepdim: bool) -> napi::Result<NativeTensor> {
        wrap(env, reduce::argmin(&*self.get()?, dim, keepdim))
    }

    /// The p-norm over all elements.
    #[napi(catch_unwind)]
    pub fn norm(&self, env: Env, p: f64) -> napi::Result<NativeTensor> {
        wrap(env, reduce::norm(&*self.get()?, p))
    }

    /// Whether any element is not 0.
    #[napi(catch_unwind)]
    pub fn any(&self, env: Env) -> napi::Result<NativeTensor> {
        wrap(env, reduce::any(&*self.get()?))
    }

    /// Whether all elements are not 0.
    #[napi(catch_unwind)]
    pub fn all(&self, env: Env) -> napi::Result<NativeTensor> {
        wrap(env, reduce::all(&*self.get()?))
    }

    /// Softmax along a dimension.
    #[napi(catch_unwind)]
    pub fn softmax(&self, env: Env, dim: i64) -> napi::Result<NativeTensor> {
        wrap(env, reduce::softmax(&*self.get()?, dim))
    }

    /// Logarithm of softmax along a dimension.
    #[napi(catch_unwind)]
    pub fn log_softmax(&self, env: Env, dim: i64) -> napi::Result<NativeTensor> {
        wrap(env, reduce::log_softmax(&*self.get()?, dim))
    }
}
