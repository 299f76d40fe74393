//! Code that both addons share: how errors, panics, long work and the core's types cross into JavaScript.

mod handle;
pub mod objects;

pub use handle::{Handle, Pending, Shared};

use napi::bindgen_prelude::{ToNapiValue, TypeName};
use napi::{Env, Task};
use recurra_core::{Error, ErrorCode, Result, fault, guard};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Converts an error for JavaScript: code and message in one string that the TypeScript side parses.
pub fn to_js(error: Error) -> napi::Error {
    napi::Error::from_reason(error.to_wire())
}

/// Keeps Rust from writing panics to standard error, which belongs to the host program. Every panic is caught and
/// becomes an error with the same message.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// Converts results of Rust code into napi's.
pub trait IntoJs<T> {
    /// The same value, or the error in the form that crosses into JavaScript.
    fn js(self) -> napi::Result<T>;
}

impl<T> IntoJs<T> for Result<T> {
    fn js(self) -> napi::Result<T> {
        self.map_err(to_js)
    }
}

/// Adjusts V8's count of external memory. It fails only while an environment shuts down, when the count no longer
/// matters.
pub fn adjust_external_memory(env: Env, bytes: i64) {
    if bytes != 0 {
        let _ = env.adjust_external_memory(bytes);
    }
}

type Work<T> = Box<dyn FnOnce() -> Result<T> + Send>;
type Finish<T, J> = Box<dyn FnOnce(Env, T) -> napi::Result<J> + Send>;

/// Work for libuv's pool, off the event loop, and the conversion of its result to a JavaScript value.
pub struct Background<T, J> {
    work: Option<Work<T>>,
    finish: Option<Finish<T, J>>,
}

impl<T, J> Background<T, J> {
    /// `work` runs on the pool, with panics caught. `finish` runs afterwards on the JavaScript thread.
    pub fn new(
        work: impl FnOnce() -> Result<T> + Send + 'static,
        finish: impl FnOnce(Env, T) -> napi::Result<J> + Send + 'static,
    ) -> Self {
        Self { work: Some(Box::new(work)), finish: Some(Box::new(finish)) }
    }
}

fn again(what: &str) -> napi::Error {
    to_js(Error::new(ErrorCode::Internal, format!("work was {what} twice")))
}

impl<T: Send + 'static, J: ToNapiValue + TypeName> Task for Background<T, J> {
    type Output = T;
    type JsValue = J;

    fn compute(&mut self) -> napi::Result<T> {
        let work = self.work.take().ok_or_else(|| again("started"))?;
        guard(|| {
            fault::point("task");
            work()
        })
        .js()
    }

    fn resolve(&mut self, env: Env, output: T) -> napi::Result<J> {
        let finish = self.finish.take().ok_or_else(|| again("finished"))?;
        // napi calls this from C, where a panic would abort the process.
        catch_unwind(AssertUnwindSafe(|| {
            fault::point("finish");
            finish(env, output)
        }))
        .unwrap_or_else(|_| {
            Err(to_js(Error::new(ErrorCode::Internal, "internal fault while a result was handed over")))
        })
    }
}
