//! A network before training: its initial weights, and rejected sizes.
#![cfg(feature = "training")]

mod common;

use common::weights;
use recurra_core::{Cell, ErrorCode, NetworkConfig};
use recurra_kernels::network::Network;

fn config() -> NetworkConfig {
    NetworkConfig::classifier(Cell::Lstm, 60, 20, 18, 5).with(|c| {
        c.encoder.padding_idx = Some(1);
        c.seed = 42;
    })
}

#[test]
fn initial_values_are_distributed_as_in_pytorch() {
    let config = config().with(|c| {
        c.encoder.vocab_size = 2000;
        c.encoder.hidden_size = 64;
    });
    let state = weights(&Network::new(config).unwrap());
    let names: Vec<&str> = state.iter().map(|t| t.name.as_str()).collect();
    let expected = [
        "embedding.weight",
        "rnn.weight_ih_l0",
        "rnn.weight_hh_l0",
        "rnn.bias_ih_l0",
        "rnn.bias_hh_l0",
        "fc.weight",
        "fc.bias",
    ];
    assert_eq!(names, expected);
    let (mean, square) =
        state[0].data.iter().fold((0.0, 0.0), |(m, s), &v| (m + f64::from(v), s + f64::from(v).powi(2)));
    let n = state[0].data.len() as f64;
    assert!((mean / n).abs() < 0.02 && (square / n - 1.0).abs() < 0.03, "{} {}", mean / n, square / n);
    assert!(state[0].data[20..40].iter().all(|&v| v == 0.0));
    for (tensor, bound) in [(&state[1], 0.125), (&state[2], 0.125), (&state[5], 0.125)] {
        let most = tensor.data.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(most <= bound && most > 0.9 * bound, "{}: {most}", tensor.name);
    }
}

#[test]
fn sizes_that_no_computer_can_hold_are_refused() {
    let base = || config();
    let huge = [
        base().with(|c| c.encoder.hidden_size = u32::MAX as usize),
        base().with(|c| c.encoder.num_layers = u32::MAX as usize),
        base().with(|c| {
            c.encoder.embedding_dim = i32::MAX as usize;
            c.encoder.hidden_size = 1 << 20;
        }),
        base().with(|c| {
            c.classes_mut().classes = i32::MAX as usize;
            c.encoder.hidden_size = 1 << 20;
        }),
        base().with(|c| c.encoder.vocab_size = 1 << 31),
    ];
    for config in huge {
        let error = Network::new(config.clone()).err().expect("a typed error");
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{config:?}");
    }
    let large = base().with(|c| {
        c.encoder.vocab_size = i32::MAX as usize;
        c.encoder.embedding_dim = 1 << 20;
    });
    // Memory is allocated when the weights are first needed.
    let large = Network::new(large).unwrap();
    let error = recurra_core::guard(|| large.state()).expect_err("a typed error");
    assert_eq!(error.code(), ErrorCode::OutOfMemory);
}
