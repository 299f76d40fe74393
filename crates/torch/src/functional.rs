//! Layers without state: linear, embeddings, dropout, cross entropy.

use crate::Result;
use crate::autograd::{grad, set_grad};
use crate::check::{
    Ids, floating, has_rank, has_shape, indices, integers, probability, same_device, same_dtype, same_dtype_or_autocast,
};
use crate::embedded::Embedded;
use crate::error::{IntoResult, argument, range, shape};
use crate::tally::rows_right;
use crate::tensor::convert::{to_dense, to_device};
use crate::tensor::is_floating;
use crate::{autocast, context, late, shim};
use tch::{Device, Kind, Reduction, Tensor};

/// `x W^T + b`; `x` `[..., inputs]`, `weight` `[outputs, inputs]`, `bias` `[outputs]`.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    has_rank("linear", "weight", weight, 2, "[outputs, inputs]")?;
    let size = weight.size();
    if x.size().last() != Some(&size[1]) {
        return Err(shape(format!(
            "linear: input must be [..., {}] for a weight {size:?}, but is {:?}",
            size[1],
            x.size()
        )));
    }
    floating("linear", "input", x)?;
    same_dtype_or_autocast("linear", "weight", weight, "input", x)?;
    same_device("linear", "weight", weight, "input", x)?;
    if let Some(bias) = bias {
        has_shape("linear", "bias", bias, "[outputs]", &size[..1])?;
        same_dtype_or_autocast("linear", "bias", bias, "input", x)?;
        same_device("linear", "bias", bias, "input", x)?;
    }
    let work = size[0].saturating_mul(x.numel() as i64);
    let plain = |tensor: &Tensor| small(tensor, SMALL_LINEAR);
    if x.dim() == 2
        && !autocast::active(x.device())
        && work <= SMALL_LINEAR
        && plain(x)
        && plain(weight)
        && bias.is_none_or(plain)
    {
        return shim::small_linear(x, weight, bias);
    }
    x.f_linear(weight, bias).torch()
}

/// Up to so many multiplications a linear layer is faster by plain loops than by libtorch's operators, and up to so many logits
/// the cross entropy (`shim/small.cpp`).
const SMALL_LINEAR: i64 = 1 << 16;
const SMALL_LOGITS: i64 = 1 << 12;

/// Whether a tensor has few elements that lie in memory as plain loops read them.
fn small(tensor: &Tensor, limit: i64) -> bool {
    context::fused_kernels()
        && tensor.device() == Device::Cpu
        && (1..=limit).contains(&(tensor.numel() as i64))
        && tensor.f_kind().is_ok_and(|kind| kind == Kind::Float)
        && tensor.is_contiguous()
}

/// Smallest and largest id, where they are known: reading them from a GPU would wait for it.
pub type KnownRange = Option<(i64, i64)>;

fn check_table(operation: &str, weight: &Tensor, ids: &Tensor, padding_idx: i64, known: KnownRange) -> Result<()> {
    has_rank(operation, "weight", weight, 2, "[rows, dims]")?;
    same_device(operation, "ids", ids, "weight", weight)?;
    integers(operation, "ids", ids)?;
    let rows = weight.size()[0];
    if padding_idx < -1 || padding_idx >= rows {
        return Err(range(format!(
            "{operation}: paddingIdx must be at least 0 and below {rows}, but is {padding_idx}"
        )));
    }
    if known.is_some_and(|(least, most)| least >= 0 && most < rows) {
        return Ok(());
    }
    indices(operation, "ids", ids, 0, rows)
}

/// Rows of `weight` `[rows, dims]` by `ids` `[...]`: `[..., dims]`. The row `padding_idx` (-1: none) gets no gradient.
pub fn embedding(weight: &Tensor, ids: &Tensor, padding_idx: i64) -> Result<Tensor> {
    match embedding_later(weight, ids, padding_idx, None)? {
        Looked::Now(tensor) => Ok(tensor),
        Looked::Later(embedded) => embedded.tensor(),
    }
}

/// As [`embedding`], not written out where that can wait; see [`Embedded`]. The gradient of a parameter then names its rows, so
/// that an optimizer can leave the others for later; it is handed out dense (`autograd::dense_grad`).
pub fn embedding_later(weight: &Tensor, ids: &Tensor, padding_idx: i64, known: KnownRange) -> Result<Looked> {
    check_table("embedding", weight, ids, padding_idx, known)?;
    if let Some(embedded) = Embedded::look_up(weight, ids, padding_idx)? {
        limit_sparse_grad(weight)?;
        return Ok(Looked::Later(embedded));
    }
    late::settle_tensor(weight)?;
    Ok(Looked::Now(Tensor::f_embedding(weight, ids, padding_idx, false, false).torch()?))
}

