//! One call of the kernels as a node of the graph.

use super::callbacks::{Words, register};
use crate::recurrent::call::{Call, Sizes};
use crate::recurrent::input::Source;
use crate::recurrent::options::{Options, Packing};
use crate::recurrent::padded::{equal_lengths, packed, padded};
use crate::shim::abi::FusedOptions;
use crate::shim::{self, Handle, Owned, check};
use crate::{Result, autocast, context};
use std::ptr;
use tch::{Device, Kind, Tensor};

/// Whether the kernels can take a call. They know float32 only: under autocast libtorch's own operators compute.
pub(crate) fn fits(call: &Call<'_>) -> bool {
    let (like, options) = (call.input.like(), call.options);
    context::fused_kernels()
        && like.device() == Device::Cpu
        && !autocast::active(Device::Cpu)
        && like.f_kind().is_ok_and(|kind| kind == Kind::Float)
        && like.size().last().is_some_and(|&inputs| inputs > 0)
        && !(options.train && options.dropout >= 1.0)
}

/// Runs a call. The kernels know packed rows only: padded ones become packed rows of equal length.
pub(crate) fn run(call: &Call<'_>) -> Result<Vec<Tensor>> {
    let Call { input, packing, state, weights, options, sizes, .. } = *call;
    if let Some(packing) = packing {
        return node(input, packing, state, weights, sizes, options);
    }
    let equal = |data: Source<'_>, batch_sizes: &[i32]| {
        let packing = Packing::new(batch_sizes, None);
        let mut results = node(data, packing, state, weights, sizes, options)?;
        results[0] = padded(&results[0], batch_sizes.len() as i64, options.batch_first)?;
        Ok(results)
    };
    match input {
        Source::Tensor(input) => {
            let (data, batch_sizes) = packed(input, options.batch_first)?;
            equal(Source::Tensor(&data), &batch_sizes)
        }
        Source::Embedded(input) => {
            let batch_sizes = equal_lengths(&input.size(), options.batch_first)?;
            equal(Source::Embedded(&input.by_step(options.batch_first)), &batch_sizes)
        }
    }
}

/// Runs the layer over packed rows `[sum of batch sizes, inputs]`; all arguments have been checked.
fn node(
    data: Source<'_>,
    Packing { batch_sizes, order, .. }: Packing<'_>,
    state: &[&Tensor],
    weights: &[&Tensor],
    sizes: Sizes,
    options: &Options,
) -> Result<Vec<Tensor>> {
    register();
    let dropout = if options.train && options.num_layers > 1 { options.dropout } else { 0.0 };
    let mut seed = 0;
    if dropout > 0.0 {
        // SAFETY: `seed` is a local.
        check(unsafe { shim::recurra_draw_seed(&mut seed) })?;
    }
    let (first, inputs, total) = match data {
        Source::Tensor(data) => (data, data.size()[1], data.size()[0]),
        Source::Embedded(data) => (data.like(), data.table().dims() as i64, data.slots().len() as i64),
    };
    let words = match data {
        Source::Tensor(_) => None,
        Source::Embedded(data) => {
            Some((Words { table: data.table(), slots: data.slots() }, data.ids(), data.padding()))
        }
    };
    let call = FusedOptions {
        cell: options.cell.code(),
        states: options.cell.states() as i32,
        bidirectional: i32::from(options.bidirectional),
        bias: i32::from(options.has_biases),
        keep: 0,
        input: inputs,
        hidden: sizes.hidden,
        projection: sizes.projection(),
        layers: options.num_layers,
        rows: i64::from(batch_sizes[0]),
        dropout,
        seed,
        batch_sizes: batch_sizes.as_ptr(),
        steps: batch_sizes.len(),
        order: order.map_or(ptr::null(), <[i32]>::as_ptr),
        total,
        words: words.as_ref().map_or(ptr::null(), |(words, ..)| ptr::from_ref(words).cast()),
        ids: words.as_ref().map_or(ptr::null(), |(_, ids, _)| ids.as_ptr()),
        distinct: words.as_ref().map_or(0, |(_, ids, _)| ids.len() as i64),
        padding: words.as_ref().and_then(|(.., padding)| *padding).map_or(-1, |slot| slot as i64),
    };
    let tensors: Vec<Handle> =
        std::iter::once(&first).chain(state).chain(weights).map(|tensor| shim::handle(tensor)).collect();
    let mut out: [Owned; 3] = [ptr::null_mut(); 3];
    let has_states = i32::from(!state.is_empty());
    // SAFETY: all handles are borrowed from live tensors, the batch sizes outlive the call, `out` has room for three.
    check(unsafe {
        shim::recurra_fused_rnn(&raw const call, tensors.as_ptr(), tensors.len(), has_states, out.as_mut_ptr())
    })?;
    // SAFETY: without an error the shim has written tensors made with `new`, which tch frees with `delete`.
    Ok(out.into_iter().filter(|at| !at.is_null()).map(|at| unsafe { Tensor::from_ptr(at.cast()) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;
    use recurra_core::Cell;

    fn layer(hidden: i64, inputs: i64) -> (Vec<Tensor>, Options) {
        let random = |dims: &[i64]| Tensor::randn(dims, (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let weights = vec![random(&[hidden, inputs]), random(&[hidden, hidden]), random(&[hidden]), random(&[hidden])];
        let options = Options {
            cell: Cell::RnnTanh,
            has_biases: true,
            num_layers: 1,
            dropout: 0.0,
            train: true,
            bidirectional: false,
            batch_first: false,
        };
        (weights, options)
    }

    fn call(batch_sizes: &[i32], x: &Tensor) -> Result<Vec<Tensor>> {
        let (weights, options) = layer(4, 3);
        let weights: Vec<&Tensor> = weights.iter().collect();
        let packing = Packing::new(batch_sizes, None);
        node(Source::Tensor(x), packing, &[], &weights, Sizes { hidden: 4, output: 4 }, &options)
    }

    #[test]
    fn an_error_of_the_kernels_keeps_its_code_on_the_way_through_libtorch() {
        let x = Tensor::zeros([3, 3], (Kind::Float, Device::Cpu));
        let error = call(&[1, 2], &x).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert_eq!(error.message(), "batch sizes must not grow: 1 is followed by 2 at step 1");
    }

    #[test]
    fn second_derivatives_are_an_error_that_says_what_to_do() {
        let x = Tensor::randn([5, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let loss = call(&[2, 2, 1], &x).unwrap()[0].square().sum(Kind::Float);
        let first = Tensor::f_run_backward(&[&loss], &[&x], true, true).unwrap();
        let plain = Tensor::f_run_backward(&[&loss], &[&x], true, false).unwrap();
        assert!(first[0].requires_grad() && !plain[0].requires_grad());
        assert!(first[0].allclose(&plain[0], 1e-6, 1e-6, false));
        let error = crate::autograd::backward(&first[0].sum(Kind::Float), None, false).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().starts_with("second derivatives of a recurrent layer"), "{error}");
    }
}
