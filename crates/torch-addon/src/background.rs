//! Work of libtorch off the main thread.

use napi::Env;
use recurra_binding::Background;
use recurra_torch::{Result, context};

/// As [`Background::new`], with the number of threads that the user set: libtorch keeps it per thread.
pub(crate) fn background<T, J>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
    finish: impl FnOnce(Env, T) -> napi::Result<J> + Send + 'static,
) -> Background<T, J> {
    let work = move || {
        context::apply_threads();
        work()
    };
    Background::new(work, finish)
}
