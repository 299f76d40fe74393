//! What a tensor says about itself, for checks and messages.

use crate::Result;
use crate::error::IntoResult;
use crate::shim::abi::Number;
use tch::{Device, Kind, Tensor};

/// The name of a dtype, as users write it.
pub fn dtype_name(kind: Kind) -> String {
    match kind {
        Kind::Float => "float32".to_owned(),
        Kind::Double => "float64".to_owned(),
        Kind::BFloat16 => "bfloat16".to_owned(),
        Kind::Int64 => "int64".to_owned(),
        Kind::Int => "int32".to_owned(),
        Kind::Bool => "bool".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// The name of a device, as users write it.
pub fn device_name(device: Device) -> String {
    match device {
        Device::Cpu => "cpu".to_owned(),
        Device::Cuda(index) => format!("cuda:{index}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Whether gradients can flow through elements of this dtype.
pub fn is_floating(kind: Kind) -> bool {
    matches!(kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16)
}

/// Whether elements are `int64` or `int32`.
pub fn is_integer(tensor: &Tensor) -> bool {
    matches!(tensor.f_kind(), Ok(Kind::Int64 | Kind::Int))
}

/// A number that grows with every change of the elements by an operator.
pub fn version(tensor: &Tensor) -> Result<i64> {
    tensor.f_internal_version().torch()
}

/// Dtype and shape for a message: `float32 [2, 3]`.
pub fn describe(tensor: &Tensor) -> String {
    let kind = tensor.f_kind().map_or_else(|_| "undefined".to_owned(), dtype_name);
    format!("{kind} {:?}", tensor.size())
}

/// A JavaScript number combined with elements of a dtype: an integer for integers (as Python's `int`), otherwise a
/// float.
pub(crate) fn number_of(kind: Kind, value: f64) -> Number {
    let integral = !is_floating(kind) && value.fract() == 0.0 && value.abs() < 9.2e18;
    Number { value, integral: i32::from(integral) }
}

/// A JavaScript number combined with a tensor.
pub(crate) fn number_beside(tensor: &Tensor, value: f64) -> Number {
    number_of(tensor.f_kind().unwrap_or(Kind::Float), value)
}

/// Bytes of a tensor's elements.
pub fn bytes(tensor: &Tensor) -> usize {
    tensor.numel() * tensor.f_kind().map_or(0, |kind| kind.elt_size_in_bytes())
}
