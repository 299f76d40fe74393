//! Checks that come before libtorch, with messages that name the argument.

use crate::error::{IntoResult, argument, dtype, range, shape};
use crate::tensor::{describe, device_name, dtype_name, is_floating};
use crate::{Error, ErrorCode, Result, autocast};
use tch::{Kind, Tensor};

/// Whether two shapes broadcast against each other.
fn broadcastable(a: &[i64], b: &[i64]) -> bool {
    a.iter().rev().zip(b.iter().rev()).all(|(x, y)| x == y || *x == 1 || *y == 1)
}

/// Both tensors lie on one device; zero-dimensional CPU tensors go with any (`scalars`).
fn device_fits(a: &Tensor, b: &Tensor, scalars: bool) -> bool {
    let (x, y) = (a.device(), b.device());
    x == y || (scalars && ((a.dim() == 0 && x == tch::Device::Cpu) || (b.dim() == 0 && y == tch::Device::Cpu)))
}

/// Refuses operands that do not broadcast or lie on different devices.
pub(crate) fn operands(operation: &str, a: &Tensor, b: &Tensor) -> Result<()> {
    if !device_fits(a, b, true) {
        return Err(different_devices(operation, a, b));
    }
    if broadcastable(&a.size(), &b.size()) {
        return Ok(());
    }
    Err(shape(format!(
        "{operation}: shapes {:?} and {:?} do not broadcast; each dimension, from the last, must be equal or 1",
        a.size(),
        b.size()
    )))
}

fn different_devices(operation: &str, a: &Tensor, b: &Tensor) -> Error {
    Error::new(
        ErrorCode::InvalidDevice,
        format!(
            "{operation}: all tensors must be on one device, but got {} and {}; move one with to({{ device }})",
            device_name(a.device()),
            device_name(b.device())
        ),
    )
}

/// Refuses `a` where it is not on the device of `b`.
pub(crate) fn same_device(operation: &str, name_a: &str, a: &Tensor, name_b: &str, b: &Tensor) -> Result<()> {
    if device_fits(a, b, false) {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::InvalidDevice,
        format!(
            "{operation}: {name_a} is on {}, {name_b} on {}; move one with to({{ device }})",
            device_name(a.device()),
            device_name(b.device())
        ),
    ))
}

/// Refuses `a` where its shape is not that of `b`.
pub(crate) fn same_shape(operation: &str, name_a: &str, a: &Tensor, name_b: &str, b: &Tensor) -> Result<()> {
    if a.size() == b.size() {
        return Ok(());
    }
    Err(shape(format!("{operation}: {name_a} must have the shape of {name_b}, {:?}, but has {:?}", b.size(), a.size())))
}

/// Refuses a tensor of another shape; `meaning` names the dimensions, as in `[layers * directions, batch, hidden]`.
pub(crate) fn has_shape(operation: &str, name: &str, tensor: &Tensor, meaning: &str, wanted: &[i64]) -> Result<()> {
    if tensor.size() == wanted {
        return Ok(());
    }
    Err(shape(format!("{operation}: {name} must be {meaning} = {wanted:?}, but is {:?}", tensor.size())))
}

/// Refuses a tensor with another number of dimensions.
pub(crate) fn has_rank(operation: &str, name: &str, tensor: &Tensor, rank: usize, meaning: &str) -> Result<()> {
    size_has_rank(operation, name, &tensor.size(), rank, meaning)
}

/// As [`has_rank`], for a shape.
pub(crate) fn size_has_rank(operation: &str, name: &str, size: &[i64], rank: usize, meaning: &str) -> Result<()> {
    if size.len() == rank {
        return Ok(());
    }
    Err(shape(format!("{operation}: {name} must be {meaning} ({rank} dimensions), but is {size:?}")))
}

/// Refuses a tensor that is not `float32`, `float64` or `bfloat16`.
pub(crate) fn floating(operation: &str, name: &str, tensor: &Tensor) -> Result<()> {
    if is_floating(tensor.f_kind().torch()?) {
        return Ok(());
    }
    Err(dtype(format!("{operation}: {name} must be float32, float64 or bfloat16, but is {}", describe(tensor))))
}

/// Refuses `a` if its dtype differs from that of `b`.
pub(crate) fn same_dtype(operation: &str, name_a: &str, a: &Tensor, name_b: &str, b: &Tensor) -> Result<()> {
    let (x, y) = (a.f_kind().torch()?, b.f_kind().torch()?);
    if x == y {
        return Ok(());
    }
    Err(dtype(format!(
        "{operation}: {name_a} is {}, but {name_b} is {}; convert one with to({{ dtype }})",
        dtype_name(x),
        dtype_name(y)
    )))
}

