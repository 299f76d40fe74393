//! How errors and long work cross into JavaScript.

use napi::bindgen_prelude::{Result, ToNapiValue, TypeName};
use napi::{Env, Task};
use recurra_kernels::{Error, guard};

/// Turns an error of the Rust side into one that the TypeScript side decodes.
pub fn to_napi(error: Error) -> napi::Error {
    napi::Error::from_reason(error.to_wire())
}

/// Runs `work`, catching panics, and converts its error.
pub fn call<T>(work: impl FnOnce() -> recurra_kernels::Result<T>) -> Result<T> {
    guard(work).map_err(to_napi)
}

type Work<T> = Box<dyn FnOnce() -> recurra_kernels::Result<T> + Send>;

/// Work for libuv's pool: computes a `T` away from the event loop, then resolves the promise with `J`.
pub struct Background<T: Send + 'static, J: From<T>> {
    work: Option<Work<T>>,
    marker: std::marker::PhantomData<fn() -> J>,
}

impl<T: Send + 'static, J: From<T>> Background<T, J> {
    /// Wraps `work`.
    pub fn new(work: impl FnOnce() -> recurra_kernels::Result<T> + Send + 'static) -> Self {
        Self { work: Some(Box::new(work)), marker: std::marker::PhantomData }
    }
}

impl<T: Send + 'static, J: From<T> + ToNapiValue + TypeName + 'static> Task for Background<T, J> {
    type Output = T;
    type JsValue = J;

    fn compute(&mut self) -> Result<T> {
        let work = self.work.take().ok_or_else(|| napi::Error::from_reason("RECURRA:INTERNAL:work ran twice"))?;
        call(work)
    }

    fn resolve(&mut self, _env: Env, output: T) -> Result<J> {
        Ok(output.into())
    }
}
