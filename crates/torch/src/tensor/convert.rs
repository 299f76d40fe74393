//! From tensors to bytes and numbers, and between dtypes, devices and graphs.

use crate::error::{IntoResult, shape};
use crate::tensor::describe;
use crate::{Result, cuda};
use tch::{Device, Kind, Tensor};

/// The elements as bytes (little-endian, row by row), copied from wherever the tensor lies.
pub fn to_bytes(tensor: &Tensor) -> Result<Vec<u8>> {
    let count = tensor.numel();
    let mut bytes = vec![0_u8; count * tensor.f_kind().torch()?.elt_size_in_bytes()];
    tensor.f_copy_data_u8(&mut bytes, count).torch()?;
    Ok(bytes)
}

/// The elements of a float32 tensor.
pub fn to_f32(tensor: &Tensor) -> Result<Vec<f32>> {
    let count = tensor.numel();
    let mut values = vec![0_f32; count];
    tensor.f_copy_data(&mut values, count).torch()?;
    Ok(values)
}

/// The elements of a float64 tensor.
pub fn to_f64(tensor: &Tensor) -> Result<Vec<f64>> {
    let count = tensor.numel();
    let mut values = vec![0_f64; count];
    tensor.f_copy_data(&mut values, count).torch()?;
    Ok(values)
}

/// The elements of an int64 tensor.
pub fn to_i64(tensor: &Tensor) -> Result<Vec<i64>> {
    let count = tensor.numel();
    let mut values = vec![0_i64; count];
    tensor.f_copy_data(&mut values, count).torch()?;
    Ok(values)
}

/// The one element of a tensor as a number; integers beyond 2^53 are rounded.
pub fn item(tensor: &Tensor) -> Result<f64> {
    if tensor.numel() != 1 {
        return Err(shape(format!("item: the tensor must have one element, but is {}", describe(tensor))));
    }
    if tensor.device() == Device::Cpu && !tensor.is_sparse() {
        let (at, kind) = (tensor.data_ptr(), tensor.f_kind().torch()?);
        // An operator would take ten times as long.
        // SAFETY: a dense tensor of one element on the CPU, of the dtype that is read.
        let value = unsafe {
            match kind {
                Kind::Float => Some(f64::from(at.cast::<f32>().read())),
                Kind::Double => Some(at.cast::<f64>().read()),
                Kind::Int64 => Some(at.cast::<i64>().read() as f64),
                _ => None,
            }
        };
        if let Some(value) = value {
            return Ok(value);
        }
    }
    let flat = tensor.f_reshape([1_i64]).torch()?;
    flat.f_double_value(&[0]).torch()
}

/// The same values without their history; shares memory.
pub fn detach(tensor: &Tensor) -> Result<Tensor> {
    tensor.f_detach().torch()
}

/// A copy that remains in the graph.
pub fn clone(tensor: &Tensor) -> Result<Tensor> {
    // tch's `f_clone` writes into its argument and returns that.
    tensor.f_to_dtype(tensor.f_kind().torch()?, false, true).torch()
}

/// The same values laid out row by row; the tensor itself where it is so already.
pub fn contiguous(tensor: &Tensor) -> Result<Tensor> {
    tensor.f_contiguous().torch()
}

/// The values in another dtype; the tensor itself where it has it already.
pub fn to_dtype(tensor: &Tensor, kind: Kind) -> Result<Tensor> {
    tensor.f_to_dtype(kind, false, false).torch()
}

/// The values on another device; the tensor itself where it is there already. The host does not wait for a copy onto a GPU, unless
/// gradients flow through it.
pub fn to_device(tensor: &Tensor, device: Device) -> Result<Tensor> {
    match device {
        Device::Cuda(index) if tensor.device() == Device::Cpu && !tensor.requires_grad() && tensor.numel() > 0 => {
            cuda::copy_to(tensor, index)
        }
        _ => tensor.f_to(device).torch(),
    }
}

/// A sparse gradient with all of its rows.
pub(crate) fn to_dense(grad: &Tensor) -> Result<Tensor> {
    grad.f_to_dense(None::<Kind>, false).torch()
}