/// As [`same_dtype`], of an operator that autocast brings to one dtype: inside it, float32 and bfloat16 go together.
pub(crate) fn same_dtype_or_autocast(
    operation: &str,
    name_a: &str,
    a: &Tensor,
    name_b: &str,
    b: &Tensor,
) -> Result<()> {
    if autocast::reconciles(a, b) { Ok(()) } else { same_dtype(operation, name_a, a, name_b, b) }
}

/// Refuses a tensor that holds no indices (`int64` or `int32`).
pub(crate) fn integers(operation: &str, name: &str, tensor: &Tensor) -> Result<()> {
    match tensor.f_kind().torch()? {
        Kind::Int64 | Kind::Int => Ok(()),
        _ => Err(dtype(format!("{operation}: {name} must be int64 or int32, but is {}", describe(tensor)))),
    }
}

/// Ids on the CPU, read where they lie.
pub(crate) enum Ids<'a> {
    /// Of dtype int64.
    Long(&'a [i64]),
    /// Of dtype int32.
    Int(&'a [i32]),
}

impl<'a> Ids<'a> {
    /// The elements of a contiguous integer tensor on the CPU; `None` for any other.
    pub fn of(tensor: &'a Tensor) -> Result<Option<Self>> {
        if tensor.device() != tch::Device::Cpu || !tensor.is_contiguous() {
            return Ok(None);
        }
        let (kind, count) = (tensor.f_kind().torch()?, tensor.numel());
        if count == 0 {
            return Ok(Some(Self::Long(&[])));
        }
        let at = tensor.data_ptr().cast_const();
        // SAFETY: a contiguous CPU tensor has `count` elements of its dtype at its address.
        Ok(unsafe {
            match kind {
                Kind::Int64 => Some(Self::Long(std::slice::from_raw_parts(at.cast(), count))),
                Kind::Int => Some(Self::Int(std::slice::from_raw_parts(at.cast(), count))),
                _ => None,
            }
        })
    }

    /// All ids.
    pub fn iter(&self) -> Box<dyn Iterator<Item = i64> + '_> {
        match self {
            Self::Long(ids) => Box::new(ids.iter().copied()),
            Self::Int(ids) => Box::new(ids.iter().map(|&id| i64::from(id))),
        }
    }

    /// Smallest and largest id; `None` without ids.
    pub fn range(&self) -> Option<(i64, i64)> {
        fn ends<T: Copy + Ord + Into<i64>>(ids: &[T]) -> Option<(i64, i64)> {
            let first = *ids.first()?;
            let (least, most) = ids.iter().fold((first, first), |(a, b), &id| (a.min(id), b.max(id)));
            Some((least.into(), most.into()))
        }
        match self {
            Self::Long(ids) => ends(ids),
            Self::Int(ids) => ends(ids),
        }
    }
}

/// Smallest and largest element of a tensor of integers; `None` for an empty one.
pub fn range_of(tensor: &Tensor) -> Result<Option<(i64, i64)>> {
    if let Some(ids) = Ids::of(tensor)? {
        return Ok(ids.range());
    }
    if tensor.numel() == 0 {
        return Ok(None);
    }
    let (least, most) = tensor.detach().f_aminmax(None, false).torch()?;
    Ok(Some((least.f_int64_value(&[]).torch()?, most.f_int64_value(&[]).torch()?)))
}

/// Refuses indices outside `0..size`. Reads the tensor (on a GPU it waits for it: there, a wrong index would end the
/// process's use of the device).
pub(crate) fn indices(operation: &str, name: &str, tensor: &Tensor, low: i64, size: i64) -> Result<()> {
    let Some((least, most)) = range_of(tensor)? else { return Ok(()) };
    if least < low || most >= size {
        let wrong = if least < low { least } else { most };
        return Err(range(format!("{operation}: {name} must be at least {low} and below {size}, but holds {wrong}")));
    }
    Ok(())
}

/// The dimension `dim` of a tensor, counted from the end where it is negative, as an index.
pub(crate) fn axis(operation: &str, tensor: &Tensor, dim: i64) -> Result<usize> {
    axis_of_rank(operation, dim, tensor.dim())
}

/// The dimension `dim` among `rank` dimensions; scalars count as one dimension, as in PyTorch.
pub(crate) fn axis_of_rank(operation: &str, dim: i64, rank: usize) -> Result<usize> {
    let rank = rank.max(1) as i64;
    if dim < -rank || dim >= rank {
        return Err(range(format!("{operation}: dim must be at least {} and below {rank}, but is {dim}", -rank)));
    }
    Ok((if dim < 0 { dim + rank } else { dim }) as usize)
}

/// Refuses a dropout probability outside 0..=1.
pub(crate) fn probability(operation: &str, p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) {
        return Ok(());
    }
    Err(argument(format!("{operation}: the dropout probability must be from 0 to 1, but is {p}")))
}
