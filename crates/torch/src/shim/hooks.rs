//! The functions of `shim/hooks.cpp`: closures that a backward pass calls.

use super::functions::{Handle, Message, recurra_allocate};
use super::message::{check, handle};
use crate::{Error, Result, guard};
use std::ffi::c_void;
use std::ptr;
use tch::Tensor;

type Ready = unsafe extern "C" fn(*mut c_void, usize) -> Message;
type Release = unsafe extern "C" fn(*mut c_void);

unsafe extern "C" {
    fn recurra_on_gradient(this: Handle, ready: Ready, release: Release, context: *mut c_void, index: usize)
    -> Message;
    fn recurra_after_backward(last: Ready, release: Release, context: *mut c_void) -> Message;
}

/// What a backward pass calls; an error ends the pass.
type Called = Box<dyn Fn() -> Result<()> + Send + Sync>;

/// An error as an exception of C++ carries it: in its crossing form, from `malloc`.
fn thrown(error: &Error) -> Message {
    let text = error.to_wire().replace('\0', " ");
    // SAFETY: `len + 1` bytes are allocated and written, the last one NUL.
    unsafe {
        let at = recurra_allocate(text.len() + 1).cast::<u8>();
        if !at.is_null() {
            ptr::copy_nonoverlapping(text.as_ptr(), at, text.len());
            at.add(text.len()).write(0);
        }
        at.cast()
    }
}

unsafe extern "C" fn called(context: *mut c_void, _: usize) -> Message {
    // SAFETY: the box that was given away, which `release` frees later.
    let call = unsafe { &*context.cast::<Called>() };
    guard(call).map_or_else(|error| thrown(&error), |()| ptr::null_mut())
}

unsafe extern "C" fn release(context: *mut c_void) {
    // SAFETY: the box that was given away, and the shim calls this once.
    drop(unsafe { Box::from_raw(context.cast::<Called>()) });
}

fn given_away(call: impl Fn() -> Result<()> + Send + Sync + 'static) -> *mut c_void {
    let call: Called = Box::new(call);
    Box::into_raw(Box::new(call)).cast()
}

/// Calls a closure whenever a backward pass has added to the gradient of a leaf, instead of one that was there.
pub(crate) fn on_gradient(leaf: &Tensor, call: impl Fn() -> Result<()> + Send + Sync + 'static) -> Result<()> {
    // SAFETY: a borrowed handle and a box that `release` frees.
    check(unsafe { recurra_on_gradient(handle(leaf), called, release, given_away(call), 0) })
}

/// Calls a closure at the end of the backward pass that this thread runs.
pub(crate) fn after_backward(call: impl Fn() -> Result<()> + Send + Sync + 'static) -> Result<()> {
    // SAFETY: a box that `release` frees.
    check(unsafe { recurra_after_backward(called, release, given_away(call)) })
}
