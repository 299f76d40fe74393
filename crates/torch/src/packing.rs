//! `torch.nn.utils.rnn`'s packing, for rows that are already in descending order of length.

use crate::Result;
use crate::error::{IntoResult, argument, shape};
use crate::shim;
use crate::tensor::convert::{to_device, to_i64};
use crate::tensor::create::from_i32;
use crate::tensor::{is_floating, number_beside};
use tch::{Device, Tensor};

/// Packed rows: `data` `[sum of lengths, ...]` step by step, and how they are packed.
pub struct Packed {
    /// Elements of step 0 of all rows, then of step 1 of those that have one, and so on.
    pub data: Tensor,
    /// Rows per step, and the order of the rows.
    pub plan: Plan,
}

/// How rows are packed. It was checked when it was made and does not change, so that no layer checks it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    batch_sizes: Vec<i32>,
    order: Option<Vec<i32>>,
    total: i64,
}

impl Plan {
    /// The plan of rows with these lengths. With `sort` the longest row comes first, and equal ones stay as they are; otherwise the
    /// lengths must fall.
    ///
    /// # Errors
    /// `InvalidArgument` unless there is one length for each of the `rows` rows, from 1 to `steps`, in falling order.
    pub fn new(lengths: &[i32], sort: bool, rows: i64, steps: i64) -> Result<Self> {
        const NAME: &str = "packPaddedSequence";
        if !sort {
            check_lengths(NAME, lengths, rows, steps)?;
            return Ok(Self::of(lengths, None));
        }
        let mut order: Vec<i32> = (0..lengths.len() as i32).collect();
        order.sort_by_key(|&row| std::cmp::Reverse(lengths[row as usize]));
        let sorted: Vec<i32> = order.iter().map(|&row| lengths[row as usize]).collect();
        check_lengths(NAME, &sorted, rows, steps)?;
        Ok(Self::of(&sorted, Some(order)))
    }

    /// Of lengths that fall.
    fn of(lengths: &[i32], order: Option<Vec<i32>>) -> Self {
        let total = lengths.iter().map(|&length| i64::from(length)).sum();
        Self { batch_sizes: batch_sizes_of(lengths), order, total }
    }

    /// Rows per step; never grows.
    pub fn batch_sizes(&self) -> &[i32] {
        &self.batch_sizes
    }

    /// Row `order[b]` is at place `b`; without it the rows came in the packed order.
    pub fn order(&self) -> Option<&[i32]> {
        self.order.as_deref()
    }

    /// The sum of the lengths.
    pub fn total(&self) -> i64 {
        self.total
    }

    /// Where each packed row lies in the padded rows, the first two dimensions counted as one.
    pub(crate) fn places(&self, padded: &[i64], batch_first: bool) -> Vec<i64> {
        let (batch, steps) = if batch_first { (padded[0], padded[1]) } else { (padded[1], padded[0]) };
        places(&self.batch_sizes, self.order(), (batch, steps), batch_first)
    }
}

/// Refuses lengths that are not one per row, at least 1, at most `steps`, and falling.
pub fn check_lengths(operation: &str, lengths: &[i32], rows: i64, steps: i64) -> Result<()> {
    if lengths.is_empty() || lengths.len() as i64 != rows {
        return Err(argument(format!(
            "{operation}: lengths must have one entry per row, {rows}, but has {}",
            lengths.len()
        )));
    }
    for (row, &length) in lengths.iter().enumerate() {
        if length < 1 || i64::from(length) > steps {
            return Err(argument(format!(
                "{operation}: each length must be from 1 to the {steps} steps of the input, but that of row {row} is {length}"
            )));
        }
    }
    if let Some(row) = lengths.windows(2).position(|pair| pair[0] < pair[1]) {
        return Err(argument(format!(
            "{operation}: lengths must fall, but that of row {} is above that of row {row}; use enforceSorted: false",
            row + 1
        )));
    }
    Ok(())
}

/// Refuses batch sizes that are not positive, grow, or do not sum to `rows` of the data.
///
/// libtorch itself does not check this and reads beyond the data.
pub fn check_batch_sizes(operation: &str, batch_sizes: &[i32], rows: i64) -> Result<()> {
    let Some(&first) = batch_sizes.first() else {
        return Err(argument(format!("{operation}: batchSizes must have one entry per step, but is empty")));
    };
    let mut before = first;
    for (step, &size) in batch_sizes.iter().enumerate() {
        if size < 1 {
            return Err(argument(format!(
                "{operation}: batchSizes must be positive, but that of step {step} is {size}"
            )));
        }
        if size > before {
            return Err(argument(format!(
                "{operation}: batchSizes must not grow, but that of step {step} is {size} after {before}"
            )));
        }
        before = size;
    }
    let sum: i64 = batch_sizes.iter().map(|&size| i64::from(size)).sum();
    if sum != rows {
        return Err(argument(format!(
            "{operation}: batchSizes must sum to the rows of the data, {rows}, but sum to {sum}"
        )));
    }
    Ok(())
}

