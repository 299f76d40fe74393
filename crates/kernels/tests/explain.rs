//! Gradient times input of the classifier: compared with PyTorch's autograd and with finite differences; it must not
//! change the network.
#![cfg(feature = "training")]

mod common;

use common::{Golden, arrays, difference, fixtures, json, weights};
use recurra_core::Cell;
use recurra_core::{Chunk, NetworkConfig, Pooling, StepOptions, Targets};
use recurra_core::{ErrorCode, NamedArray};
use recurra_kernels::network::Network;

fn config(cell: Cell, pooling: Pooling, num_layers: usize, bidirectional: bool) -> NetworkConfig {
    NetworkConfig::classifier(cell, 30, 7, 9, 4).with(|c| {
        c.encoder.num_layers = num_layers;
        c.encoder.bidirectional = bidirectional;
        c.classes_mut().pooling = pooling;
        c.encoder.padding_idx = Some(1);
        c.seed = 3;
        c.threads = 2;
    })
}

fn all_configs() -> Vec<NetworkConfig> {
    let mut all = Vec::new();
    for cell in [Cell::RnnTanh, Cell::Lstm, Cell::Gru, Cell::MinGru] {
        for pooling in [Pooling::Last, Pooling::Mean, Pooling::Max, Pooling::Attention] {
            for (layers, bidirectional) in [(1, false), (1, true), (2, false), (3, true)] {
                all.push(config(cell, pooling, layers, bidirectional));
            }
        }
    }
    all
}

#[test]
fn contributions_are_those_of_pytorchs_autograd() {
    let cases = json(&fixtures().join("explain.json"));
    let golden = Golden::open(&fixtures().join("explain.safetensors"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 15);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let size = |key: &str| case[key].as_u64().unwrap() as usize;
        let classifier = Network::new(
            config(Cell::Lstm, Pooling::Last, size("numLayers"), case["bidirectional"].as_bool().unwrap()).with(|c| {
                c.encoder.cell = match case["cell"].as_str().unwrap() {
                    "rnn" => Cell::RnnTanh,
                    "lstm" => Cell::Lstm,
                    _ => Cell::Gru,
                };
                c.encoder.vocab_size = size("vocabSize");
                c.encoder.embedding_dim = size("embeddingDim");
                c.encoder.hidden_size = size("hiddenSize");
                c.classes_mut().classes = size("numClasses");
                c.classes_mut().pooling = match case["pooling"].as_str().unwrap() {
                    "last" => Pooling::Last,
                    "mean" => Pooling::Mean,
                    "max" => Pooling::Max,
                    _ => Pooling::Attention,
                };
            }),
        )
        .unwrap();
        let stored = |tensor: NamedArray<Vec<f32>>| {
            let data = golden.f32(&format!("{name}/{}", tensor.name));
            NamedArray { data, ..tensor }
        };
        let state: Vec<NamedArray<Vec<f32>>> = weights(&classifier).into_iter().map(stored).collect();
        classifier.load_state(&arrays(&state)).unwrap();
        let tokens: Vec<i32> =
            case["tokens"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap() as i32).collect();
        for class in 0..size("numClasses") {
            let ours = classifier.explain(&tokens, Some(class)).unwrap();
            let theirs = golden.f32(&format!("{name}/contributions.{class}"));
            assert!(difference(&ours.contributions, &theirs) < 2e-6, "{name} class {class}");
            assert!(difference(&ours.logits, &golden.f32(&format!("{name}/logits"))) < 2e-6, "{name}");
        }
    }
}