/// What an embedding gives.
pub enum Looked {
    /// A tensor.
    Now(Tensor),
    /// What stands for one.
    Later(Embedded),
}

/// Sparse gradients that accumulate are only strung together: above the size of the weight a dense one is smaller.
fn limit_sparse_grad(weight: &Tensor) -> Result<()> {
    if let Some(grad) = grad(weight)?
        && grad.is_sparse()
        && grad.f_internal_nnz().torch()? >= weight.size()[0]
    {
        set_grad(weight, Some(&to_dense(&grad)?))?;
    }
    Ok(())
}

/// How many rows of `logits` `[rows, classes]` have their largest value at their label; as `argmax` has it, the first of
/// equal ones, and NaN before all.
pub fn count_correct(logits: &Tensor, labels: &Tensor) -> Result<i64> {
    const NAME: &str = "countCorrect";
    has_rank(NAME, "logits", logits, 2, "[rows, classes]")?;
    let classes = logits.size()[1];
    has_shape(NAME, "labels", labels, "[rows]", &logits.size()[..1])?;
    integers(NAME, "labels", labels)?;
    same_device(NAME, "labels", labels, "logits", logits)?;
    let fits = logits.device() == Device::Cpu && logits.is_contiguous() && classes > 0 && logits.numel() > 0;
    if let (true, Kind::Float, Some(ids)) = (fits, logits.f_kind().torch()?, Ids::of(labels)?) {
        // SAFETY: a contiguous float32 tensor on the CPU, which nobody writes to meanwhile.
        let values =
            unsafe { std::slice::from_raw_parts(logits.data_ptr().cast::<f32>().cast_const(), logits.numel()) };
        let best = |row: &[f32]| {
            let later = |best: usize, i: usize| row[i] > row[best] || (row[i].is_nan() && !row[best].is_nan());
            (1..row.len()).fold(0, |best, i| if later(best, i) { i } else { best }) as i64
        };
        return Ok(
            values.chunks_exact(classes as usize).zip(ids.iter()).filter(|(row, id)| best(row) == *id).count() as i64
        );
    }
    rows_right(logits, labels)?.f_sum(Kind::Int64).torch()?.f_int64_value(&[]).torch()
}

/// How [`embedding_bag`] joins the rows of a bag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BagMode {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// Their maximum, element by element.
    Max,
}

/// Joined rows of bags: `ids` `[n]` with `offsets` `[bags]`, or `ids` `[bags, size]` without. Result `[bags, dims]`; an
/// empty bag gives zeros. Rows `padding_idx` (-1: none) are left out.
pub fn embedding_bag(
    weight: &Tensor,
    ids: &Tensor,
    offsets: Option<&Tensor>,
    mode: BagMode,
    per_sample_weights: Option<&Tensor>,
    padding_idx: i64,
    known: KnownRange,
) -> Result<Tensor> {
    const NAME: &str = "embeddingBag";
    check_table(NAME, weight, ids, padding_idx, known)?;
    let kind = ids.f_kind().torch()?;
    let (flat, offsets) = match (ids.dim(), offsets) {
        (2, None) => {
            let size = ids.size();
            let starts: Vec<i64> = (0..size[0]).map(|bag| bag * size[1]).collect();
            let starts = to_device(&Tensor::f_from_slice(&starts).torch()?, ids.device())?;
            (ids.f_reshape([-1_i64]).torch()?, starts.f_to_dtype(kind, false, false).torch()?)
        }
        (1, Some(offsets)) => (ids.shallow_clone(), checked_offsets(NAME, offsets, ids, kind)?),
        (2, Some(_)) => return Err(argument("embeddingBag: with ids [bags, size] give no offsets")),
        (1, None) => return Err(argument("embeddingBag: with ids [n] give the offsets at which the bags start")),
        _ => return Err(shape(format!("embeddingBag: ids must be [n] or [bags, size], but is {:?}", ids.size()))),
    };
    let weights = match per_sample_weights {
        None => None,
        Some(_) if mode != BagMode::Sum => {
            return Err(argument("embeddingBag: perSampleWeights need mode 'sum'"));
        }
        Some(weights) => {
            has_shape(NAME, "perSampleWeights", weights, "the shape of ids", &ids.size())?;
            same_dtype(NAME, "perSampleWeights", weights, "weight", weight)?;
            same_device(NAME, "perSampleWeights", weights, "weight", weight)?;
            Some(weights.f_reshape([-1_i64]).torch()?)
        }
    };
    let padding = (padding_idx >= 0).then_some(padding_idx);
    let (bags, _, _, _) = Tensor::f_embedding_bag_padding_idx(
        weight,
        &flat,
        &offsets,
        false,
        mode as i64,
        false,
        weights,
        false,
        padding,
    )
    .torch()?;
    Ok(bags)
}

