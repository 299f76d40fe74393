//! A value that is computed for inference once it is worthwhile, while other threads continue without it.

use std::sync::{Mutex, OnceLock, TryLockError};

use recurra_core::fault;

/// A value that another thread may add at any time.
pub(crate) struct MadeOnce<T> {
    value: OnceLock<T>,
    /// Held by the thread that computes the value; no other thread waits for it.
    pub making: Mutex<()>,
}

impl<T> Default for MadeOnce<T> {
    fn default() -> Self {
        Self { value: OnceLock::new(), making: Mutex::new(()) }
    }
}

impl<T> MadeOnce<T> {
    /// The value, if it exists.
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Computes the value, unless another thread is already doing so.
    pub fn make(&self, make: impl FnOnce() -> T) {
        let _making = match self.making.try_lock() {
            Ok(guard) => guard,
            // A failed attempt leaves no partial state.
            Err(TryLockError::Poisoned(guard)) => guard.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        fault::point("table");
        let _ = self.value.set(make());
    }
}