/// Scaling one token's vector changes the logit in proportion to the contribution.
#[test]
fn contributions_are_the_slopes_of_the_logit() {
    // Each token is a distinct word, so each row of the embedding belongs to one token.
    let tokens: Vec<i32> = (2..13).collect();
    for config in all_configs() {
        let classifier = Network::new(config.clone()).unwrap();
        let state = weights(&classifier);
        let ours = classifier.explain(&tokens, Some(2)).unwrap();
        let scaled = |token: i32, factor: f32| {
            let mut state = state.clone();
            let row = token as usize * config.encoder.embedding_dim;
            state[0].data[row..row + config.encoder.embedding_dim].iter_mut().for_each(|value| *value *= factor);
            classifier.load_state(&arrays(&state)).unwrap();
            f64::from(classifier.logits(&tokens, &[tokens.len() as i32]).unwrap()[2])
        };
        let step = 4e-3;
        let middle = f64::from(ours.logits[2]);
        for (&token, &contribution) in tokens.iter().zip(&ours.contributions) {
            let contribution = f64::from(contribution);
            let slopes = [-step, step].map(|step| (scaled(token, 1.0 + step) - middle) / f64::from(step));
            let slope = (slopes[0] + slopes[1]) / 2.0;
            // If another position becomes the maximum within the step, the contribution is the slope on one of the two
            // sides.
            let [left, right] = slopes.map(|slope| (slope - contribution).abs());
            let corner = config.classes().unwrap().pooling == Pooling::Max && left.min(right) < 3e-4;
            let fits = (slope - contribution).abs() < 1e-4 || corner;
            assert!(fits, "{config:?} {token}: {slopes:?} {contribution}");
        }
    }
}

#[test]
fn it_explains_the_prediction() {
    for config in all_configs() {
        let classifier = Network::new(config).unwrap();
        let tokens = [5, 1, 9, 5, 20, 0];
        let ours = classifier.explain(&tokens, None).unwrap();
        let probabilities = classifier.predict(&tokens, &[6]).unwrap();
        assert_eq!(ours.probabilities, probabilities);
        assert!((0..4).all(|class| probabilities[class] <= probabilities[ours.class]));
        let logits = classifier.logits(&[&tokens[..], &[3, 4]].concat(), &[6, 2]).unwrap();
        assert!(difference(&ours.logits, &logits[..4]) < 1e-6);
        assert_eq!(ours.contributions.len(), 6);
        assert_eq!(ours.contributions[1], 0.0, "the padding word has a zero vector");
        assert_ne!(ours.contributions[0], ours.contributions[3], "the same word elsewhere");
    }
}

#[test]
fn training_does_not_notice() {
    let config = config(Cell::Lstm, Pooling::Max, 2, true).with(|c| {
        c.encoder.dropouts.layers = 0.3;
        c.encoder.dropouts.embedding = 0.2;
        c.encoder.dropouts.words = 0.2;
        c.encoder.unknown_idx = Some(0);
        c.threads = 1;
    });
    let tokens = [4, 7, 9, 11, 13, 2, 3];
    let chunk = Chunk {
        tokens: &tokens,
        lengths: &[3, 4],
        targets: Targets::Rows(&[0, 3]),
        batch_sizes: &[2],
        ..Chunk::default()
    };
    let train = |explained: bool| {
        let classifier = Network::new(config.clone()).unwrap();
        for _ in 0..5 {
            classifier.train_batches(&chunk, &StepOptions::default()).unwrap();
            if explained {
                classifier.explain(&[4, 8, 2], Some(1)).unwrap();
            }
        }
        weights(&classifier)
    };
    // Reading the state brings all rows up to date, as explaining does, so the comparison reads it at the same moments.
    let read = {
        let classifier = Network::new(config.clone()).unwrap();
        for _ in 0..5 {
            classifier.train_batches(&chunk, &StepOptions::default()).unwrap();
            classifier.predict(&[4, 8, 2], &[3]).unwrap();
        }
        weights(&classifier)
    };
    assert_eq!(train(true), read);
    for (with, without) in train(true).iter().zip(&train(false)) {
        assert!(difference(&with.data, &without.data) < 1e-6, "{}", with.name);
    }
}

#[test]
fn what_does_not_exist_is_refused() {
    let classifier = Network::new(config(Cell::Gru, Pooling::Mean, 1, false)).unwrap();
    for (tokens, class) in [(&[][..], None), (&[30][..], None), (&[-1][..], None), (&[3][..], Some(4))] {
        assert_eq!(classifier.explain(tokens, class).unwrap_err().code(), ErrorCode::OutOfRange);
    }
    assert!(classifier.logits(&[1, 2], &[3]).is_err());
}
