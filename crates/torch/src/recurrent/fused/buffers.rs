//! Memory of tensors as slices, and states in the packed order.

use std::borrow::Cow;
use std::slice;

/// # Safety
/// `values` must be null or have `len` values.
pub(super) unsafe fn view<'a>(values: *const f32, len: usize) -> Option<&'a [f32]> {
    // SAFETY: by the caller's promise.
    (!values.is_null()).then(|| unsafe { slice::from_raw_parts(values, len) })
}

/// States `[.., rows, size]` with their rows in the packed order.
pub(super) fn to_packed<'a>(states: Option<&'a [f32]>, order: Option<&[i32]>, size: usize) -> Option<Cow<'a, [f32]>> {
    let states = states?;
    let Some(order) = order else { return Some(Cow::Borrowed(states)) };
    let mut packed = Vec::with_capacity(states.len());
    for part in states.chunks_exact(order.len() * size) {
        for &row in order {
            packed.extend_from_slice(&part[row as usize * size..][..size]);
        }
    }
    Some(Cow::Owned(packed))
}

/// # Safety
/// `values` must be null or have room for `len` values that nothing else uses.
pub(super) unsafe fn room<'a>(values: *mut f32, len: usize) -> Option<&'a mut [f32]> {
    // SAFETY: by the caller's promise.
    (!values.is_null()).then(|| unsafe { slice::from_raw_parts_mut(values, len) })
}

/// The reverse of [`to_packed`], in place.
pub(super) fn reorder(states: Option<&mut [f32]>, order: Option<&[i32]>, size: usize) {
    let (Some(states), Some(order)) = (states, order) else { return };
    let packed = states.to_vec();
    let part = order.len() * size;
    for (from, to) in packed.chunks_exact(part).zip(states.chunks_exact_mut(part)) {
        for (row, from) in order.iter().zip(from.chunks_exact(size)) {
            to[*row as usize * size..][..size].copy_from_slice(from);
        }
    }
}
