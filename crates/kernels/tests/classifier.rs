//! Compares the classifier's fused step with the same step built from layers and dense optimizers.
#![cfg(feature = "training")]

mod common;
mod reference;

use common::{arrays, difference, weights};
use recurra_core::{AdamOptions, Algorithm, SgdOptions};
use recurra_core::{Cell, Dtype, ErrorCode, NamedArray};
use recurra_core::{Chunk, NetworkConfig, Pooling, StepOptions, Targets};
use recurra_kernels::network::Network;
use reference::Reference;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

struct Data {
    tokens: Vec<i32>,
    lengths: Vec<i32>,
    labels: Vec<i32>,
    batch_sizes: Vec<i32>,
}

/// Batches of 7 rows whose class is determined by their words.
fn data(batches: usize, vocab: usize, classes: usize, seed: u64) -> Data {
    let mut random = Random(seed);
    let mut data = Data { tokens: vec![], lengths: vec![], labels: vec![], batch_sizes: vec![7; batches] };
    for _ in 0..batches * 7 {
        let (length, label) = (1 + random.below(19), random.below(classes));
        data.lengths.push(length as i32);
        data.labels.push(label as i32);
        for _ in 0..length {
            let word = if random.below(3) == 0 { label + 2 } else { random.below(vocab) };
            data.tokens.push(word as i32);
        }
    }
    data
}

impl Data {
    fn chunk(&self) -> Chunk<'_> {
        Chunk {
            tokens: &self.tokens,
            lengths: &self.lengths,
            targets: Targets::Rows(&self.labels),
            batch_sizes: &self.batch_sizes,
            ..Chunk::default()
        }
    }
}

fn config(cell: Cell, pooling: Pooling) -> NetworkConfig {
    NetworkConfig::classifier(cell, 60, 20, 18, 5).with(|c| {
        c.classes_mut().pooling = pooling;
        c.encoder.padding_idx = Some(1);
        c.seed = 42;
    })
}

fn compare(config: &NetworkConfig, options: &StepOptions<'_>) {
    let what = format!("{config:?} {options:?}");
    let data = data(20, config.encoder.vocab_size, config.head.outputs(), 5);
    let classifier = Network::new(config.clone()).unwrap();
    let mut reference = Reference::new(config, weights(&classifier), options.algorithm);
    let (mut row, mut token) = (0, 0);
    for (batch, &size) in data.batch_sizes.iter().enumerate() {
        let rows = row..row + size as usize;
        let tokens = token..token + data.lengths[rows.clone()].iter().map(|&l| l as usize).sum::<usize>();
        (row, token) = (rows.end, tokens.end);
        let (tokens, lengths, labels) = (&data.tokens[tokens], &data.lengths[rows.clone()], &data.labels[rows]);
        let chunk = Chunk { tokens, lengths, targets: Targets::Rows(labels), batch_sizes: &[size], ..Chunk::default() };
        let ours = classifier.train_batches(&chunk, options).unwrap();
        let theirs = reference.step(tokens, lengths, labels, options);
        assert!((ours.loss - theirs.0).abs() < 1e-4 * theirs.0, "{what}: batch {batch}: {} {}", ours.loss, theirs.0);
        assert_eq!((ours.correct, ours.rows), (theirs.1, size as u64), "{what}: batch {batch}");
        if batch == 0 || batch == 19 {
            for (ours, theirs) in weights(&classifier).iter().zip(&reference.params) {
                // Adam divides by the size of the gradient, so rounding of tiny gradients affects the weights in the
                // first steps.
                let d = difference(&ours.data, &theirs.data);
                assert!(d < 2e-4, "{what}: batch {batch}: {} differs by {d:e}", ours.name);
            }
        }
    }
    // In one chunk, with other threads, the result is the same.
    let whole = Network::new(config.clone().with(|c| c.threads = 3)).unwrap();
    whole.train_batches(&data.chunk(), options).unwrap();
    for (ours, theirs) in weights(&whole).iter().zip(&reference.params) {
        let d = difference(&ours.data, &theirs.data);
        assert!(d < 2e-4, "{what}: in one chunk: {} differs by {d:e}", ours.name);
    }
}

#[test]
fn the_step_equals_its_parts() {
    let options = StepOptions { learning_rates: &[1e-3], ..StepOptions::default() };
    for cell in [Cell::RnnTanh, Cell::Lstm, Cell::Gru] {
        for pooling in [Pooling::Last, Pooling::Mean, Pooling::Max] {
            for (num_layers, bidirectional) in [(1, false), (1, true), (2, false), (3, true)] {
                compare(
                    &config(cell, pooling).with(|c| {
                        c.encoder.num_layers = num_layers;
                        c.encoder.bidirectional = bidirectional;
                    }),
                    &options,
                );
            }
        }
    }
}

