//! The minGRU: compares values, final states and gradients with PyTorch's autograd, also in a classifier.
#![cfg(feature = "training")]

mod common;

use common::{Golden, arrays, difference, fixtures, json, weights};
use recurra_core::layout::PackedLayout;
use recurra_core::{Cell, Chunk, NamedArray, NetworkConfig, Pooling, StepOptions, Targets};
use recurra_kernels::network::Network;
use recurra_kernels::recurrent::{Input, Mode, RecurrentConfig, backward, forward};
use recurra_kernels::threads::Pool;
use serde_json::Value;

/// The tolerance of the other cells (`tests/recurrent.rs`). PyTorch's own float32 results differ from float64 by up to
/// 3e-6.
const TOLERANCE: f32 = 1e-5;

fn golden() -> (Value, Golden) {
    (json(&fixtures().join("mingru.json")), Golden::open(&fixtures().join("mingru.safetensors")))
}

fn size(values: &Value, key: &str) -> usize {
    values[key].as_u64().unwrap() as usize
}

fn integers(values: &Value, key: &str) -> Vec<i32> {
    values[key].as_array().unwrap().iter().map(|value| value.as_i64().unwrap() as i32).collect()
}

fn names(layers: usize, directions: usize, bias: bool) -> Vec<String> {
    let suffixes = &["", "_reverse"][..directions];
    let kinds = &["weight_ih", "bias_ih"][..1 + usize::from(bias)];
    let of = |layer: usize| {
        suffixes.iter().flat_map(move |suffix| kinds.iter().map(move |kind| format!("{kind}_l{layer}{suffix}")))
    };
    (0..layers).flat_map(of).collect()
}

#[test]
fn values_and_gradients_are_those_of_pytorch() {
    let (sizes, golden) = golden();
    let layout = PackedLayout::new(&integers(&sizes, "lengths"), None).unwrap();
    let cases = sizes["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let get = |what: &str| golden.f32(&format!("{name}/{what}"));
        let bidirectional = case["bidirectional"].as_bool().unwrap();
        let config = RecurrentConfig {
            num_layers: size(case, "numLayers"),
            bidirectional,
            bias: case["bias"].as_bool().unwrap(),
            ..RecurrentConfig::new(Cell::MinGru, size(&sizes, "inputSize"), size(&sizes, "hiddenSize"))
        };
        let names = names(config.num_layers, config.directions(), config.bias);
        let params: Vec<Vec<f32>> = names.iter().map(|name| get(name)).collect();
        let params: Vec<&[f32]> = params.iter().map(Vec::as_slice).collect();
        let (x, h0) = (get("x"), get("h0"));
        for threads in [1, 2] {
            let pool = Pool::new(threads);
            let run =
                |mode| forward(&pool, &config, &layout, Input::Rows(&x), (Some(&h0), None), &params, mode).unwrap();
            for mode in [Mode::Inference, Mode::Values, Mode::Eval] {
                let (out, _) = run(mode);
                assert!(difference(&out.output, &get("y")) < TOLERANCE, "{name} {mode:?}");
                assert!(difference(&out.hn, &get("hn")) < TOLERANCE, "{name} {mode:?}");
                assert!(out.cn.is_empty());
            }
            let mut saved = run(Mode::Eval).1.unwrap();
            let ours = backward(&pool, &mut saved, Some(&get("dy")), Some(&get("dhn")), None).unwrap();
            assert!(difference(&ours.input, &get("dx")) < TOLERANCE, "{name}");
            assert!(difference(&ours.h0, &get("dh0")) < TOLERANCE, "{name}");
            for (gradient, param) in ours.params.iter().zip(&names) {
                assert!(difference(gradient, &get(&format!("d.{param}"))) < TOLERANCE, "{name} {param}");
            }
        }
    }
}

#[test]
fn a_classifier_has_pytorchs_logits_and_contributions() {
    let (sizes, golden) = golden();
    let config = NetworkConfig::classifier(
        Cell::MinGru,
        size(&sizes, "vocabSize"),
        size(&sizes, "inputSize"),
        size(&sizes, "hiddenSize"),
        size(&sizes, "numClasses"),
    );
    let classifier = Network::new(config.with(|c| {
        c.encoder.num_layers = 2;
        c.encoder.bidirectional = true;
        c.classes_mut().pooling = Pooling::Mean;
    }))
    .unwrap();
    let stored = |array: NamedArray<Vec<f32>>| {
        let data = golden.f32(&format!("classifier/{}", array.name));
        NamedArray { data, ..array }
    };
    let state: Vec<NamedArray<Vec<f32>>> = weights(&classifier).into_iter().map(stored).collect();
    classifier.load_state(&arrays(&state)).unwrap();
    let tokens = integers(&sizes, "tokens");
    let logits = golden.f32("classifier/logits");
    for class in 0..size(&sizes, "numClasses") {
        let ours = classifier.explain(&tokens, Some(class)).unwrap();
        assert!(difference(&ours.contributions, &golden.f32(&format!("classifier/contributions.{class}"))) < 5e-6);
        assert!(difference(&ours.logits, &logits) < 5e-6);
    }
    let lengths = [tokens.len() as i32];
    assert!(difference(&classifier.logits(&tokens, &lengths).unwrap(), &logits) < 5e-6);
    // With the projections of all words.
    classifier.prepare().unwrap();
    assert!(difference(&classifier.logits(&tokens, &lengths).unwrap(), &logits) < 5e-6);
}

/// Each of two words determines a class, in texts of other words.
#[test]
fn it_learns_and_a_resumed_training_is_the_same_to_the_bit() {
    let config = NetworkConfig::classifier(Cell::MinGru, 20, 8, 9, 2).with(|c| {
        c.encoder.bidirectional = true;
        c.encoder.dropouts.embedding = 0.1;
        c.encoder.dropouts.layers = 0.1;
        c.classes_mut().pooling = Pooling::Attention;
        c.seed = 2;
        c.threads = 2;
    });
    let tokens: Vec<i32> = (0..64)
        .flat_map(|row| (0..5).map(move |at| if at == row % 5 { 2 + row % 2 } else { 4 + (row * 7 + at) % 16 }))
        .collect();
    let (lengths, labels) = ([5; 64], std::array::from_fn::<i32, 64, _>(|row| row as i32 % 2));
    let chunk = Chunk {
        tokens: &tokens,
        lengths: &lengths,
        targets: Targets::Rows(&labels),
        batch_sizes: &[16; 4],
        ..Chunk::default()
    };
    let options = StepOptions { learning_rates: &[0.02], ..StepOptions::default() };
    let network = Network::new(config.clone()).unwrap();
    let first = network.train_batches(&chunk, &options).unwrap();
    for _ in 0..9 {
        network.train_batches(&chunk, &options).unwrap();
    }
    let resumed = Network::new(config).unwrap();
    resumed.restore(&network.training_state().unwrap()).unwrap();
    let last = network.train_batches(&chunk, &options).unwrap();
    assert!(last.loss < first.loss / 5.0, "{} {}", first.loss, last.loss);
    assert_eq!(resumed.train_batches(&chunk, &options).unwrap(), last);
    assert_eq!(resumed.training_state().unwrap(), network.training_state().unwrap());
    let probabilities = network.predict(&tokens, &lengths).unwrap();
    let right = (0..64).filter(|&row| probabilities[2 * row + row % 2] > 0.5).count();
    assert!(right > 60, "{right}");
}
