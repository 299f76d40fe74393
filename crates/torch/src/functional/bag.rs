//! Joined rows of bags of ids.

use super::embedding::{KnownRange, check_table};
use crate::Result;
use crate::check::{has_rank, has_shape, indices, integers, same_device, same_dtype};
use crate::error::{IntoResult, argument, shape};
use crate::tensor::convert::to_device;
use tch::{Kind, Tensor};

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
