//! Inputs from characters: losses, gradients, steps and scores against PyTorch's `Embedding` and `EmbeddingBag`; dropout, threads,
//! checkpoints, and what is refused.

mod common;

use common::{Golden, arrays, difference, fixtures, json, weights};
use recurra_core::{
    AdamOptions, Algorithm, Cell, Chunk, Forms, NamedArray, NetworkConfig, Pooling, Rows, SgdOptions, StepOptions,
    SubwordsConfig, Targets,
};
use recurra_kernels::network::Network;
use serde_json::Value;

fn size(values: &Value, key: &str) -> usize {
    values[key].as_u64().unwrap() as usize
}

fn integers(values: &Value) -> Vec<i32> {
    values.as_array().unwrap().iter().map(|value| value.as_i64().unwrap() as i32).collect()
}

fn forms_of(words: &[i32], features: &[Vec<i32>]) -> Forms {
    let mut starts = vec![0];
    starts.extend(features.iter().scan(0, |sum, list| {
        *sum += list.len() as u32;
        Some(*sum)
    }));
    let features: Vec<u32> = features.iter().flatten().map(|&feature| feature.cast_unsigned()).collect();
    Forms::new(words, &starts, &features).unwrap()
}

/// The network of a case with PyTorch's weights.
fn stored(golden: &Golden, name: &str, config: &NetworkConfig) -> Network {
    let network = Network::new(config.clone()).unwrap();
    let stored = |array: NamedArray<Vec<f32>>| {
        let (data, shape) = golden.get(&format!("{name}.weight.{}", array.name)).unwrap();
        assert_eq!(shape, array.shape);
        NamedArray { data, ..array }
    };
    let state: Vec<NamedArray<Vec<f32>>> = weights(&network).into_iter().map(stored).collect();
    network.load_state(&arrays(&state)).unwrap();
    network
}

fn algorithm(case: &Value) -> (f64, Algorithm) {
    match case["optimizer"].as_str() {
        Some("adam") => (0.05, Algorithm::Adam(AdamOptions::default())),
        Some(_) => (0.5, Algorithm::Sgd(SgdOptions { momentum: 0.9, weight_decay: 0.01, ..SgdOptions::default() })),
        None => (0.5, Algorithm::Sgd(SgdOptions::default())),
    }
}

#[test]
fn losses_gradients_steps_and_scores_are_those_of_pytorch() {
    let (about, golden) =
        (json(&fixtures().join("subwords.json")), Golden::open(&fixtures().join("subwords.safetensors")));
    let features: Vec<Vec<i32>> = about["features"].as_array().unwrap().iter().map(integers).collect();
    let forms = forms_of(&integers(&about["words"]), &features);
    let (lengths, labels) = (integers(&about["lengths"]), integers(&about["labels"]));
    let batches: Vec<Vec<i32>> = about["batches"].as_array().unwrap().iter().map(integers).collect();
    let cases = about["cases"].as_object().unwrap();
    assert_eq!(cases.len(), 9);
    for (name, case) in cases {
        for threads in [1, 2] {
            let (dims, hidden) = (size(&about, "dims"), size(&about, "hidden"));
            let cell = Cell::parse(case["cell"].as_str().unwrap()).unwrap();
            let config =
                NetworkConfig::classifier(cell, size(&about, "vocabSize"), dims, hidden, size(&about, "classes")).with(
                    |c| {
                        c.encoder.subwords =
                            Some(SubwordsConfig { buckets: size(&about, "buckets"), dim: size(&about, "subdims") });
                        c.encoder.num_layers = case["layers"].as_u64().unwrap_or(1) as usize;
                        c.encoder.bidirectional = case["bidirectional"].as_bool().unwrap_or(true);
                        c.encoder.padding_idx = Some(size(&about, "padding") as u32);
                        c.classes_mut().pooling = Pooling::parse(case["pooling"].as_str().unwrap()).unwrap();
                        c.threads = threads;
                    },
                );
            let (rate, algorithm) = algorithm(case);
            let step = |network: &Network, tokens: &[i32], clip_norm: f64, algorithm, rate: f64| {
                let chunk = Chunk {
                    tokens,
                    lengths: &lengths,
                    targets: Targets::Rows(&labels),
                    batch_sizes: &[lengths.len() as i32],
                    forms: Some(&forms),
                };
                let options = StepOptions {
                    learning_rates: &[rate],
                    clip_norm,
                    algorithm,
                    freeze_embedding: case["frozen"].as_bool().unwrap_or(false),
                    adversarial: if case["noise"].as_bool().unwrap_or(false) {
                        about["eps"].as_f64().unwrap()
                    } else {
                        0.0
                    },
                    ..StepOptions::default()
                };
                network.train_batches(&chunk, &options).unwrap().loss / lengths.len() as f64
            };
            // A step of plain descent at rate 1 moves every weight by its gradient.
            let network = stored(&golden, name, &config);
            let before = weights(&network);
            step(&network, &batches[0], 0.0, Algorithm::Sgd(SgdOptions::default()), 1.0);
            for (before, after) in before.iter().zip(weights(&network)) {
                let ours: Vec<f32> = before.data.iter().zip(&after.data).map(|(a, b)| a - b).collect();
                let theirs = golden.get(&format!("{name}.grad.{}", after.name)).map(|(values, _)| values);
                let theirs = theirs.unwrap_or_else(|| vec![0.0; ours.len()]);
                let difference = difference(&ours, &theirs);
                assert!(difference < 1e-6, "{name} {}: {difference}", after.name);
            }
            let network = stored(&golden, name, &config);
            for (tokens, expected) in batches.iter().zip(case["losses"].as_array().unwrap()) {
                let loss = step(&network, tokens, case["clip"].as_f64().unwrap_or(0.0), algorithm, rate);
                assert!((loss - expected.as_f64().unwrap()).abs() < 2e-6, "{name}: {loss} {expected}");
            }
            let rows = Rows::of_forms(&batches[0], &lengths, &forms);
            let scores = network.logits_of_rows(rows).unwrap();
            assert!(difference(&scores, &golden.f32(&format!("{name}.scores"))) < 5e-6, "{name}");
            for array in weights(&network) {
                let difference = difference(&array.data, &golden.f32(&format!("{name}.after.{}", array.name)));
                assert!(difference < 5e-6, "{name} {}: {difference}", array.name);
            }
        }
    }
}
