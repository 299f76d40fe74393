//! Predictions with recurrent weights in eight bits, against the same cells as plain loops over whole numbers.
#![cfg(feature = "training")]

mod common;

use common::{Texts, arrays, difference, weights};
use recurra_core::{Cell, ErrorCode, NamedArray, NetworkConfig, Pooling};
use recurra_kernels::network::Network;

const WORDS: usize = 30;
const INPUTS: usize = 9;
const CLASSES: usize = 4;

/// A network whose weights are far from all alike.
fn network(cell: Cell, hidden: usize, layers: usize, bidirectional: bool, threads: usize) -> Network {
    let network = Network::new(NetworkConfig::classifier(cell, WORDS, INPUTS, hidden, CLASSES).with(|c| {
        c.encoder.num_layers = layers;
        c.encoder.bidirectional = bidirectional;
        c.classes_mut().pooling = Pooling::Mean;
        c.seed = 3;
        c.threads = threads;
    }))
    .unwrap();
    let louder = |array: NamedArray<Vec<f32>>| {
        let times = if array.name.contains("weight_hh") { 2.0 } else { 1.0 };
        NamedArray { data: array.data.iter().map(|value| value * times).collect(), ..array }
    };
    let state: Vec<_> = weights(&network).into_iter().map(louder).collect();
    network.load_state(&arrays(&state)).unwrap();
    network
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The logits of one text, in float64 but for the recurrent products.
fn plainly(weights: &[NamedArray<Vec<f32>>], cell: Cell, tokens: &[i32]) -> Vec<f32> {
    let find = |name: &str| weights.iter().find(|array| array.name.ends_with(name));
    let get = |name: &str| find(name).unwrap_or_else(|| panic!("{name} is missing"));
    let product = |w: &[f32], x: &[f64]| -> f64 { w.iter().zip(x).map(|(&w, x)| f64::from(w) * x).sum() };
    let (embedding, dims) = (&get("embedding.weight").data, get("embedding.weight").shape[1]);
    let mut inputs: Vec<Vec<f64>> = tokens
        .iter()
        .map(|&id| embedding[id as usize * dims..][..dims].iter().map(|&value| f64::from(value)).collect())
        .collect();
    for layer in 0.. {
        if find(&format!("weight_ih_l{layer}")).is_none() {
            break;
        }
        let mut outputs: Vec<Vec<f64>> = vec![Vec::new(); inputs.len()];
        for suffix in ["", "_reverse"] {
            let name = |what: &str| format!("{what}_l{layer}{suffix}");
            let Some(w_ih) = find(&name("weight_ih")) else { continue };
            let (w_hh, b_ih, b_hh) = (get(&name("weight_hh")), get(&name("bias_ih")), get(&name("bias_hh")));
            let hidden = w_hh.shape[1];
            let (mut h, mut c) = (vec![0.0_f64; hidden], vec![0.0_f64; hidden]);
            let mut order: Vec<usize> = (0..inputs.len()).collect();
            if !suffix.is_empty() {
                order.reverse();
            }
            for t in order {
                let codes: Vec<i32> = h.iter().map(|h| (h * 127.0).round_ties_even() as i32).collect();
                let pre = |gate: usize, unit: usize| {
                    let row = gate * hidden + unit;
                    let recurrent = &w_hh.data[row * hidden..][..hidden];
                    let largest = recurrent.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
                    let code = |w: f32| (w * (127.0 / largest)).round_ties_even() as i32;
                    let sum: i32 = recurrent.iter().zip(&codes).map(|(&w, h)| code(w) * h).sum();
                    let x = product(&w_ih.data[row * w_ih.shape[1]..][..w_ih.shape[1]], &inputs[t]);
                    let recurrent = f64::from(sum) * f64::from(largest) / (127.0 * 127.0);
                    (x + f64::from(b_ih.data[row]), recurrent + f64::from(b_hh.data[row]))
                };
                let all = |gate: usize, unit: usize| {
                    let (x, h) = pre(gate, unit);
                    x + h
                };
                let new: Vec<f64> = (0..hidden)
                    .map(|unit| match cell {
                        Cell::Lstm => {
                            c[unit] = sigmoid(all(1, unit)) * c[unit] + sigmoid(all(0, unit)) * all(2, unit).tanh();
                            sigmoid(all(3, unit)) * c[unit].tanh()
                        }
                        Cell::Gru => {
                            let (r, z) = (sigmoid(all(0, unit)), sigmoid(all(1, unit)));
                            let (x, own) = pre(2, unit);
                            (1.0 - z) * (x + r * own).tanh() + z * h[unit]
                        }
                        _ => all(0, unit).tanh(),
                    })
                    .collect();
                outputs[t].extend(&new);
                h = new;
            }
        }
        inputs = outputs;
    }
    let features: Vec<f64> =
        (0..inputs[0].len()).map(|at| inputs.iter().map(|row| row[at]).sum::<f64>() / inputs.len() as f64).collect();
    let (w, b) = (get("fc.weight"), get("fc.bias"));
    (0..CLASSES)
        .map(|class| {
            (product(&w.data[class * features.len()..][..features.len()], &features) + f64::from(b.data[class])) as f32
        })
        .collect()
}

#[test]
fn predictions_are_those_of_plain_loops_over_whole_numbers() {
    let texts = Texts::random(11, 0..WORDS as i32);
    for (cell, hidden, layers, bidirectional) in [
        (Cell::Lstm, 70, 1, false),
        (Cell::Lstm, 66, 2, true),
        (Cell::Gru, 70, 1, true),
        (Cell::RnnTanh, 70, 2, false),
        // Weights beyond the first-level cache.
        (Cell::Lstm, 260, 1, false),
    ] {
        let network = network(cell, hidden, layers, bidirectional, 1);
        let single = network.logits(&texts.tokens, &texts.lengths).unwrap();
        network.set_int8_recurrent(true).unwrap();
        let weights = weights(&network);
        let mut expected = Vec::new();
        let mut start = 0;
        for &length in &texts.lengths {
            let tokens = &texts.tokens[start..start + length as usize];
            expected.extend(plainly(&weights, cell, tokens));
            start += length as usize;
        }
        let ours = network.logits(&texts.tokens, &texts.lengths).unwrap();
        // A state half way between two codes may become either one.
        assert!(difference(&ours, &expected) < 2e-5, "{cell:?} {hidden}: {}", difference(&ours, &expected));
        let rounding = difference(&ours, &single);
        assert!(rounding > 1e-5 && rounding < 2e-2, "{cell:?} {hidden}: {rounding}");
        // With every word's projection at hand, and text by text.
        network.prepare().unwrap();
        assert!(difference(&network.logits(&texts.tokens, &texts.lengths).unwrap(), &expected) < 2e-5, "{cell:?}");
        let mut start = 0;
        for (&length, expected) in texts.lengths.iter().zip(expected.chunks(CLASSES)) {
            let tokens = &texts.tokens[start..start + length as usize];
            assert!(difference(&network.logits(tokens, &[length]).unwrap(), expected) < 2e-5, "{cell:?} {hidden}");
            start += length as usize;
        }
    }
}

#[test]
fn without_the_option_nothing_changes_and_threads_change_nothing() {
    let texts = Texts::random(12, 0..WORDS as i32);
    let of = |network: &Network| network.logits(&texts.tokens, &texts.lengths).unwrap();
    for cell in [Cell::Lstm, Cell::Gru, Cell::RnnTanh] {
        let one = network(cell, 64, 1, false, 1);
        let singles = of(&one);
        one.set_int8_recurrent(true).unwrap();
        let codes = of(&one);
        assert_ne!(codes, singles, "{cell:?}");
        let two = network(cell, 64, 1, false, 2);
        two.set_int8_recurrent(true).unwrap();
        assert_eq!(of(&two), codes, "{cell:?}");
        one.set_int8_recurrent(false).unwrap();
        assert_eq!(of(&one), singles, "{cell:?}");
    }
}

#[test]
fn weights_that_are_not_finite_do_not_become_zeros() {
    for wrong in [f32::NAN, f32::INFINITY] {
        let network = network(Cell::Gru, 64, 1, false, 1);
        let mut state = weights(&network);
        let recurrent = state.iter_mut().find(|array| array.name.contains("weight_hh")).unwrap();
        recurrent.data[70] = wrong;
        network.load_state(&arrays(&state)).unwrap();
        network.set_int8_recurrent(true).unwrap();
        let logits = network.logits(&[1, 2, 3], &[3]).unwrap();
        assert!(logits.iter().all(|logit| logit.is_nan()), "{wrong}: {logits:?}");
    }
}

#[test]
fn cells_with_unbounded_states_are_refused() {
    for cell in [Cell::RnnRelu, Cell::MinGru] {
        let network = Network::new(NetworkConfig::classifier(cell, WORDS, INPUTS, 64, CLASSES)).unwrap();
        let error = network.set_int8_recurrent(true).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.to_string().contains("an LSTM, a GRU or an RNN with tanh"), "{error}");
        network.set_int8_recurrent(false).unwrap();
    }
}
