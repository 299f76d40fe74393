//! Packing, recurrent layers and cells.

use crate::functional::optional;
use crate::tensor::{NativeTensor, TensorList, refs, tensors, wrap, wrap_all};
use napi::Env;
use napi::bindgen_prelude::Int32Array;
use napi_derive::napi;
use recurra_binding::IntoJs;

use recurra_torch::packing;
use recurra_torch::recurrent::{self, CellWeights, Options, Packing, Source, cell_of};
use std::sync::Arc;

/// How rows are packed.
#[napi(object, object_from_js = false)]
pub struct PackedRows {
    /// Rows per step.
    pub batch_sizes: Int32Array,
    /// Which row is at each place, where they were sorted.
    pub order: Option<Int32Array>,
}

/// Padded rows and their lengths.
#[napi(object, object_from_js = false)]
pub struct PaddedRows {
    /// `[batch, steps, ...]`, or steps first.
    pub output: NativeTensor,
    /// The length of each row.
    pub lengths: Int32Array,
}

/// Packs padded rows. With `sort` the longest comes first, otherwise the lengths must fall. The handle knows how they are packed.
#[napi(catch_unwind)]
pub fn pack_padded_sequence(
    env: Env,
    input: &NativeTensor,
    lengths: &[i32],
    batch_first: bool,
    sort: bool,
) -> napi::Result<NativeTensor> {
    let (mut handle, plan) = match input.deferred(|input| input.pack(lengths, batch_first, sort)) {
        Some(packed) => {
            let (data, plan) = packed.js()?;
            (NativeTensor::later(env, data), plan)
        }
        None => {
            let packed = packing::pack_padded_sequence(&*input.get()?, lengths, batch_first, sort).js()?;
            (wrap(env, Ok(packed.data))?, packed.plan)
        }
    };
    handle.pack_as(&Arc::new(plan));
    Ok(handle)
}

/// How the rows of a handle are packed that packing or a recurrent layer returned; null of any other.
#[napi(catch_unwind)]
pub fn packed_rows(data: &NativeTensor) -> Option<PackedRows> {
    data.plan().map(|plan| PackedRows {
        batch_sizes: Int32Array::new(plan.batch_sizes().to_vec()),
        order: plan.order().map(|order| Int32Array::new(order.to_vec())),
    })
}

/// Pads packed rows; `totalLength` 0 for as many steps as there are.
#[napi(catch_unwind)]
pub fn pad_packed_sequence(
    env: Env,
    data: &NativeTensor,
    batch_sizes: &[i32],
    batch_first: bool,
    padding_value: f64,
    total_length: i64,
) -> napi::Result<PaddedRows> {
    let padded = packing::pad_packed_sequence(&*data.get()?, batch_sizes, batch_first, padding_value, total_length);
    let (output, lengths) = padded.js()?;
    Ok(PaddedRows { output: wrap(env, Ok(output))?, lengths: Int32Array::new(lengths) })
}

/// Runs a recurrent layer over padded or packed input; returns output, h and, for the LSTM, c. `hx` may be empty for zeros. Packed
/// input has its batch sizes, and row `order[b]` of the states is that of the packed row `b`; or it is packed as the handle `like`,
/// and the output's handle then knows that as well.
#[napi(
    catch_unwind,
    ts_args_type = "mode: 'LSTM' | 'GRU' | 'RNN_TANH' | 'RNN_RELU', input: NativeTensor, batchSizes: Int32Array | null, hx: Array<NativeTensor>, weights: Array<NativeTensor>, hasBiases: boolean, numLayers: number, dropout: number, train: boolean, bidirectional: boolean, batchFirst: boolean, order?: Int32Array | null, like?: NativeTensor | null"
)]
#[allow(clippy::too_many_arguments, reason = "the arguments are those of libtorch's operator")]
pub fn rnn(
    env: Env,
    mode: String,
    input: &NativeTensor,
    batch_sizes: Option<Int32Array>,
    hx: TensorList<'_>,
    weights: TensorList<'_>,
    has_biases: bool,
    num_layers: i64,
    dropout: f64,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
    order: Option<Int32Array>,
    like: Option<&NativeTensor>,
) -> napi::Result<Vec<NativeTensor>> {
    let cell = cell_of(&mode).js()?;
    let options = Options { cell, has_biases, num_layers, dropout, train, bidirectional, batch_first };
    let (hx, weights) = (tensors(&hx)?, tensors(&weights)?);
    let plan = like.and_then(NativeTensor::plan);
    let packing = match (plan, batch_sizes.as_deref()) {
        (Some(plan), _) => Some(Packing::from(&**plan)),
        (None, sizes) => sizes.map(|sizes| Packing::new(sizes, order.as_deref())),
    };
    let (hx, weights) = (refs(&hx), refs(&weights));
    let run = |input: Source<'_>| recurrent::rnn(input, packing, &hx, &weights, &options);
    let results = match input.deferred(|input| run(Source::Embedded(input))) {
        Some(results) => results,
        None => run(Source::Tensor(&*input.get()?)),
    };
    let mut handles = wrap_all(env, results)?;
    if let (Some(plan), Some(output)) = (plan, handles.first_mut()) {
        output.pack_as(plan);
    }
    Ok(handles)
}

/// Packs a layer's weights on a GPU into one contiguous buffer, as cuDNN expects; the tensors stay the same.
#[napi(
    catch_unwind,
    ts_args_type = "mode: 'LSTM' | 'GRU' | 'RNN_TANH' | 'RNN_RELU', weights: Array<NativeTensor>, hasBiases: boolean, numLayers: number, bidirectional: boolean, batchFirst: boolean"
)]
pub fn flatten_rnn_weights(
    env: Env,
    mode: String,
    weights: TensorList<'_>,
    has_biases: bool,
    num_layers: i64,
    bidirectional: bool,
    batch_first: bool,
) -> napi::Result<()> {
    let cell = cell_of(&mode).js()?;
    let options = Options { cell, has_biases, num_layers, dropout: 0.0, train: false, bidirectional, batch_first };
    if recurrent::flatten_weights(&refs(&tensors(&weights)?), &options).js()? {
        weights.iter().try_for_each(|weight| weight.recount(env))?;
    }
    Ok(())
}

/// One step of a recurrence; returns the next state.
#[napi(
    catch_unwind,
    ts_args_type = "mode: 'LSTM' | 'GRU' | 'RNN_TANH' | 'RNN_RELU', input: NativeTensor, hx: Array<NativeTensor>, weightIh: NativeTensor, weightHh: NativeTensor, biasIh: NativeTensor | null, biasHh: NativeTensor | null"
)]
#[allow(clippy::too_many_arguments, reason = "the arguments are those of libtorch's operator")]
pub fn rnn_cell(
    env: Env,
    mode: String,
    input: &NativeTensor,
    hx: TensorList<'_>,
    weight_ih: &NativeTensor,
    weight_hh: &NativeTensor,
    bias_ih: Option<&NativeTensor>,
    bias_hh: Option<&NativeTensor>,
) -> napi::Result<Vec<NativeTensor>> {
    let hx = tensors(&hx)?;
    let (ih, hh, bias_ih, bias_hh) = (weight_ih.get()?, weight_hh.get()?, optional(bias_ih)?, optional(bias_hh)?);
    let weights = CellWeights { ih: &ih, hh: &hh, bias_ih: bias_ih.as_ref(), bias_hh: bias_hh.as_ref() };
    wrap_all(env, recurrent::cell(cell_of(&mode).js()?, &*input.get()?, &refs(&hx), &weights))
}
