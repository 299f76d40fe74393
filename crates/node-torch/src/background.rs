//! Work off the main thread, on libuv's pool.

use crate::error::IntoJs;
use napi::bindgen_prelude::{ToNapiValue, TypeName};
use napi::{Env, Task};
use recurra_torch::{Result, context, guard};

type Work<T> = Box<dyn FnOnce() -> Result<T> + Send>;
type Finish<T, J> = Box<dyn FnOnce(Env, T) -> napi::Result<J> + Send>;

/// One piece of work, and how its result becomes a JavaScript value.
pub struct Background<T, J> {
    work: Option<Work<T>>,
    finish: Option<Finish<T, J>>,
}

impl<T, J> Background<T, J> {
    /// `work` runs on the pool; `finish` afterwards on the thread of JavaScript.
    pub(crate) fn new(
        work: impl FnOnce() -> Result<T> + Send + 'static,
        finish: impl FnOnce(Env, T) -> napi::Result<J> + Send + 'static,
    ) -> Self {
        Self { work: Some(Box::new(work)), finish: Some(Box::new(finish)) }
    }
}

impl<T: Send + 'static, J: ToNapiValue + TypeName> Task for Background<T, J> {
    type Output = T;
    type JsValue = J;

    fn compute(&mut self) -> napi::Result<T> {
        let work =
            self.work.take().ok_or_else(|| napi::Error::from_reason("RECURRA:INTERNAL:work was started twice"))?;
        guard(|| {
            context::apply_threads();
            work()
        })
        .js()
    }

    fn resolve(&mut self, env: Env, output: T) -> napi::Result<J> {
        let finish =
            self.finish.take().ok_or_else(|| napi::Error::from_reason("RECURRA:INTERNAL:work was finished twice"))?;
        finish(env, output)
    }
}
