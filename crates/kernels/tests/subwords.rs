//! Subwords: compares losses, gradients, steps and scores with PyTorch's `Embedding` and `EmbeddingBag`; covers
//! dropout, threads, checkpoints, and rejected arguments.
#![cfg(feature = "training")]

mod common;

use common::{Golden, Texts, arrays, difference, fixtures, json, weights};
use recurra_core::{
    AdamOptions, Algorithm, Cell, Chunk, ErrorCode, Forms, NamedArray, NetworkConfig, Pooling, Rows, SgdOptions,
    StepOptions, SubwordsConfig, Targets,
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

/// The network of a case, with PyTorch's weights.
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
            // A step of plain SGD with rate 1 changes every weight by its gradient.
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

/// 24 texts of 20 forms: spellings of 12 words, with some of 30 features.
fn texts() -> (Texts, Forms) {
    let words: Vec<i32> = (0..20).map(|form| form * 7 % 12).collect();
    let features: Vec<Vec<i32>> =
        (0..20).map(|form| (0..form % 6).map(|i| (form * 5 + i * i * 3) % 30).collect()).collect();
    (Texts::random(4, 0..20), forms_of(&words, &features))
}

fn config() -> NetworkConfig {
    NetworkConfig::classifier(Cell::Lstm, 12, 20, 10, 4).with(|c| {
        c.encoder.subwords = Some(SubwordsConfig { buckets: 30, dim: 9 });
        c.encoder.num_layers = 2;
        c.encoder.bidirectional = true;
        c.encoder.padding_idx = Some(1);
        c.encoder.unknown_idx = Some(0);
        c.encoder.dropouts.words = 0.3;
        c.encoder.dropouts.layers = 0.2;
        c.classes_mut().pooling = Pooling::Attention;
        c.seed = 3;
    })
}

fn trained(config: &NetworkConfig, options: &StepOptions<'_>) -> Vec<NamedArray<Vec<f32>>> {
    let ((texts, forms), network) = (texts(), Network::new(config.clone()).unwrap());
    let chunk = Chunk { forms: Some(&forms), ..texts.chunk(&[8, 8, 8]) };
    network.train_batches(&chunk, options).unwrap();
    weights(&network)
}

#[test]
fn threads_do_not_change_a_bit_of_any_vector() {
    for embedding in [0.0, 0.4] {
        for adversarial in [0.0, 0.3] {
            let one = config().with(|c| {
                c.encoder.dropouts.embedding = embedding;
                c.encoder.dropouts.features = embedding;
            });
            let options = StepOptions { adversarial, ..StepOptions::default() };
            let alone = trained(&one, &options);
            for threads in [2, 3, 7] {
                assert_eq!(alone, trained(&one.clone().with(|c| c.threads = threads), &options), "{threads} threads");
            }
        }
    }
}

#[test]
fn noise_of_no_length_doubles_the_gradient_whatever_is_dropped() {
    for embedding in [0.0, 0.4] {
        for freeze_embedding in [false, true] {
            let config = config().with(|c| {
                c.encoder.dropouts.embedding = embedding;
                c.threads = 2;
            });
            let ((texts, forms), batches) = (texts(), [24]);
            let moved = |adversarial: f64| -> Vec<f32> {
                let network = Network::new(config.clone()).unwrap();
                let before = weights(&network);
                let algorithm = Algorithm::Sgd(SgdOptions::default());
                let options = StepOptions {
                    learning_rates: &[1.0],
                    algorithm,
                    adversarial,
                    freeze_embedding,
                    ..StepOptions::default()
                };
                network.train_batches(&Chunk { forms: Some(&forms), ..texts.chunk(&batches) }, &options).unwrap();
                let pairs = before.iter().zip(weights(&network)).collect::<Vec<_>>();
                pairs.iter().flat_map(|(a, b)| a.data.iter().zip(&b.data).map(|(a, b)| a - b)).collect()
            };
            let twice: Vec<f32> = moved(0.0).iter().map(|g| 2.0 * g).collect();
            let ours = moved(1e-12);
            assert!(difference(&ours, &twice) < 1e-6, "{}", difference(&ours, &twice));
            assert!(ours.iter().any(|g| g.abs() > 1e-3));
        }
    }
}

#[test]
fn a_dropped_word_keeps_its_features() {
    // With every word dropped, forms differ only in their features, and only the unknown word learns.
    let config = config().with(|c| c.encoder.dropouts.words = 0.999_999);
    let before = weights(&Network::new(config.clone()).unwrap());
    let after = trained(&config, &StepOptions::default());
    let moved = |array: usize, row: usize, dims: usize| {
        before[array].data[row * dims..][..dims] != after[array].data[row * dims..][..dims]
    };
    assert!(moved(0, 0, 20) && (1..12).all(|word| !moved(0, word, 20)));
    let (_, forms) = texts();
    let used = |feature: u32| (0..forms.len()).any(|form| forms.features(form).contains(&feature));
    assert!((0..30).all(|feature| moved(1, feature, 9) == used(feature as u32)));
}

#[test]
fn features_that_are_dropped_do_not_learn_and_are_all_read_in_prediction() {
    let plain = config().with(|c| c.encoder.dropouts.words = 0.0);
    let config = plain.clone().with(|c| c.encoder.dropouts.features = 0.999_999);
    let network = Network::new(config.clone()).unwrap();
    let before = weights(&network);
    let after = trained(&config, &StepOptions::default());
    assert_eq!((before[1].name.as_str(), &before[1].data), ("subwords.weight", &after[1].data));
    assert_ne!(before[0].data, after[0].data);
    let (texts, forms) = texts();
    let rows = || Rows::of_forms(&texts.tokens, &texts.lengths, &forms);
    assert_eq!(network.predict_rows(rows()), Network::new(plain).unwrap().predict_rows(rows()));
    let refused = Network::new(config.with(|c| c.encoder.dropouts.features = 1.0)).err().unwrap();
    assert_eq!(refused.message(), "subwords.dropout must be at least 0 and below 1 but is 1");
}

#[test]
fn a_training_resumes_to_the_same_bits_and_words_can_be_set_between() {
    let (texts, forms) = texts();
    let chunk = Chunk { forms: Some(&forms), ..texts.chunk(&[8, 8, 8]) };
    let sgd = SgdOptions { momentum: 0.9, ..SgdOptions::default() };
    for algorithm in [
        Algorithm::Adam(AdamOptions::default()),
        Algorithm::Adam(AdamOptions { weight_decay: 0.1, ..AdamOptions::default() }),
        Algorithm::Sgd(sgd),
        Algorithm::Sgd(SgdOptions { weight_decay: 0.01, ..sgd }),
    ] {
        let (whole, resumed) = (Network::new(config()).unwrap(), Network::new(config()).unwrap());
        for freeze_embedding in [false, true, false] {
            let options = StepOptions { algorithm, freeze_embedding, clip_norm: 0.3, ..StepOptions::default() };
            whole.train_batches(&chunk, &options).unwrap();
        }
        resumed.restore(&whole.training_state().unwrap()).unwrap();
        let looked = whole.peek().unwrap();
        for network in [&whole, &resumed] {
            network.train_batches(&chunk, &StepOptions { algorithm, ..StepOptions::default() }).unwrap();
        }
        assert_eq!(whole.training_state().unwrap(), resumed.training_state().unwrap(), "{algorithm:?}");
        assert_ne!(whole.peek().unwrap(), looked);
        whole.set_word_vectors(&[3], &[0.5; 20]).unwrap();
        let (before, after) = (resumed.state().unwrap(), whole.state().unwrap());
        let differs: Vec<&str> =
            before.iter().zip(&after).filter(|(a, b)| a != b).map(|(a, _)| a.name.as_str()).collect();
        assert_eq!(differs, ["embedding.weight"]);
        // The options of another optimizer keep the state of both.
        let other = StepOptions { clip_norm: 0.1, algorithm, ..StepOptions::default() };
        whole.train_batches(&chunk, &other).unwrap();
    }
}

#[test]
fn options_of_an_optimizer_can_change_on_the_way() {
    let (texts, forms) = texts();
    let chunk = Chunk { forms: Some(&forms), ..texts.chunk(&[8, 8, 8]) };
    let decay = |weight_decay| Algorithm::Adam(AdamOptions { weight_decay, ..AdamOptions::default() });
    // A negligible decay uses the dense update and gives the same result as the deferred one.
    let after = |decays: [f64; 3]| {
        let network = Network::new(config()).unwrap();
        for weight_decay in decays {
            let options = StepOptions { algorithm: decay(weight_decay), ..StepOptions::default() };
            network.train_batches(&chunk, &options).unwrap();
        }
        weights(&network)
    };
    for (one, other) in after([0.0; 3]).iter().zip(after([0.0, 1e-30, 0.0])) {
        assert!(difference(&one.data, &other.data) < 1e-5, "{}: {}", one.name, difference(&one.data, &other.data));
    }
}

#[test]
fn rows_are_answered_alike_alone_and_together_and_a_form_is_explained() {
    let ((texts, forms), network) = (texts(), Network::new(config().with(|c| c.threads = 2)).unwrap());
    let many = Texts { tokens: texts.tokens.repeat(9), lengths: texts.lengths.repeat(9), labels: Vec::new() };
    let all = network.predict_rows(Rows::of_forms(&many.tokens, &many.lengths, &forms)).unwrap();
    let mut start = 0;
    for (row, &length) in texts.lengths.iter().enumerate() {
        let tokens = &texts.tokens[start..start + length as usize];
        start += length as usize;
        let lengths = [length];
        let one = network.predict_rows_at_once(Rows::of_forms(tokens, &lengths, &forms)).unwrap().unwrap();
        assert!(difference(&one, &all[4 * row..4 * row + 4]) < 1e-6);
        let explained = network.explain_row(tokens, Some(&forms), Some(2)).unwrap();
        assert!(difference(&explained.probabilities, &one) < 1e-6);
        assert_eq!(explained.contributions.len(), tokens.len());
    }
    for other in all.chunks_exact(4 * 24) {
        assert!(difference(other, &all[..96]) < 1e-6);
    }
}

#[test]
fn a_network_without_subwords_refuses_forms_and_one_with_them_needs_them() {
    let (texts, forms) = texts();
    let plain = Network::new(config().with(|c| c.encoder.subwords = None)).unwrap();
    let with = Network::new(config()).unwrap();
    let options = StepOptions::default();
    let refused = |result: recurra_core::Result<()>, code| assert_eq!(result.unwrap_err().code(), code);
    refused(with.predict(&[1], &[1]).map(drop), ErrorCode::InvalidArgument);
    refused(with.explain(&[1], None).map(drop), ErrorCode::InvalidArgument);
    refused(with.train_batches(&texts.chunk(&[24]), &options).map(drop), ErrorCode::InvalidArgument);
    refused(plain.predict_rows(Rows::of_forms(&[1], &[1], &forms)).map(drop), ErrorCode::InvalidArgument);
    refused(with.predict_rows(Rows::of_forms(&[20], &[1], &forms)).map(drop), ErrorCode::OutOfRange);
    refused(with.logits_of_rows(Rows::of_forms(&[0], &[2], &forms)).map(drop), ErrorCode::InvalidShape);
    let far = forms_of(&[12], &[vec![]]);
    refused(with.predict_rows(Rows::of_forms(&[0], &[1], &far)).map(drop), ErrorCode::OutOfRange);
    let state = plain.state().unwrap();
    refused(with.load_state(&state), ErrorCode::StateMismatch);
    assert!(with.load_state(&state).unwrap_err().message().contains("subwords.weight is missing"));
}
