//! Element by element: unary, binary with broadcasting, and with a number.

use crate::Result;
use crate::check::{operands, same_device};
use crate::error::{IntoResult, argument, dtype, shape};
use crate::shim::abi::Operation;
use crate::shim::{self, with_number};
use crate::tensor::{describe, number_beside};
use tch::{Kind, Tensor};

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident => $call:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(x: &Tensor) -> Result<Tensor> {
            x.$call().torch()
        }
    )*};
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident, $shown:literal => $call:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(a: &Tensor, b: &Tensor) -> Result<Tensor> {
            operands($shown, a, b)?;
            a.$call(b).torch()
        }
    )*};
}

macro_rules! with_number {
    ($($(#[$doc:meta])* $name:ident => $call:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(x: &Tensor, value: f64) -> Result<Tensor> {
            with_number(Operation::$call, x, number_beside(x, value))
        }
    )*};
}

unary! {
    /// `-x`.
    neg => f_neg;
    /// `|x|`.
    abs => f_abs;
    /// `e^x`.
    exp => f_exp;
    /// Natural logarithm.
    log => f_log;
    /// Square root.
    sqrt => f_sqrt;
    /// `x * x`.
    square => f_square;
    /// Hyperbolic tangent.
    tanh => f_tanh;
    /// `1 / (1 + e^-x)`.
    sigmoid => f_sigmoid;
    /// `max(x, 0)`.
    relu => f_relu;
    /// Whether an element is 0 (or false).
    logical_not => f_logical_not;
    /// `1 / x`.
    reciprocal => f_reciprocal;
    /// Whether an element is neither infinite nor NaN.
    isfinite => f_isfinite;
}

binary! {
    /// `a + b`.
    add, "add" => f_add;
    /// `a - b`.
    sub, "sub" => f_sub;
    /// `a * b`.
    mul, "mul" => f_mul;
    /// `a / b`, floating point also for integers.
    div, "div" => f_div;
    /// `a ^ b`.
    pow, "pow" => f_pow;
    /// The larger of two elements; NaN if one is.
    maximum, "maximum" => f_maximum;
    /// The smaller of two elements; NaN if one is.
    minimum, "minimum" => f_minimum;
    /// `a == b`.
    eq, "eq" => f_eq_tensor;
    /// `a != b`.
    ne, "ne" => f_ne_tensor;
    /// `a < b`.
    lt, "lt" => f_lt_tensor;
    /// `a <= b`.
    le, "le" => f_le_tensor;
    /// `a > b`.
    gt, "gt" => f_gt_tensor;
    /// `a >= b`.
    ge, "ge" => f_ge_tensor;
    /// Both are not 0.
    logical_and, "logicalAnd" => f_logical_and;
    /// One is not 0.
    logical_or, "logicalOr" => f_logical_or;
}

with_number! {
    /// `x + value`.
    add_scalar => Add;
    /// `x - value`.
    sub_scalar => Sub;
    /// `x * value`.
    mul_scalar => Mul;
    /// `x / value`.
    div_scalar => Div;
    /// `x ^ value`.
    pow_scalar => Pow;
    /// `value - x`.
    rsub_scalar => ReverseSub;
    /// `value / x`.
    rdiv_scalar => ReverseDiv;
    /// `x == value`.
    eq_scalar => Eq;
    /// `x != value`.
    ne_scalar => Ne;
    /// `x < value`.
    lt_scalar => Lt;
    /// `x <= value`.
    le_scalar => Le;
    /// `x > value`.
    gt_scalar => Gt;
    /// `x >= value`.
    ge_scalar => Ge;
}

/// Matrix product, as `torch.matmul`: vectors, matrices and batches of them.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    same_device("matmul", "the left side", a, "the right side", b)?;
    let (left, right) = (a.size(), b.size());
    let (Some(&inner), Some(&last)) = (left.last(), right.last()) else {
        return Err(shape(format!("matmul: both sides need at least one dimension, but are {left:?} and {right:?}")));
    };
    let rows = if right.len() == 1 { last } else { right[right.len() - 2] };
    if inner != rows {
        return Err(shape(format!(
            "matmul: the last dimension of the left side must equal the {} of the right, but the shapes are {left:?} and {right:?}",
            if right.len() == 1 { "length" } else { "last but one" }
        )));
    }
    a.f_matmul(b).torch()
}

/// Limits the elements to `min..=max`; at least one bound must be given.
pub fn clamp(x: &Tensor, min: Option<f64>, max: Option<f64>) -> Result<Tensor> {
    if min.is_none() && max.is_none() {
        return Err(argument("clamp: give min, max or both"));
    }
    let number = |bound: f64| number_beside(x, bound);
    shim::clamp(x, min.map(number), max.map(number))
}

pub(super) fn boolean(operation: &str, name: &str, x: &Tensor) -> Result<()> {
    if x.f_kind().torch()? == Kind::Bool {
        return Ok(());
    }
    Err(dtype(format!("{operation}: {name} must be bool, but is {}", describe(x))))
}

/// `value` where the mask is true, otherwise `x`.
pub fn masked_fill(x: &Tensor, mask: &Tensor, value: f64) -> Result<Tensor> {
    boolean("maskedFill", "mask", mask)?;
    operands("maskedFill", x, mask)?;
    shim::masked_fill(x, mask, number_beside(x, value))
}

/// `x` where the condition is true, otherwise `other`.
pub fn where_self(x: &Tensor, condition: &Tensor, other: &Tensor) -> Result<Tensor> {
    boolean("where", "condition", condition)?;
    operands("where", condition, x)?;
    operands("where", condition, other)?;
    operands("where", x, other)?;
    x.f_where_self(condition, other).torch()
}
