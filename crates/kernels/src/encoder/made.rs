//! A value that is made for inference when it is worth it, while others continue without it.

use std::sync::{Mutex, OnceLock, TryLockError};

use recurra_core::fault;

/// A value that may come at any time.
pub(crate) struct MadeOnce<T> {
    value: OnceLock<T>,
    /// Held by the thread that makes the value; no other waits for it.
    pub making: Mutex<()>,
}

impl<T> Default for MadeOnce<T> {
    fn default() -> Self {
        Self { value: OnceLock::new(), making: Mutex::new(()) }
    }
}

impl<T> MadeOnce<T> {
    /// The value, if it is there.
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Makes the value, unless another thread is already making it.
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
