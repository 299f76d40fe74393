//! The effect of the classifier's step options. test/classifier/golden.test.ts compares losses and attention with
//! PyTorch.
#![cfg(feature = "training")]

mod common;

use common::{Texts, difference, weights};
use recurra_core::Cell;
use recurra_core::ErrorCode;
use recurra_core::{AdamOptions, Algorithm};
use recurra_core::{Chunk, LossOptions, NetworkConfig, Pooling, StepOptions, Targets};
use recurra_kernels::network::Network;

const UNKNOWN: i32 = 0;

const BATCHES: &[i32] = &[8, 8, 8];

fn texts() -> Texts {
    Texts::random(9, 2..40)
}

fn config() -> NetworkConfig {
    NetworkConfig::classifier(Cell::Lstm, 40, 12, 10, 4).with(|c| {
        c.classes_mut().pooling = Pooling::Attention;
        c.encoder.bidirectional = true;
        c.encoder.padding_idx = Some(1);
        c.encoder.unknown_idx = Some(UNKNOWN as u32);
        c.seed = 3;
    })
}

/// All weights after a chunk, concatenated.
fn trained(config: &NetworkConfig, chunk: &Chunk<'_>, options: &StepOptions<'_>) -> Vec<f32> {
    let classifier = Network::new(config.clone()).unwrap();
    classifier.train_batches(chunk, options).unwrap();
    weights(&classifier).into_iter().flat_map(|tensor| tensor.data).collect()
}

#[test]
fn initial_weights_are_the_same_whatever_needs_them_first() {
    let texts = texts();
    let initial = weights(&Network::new(config()).unwrap());
    let predicted = Network::new(config()).unwrap();
    predicted.predict(&texts.tokens, &texts.lengths).unwrap();
    assert_eq!(weights(&predicted), initial);
    let still = Network::new(config()).unwrap();
    let options = StepOptions { learning_rates: &[0.0], ..StepOptions::default() };
    still.train_batches(&texts.chunk(BATCHES), &options).unwrap();
    assert_eq!(weights(&still), initial);
    let set = Network::new(config()).unwrap();
    set.set_word_vectors(&[5], &[0.5; 12]).unwrap();
    let mut expected = initial;
    expected[0].data[5 * 12..6 * 12].fill(0.5);
    assert_eq!(weights(&set), expected);
}

#[test]
fn threads_change_the_rounding_alone() {
    let (texts, options) = (texts(), StepOptions::default());
    for word_dropout in [0.0, 0.3] {
        let one = config().with(|c| c.encoder.dropouts.words = word_dropout);
        let weights = trained(&one, &texts.chunk(BATCHES), &options);
        for threads in [2, 3, 7] {
            let several = one.clone().with(|c| c.threads = threads);
            let again = trained(&several, &texts.chunk(BATCHES), &options);
            assert!(difference(&weights, &again) < 1e-4, "{threads} threads");
            assert_eq!(again, trained(&several, &texts.chunk(BATCHES), &options), "{threads} threads");
        }
    }
}

#[test]
fn dropped_words_are_read_as_the_unknown_word() {
    let texts = texts();
    let unknown = Texts { tokens: vec![UNKNOWN; texts.tokens.len()], ..self::texts() };
    let options = StepOptions::default();
    let all = config().with(|c| c.encoder.dropouts.words = 0.999_999_9);
    assert_eq!(trained(&all, &texts.chunk(BATCHES), &options), trained(&config(), &unknown.chunk(BATCHES), &options));
    // With a share of them, each batch drops other words, and predictions drop none.
    let some = config().with(|c| c.encoder.dropouts.words = 0.5);
    let weights = trained(&some, &texts.chunk(BATCHES), &options);
    assert_ne!(weights, trained(&config(), &texts.chunk(BATCHES), &options));
    assert_ne!(weights, trained(&some, &unknown.chunk(BATCHES), &options));
    let predict =
        |config: &NetworkConfig| Network::new(config.clone()).unwrap().predict(&texts.tokens, &texts.lengths).unwrap();
    assert_eq!(predict(&some), predict(&config()));
}

