//! New tensors.

use crate::tensor::{NativeTensor, TensorList, refs, tensors, wrap};
use napi::Env;
use napi_derive::napi;
use recurra_binding::IntoJs;
use recurra_torch::context::{parse_device, parse_dtype};
use recurra_torch::tensor::{create, shape};

macro_rules! filled {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[napi(catch_unwind)]
        pub fn $name(env: Env, shape: Vec<i64>, dtype: String, device: String) -> napi::Result<NativeTensor> {
            wrap(env, create::$name(&shape, parse_dtype(&dtype).js()?, parse_device(&device).js()?))
        }
    )*};
}

filled! {
    /// Zeros.
    zeros;
    /// Ones.
    ones;
    /// Uniform over 0..1, from the global generator.
    rand;
    /// Standard normal, from the global generator.
    randn;
}

/// One value everywhere.
#[napi(catch_unwind)]
pub fn full(env: Env, shape: Vec<i64>, value: f64, dtype: String, device: String) -> napi::Result<NativeTensor> {
    wrap(env, create::full(&shape, value, parse_dtype(&dtype).js()?, parse_device(&device).js()?))
}

/// `start`, `start + step`, ... without `end`.
#[napi(catch_unwind)]
pub fn arange(env: Env, start: f64, end: f64, step: f64, dtype: String, device: String) -> napi::Result<NativeTensor> {
    wrap(env, create::arange(start, end, step, parse_dtype(&dtype).js()?, parse_device(&device).js()?))
}

/// Uniform integers in `low..high`, from the global generator.
#[napi(catch_unwind)]
pub fn randint(
    env: Env,
    low: i64,
    high: i64,
    shape: Vec<i64>,
    dtype: String,
    device: String,
) -> napi::Result<NativeTensor> {
    wrap(env, create::randint(low, high, &shape, parse_dtype(&dtype).js()?, parse_device(&device).js()?))
}

/// Ones on the diagonal of `[n, m]`.
#[napi(catch_unwind)]
pub fn eye(env: Env, n: i64, m: i64, dtype: String, device: String) -> napi::Result<NativeTensor> {
    wrap(env, create::eye(n, m, parse_dtype(&dtype).js()?, parse_device(&device).js()?))
}

/// The numbers 0..n in random order, from the global generator.
#[napi(catch_unwind)]
pub fn randperm(env: Env, n: i64, dtype: String, device: String) -> napi::Result<NativeTensor> {
    wrap(env, create::randperm(n, parse_dtype(&dtype).js()?, parse_device(&device).js()?))
}

/// Joins tensors along an existing dimension.
#[napi(catch_unwind)]
pub fn cat(env: Env, list: TensorList<'_>, dim: i64) -> napi::Result<NativeTensor> {
    let list = tensors(&list)?;
    wrap(env, shape::cat(&refs(&list), dim))
}

/// Joins tensors along a new dimension.
#[napi(catch_unwind)]
pub fn stack(env: Env, list: TensorList<'_>, dim: i64) -> napi::Result<NativeTensor> {
    let list = tensors(&list)?;
    wrap(env, shape::stack(&refs(&list), dim))
}
