//! A layer through libtorch's own operators, which want states, and those in the packed order.

use super::call::Call;
use super::options::{Options, Packing, no_operator};
use super::padded::{packed, padded};
use crate::error::IntoResult;
use crate::tensor::convert::to_device;
use crate::tensor::create::from_i32;
use crate::{Result, autocast, cuda, shim};
use recurra_core::Cell;
use std::ffi::c_void;
use std::ptr;
use tch::{Device, Tensor};

/// Runs a call; `input` is what its source stands for.
pub(super) fn run(input: &Tensor, call: &Call<'_>) -> Result<Vec<Tensor>> {
    let Call { packing, state, weights, options, batch, sizes, .. } = *call;
    let device = input.device();
    if device.is_cuda() {
        let size = input.size();
        let steps = packing.map_or(size[usize::from(options.batch_first)], |packing| packing.batch_sizes.len() as i64);
        let width = size[size.len() - 1].max(sizes.hidden).max(sizes.output * options.directions());
        cuda::check_cudnn(batch, steps, width)?;
    }
    let rows = options.num_layers * options.directions();
    let zeros = |size: i64| Tensor::f_zeros([rows, batch, size], (input.f_kind()?, device));
    let mut states: Vec<Tensor> = state.iter().map(|tensor| tensor.shallow_clone()).collect();
    if states.is_empty() {
        states = [sizes.output, sizes.hidden][..options.cell.states()]
            .iter()
            .map(|&size| zeros(size))
            .collect::<std::result::Result<_, _>>()
            .torch()?;
    }
    let Some(Packing { batch_sizes, order, .. }) = packing else {
        if options.cell == Cell::Lstm && device == Device::Cpu && autocast::active(device) {
            // libtorch gives these to oneDNN, whose LSTM in bfloat16 there is on some processors only; it does not so with packed rows.
            let (data, batch_sizes) = packed(input, options.batch_first)?;
            let states: Vec<&Tensor> = states.iter().collect();
            let mut results = operator(&data, Some(&from_i32(&batch_sizes)?), &states, weights, options)?;
            results[0] = padded(&results[0], batch_sizes.len() as i64, options.batch_first)?;
            return Ok(results);
        }
        return operator(input, None, &states.iter().collect::<Vec<_>>(), weights, options);
    };
    let batch_sizes = from_i32(batch_sizes)?;
    let Some(order) = order else {
        return operator(input, Some(&batch_sizes), &states.iter().collect::<Vec<_>>(), weights, options);
    };
    let mut back = vec![0; order.len()];
    order.iter().zip(0..).for_each(|(&row, place)| back[row as usize] = place);
    let to = |order: &[i32]| to_device(&from_i32(order)?, device);
    let (order, back) = (to(order)?, to(&back)?);
    let sorted = states.iter().map(|state| state.f_index_select(1, &order).torch()).collect::<Result<Vec<_>>>()?;
    let mut results = operator(input, Some(&batch_sizes), &sorted.iter().collect::<Vec<_>>(), weights, options)?;
    for result in &mut results[1..] {
        *result = result.f_index_select(1, &back).torch()?;
    }
    Ok(results)
}

/// While it lives, libtorch does not print that it computes projections without oneDNN.
struct Quiet(*mut c_void);

impl Quiet {
    fn new() -> Self {
        // SAFETY: null stands for the shim's own handler, which lives as long as the process.
        Self(unsafe { shim::recurra_warning_handler(ptr::null_mut()) })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // SAFETY: the handler that was set before.
        unsafe { shim::recurra_warning_handler(self.0) };
    }
}

fn operator(
    input: &Tensor,
    batch_sizes: Option<&Tensor>,
    state: &[&Tensor],
    weights: &[&Tensor],
    options: &Options,
) -> Result<Vec<Tensor>> {
    let Options { has_biases: b, num_layers: n, dropout: p, train, bidirectional: bi, batch_first: bf, .. } = *options;
    let h = state[0];
    let _quiet = (options.cell == Cell::Lstm).then(Quiet::new);
    let pair = |(output, h): (Tensor, Tensor)| vec![output, h];
    let triple = |(output, h, c): (Tensor, Tensor, Tensor)| vec![output, h, c];
    let results = match (options.cell, batch_sizes) {
        (Cell::Lstm, None) => input.f_lstm(state, weights, b, n, p, train, bi, bf).map(triple),
        (Cell::Lstm, Some(s)) => Tensor::f_lstm_data(input, s, state, weights, b, n, p, train, bi).map(triple),
        (Cell::Gru, None) => input.f_gru(h, weights, b, n, p, train, bi, bf).map(pair),
        (Cell::Gru, Some(s)) => Tensor::f_gru_data(input, s, h, weights, b, n, p, train, bi).map(pair),
        (Cell::RnnTanh, None) => input.f_rnn_tanh(h, weights, b, n, p, train, bi, bf).map(pair),
        (Cell::RnnTanh, Some(s)) => Tensor::f_rnn_tanh_data(input, s, h, weights, b, n, p, train, bi).map(pair),
        (Cell::RnnRelu, None) => input.f_rnn_relu(h, weights, b, n, p, train, bi, bf).map(pair),
        (Cell::RnnRelu, Some(s)) => Tensor::f_rnn_relu_data(input, s, h, weights, b, n, p, train, bi).map(pair),
        (cell, _) => return no_operator(cell),
    };
    results.torch()
}