#[test]
fn a_frozen_embedding_stays_and_its_optimizer_waits() {
    let texts = texts();
    let decay = AdamOptions { weight_decay: 0.1, ..AdamOptions::default() };
    for algorithm in [Algorithm::Adam(AdamOptions::default()), Algorithm::Adam(decay), Algorithm::AdamW(decay)] {
        let options = StepOptions { algorithm, clip_norm: 0.1, ..StepOptions::default() };
        let frozen = StepOptions { freeze_embedding: true, ..options };
        for embedding_dropout in [0.0, 0.2] {
            let config = config().with(|c| {
                c.encoder.dropouts.embedding = embedding_dropout;
                c.threads = 2;
            });
            let classifier = Network::new(config).unwrap();
            let before = weights(&classifier);
            classifier.train_batches(&texts.chunk(BATCHES), &frozen).unwrap();
            let after = weights(&classifier);
            assert_eq!(before[0], after[0]);
            assert!(before.iter().zip(&after).skip(1).all(|(before, after)| before != after));
            classifier.train_batches(&texts.chunk(BATCHES), &options).unwrap();
            assert_ne!(weights(&classifier)[0], before[0]);
        }
    }
}

#[test]
fn equal_class_weights_and_no_smoothing_are_the_plain_loss() {
    let texts = texts();
    let classifier = Network::new(config()).unwrap();
    let plain = classifier.train_batches(&texts.chunk(BATCHES), &StepOptions::default()).unwrap();
    let classifier = Network::new(config()).unwrap();
    let loss = LossOptions { weights: &[3.0; 4], smoothing: 0.0 };
    let weighted =
        classifier.train_batches(&texts.chunk(BATCHES), &StepOptions { loss, ..StepOptions::default() }).unwrap();
    assert!((plain.loss - weighted.loss).abs() < 1e-4 * plain.loss, "{plain:?} {weighted:?}");
    assert_eq!((plain.correct, plain.rows), (weighted.correct, weighted.rows));
}

#[test]
fn a_text_may_have_every_label_or_none() {
    let texts = texts();
    let config = config().with(|c| c.classes_mut().multi_label = true);
    let classifier = Network::new(config).unwrap();
    // Even texts have all labels, odd ones none; two words distinguish them.
    let tokens: Vec<i32> = (0..24).map(|row| 2 + row % 2).collect();
    let labels: Vec<i32> = (0..12).flat_map(|_| 0..4).collect();
    let offsets: Vec<u32> = (0..=24u32).map(|row| row.div_ceil(2) * 4).collect();
    let chunk = Chunk {
        tokens: &tokens,
        lengths: &[1; 24],
        targets: Targets::Sets { outputs: &labels, starts: &offsets },
        batch_sizes: &[8, 8, 8],
        ..Chunk::default()
    };
    let options = StepOptions { learning_rates: &[0.05], ..StepOptions::default() };
    let first = classifier.train_batches(&chunk, &options).unwrap();
    let last = (0..20).map(|_| classifier.train_batches(&chunk, &options).unwrap()).last().unwrap();
    assert!(last.loss < 0.1 * first.loss && last.correct == 24, "{first:?} {last:?}");
    let probabilities = classifier.predict(&[2, 3], &[1, 1]).unwrap();
    assert!(probabilities[..4].iter().all(|&p| p > 0.9) && probabilities[4..].iter().all(|&p| p < 0.1));
    // Without starts, the targets do not fit this classifier.
    assert_eq!(classifier.train_batches(&texts.chunk(BATCHES), &options).unwrap_err().code(), ErrorCode::InvalidShape);
    let falling = Chunk {
        targets: Targets::Sets { outputs: &[3, 1], starts: &[0, 2] },
        tokens: &[2],
        lengths: &[1],
        batch_sizes: &[1],
        ..Chunk::default()
    };
    let error = classifier.train_batches(&falling, &options).unwrap_err();
    assert_eq!(error.message(), "the labels of a row must rise, each once, but in row 0 3 comes before 1");
}

