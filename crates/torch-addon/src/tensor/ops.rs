//! Element by element.

use super::{NativeTensor, wrap};
use napi::Env;
use napi_derive::napi;
use recurra_torch::tensor::math;

/// Each macro writes a whole `impl` block, so that `#[napi]` sees every method.
macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        #[napi]
        impl NativeTensor {$(
            $(#[$doc])*
            #[napi(catch_unwind)]
            pub fn $name(&self, env: Env) -> napi::Result<NativeTensor> {
                wrap(env, math::$name(&*self.get()?))
            }
        )*}
    };
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        #[napi]
        impl NativeTensor {$(
            $(#[$doc])*
            #[napi(catch_unwind)]
            pub fn $name(&self, env: Env, other: &NativeTensor) -> napi::Result<NativeTensor> {
                wrap(env, math::$name(&*self.get()?, &*other.get()?))
            }
        )*}
    };
}

macro_rules! scalar {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        #[napi]
        impl NativeTensor {$(
            $(#[$doc])*
            #[napi(catch_unwind)]
            pub fn $name(&self, env: Env, value: f64) -> napi::Result<NativeTensor> {
                wrap(env, math::$name(&*self.get()?, value))
            }
        )*}
    };
}

unary! {
    /// `-x`.
    neg;
    /// `|x|`.
    abs;
    /// `e^x`.
    exp;
    /// Natural logarithm.
    log;
    /// Square root.
    sqrt;
    /// `x * x`.
    square;
    /// Hyperbolic tangent.
    tanh;
    /// `1 / (1 + e^-x)`.
    sigmoid;
    /// `max(x, 0)`.
    relu;
    /// Whether an element is 0.
    logical_not;
    /// `1 / x`.
    reciprocal;
    /// Whether an element is neither infinite nor NaN.
    isfinite;
}

binary! {
    /// `a + b`.
    add;
    /// `a - b`.
    sub;
    /// `a * b`.
    mul;
    /// `a / b`.
    div;
    /// `a ^ b`.
    pow;
    /// The larger element.
    maximum;
    /// The smaller element.
    minimum;
    /// Matrix product.
    matmul;
    /// `a == b`.
    eq;
    /// `a != b`.
    ne;
    /// `a < b`.
    lt;
    /// `a <= b`.
    le;
    /// `a > b`.
    gt;
    /// `a >= b`.
    ge;
    /// Both are not 0.
    logical_and;
    /// One is not 0.
    logical_or;
}

scalar! {
    /// `x + value`.
    add_scalar;
    /// `x - value`.
    sub_scalar;
    /// `x * value`.
    mul_scalar;
    /// `x / value`.
    div_scalar;
    /// `x ^ value`.
    pow_scalar;
    /// `value - x`.
    rsub_scalar;
    /// `value / x`.
    rdiv_scalar;
    /// `x == value`.
    eq_scalar;
    /// `x != value`.
    ne_scalar;
    /// `x < value`.
    lt_scalar;
    /// `x <= value`.
    le_scalar;
    /// `x > value`.
    gt_scalar;
    /// `x >= value`.
    ge_scalar;
}

#[napi]
impl NativeTensor {
    /// Limits the elements.
    #[napi(catch_unwind)]
    pub fn clamp(&self, env: Env, min: Option<f64>, max: Option<f64>) -> napi::Result<NativeTensor> {
        wrap(env, math::clamp(&*self.get()?, min, max))
    }

    /// `value` where the mask is true.
    #[napi(catch_unwind)]
    pub fn masked_fill(&self, env: Env, mask: &NativeTensor, value: f64) -> napi::Result<NativeTensor> {
        wrap(env, math::masked_fill(&*self.get()?, &*mask.get()?, value))
    }

    /// This where the condition is true, else the other.
    #[napi(catch_unwind, js_name = "where")]
    pub fn where_self(&self, env: Env, condition: &NativeTensor, other: &NativeTensor) -> napi::Result<NativeTensor> {
        wrap(env, math::where_self(&*self.get()?, &*condition.get()?, &*other.get()?))
    }
}
