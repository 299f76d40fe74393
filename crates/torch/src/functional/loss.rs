//! Cross entropy, and how many rows are right.

use super::embedding::KnownRange;
use super::small::{SMALL_LOGITS, small};
use crate::check::{Ids, floating, has_rank, has_shape, indices, integers, same_device, same_dtype_or_autocast};
use crate::error::{IntoResult, argument, range, shape};
use crate::tally::rows_right;
use crate::tensor::is_floating;
use crate::{Result, shim};
use tch::{Device, Kind, Reduction, Tensor};

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
        // SAFETY: a contiguous float32 tensor on the CPU, which is not written to during the loop.
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
    let target = match target.f_kind().torch()? {
        Kind::Int64 => target.shallow_clone(),
        _ => target.f_to_dtype(Kind::Int64, false, false).torch()?,
    };
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