#[test]
fn a_loss_that_is_not_finite_is_told_with_every_loss() {
    for (multi_label, smoothing) in [(true, 0.0), (false, 0.1)] {
        let classifier = Network::new(config().with(|c| c.classes_mut().multi_label = multi_label)).unwrap();
        classifier.set_word_vectors(&[5], &[f32::NAN; 12]).unwrap();
        let labels = &[0, 1];
        let targets =
            if multi_label { Targets::Sets { outputs: labels, starts: &[0, 1, 2] } } else { Targets::Rows(labels) };
        let chunk = Chunk { tokens: &[3, 5], lengths: &[1, 1], targets, batch_sizes: &[1, 1], ..Chunk::default() };
        let loss = LossOptions { smoothing, ..LossOptions::default() };
        let stats = classifier.train_batches(&chunk, &StepOptions { loss, ..StepOptions::default() }).unwrap();
        assert_eq!((stats.non_finite_batch, stats.rows), (Some(1), 1));
        let after = weights(&classifier);
        assert!(after.iter().skip(1).flat_map(|tensor| &tensor.data).all(|value| value.is_finite()));
    }
}

#[test]
fn options_that_do_not_fit_are_refused_before_anything_changes() {
    let texts = texts();
    let classifier = Network::new(config()).unwrap();
    let before = weights(&classifier);
    for (loss, part) in [
        (LossOptions { weights: &[1.0; 3], ..LossOptions::default() }, "3 weights for 4 classes"),
        (LossOptions { weights: &[1.0, 1.0, 0.0, 1.0], ..LossOptions::default() }, "above 0 but one is 0"),
        (LossOptions { weights: &[1.0, 1.0, f32::NAN, 1.0], ..LossOptions::default() }, "above 0 but one is NaN"),
        (LossOptions { smoothing: 1.0, ..LossOptions::default() }, "labelSmoothing must be at least 0"),
    ] {
        let error = classifier
            .train_batches(&texts.chunk(BATCHES), &StepOptions { loss, ..StepOptions::default() })
            .unwrap_err();
        assert!(error.message().contains(part), "{error}");
    }
    let many = Network::new(config().with(|c| c.classes_mut().multi_label = true)).unwrap();
    let loss = LossOptions { smoothing: 0.1, ..LossOptions::default() };
    let offsets: Vec<u32> = (0..=24).collect();
    let chunk = Chunk { targets: Targets::Sets { outputs: &texts.labels, starts: &offsets }, ..texts.chunk(BATCHES) };
    let error = many.train_batches(&chunk, &StepOptions { loss, ..StepOptions::default() }).unwrap_err();
    assert!(error.message().contains("exclusive"), "{error}");
    assert_eq!(classifier.train_batches(&chunk, &StepOptions::default()).unwrap_err().code(), ErrorCode::InvalidShape);
    for (words, vectors, code) in [
        (vec![1], vec![0.0; 12], ErrorCode::OutOfRange),
        (vec![40], vec![0.0; 12], ErrorCode::OutOfRange),
        (vec![-1], vec![0.0; 12], ErrorCode::OutOfRange),
        (vec![2], vec![0.0; 11], ErrorCode::InvalidShape),
    ] {
        assert_eq!(classifier.set_word_vectors(&words, &vectors).unwrap_err().code(), code);
    }
    for config in [
        config().with(|c| {
            c.encoder.dropouts.words = 0.1;
            c.encoder.unknown_idx = None;
        }),
        config().with(|c| c.encoder.dropouts.words = 1.0),
        config().with(|c| c.encoder.unknown_idx = Some(40)),
    ] {
        assert_eq!(Network::new(config).err().map(|error| error.code()), Some(ErrorCode::InvalidArgument));
    }
    assert_eq!(weights(&classifier), before);
}
