//! Weights in one memory, as cuDNN wants them.

use super::call::check_weights;
use super::options::{Options, no_operator};
use crate::{Result, shim};
use recurra_core::Cell;
use tch::Tensor;

/// cuDNN's own numbers of the cells (`cudnnRNNMode_t`).
fn cudnn_mode(cell: Cell) -> Result<i64> {
    Ok(match cell {
        Cell::RnnRelu => 0,
        Cell::RnnTanh => 1,
        Cell::Lstm => 2,
        Cell::Gru => 3,
        cell => return no_operator(cell),
    })
}

/// Packs a layer's weights into one contiguous buffer where they are on a GPU: cuDNN would
/// otherwise do that at every call. The tensors stay the same, so optimizers and views by name remain valid. Returns whether
/// it was done.
pub fn flatten_weights(weights: &[&Tensor], options: &Options) -> Result<bool> {
    let Some(first) = weights.first().filter(|weight| weight.device().is_cuda() && weight.dim() == 2) else {
        return Ok(false);
    };
    let inputs = first.size()[1];
    let sizes = check_weights(first, inputs, weights, options)?;
    let mut places: Vec<_> = weights.iter().map(|weight| weight.data_ptr()).collect();
    places.sort_unstable();
    places.dedup();
    if places.len() < weights.len() {
        // Tied weights cannot lie in two places.
        return Ok(false);
    }
    let per_layer = weights.len() as i64 / (options.num_layers * options.directions());
    let mode = cudnn_mode(options.cell)?;
    let handles = shim::handles(weights.iter().copied());
    // SAFETY: borrowed handles of live tensors, as many as are said.
    shim::check(unsafe {
        shim::recurra_flatten_rnn(
            handles.as_ptr(),
            handles.len(),
            per_layer,
            inputs,
            mode,
            sizes.hidden,
            sizes.projection(),
            options.num_layers,
            i32::from(options.batch_first),
            i32::from(options.bidirectional),
        )
    })?;
    Ok(true)
}
