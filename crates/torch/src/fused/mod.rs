//! The kernels' recurrent networks as one operation of libtorch's graph, instead of some operators for every time step.
//!
//! `shim/recurrent.cpp` owns the node of the graph and calls back into `calls.rs`. Values, states and gradients are those
//! of libtorch's own layers; second derivatives are not available.

mod calls;

use crate::recurrent::{Mode, Options, Packing, Source};
use crate::shim::{self, Handle, Owned, check};
use crate::{Result, autocast, context};
use recurra_core::layout::PackedLayout;
use recurra_kernels::recurrent::RecurrentConfig;
use recurra_kernels::threads::Pool;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tch::{Device, Kind, Tensor};

use calls::Words;
pub(crate) use calls::{FusedFunctions, FusedOptions};

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Turns the kernels on or off, so that tests can compare with libtorch's own operators; returns what it was.
pub fn set_fused_kernels(on: bool) -> bool {
    ENABLED.swap(on, Ordering::Relaxed)
}

/// Whether the kernels are used where they can be.
pub(crate) fn enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// The team of threads, of the size that the user set; made anew where that changed.
fn pool() -> Arc<Pool> {
    static POOL: Mutex<Option<(usize, Arc<Pool>)>> = Mutex::new(None);
    let wanted = context::num_threads().max(1) as usize;
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    match &*pool {
        // A team is smaller than wanted where the system refused a thread: compared is what was asked for.
        Some((asked, team)) if *asked == wanted => Arc::clone(team),
        _ => {
            let team = Arc::new(Pool::new(wanted));
            *pool = Some((wanted, Arc::clone(&team)));
            team
        }
    }
}

/// Below this number of multiplications waking another thread costs more than it saves: between two calls the graph's other
/// operators run, so that the team sleeps. The lesson's batch has 9 million and is faster on one thread.
const SMALL: usize = 16_000_000;

/// The team for so much work.
fn team(config: &RecurrentConfig, layout: &PackedLayout) -> Arc<Pool> {
    let width = config.input_size.max(config.output_size()) + config.state_size();
    let each = config.cell.gates() * config.hidden_size * width * config.num_layers * config.directions();
    if layout.total().saturating_mul(each) < SMALL || (layout.rows() == 1 && !config.bidirectional) {
        static ALONE: Mutex<Option<Arc<Pool>>> = Mutex::new(None);
        let mut alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        return Arc::clone(alone.get_or_insert_with(|| Arc::new(Pool::new(1))));
    }
    pool()
}

/// Whether the kernels can take this call, which has been checked; its input is as `like`. They know float32 only: under autocast
/// libtorch's own operators compute.
pub(crate) fn fits(like: &Tensor, options: &Options) -> bool {
    enabled()
        && like.device() == Device::Cpu
        && !autocast::active(Device::Cpu)
        && like.f_kind().is_ok_and(|kind| kind == Kind::Float)
        && like.size().last().is_some_and(|&inputs| inputs > 0)
        && !(options.train && options.dropout >= 1.0)
}

/// Runs a network over packed rows `[sum of batch sizes, inputs]`; all arguments have been checked. `state` may be empty
/// for zeros.
pub(crate) fn run(
    data: Source<'_>,
    Packing { batch_sizes, order }: Packing<'_>,
    state: &[&Tensor],
    weights: &[&Tensor],
    (hidden, projection): (i64, i64),
    options: &Options,
) -> Result<Vec<Tensor>> {
    calls::register();
    let dropout = if options.train && options.num_layers > 1 { options.dropout } else { 0.0 };
    let mut seed = 0;
    if dropout > 0.0 {
        // SAFETY: `seed` is a local.
        check(unsafe { shim::recurra_draw_seed(&mut seed) })?;
    }
    let cell = match options.mode {
        Mode::RnnTanh => 0,
        Mode::RnnRelu => 1,
        Mode::Lstm => 2,
        Mode::Gru => 3,
    };
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
        cell,
        bidirectional: i32::from(options.bidirectional),
        bias: i32::from(options.has_biases),
        keep: 0,
        input: inputs,
        hidden,
        projection,
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

    fn layer(hidden: i64, inputs: i64) -> (Vec<Tensor>, Options) {
        let random = |dims: &[i64]| Tensor::randn(dims, (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let weights = vec![random(&[hidden, inputs]), random(&[hidden, hidden]), random(&[hidden]), random(&[hidden])];
        let options = Options {
            mode: Mode::RnnTanh,
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
        run(
            Source::Tensor(x),
            Packing { batch_sizes, order: None },
            &[],
            &weights.iter().collect::<Vec<_>>(),
            (4, 0),
            &options,
        )
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
