//! A group as the addon of models uses it: C functions over [`Group`].

use super::group::{Group, Inner};
use crate::{Result, guard};
use recurra_core::CollectiveTable;
use recurra_core::collective::COLLECTIVE_VERSION;
use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::Arc;
use tch::Kind;

thread_local! {
    /// The message of this thread's last error; the caller asks for it on the same thread.
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The group of a context, of which `retain` or the table's own holder keeps an owner.
///
/// # Safety
/// `context` is that of a table whose group has an owner.
unsafe fn group(context: *mut c_void) -> Group {
    // SAFETY: the pointer came from an `Arc<Inner>` that has an owner; the owner stays, and the clone is another one.
    let inner = unsafe {
        Arc::increment_strong_count(context.cast::<Inner>());
        Arc::from_raw(context.cast::<Inner>())
    };
    Group { inner }
}

fn status(work: impl FnOnce() -> Result<()>) -> i32 {
    let Err(error) = guard(work) else { return 0 };
    let number = error.rank().and_then(|rank| i32::try_from(rank).ok()).map_or(1, |rank| 2 + rank);
    let _ = LAST.try_with(|last| *last.borrow_mut() = error.message().to_owned());
    number
}

unsafe extern "C" fn all_reduce_f32(context: *mut c_void, values: *mut f32, len: usize) -> i32 {
    // SAFETY: the table's promise.
    status(|| unsafe { group(context) }.sum_in_place(values.cast(), len, Kind::Float))
}

unsafe extern "C" fn all_reduce_f64(context: *mut c_void, values: *mut f64, len: usize) -> i32 {
    // SAFETY: the table's promise.
    status(|| unsafe { group(context) }.sum_in_place(values.cast(), len, Kind::Double))
}

unsafe extern "C" fn all_gather(context: *mut c_void, bytes: *const u8, len: usize, out: *mut u8) -> i32 {
    // SAFETY: the table's promise.
    status(|| unsafe { group(context) }.gather_bytes(bytes, len, out))
}

unsafe extern "C" fn error(_: *mut c_void, out: *mut u8, len: usize) -> usize {
    let message = LAST.try_with(|last| last.borrow().clone()).unwrap_or_default();
    // SAFETY: `out` has `len` bytes.
    unsafe { std::ptr::copy_nonoverlapping(message.as_ptr(), out, message.len().min(len)) };
    message.len()
}

unsafe extern "C" fn retain(context: *mut c_void) {
    // SAFETY: the pointer came from an `Arc<Inner>` that has an owner.
    unsafe { Arc::increment_strong_count(context.cast::<Inner>()) };
}

unsafe extern "C" fn release(context: *mut c_void) {
    // SAFETY: as above, and this owner is given up.
    unsafe { Arc::decrement_strong_count(context.cast::<Inner>()) };
}

/// A group with the table by which the other addon uses it. The table stays at its address for as long as this value lives.
pub struct Lent {
    table: Box<CollectiveTable>,
    group: Group,
}

impl Lent {
    /// Makes the table of a group.
    pub fn new(group: Group) -> Self {
        let table = Box::new(CollectiveTable {
            version: COLLECTIVE_VERSION,
            rank: group.rank(),
            size: group.size(),
            context: Arc::as_ptr(&group.inner).cast_mut().cast(),
            all_reduce_f32,
            all_reduce_f64,
            all_gather,
            error,
            retain,
            release,
        });
        Self { table, group }
    }

    /// The group.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// The table.
    pub fn table(&self) -> &CollectiveTable {
        &self.table
    }
}

// SAFETY: the table is only read, and its context is the group's own, which may be used from any thread.
unsafe impl Send for Lent {}
// SAFETY: as above.
unsafe impl Sync for Lent {}
