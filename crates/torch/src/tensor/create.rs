//! New tensors: from bytes, constants, ranges and random numbers.

use crate::Result;
use crate::error::{IntoResult, argument, dtype, shape};
use crate::shim;
use crate::tensor::{dtype_name, is_floating, number_of};
use tch::{Device, Kind, Tensor};

/// Refuses negative dimensions and shapes whose size cannot be addressed; returns the number of elements.
fn elements(operation: &str, dims: &[i64]) -> Result<usize> {
    dims.iter()
        .try_fold(1_usize, |product, &dim| usize::try_from(dim).ok().and_then(|dim| product.checked_mul(dim)))
        .filter(|&count| count <= isize::MAX as usize / 8)
        .ok_or_else(|| shape(format!("{operation}: no tensor can have the shape {dims:?}")))
}

/// A CPU tensor with a copy of `bytes` (little-endian, row by row).
pub fn from_bytes(bytes: &[u8], kind: Kind, dims: &[i64]) -> Result<Tensor> {
    let wanted = elements("fromBytes", dims)? * kind.elt_size_in_bytes();
    if bytes.len() != wanted {
        return Err(shape(format!(
            "fromBytes: shape {dims:?} of {} needs {wanted} bytes, but {} were given",
            dtype_name(kind),
            bytes.len()
        )));
    }
    if kind == Kind::Bool {
        // In C++ a bool that is neither 0 nor 1 is undefined behaviour.
        let clean: Vec<u8> = bytes.iter().map(|&byte| u8::from(byte != 0)).collect();
        return Tensor::f_from_data_size(&clean, dims, kind).torch();
    }
    let made = Tensor::f_empty(dims, (kind, Device::Cpu)).torch()?;
    if !bytes.is_empty() {
        // SAFETY: a fresh contiguous tensor of that many bytes. tch fills one with zeros first.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), made.data_ptr().cast::<u8>(), bytes.len()) };
    }
    Ok(made)
}

/// An `int64` CPU tensor of one dimension.
pub fn from_i64(values: &[i64]) -> Result<Tensor> {
    Tensor::f_from_slice(values).torch()
}

/// An `int64` CPU tensor of one dimension from 32-bit numbers.
pub fn from_i32(values: &[i32]) -> Result<Tensor> {
    let wide: Vec<i64> = values.iter().map(|&value| i64::from(value)).collect();
    from_i64(&wide)
}

/// Zeros.
pub fn zeros(dims: &[i64], kind: Kind, device: Device) -> Result<Tensor> {
    elements("zeros", dims)?;
    Tensor::f_zeros(dims, (kind, device)).torch()
}

/// Ones.
pub fn ones(dims: &[i64], kind: Kind, device: Device) -> Result<Tensor> {
    elements("ones", dims)?;
    Tensor::f_ones(dims, (kind, device)).torch()
}

/// One value everywhere.
pub fn full(dims: &[i64], value: f64, kind: Kind, device: Device) -> Result<Tensor> {
    elements("full", dims)?;
    shim::full(dims, number_of(kind, value), &like(kind, device)?)
}

/// `start`, `start + step`, ... up to but without `end`.
pub fn arange(start: f64, end: f64, step: f64, kind: Kind, device: Device) -> Result<Tensor> {
    if !(start.is_finite() && end.is_finite() && step.is_finite()) || step == 0.0 || (end - start) * step < 0.0 {
        return Err(argument(format!(
            "arange: step must be finite, not 0, and lead from start to end; got start {start}, end {end}, step {step}"
        )));
    }
    elements("arange", &[((end - start) / step).ceil() as i64])?;
    let number = |value| number_of(kind, value);
    shim::arange(number(start), number(end), number(step), &like(kind, device)?)
}

/// Uniform over 0..1, from the global generator.
pub fn rand(dims: &[i64], kind: Kind, device: Device) -> Result<Tensor> {
    elements("rand", dims)?;
    only_floating("rand", kind)?;
    Tensor::f_rand(dims, (kind, device)).torch()
}

/// Standard normal, from the global generator.
pub fn randn(dims: &[i64], kind: Kind, device: Device) -> Result<Tensor> {
    elements("randn", dims)?;
    only_floating("randn", kind)?;
    Tensor::f_randn(dims, (kind, device)).torch()
}

/// Uniform integers, `low` included and `high` not, from the global generator.
pub fn randint(low: i64, high: i64, dims: &[i64], kind: Kind, device: Device) -> Result<Tensor> {
    elements("randint", dims)?;
    if low >= high {
        return Err(argument(format!("randint: low must be below high, but they are {low} and {high}")));
    }
    Tensor::f_randint_low(low, high, dims, (kind, device)).torch()
}

/// Ones on the diagonal of `[n, m]`.
pub fn eye(n: i64, m: i64, kind: Kind, device: Device) -> Result<Tensor> {
    elements("eye", &[n, m])?;
    Tensor::f_eye_m(n, m, (kind, device)).torch()
}

/// The numbers 0..n in random order, from the global generator.
pub fn randperm(n: i64, kind: Kind, device: Device) -> Result<Tensor> {
    elements("randperm", &[n])?;
    Tensor::f_randperm(n, (kind, device)).torch()
}

/// An empty tensor that carries dtype and device.
fn like(kind: Kind, device: Device) -> Result<Tensor> {
    Tensor::f_empty([0_i64], (kind, device)).torch()
}

fn only_floating(operation: &str, kind: Kind) -> Result<()> {
    if is_floating(kind) {
        return Ok(());
    }
    Err(dtype(format!("{operation}: dtype must be 'float32', 'float64' or 'bfloat16', but is '{}'", dtype_name(kind))))
}
