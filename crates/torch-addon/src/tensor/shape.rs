//! Views and selections.

use super::{NativeTensor, wrap};
use napi::Env;
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use recurra_torch::Tensor;
use recurra_torch::tensor::shape;

#[napi]
impl NativeTensor {
    /// The `index`-th slice along a dimension.
    #[napi(catch_unwind)]
    pub fn select(&self, env: Env, dim: i64, index: i64) -> napi::Result<NativeTensor> {
        wrap(env, shape::select(&*self.get()?, dim, index))
    }

    /// From `start` up to but without `end`.
    #[napi(catch_unwind)]
    pub fn slice(
        &self,
        env: Env,
        dim: i64,
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    ) -> napi::Result<NativeTensor> {
        wrap(env, shape::slice(&*self.get()?, dim, start, end, step))
    }

    /// The slices that a vector of indices names.
    #[napi(catch_unwind)]
    pub fn index_select(&self, env: Env, dim: i64, index: &NativeTensor) -> napi::Result<NativeTensor> {
        wrap(env, shape::index_select(&*self.get()?, dim, &*index.get()?))
    }

    /// Elements named one by one along a dimension.
    #[napi(catch_unwind)]
    pub fn gather(&self, env: Env, dim: i64, index: &NativeTensor) -> napi::Result<NativeTensor> {
        wrap(env, shape::gather(&*self.get()?, dim, &*index.get()?))
    }

    /// PyTorch's advanced indexing; null takes a whole dimension.
    #[napi(catch_unwind)]
    pub fn index(&self, env: Env, indices: Vec<Option<ClassInstance<'_, NativeTensor>>>) -> napi::Result<NativeTensor> {
        let indices = indices.iter().map(|index| index.as_ref().map(|index| index.share()).transpose());
        let indices = indices.collect::<napi::Result<Vec<Option<Tensor>>>>()?;
        let indices: Vec<Option<&Tensor>> = indices.iter().map(Option::as_ref).collect();
        wrap(env, shape::index(&*self.get()?, &indices))
    }

    /// Swaps two dimensions.
    #[napi(catch_unwind)]
    pub fn transpose(&self, env: Env, a: i64, b: i64) -> napi::Result<NativeTensor> {
        wrap(env, shape::transpose(&*self.get()?, a, b))
    }

    /// Puts the dimensions in another order.
    #[napi(catch_unwind)]
    pub fn permute(&self, env: Env, dims: Vec<i64>) -> napi::Result<NativeTensor> {
        wrap(env, shape::permute(&*self.get()?, &dims))
    }

    /// Another shape for the same elements.
    #[napi(catch_unwind)]
    pub fn reshape(&self, env: Env, dims: Vec<i64>) -> napi::Result<NativeTensor> {
        wrap(env, shape::reshape(&*self.get()?, &dims))
    }

    /// Drops dimensions of size 1.
    #[napi(catch_unwind)]
    pub fn squeeze(&self, env: Env, dim: Option<i64>) -> napi::Result<NativeTensor> {
        wrap(env, shape::squeeze(&*self.get()?, dim))
    }

    /// Inserts a dimension of size 1.
    #[napi(catch_unwind)]
    pub fn unsqueeze(&self, env: Env, dim: i64) -> napi::Result<NativeTensor> {
        wrap(env, shape::unsqueeze(&*self.get()?, dim))
    }

    /// Repeats dimensions of size 1 without copying.
    #[napi(catch_unwind)]
    pub fn expand(&self, env: Env, dims: Vec<i64>) -> napi::Result<NativeTensor> {
        wrap(env, shape::expand(&*self.get()?, &dims))
    }

    /// Joins neighbouring dimensions into one.
    #[napi(catch_unwind)]
    pub fn flatten(&self, env: Env, start: i64, end: i64) -> napi::Result<NativeTensor> {
        wrap(env, shape::flatten(&*self.get()?, start, end))
    }

    /// Reverses the order along dimensions.
    #[napi(catch_unwind)]
    pub fn flip(&self, env: Env, dims: Vec<i64>) -> napi::Result<NativeTensor> {
        wrap(env, shape::flip(&*self.get()?, &dims))
    }
}