#[test]
fn every_optimizer_equals_its_dense_form() {
    let adam = AdamOptions::default();
    let sgd = SgdOptions { momentum: 0.9, ..SgdOptions::default() };
    for algorithm in [
        Algorithm::Adam(AdamOptions { weight_decay: 0.01, ..adam }),
        Algorithm::Adam(AdamOptions { amsgrad: true, ..adam }),
        Algorithm::AdamW(AdamOptions { weight_decay: 0.01, ..adam }),
        Algorithm::Sgd(sgd),
        Algorithm::Sgd(SgdOptions { nesterov: true, ..sgd }),
        Algorithm::Sgd(SgdOptions::default()),
    ] {
        for clip_norm in [0.0, 0.05] {
            compare(
                &config(Cell::Lstm, Pooling::Last),
                &StepOptions { learning_rates: &[1e-3], clip_norm, algorithm, ..StepOptions::default() },
            );
        }
    }
}

#[test]
fn the_gradient_of_one_step_equals_its_parts() {
    // Plain SGD with rate 1: the change of the weights is the gradient.
    let options = StepOptions {
        learning_rates: &[1.0],
        algorithm: Algorithm::Sgd(SgdOptions::default()),
        ..StepOptions::default()
    };
    for cell in [Cell::RnnTanh, Cell::Lstm, Cell::Gru] {
        let config = config(cell, Pooling::Max).with(|c| {
            c.encoder.num_layers = 2;
            c.encoder.bidirectional = true;
            c.threads = 2;
        });
        let classifier = Network::new(config.clone()).unwrap();
        let before = weights(&classifier);
        let data = data(1, config.encoder.vocab_size, config.head.outputs(), 8);
        classifier.train_batches(&data.chunk(), &options).unwrap();
        let reference = Reference::new(&config, before.clone(), options.algorithm);
        let (_, _, grads) = reference.gradients(&data.tokens, &data.lengths, &data.labels);
        for ((before, after), grad) in before.iter().zip(&weights(&classifier)).zip(&grads) {
            let moved: Vec<f32> = before.data.iter().zip(&after.data).map(|(b, a)| b - a).collect();
            assert!(difference(&moved, grad) < 1e-6, "{cell:?} {}", before.name);
        }
    }
}