/// Refuses offsets that libtorch would read past the ids with.
fn checked_offsets(operation: &str, offsets: &Tensor, ids: &Tensor, kind: Kind) -> Result<Tensor> {
    has_rank(operation, "offsets", offsets, 1, "[bags]")?;
    integers(operation, "offsets", offsets)?;
    same_device(operation, "offsets", offsets, "ids", ids)?;
    let count = ids.numel() as i64;
    indices(operation, "offsets", offsets, 0, count + 1)?;
    if offsets.numel() > 0 {
        let first = offsets.f_select(0, 0).torch()?.f_int64_value(&[]).torch()?;
        if first != 0 {
            return Err(argument(format!("{operation}: the first offset must be 0, but is {first}")));
        }
        let ahead = offsets.f_slice(0, 1, None, 1).torch()?;
        let behind = offsets.f_slice(0, 0, -1, 1).torch()?;
        let falls = ahead.f_lt_tensor(&behind).torch()?.f_any().torch()?;
        if falls.f_int64_value(&[]).torch()? != 0 {
            return Err(argument(format!("{operation}: offsets must not fall")));
        }
    }
    offsets.f_to_dtype(kind, false, false).torch()
}

/// Zeroes elements with probability `p` and scales the others by `1 / (1 - p)`; nothing where `train` is false.
pub fn dropout(x: &Tensor, p: f64, train: bool) -> Result<Tensor> {
    probability("dropout", p)?;
    if train {
        floating("dropout", "input", x)?;
    }
    x.f_dropout(p, train).torch()
}

/// `torch.nn.functional.cross_entropy`: `logits` `[classes]`, `[batch, classes]` or `[batch, classes, ...]`; `target` class
/// indices (int64) without the class dimension, or probabilities of the logits' shape.
pub fn cross_entropy(
    logits: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    reduction: Reduction,
    ignore_index: i64,
    label_smoothing: f64,
) -> Result<Tensor> {
    cross_entropy_of(logits, (target, None), weight, reduction, ignore_index, label_smoothing)
}

/// As [`cross_entropy`], of a target whose range may be known.
pub fn cross_entropy_of(
    logits: &Tensor,
    (target, known): (&Tensor, KnownRange),
    weight: Option<&Tensor>,
    reduction: Reduction,
    ignore_index: i64,
    label_smoothing: f64,
) -> Result<Tensor> {
    const NAME: &str = "crossEntropy";
    floating(NAME, "logits", logits)?;
    same_device(NAME, "target", target, "logits", logits)?;
    let size = logits.size();
    let class_dim = usize::from(size.len() > 1);
    let Some(&classes) = size.get(class_dim) else {
        return Err(shape("crossEntropy: logits must have at least one dimension, [batch, classes]"));
    };
    if !(0.0..=1.0).contains(&label_smoothing) {
        return Err(argument(format!("crossEntropy: labelSmoothing must be from 0 to 1, but is {label_smoothing}")));
    }
    if let Some(weight) = weight {
        has_shape(NAME, "weight", weight, "[classes]", &[classes])?;
        same_dtype_or_autocast(NAME, "weight", weight, "logits", logits)?;
        same_device(NAME, "weight", weight, "logits", logits)?;
    }
    if is_floating(target.f_kind().torch()?) {
        has_shape(NAME, "target (probabilities)", target, "the shape of logits", &size)?;
        same_dtype_or_autocast(NAME, "target", target, "logits", logits)?;
        return logits.f_cross_entropy_loss(target, weight, reduction, ignore_index, label_smoothing).torch();
    }
    integers(NAME, "target", target)?;
    let mut wanted = size.clone();
    wanted.remove(class_dim);
    has_shape(NAME, "target (class indices)", target, "the shape of logits without the classes", &wanted)?;
    let target = target.f_to_dtype(Kind::Int64, false, false).torch()?;
    let wrong = match Ids::of(&target)? {
        _ if known.is_some_and(|(least, most)| least >= 0 && most < classes) => None,
        Some(ids) => ids.iter().find(|&id| id != ignore_index && !(0..classes).contains(&id)),
        None => {
            let flat = target.f_reshape([-1_i64]).torch()?;
            let counted = flat.f_ne(ignore_index).torch()?;
            indices(NAME, "target", &flat.f_index(&[Some(&counted)]).torch()?, 0, classes)?;
            None
        }
    };
    if let Some(wrong) = wrong {
        return Err(range(format!("{NAME}: target must be at least 0 and below {classes}, but holds {wrong}")));
    }
    let plain = weight.is_none() && label_smoothing == 0.0 && reduction != Reduction::None;
    if plain && size.len() == 2 && small(logits, SMALL_LOGITS) && target.is_contiguous() {
        return shim::small_cross_entropy(logits, &target, reduction == Reduction::Mean, ignore_index);
    }
    logits.f_cross_entropy_loss(&target, weight, reduction, ignore_index, label_smoothing).torch()
}
