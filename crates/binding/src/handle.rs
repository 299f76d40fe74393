//! A JavaScript handle on a native value. It can be closed early, and V8 knows how much memory it keeps alive.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use recurra_core::{Error, ErrorCode, Result};

use crate::{Background, adjust_external_memory, to_js};

/// A native value and the number of bytes reported to V8.
pub struct Shared<T> {
    value: T,
    counted: AtomicUsize,
    closed: AtomicBool,
}

impl<T> Shared<T> {
    /// Reports the current size of the value to V8. Only the JavaScript thread calls it, so the two steps are not
    /// interleaved.
    pub fn count(&self, env: Env, bytes: usize) {
        let before = self.counted.swap(bytes, Ordering::Relaxed);
        adjust_external_memory(env, bytes as i64 - before as i64);
    }
}

impl<T> std::ops::Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Running work on a [`Handle`]'s value: resolves to its result; the value's new size is reported.
pub type Pending<T, J> = AsyncTask<Background<(T, usize), J>>;

/// Owns a value until it is closed. Running work keeps the value alive until it ends.
pub struct Handle<T> {
    what: &'static str,
    shared: RefCell<Option<Arc<Shared<T>>>>,
}

impl<T: Send + Sync + 'static> Handle<T> {
    /// Creates a handle on a value of `bytes` bytes. `what` names the value in errors.
    pub fn new(env: Env, what: &'static str, value: T, bytes: usize) -> Self {
        let shared = Shared { value, counted: AtomicUsize::new(0), closed: AtomicBool::new(false) };
        shared.count(env, bytes);
        Self { what, shared: RefCell::new(Some(Arc::new(shared))) }
    }

    /// The value.
    ///
    /// # Errors
    /// `DISPOSED` after [`Self::close`].
    pub fn get(&self) -> napi::Result<Arc<Shared<T>>> {
        let closed = || to_js(Error::new(ErrorCode::Disposed, format!("this {} was closed", self.what)));
        self.shared.borrow().clone().ok_or_else(closed)
    }

    /// Drops the value and its size reported to V8. Closing twice is harmless.
    pub fn close(&self, env: Env) {
        if let Some(shared) = self.shared.take() {
            shared.closed.store(true, Ordering::Relaxed);
            shared.count(env, 0);
        }
    }

    /// Runs `work` off the event loop. `work` also returns the value's new size, which is reported to V8 unless the
    /// handle has been closed.
    pub fn background<R: Send + 'static, J: ToNapiValue + TypeName>(
        &self,
        work: impl FnOnce(&T) -> Result<(R, usize)> + Send + 'static,
        convert: impl FnOnce(R) -> J + Send + 'static,
    ) -> napi::Result<Pending<R, J>> {
        let (shared, after) = (self.get()?, self.get()?);
        let finish = move |env: Env, (result, bytes): (R, usize)| {
            if !after.closed.load(Ordering::Relaxed) {
                after.count(env, bytes);
            }
            Ok(convert(result))
        };
        Ok(AsyncTask::new(Background::new(move || work(&shared), finish)))
    }
}