/// Refuses an order that is not a permutation of the rows.
pub(crate) fn check_order(operation: &str, order: &[i32], rows: usize) -> Result<()> {
    let mut seen = vec![false; rows];
    let fits = order.len() == rows
        && order.iter().all(|&row| {
            usize::try_from(row)
                .ok()
                .and_then(|row| seen.get_mut(row))
                .is_some_and(|seen| !std::mem::replace(seen, true))
        });
    if fits {
        return Ok(());
    }
    Err(argument(format!("{operation}: the order must hold each of the {rows} rows once, but is {order:?}")))
}

/// Where the packed rows lie in a padded tensor: `order[b]` is the row at place `b`, the first two dimensions count as
/// one.
fn places(batch_sizes: &[i32], order: Option<&[i32]>, (batch, steps): (i64, i64), batch_first: bool) -> Vec<i64> {
    let mut index = Vec::with_capacity(batch_sizes.iter().map(|&size| size as usize).sum());
    for (step, &size) in (0_i64..).zip(batch_sizes) {
        index.extend((0..size as usize).map(|place| {
            let row = order.map_or(place as i64, |order| i64::from(order[place]));
            if batch_first { row * steps + step } else { step * batch + row }
        }));
    }
    index
}

/// Rows per step of falling lengths.
fn batch_sizes_of(lengths: &[i32]) -> Vec<i32> {
    let mut running = lengths.len();
    let steps = lengths.first().copied().unwrap_or(0);
    (0..steps)
        .map(|step| {
            while lengths[running - 1] <= step {
                running -= 1;
            }
            running as i32
        })
        .collect()
}

/// Checks what packing is given, for an input of this shape.
pub(crate) fn plan(size: &[i64], lengths: &[i32], batch_first: bool, sort: bool) -> Result<Plan> {
    let &[first, second, ..] = size else {
        return Err(shape(format!(
            "packPaddedSequence: input must be [batch, steps, ...] or [steps, batch, ...], but is {size:?}"
        )));
    };
    let (batch, steps) = if batch_first { (first, second) } else { (second, first) };
    Plan::new(lengths, sort, batch, steps)
}

/// Packs padded rows: `input` `[batch, steps, ...]`, or `[steps, batch, ...]` where not `batch_first`. Differentiable.
///
/// # Errors
/// `InvalidShape` for an input of fewer dimensions, else as [`Plan::new`].
pub fn pack_padded_sequence(input: &Tensor, lengths: &[i32], batch_first: bool, sort: bool) -> Result<Packed> {
    let size = input.size();
    let plan = plan(&size, lengths, batch_first, sort)?;
    if input.device() == Device::Cpu {
        return Ok(Packed { data: shim::collect(input, &plan.places(&size, batch_first), &size[..2])?, plan });
    }
    let falling: Vec<i32>;
    let (sorted, lengths) = match plan.order() {
        Some(order) => {
            falling = order.iter().map(|&row| lengths[row as usize]).collect();
            let order = to_device(&from_i32(order)?, input.device())?;
            (input.f_index_select(i64::from(!batch_first), &order).torch()?, &falling[..])
        }
        None => (input.shallow_clone(), lengths),
    };
    let (data, _) = sorted.f_internal_pack_padded_sequence(&from_i32(lengths)?, batch_first).torch()?;
    Ok(Packed { data, plan })
}

/// Pads packed rows again, and gives their lengths. `total_length` 0 means as many steps as there are. Differentiable.
pub fn pad_packed_sequence(
    data: &Tensor,
    batch_sizes: &[i32],
    batch_first: bool,
    padding_value: f64,
    total_length: i64,
) -> Result<(Tensor, Vec<i32>)> {
    const NAME: &str = "padPackedSequence";
    let Some(&rows) = data.size().first() else {
        return Err(shape(format!("{NAME}: data must have at least one dimension")));
    };
    check_batch_sizes(NAME, batch_sizes, rows)?;
    let steps = batch_sizes.len() as i64;
    if total_length > 0 && total_length < steps {
        return Err(argument(format!(
            "{NAME}: totalLength must be at least the {steps} steps of the longest row, but is {total_length}"
        )));
    }
    if data.device() == Device::Cpu && is_floating(data.f_kind().torch()?) {
        let (batch, steps) = (i64::from(batch_sizes[0]), steps.max(total_length));
        let index = places(batch_sizes, None, (batch, steps), batch_first);
        let leading = if batch_first { [batch, steps] } else { [steps, batch] };
        let mut lengths = vec![0; batch as usize];
        for &size in batch_sizes {
            lengths[..size as usize].iter_mut().for_each(|length| *length += 1);
        }
        return Ok((shim::spread(data, &index, &leading, padding_value)?, lengths));
    }
    let value = number_beside(data, padding_value);
    let (output, lengths) = shim::pad_packed(data, &from_i32(batch_sizes)?, batch_first, value, total_length.max(0))?;
    Ok((output, to_i64(&lengths)?.into_iter().map(|length| length as i32).collect()))
}
