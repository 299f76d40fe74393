//! Layers without state, and gradient clipping.

use crate::tensor::{NativeTensor, TensorList, refs, unsettled, wrap};
use napi::Env;
use napi_derive::napi;
use recurra_binding::{IntoJs, to_js};
use recurra_torch::functional::{self as f, BagMode, Looked};
use recurra_torch::{Error, ErrorCode, Reduction, Tensor, clip};

/// A second handle on an optional tensor.
pub(crate) fn optional(tensor: Option<&NativeTensor>) -> napi::Result<Option<Tensor>> {
    tensor.map(NativeTensor::share).transpose()
}

fn unknown(name: &str, value: &str, known: &str) -> napi::Error {
    to_js(Error::new(ErrorCode::InvalidArgument, format!("{name} must be {known}, but is '{value}'")))
}

/// `x W^T + b`.
#[napi(catch_unwind)]
pub fn linear(
    env: Env,
    input: &NativeTensor,
    weight: &NativeTensor,
    bias: Option<&NativeTensor>,
) -> napi::Result<NativeTensor> {
    wrap(env, f::linear(&*input.get()?, &*weight.get()?, optional(bias)?.as_ref()))
}

/// Rows of a table by their ids; `paddingIdx` -1 for none.
#[napi(catch_unwind)]
pub fn embedding(env: Env, weight: &NativeTensor, ids: &NativeTensor, padding_idx: i64) -> napi::Result<NativeTensor> {
    Ok(match f::embedding_later(&*weight.peek()?, &*ids.get()?, padding_idx, ids.known_range()?).js()? {
        Looked::Now(tensor) => wrap(env, Ok(tensor))?,
        Looked::Later(embedded) => NativeTensor::later(env, embedded),
    })
}

/// How many rows of logits have their largest value at their label.
#[napi(catch_unwind)]
pub fn count_correct(logits: &NativeTensor, labels: &NativeTensor) -> napi::Result<i64> {
    f::count_correct(&*logits.get()?, &*labels.get()?).js()
}

/// Joined rows of bags.
#[napi(
    catch_unwind,
    ts_args_type = "weight: NativeTensor, ids: NativeTensor, offsets: NativeTensor | null, mode: 'sum' | 'mean' | 'max', perSampleWeights: NativeTensor | null, paddingIdx: number"
)]
pub fn embedding_bag(
    env: Env,
    weight: &NativeTensor,
    ids: &NativeTensor,
    offsets: Option<&NativeTensor>,
    mode: String,
    per_sample_weights: Option<&NativeTensor>,
    padding_idx: i64,
) -> napi::Result<NativeTensor> {
    let mode = match mode.as_str() {
        "sum" => BagMode::Sum,
        "mean" => BagMode::Mean,
        "max" => BagMode::Max,
        other => return Err(unknown("mode", other, "'sum', 'mean' or 'max'")),
    };
    let (offsets, weights) = (optional(offsets)?, optional(per_sample_weights)?);
    wrap(
        env,
        f::embedding_bag(
            &*weight.get()?,
            &*ids.get()?,
            offsets.as_ref(),
            mode,
            weights.as_ref(),
            padding_idx,
            ids.known_range()?,
        ),
    )
}

/// Zeroes elements at random in training.
#[napi(catch_unwind)]
pub fn dropout(env: Env, input: &NativeTensor, p: f64, train: bool) -> napi::Result<NativeTensor> {
    wrap(env, f::dropout(&*input.get()?, p, train))
}

/// Cross entropy of logits and targets.
#[napi(
    catch_unwind,
    ts_args_type = "logits: NativeTensor, target: NativeTensor, weight: NativeTensor | null, reduction: 'none' | 'mean' | 'sum', ignoreIndex: number, labelSmoothing: number"
)]
pub fn cross_entropy(
    env: Env,
    logits: &NativeTensor,
    target: &NativeTensor,
    weight: Option<&NativeTensor>,
    reduction: String,
    ignore_index: i64,
    label_smoothing: f64,
) -> napi::Result<NativeTensor> {
    let reduction = match reduction.as_str() {
        "none" => Reduction::None,
        "mean" => Reduction::Mean,
        "sum" => Reduction::Sum,
        other => return Err(unknown("reduction", other, "'none', 'mean' or 'sum'")),
    };
    let weight = optional(weight)?;
    let known = target.known_range()?;
    let (logits, target) = (logits.get()?, target.get()?);
    wrap(env, f::cross_entropy_of(&logits, (&target, known), weight.as_ref(), reduction, ignore_index, label_smoothing))
}

/// Scales all gradients so that their common norm is at most `maxNorm`; returns the norm before.
#[napi(catch_unwind)]
pub fn clip_grad_norm(params: TensorList<'_>, max_norm: f64, norm_type: f64) -> napi::Result<f64> {
    let params = unsettled(&params)?;
    clip::clip_grad_norm(&refs(&params), max_norm, norm_type).js()
}

/// Limits every element of every gradient.
#[napi(catch_unwind)]
pub fn clip_grad_value(params: TensorList<'_>, clip: f64) -> napi::Result<()> {
    let params = unsettled(&params)?;
    clip::clip_grad_value(&refs(&params), clip).js()
}
