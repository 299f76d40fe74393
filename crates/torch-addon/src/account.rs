//! Tells V8 how much memory its small handles keep alive, so that it collects them in time.
//!
//! Views share memory, so it is counted once per storage: when the first handle on it appears, and back when the last
//! goes. What only an autograd graph keeps alive is not counted.

use napi::Env;
use recurra_binding::adjust_external_memory;
use recurra_torch::{Tensor, context};
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    /// Handles and bytes per storage, for the handles of this thread's environment.
    static STORAGES: RefCell<HashMap<usize, (usize, usize)>> = RefCell::new(HashMap::new());
}

/// Counts a handle; returns the storage's identity for [`release`].
pub(crate) fn acquire(env: Env, tensor: &Tensor) -> recurra_torch::Result<usize> {
    let (storage, bytes) = context::storage(tensor)?;
    let is_new = STORAGES.with_borrow_mut(|storages| {
        let entry = storages.entry(storage).or_insert((0, bytes));
        entry.0 += 1;
        entry.0 == 1
    });
    if is_new {
        adjust_external_memory(env, bytes as i64);
    }
    Ok(storage)
}

/// Takes a handle out of the count.
pub(crate) fn release(env: Env, storage: usize) {
    // While a thread ends, its map may be gone before its last finalizers run.
    let freed = STORAGES.try_with(|storages| {
        let mut storages = storages.borrow_mut();
        let (handles, bytes) = storages.get_mut(&storage)?;
        *handles -= 1;
        let bytes = *bytes;
        if *handles > 0 {
            return None;
        }
        storages.remove(&storage);
        Some(bytes)
    });
    if let Ok(Some(bytes)) = freed {
        adjust_external_memory(env, -(bytes as i64));
    }
}
