//! Safe calls of the shim, for what several modules need.

use super::abi::{Number, Operation};
use super::functions::{
    Owned, recurra_add_number_, recurra_arange, recurra_clamp, recurra_clamp_, recurra_collect, recurra_embedding_rows,
    recurra_full, recurra_masked_fill, recurra_masked_fill_, recurra_norms, recurra_pad_packed, recurra_scale_,
    recurra_small_cross_entropy, recurra_small_linear, recurra_spread, recurra_with_number,
};
use super::message::{check, handle, handles, owned};
use crate::Result;
use std::ffi::c_int;
use std::ptr;
use tch::Tensor;

/// One operation of a tensor and a number.
pub(crate) fn with_number(operation: Operation, tensor: &Tensor, number: Number) -> Result<Tensor> {
    // SAFETY: borrowed handle, pointers to locals.
    owned(|out| unsafe { recurra_with_number(operation as c_int, handle(tensor), &raw const number, out) })
}

/// `tensor += alpha * number`, or `-=` with `subtract`.
pub(crate) fn add_number(tensor: &Tensor, number: Number, alpha: Number, subtract: bool) -> Result<()> {
    let subtract = c_int::from(subtract);
    // SAFETY: borrowed handle, pointers to locals.
    check(unsafe { recurra_add_number_(handle(tensor), &raw const number, &raw const alpha, subtract) })
}

/// A pointer to a bound, null where there is none.
fn bound(number: Option<&Number>) -> *const Number {
    number.map_or(ptr::null(), ptr::from_ref)
}

/// Limits elements to what bounds there are.
pub(crate) fn clamp(tensor: &Tensor, min: Option<Number>, max: Option<Number>) -> Result<Tensor> {
    // SAFETY: borrowed handle, pointers to locals or null.
    owned(|out| unsafe { recurra_clamp(handle(tensor), bound(min.as_ref()), bound(max.as_ref()), out) })
}

/// As [`clamp`], in place.
pub(crate) fn clamp_in_place(tensor: &Tensor, min: Option<Number>, max: Option<Number>) -> Result<()> {
    // SAFETY: borrowed handle, pointers to locals or null.
    check(unsafe { recurra_clamp_(handle(tensor), bound(min.as_ref()), bound(max.as_ref())) })
}

/// A number where the mask is true.
pub(crate) fn masked_fill(tensor: &Tensor, mask: &Tensor, value: Number) -> Result<Tensor> {
    // SAFETY: borrowed handles, pointers to locals.
    owned(|out| unsafe { recurra_masked_fill(handle(tensor), handle(mask), &raw const value, out) })
}

/// As [`masked_fill`], in place.
pub(crate) fn masked_fill_in_place(tensor: &Tensor, mask: &Tensor, value: Number) -> Result<()> {
    // SAFETY: borrowed handles, pointers to locals.
    check(unsafe { recurra_masked_fill_(handle(tensor), handle(mask), &raw const value) })
}

/// One number everywhere, with dtype and device of `like`.
pub(crate) fn full(dims: &[i64], value: Number, like: &Tensor) -> Result<Tensor> {
    // SAFETY: borrowed handle, `dims` with its length, pointers to locals.
    owned(|out| unsafe { recurra_full(dims.as_ptr(), dims.len(), &raw const value, handle(like), out) })
}

/// `start`, `start + step`, ... without `end`, with dtype and device of `like`.
pub(crate) fn arange(start: Number, end: Number, step: Number, like: &Tensor) -> Result<Tensor> {
    // SAFETY: borrowed handle, pointers to locals.
    owned(|out| unsafe { recurra_arange(&raw const start, &raw const end, &raw const step, handle(like), out) })
}