#[test]
fn it_learns_with_dropout_and_predicts_in_order() {
    for (pooling, bidirectional, num_layers) in
        [(Pooling::Last, false, 1), (Pooling::Max, true, 2), (Pooling::Mean, true, 1), (Pooling::Attention, true, 2)]
    {
        let config = config(Cell::Lstm, pooling).with(|c| {
            c.encoder.dropouts.embedding = 0.2;
            c.encoder.dropouts.layers = 0.2;
            c.encoder.bidirectional = bidirectional;
            c.encoder.num_layers = num_layers;
            c.threads = 2;
        });
        let classifier = Network::new(config.clone()).unwrap();
        let data = data(60, config.encoder.vocab_size, config.head.outputs(), 3);
        let options = StepOptions { learning_rates: &[5e-3], ..StepOptions::default() };
        let first = classifier.train_batches(&data.chunk(), &options).unwrap();
        let last = (0..12).map(|_| classifier.train_batches(&data.chunk(), &options).unwrap()).last().unwrap();
        assert!(last.loss < 0.7 * first.loss, "{pooling:?}: {first:?} {last:?}");
        let all = classifier.predict(&data.tokens, &data.lengths).unwrap();
        let mut start = 0;
        let mut right = 0;
        for (row, &length) in data.lengths.iter().enumerate() {
            let one = classifier.predict(&data.tokens[start..start + length as usize], &[length]).unwrap();
            start += length as usize;
            let whole = &all[row * 5..][..5];
            assert!(difference(&one, whole) < 1e-5, "{pooling:?} row {row}");
            assert!((whole.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            right += usize::from((0..5).all(|k| whole[k] <= whole[data.labels[row] as usize]));
        }
        assert!(right * 10 > data.lengths.len() * 6, "{pooling:?}: {right} of {}", data.lengths.len());
        let state = weights(&classifier);
        assert!(state[0].data[20..40].iter().all(|&v| v == 0.0), "the padding row moved");
    }
}

#[test]
fn the_same_seed_gives_the_same_weights() {
    let config = config(Cell::Gru, Pooling::Last).with(|c| {
        c.encoder.dropouts.embedding = 0.1;
        c.encoder.dropouts.layers = 0.3;
        c.threads = 2;
    });
    let data = data(30, config.encoder.vocab_size, config.head.outputs(), 4);
    let options = StepOptions { clip_norm: 1.0, ..StepOptions::default() };
    let run = |config: &NetworkConfig, parts: usize| {
        let classifier = Network::new(config.clone()).unwrap();
        for _ in 0..parts {
            classifier.train_batches(&data.chunk(), &options).unwrap();
        }
        weights(&classifier)
    };
    assert_eq!(run(&config, 3), run(&config, 3));
    assert_ne!(run(&config, 1), run(&config.clone().with(|c| c.seed = 43), 1));
}

#[test]
fn a_state_goes_from_one_to_another_or_nothing_changes() {
    let config = config(Cell::Lstm, Pooling::Last);
    let (one, two) = (Network::new(config.clone()).unwrap(), Network::new(config.with(|c| c.seed = 9)).unwrap());
    let data = data(3, 60, 5, 1);
    one.train_batches(&data.chunk(), &StepOptions::default()).unwrap();
    two.load_state(&one.state().unwrap()).unwrap();
    let probabilities = |c: &Network| c.predict(&data.tokens, &data.lengths).unwrap();
    assert_eq!(probabilities(&one), probabilities(&two));
    let mut wrong = one.state().unwrap();
    wrong[1].shape = vec![1, 2];
    wrong[2].dtype = Dtype::Float64;
    wrong.remove(0);
    wrong.push(NamedArray::list::<f32>("extra", &[]));
    let error = two.load_state(&wrong).unwrap_err();
    assert_eq!(error.code(), ErrorCode::StateMismatch);
    for part in [
        "embedding.weight is missing",
        "weight_ih_l0 has shape [1, 2] instead of [72, 20]",
        "weight_hh_l0 is float64",
        "extra is unknown",
    ] {
        assert!(error.message().contains(part), "{error}");
    }
    assert_eq!(probabilities(&one), probabilities(&two));
}

#[test]
fn bad_data_is_refused_before_anything_changes() {
    let classifier = Network::new(config(Cell::Lstm, Pooling::Last)).unwrap();
    let before = weights(&classifier);
    let train = |tokens: &[i32], lengths: &[i32], labels: &[i32], batch_sizes: &[i32]| {
        classifier
            .train_batches(
                &Chunk { tokens, lengths, targets: Targets::Rows(labels), batch_sizes, ..Chunk::default() },
                &StepOptions::default(),
            )
            .unwrap_err()
    };
    assert_eq!(
        train(&[1, 60], &[2], &[0], &[1]).message(),
        "token id 60 at place 1 is outside the vocabulary of 60 words"
    );
    assert_eq!(train(&[1, -1], &[2], &[0], &[1]).code(), ErrorCode::OutOfRange);
    assert_eq!(train(&[1, 2], &[2], &[5], &[1]).message(), "label 5 of row 0 is outside the 5 classes");
    assert_eq!(train(&[1, 2], &[2, 0], &[1, 1], &[2]).message(), "row 1 has length 0: expected at least one token");
    assert_eq!(train(&[1, 2], &[3], &[1], &[1]).code(), ErrorCode::InvalidShape);
    assert_eq!(train(&[1, 2], &[2], &[1, 1], &[1]).code(), ErrorCode::InvalidShape);
    assert_eq!(train(&[1, 2], &[2], &[1], &[2]).code(), ErrorCode::InvalidShape);
    assert!(classifier.predict(&[1, 99], &[2]).is_err());
    assert_eq!(classifier.predict(&[], &[]).unwrap(), Vec::<f32>::new());
    assert_eq!(before, weights(&classifier));
    for config in [
        config(Cell::Lstm, Pooling::Last).with(|c| c.encoder.vocab_size = 0),
        config(Cell::Lstm, Pooling::Last).with(|c| c.encoder.dropouts.layers = 1.0),
        config(Cell::Lstm, Pooling::Last).with(|c| c.encoder.padding_idx = Some(60)),
    ] {
        assert!(Network::new(config).is_err());
    }
}

#[test]
fn a_loss_that_is_not_finite_stops_before_the_weights() {
    for (threads, clip_norm) in [(1, 0.0), (2, 1.0)] {
        let classifier = Network::new(config(Cell::Lstm, Pooling::Last).with(|c| c.threads = threads)).unwrap();
        let mut state = weights(&classifier);
        state[0].data[59 * 20] = f32::NAN;
        classifier.load_state(&arrays(&state)).unwrap();
        let chunk = Chunk {
            tokens: &[3, 4, 59, 5],
            lengths: &[2, 1, 1],
            targets: Targets::Rows(&[0, 1, 2]),
            batch_sizes: &[1, 1, 1],
            ..Chunk::default()
        };
        let options = StepOptions { clip_norm, ..StepOptions::default() };
        let stats = classifier.train_batches(&chunk, &options).unwrap();
        assert_eq!((stats.non_finite_batch, stats.rows), (Some(1), 1));
        let after = weights(&classifier);
        let bad = after.iter().skip(1).flat_map(|t| &t.data).filter(|v| !v.is_finite()).count();
        assert_eq!(bad, 0);
    }
}

#[test]
fn predictions_run_side_by_side() {
    let classifier = Network::new(config(Cell::Gru, Pooling::Mean).with(|c| c.threads = 2)).unwrap();
    let data = data(40, 60, 5, 6);
    let expected = classifier.predict(&data.tokens, &data.lengths).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert!(difference(&classifier.predict(&data.tokens, &data.lengths).unwrap(), &expected) < 1e-6);
                }
            });
        }
    });
}