/// Row `i` of the result is row `index[i]` of a CPU tensor, whose first dimensions `leading` count as one.
///
/// The index must not be empty and be inside the rows.
pub(crate) fn collect(tensor: &Tensor, index: &[i64], leading: &[i64]) -> Result<Tensor> {
    let (at, rank) = (leading.as_ptr(), leading.len());
    // SAFETY: borrowed handle, slices with their lengths.
    owned(|out| unsafe { recurra_collect(handle(tensor), index.as_ptr(), index.len(), at, rank, out) })
}

/// `values` as the rows `ids` of `weight`, whose gradient then names those rows; the row `padding` gets none.
pub(crate) fn embedding_rows(weight: &Tensor, values: &Tensor, ids: &Tensor, padding: i64) -> Result<Tensor> {
    // SAFETY: all handles are borrowed from live tensors.
    owned(|out| unsafe { recurra_embedding_rows(handle(weight), handle(values), handle(ids), padding, out) })
}

/// `x W^T + b` of contiguous float32 matrices on the CPU that fit each other, on one thread.
pub(crate) fn small_linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let bias = bias.map_or(ptr::null(), handle);
    // SAFETY: all handles are borrowed from live tensors, or null, which means no bias.
    owned(|out| unsafe { recurra_small_linear(handle(x), handle(weight), bias, out) })
}

/// Cross entropy of contiguous float32 logits `[rows, classes]` on the CPU and contiguous int64 targets that are classes or
/// `ignored`, on one thread.
pub(crate) fn small_cross_entropy(logits: &Tensor, target: &Tensor, mean: bool, ignored: i64) -> Result<Tensor> {
    // SAFETY: both handles are borrowed from live tensors.
    owned(|out| unsafe { recurra_small_cross_entropy(handle(logits), handle(target), c_int::from(mean), ignored, out) })
}

/// The reverse of [`collect`]; `padding` fills the rows that the index, whose entries are distinct, does not name.
pub(crate) fn spread(tensor: &Tensor, index: &[i64], leading: &[i64], padding: f64) -> Result<Tensor> {
    let (at, rank) = (leading.as_ptr(), leading.len());
    // SAFETY: borrowed handle, slices with their lengths.
    owned(|out| unsafe { recurra_spread(handle(tensor), index.as_ptr(), index.len(), at, rank, padding, out) })
}

/// Packed rows, padded, and their lengths.
pub(crate) fn pad_packed(
    data: &Tensor,
    batch_sizes: &Tensor,
    batch_first: bool,
    padding: Number,
    total_length: i64,
) -> Result<(Tensor, Tensor)> {
    let mut lengths = ptr::null_mut();
    // SAFETY: borrowed handles, pointers to locals.
    let output = owned(|out| unsafe {
        recurra_pad_packed(
            handle(data),
            handle(batch_sizes),
            c_int::from(batch_first),
            &raw const padding,
            total_length,
            out,
            &mut lengths,
        )
    })?;
    // SAFETY: without an error the shim has written both tensors.
    Ok((output, unsafe { Tensor::from_ptr(lengths.cast()) }))
}

/// The p-norm of each tensor; all are on one device.
pub(crate) fn norms(tensors: &[Tensor], p: f64) -> Result<Vec<Tensor>> {
    let mut out: Vec<Owned> = vec![ptr::null_mut(); tensors.len()];
    let list = handles(tensors);
    // SAFETY: borrowed handles and room for as many results.
    check(unsafe { recurra_norms(list.as_ptr(), list.len(), p, out.as_mut_ptr()) })?;
    // SAFETY: without an error the shim has written tensors made with `new`, which tch frees with `delete`.
    Ok(out.into_iter().map(|at| unsafe { Tensor::from_ptr(at.cast()) }).collect())
}

/// Multiplies all tensors, which are on one device, by a tensor of one element there, in place.
pub(crate) fn scale(tensors: &[Tensor], factor: &Tensor) -> Result<()> {
    let list = handles(tensors);
    // SAFETY: borrowed handles, as many as are said.
    check(unsafe { recurra_scale_(list.as_ptr(), list.len(), handle(factor)) })
}
