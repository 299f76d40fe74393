//! Adversarial training on the kernels. test/classifier/adversarial.test.ts compares losses and weights with PyTorch;
//! this file covers dropout, every cell, threads, and rejected options.
#![cfg(feature = "training")]

mod common;

use common::{Texts, difference, weights};
use recurra_core::{Algorithm, Cell, Chunk, ErrorCode, NetworkConfig, Pooling, SgdOptions, StepOptions, Targets};
use recurra_kernels::network::Network;

fn texts() -> Texts {
    Texts::random(4, 1..40)
}

fn config(cell: Cell, pooling: Pooling) -> NetworkConfig {
    NetworkConfig::classifier(cell, 40, 20, 10, 4).with(|c| {
        c.classes_mut().pooling = pooling;
        c.encoder.num_layers = 2;
        c.encoder.bidirectional = true;
        c.encoder.padding_idx = Some(1);
        c.encoder.unknown_idx = Some(0);
        c.seed = 3;
    })
}

fn with_dropout(config: NetworkConfig, embedding: f64) -> NetworkConfig {
    config.with(|c| {
        c.encoder.dropouts.words = 0.2;
        c.encoder.dropouts.layers = 0.3;
        c.encoder.dropouts.embedding = embedding;
    })
}

fn descent(adversarial: f64) -> StepOptions<'static> {
    StepOptions {
        learning_rates: &[1.0],
        algorithm: Algorithm::Sgd(SgdOptions::default()),
        adversarial,
        ..StepOptions::default()
    }
}

/// The gradient: the change of every weight in a step of plain SGD with rate 1.
fn gradient(config: &NetworkConfig, texts: &Texts, options: &StepOptions<'_>) -> Vec<f32> {
    let network = Network::new(config.clone()).unwrap();
    let before = weights(&network);
    network.train_batches(&texts.chunk(&[24]), options).unwrap();
    let after = weights(&network);
    let numbers = before.iter().zip(&after).flat_map(|(before, after)| before.data.iter().zip(&after.data));
    numbers.map(|(before, after)| before - after).collect()
}

#[test]
fn noise_of_no_length_doubles_the_gradient_whatever_is_dropped() {
    let texts = texts();
    for cell in [Cell::RnnTanh, Cell::Lstm, Cell::Gru, Cell::MinGru] {
        for pooling in [Pooling::Last, Pooling::Mean, Pooling::Max, Pooling::Attention] {
            for embedding in [0.0, 0.4] {
                for freeze_embedding in [false, true] {
                    let config = with_dropout(config(cell, pooling), embedding).with(|c| c.threads = 2);
                    let plain = StepOptions { freeze_embedding, ..descent(0.0) };
                    let twice: Vec<f32> = gradient(&config, &texts, &plain).iter().map(|g| 2.0 * g).collect();
                    let ours = gradient(&config, &texts, &StepOptions { adversarial: 1e-12, ..plain });
                    let what = format!("{cell:?} {pooling:?} {embedding} {freeze_embedding}");
                    assert!(difference(&ours, &twice) < 1e-6, "{what}: {}", difference(&ours, &twice));
                    assert!(ours.iter().any(|g| g.abs() > 1e-3), "{what}");
                }
            }
        }
    }
}

#[test]
fn threads_change_the_rounding_alone() {
    let texts = texts();
    for embedding in [0.0, 0.4] {
        let one = with_dropout(config(Cell::Lstm, Pooling::Max), embedding);
        let trained = |config: &NetworkConfig| -> Vec<f32> {
            let network = Network::new(config.clone()).unwrap();
            let options = StepOptions { clip_norm: 0.5, adversarial: 0.3, ..StepOptions::default() };
            network.train_batches(&texts.chunk(&[8, 8, 8]), &options).unwrap();
            weights(&network).into_iter().flat_map(|array| array.data).collect()
        };
        let alone = trained(&one);
        for threads in [2, 3, 7] {
            let several = one.clone().with(|c| c.threads = threads);
            let again = trained(&several);
            assert!(difference(&alone, &again) < 1e-4, "{threads} threads");
            assert_eq!(again, trained(&several), "{threads} threads");
        }
    }
}

#[test]
fn the_noise_follows_the_dropout_of_the_word_vectors() {
    // With one layer, one direction and one word per text, the pooled state depends on that word's vector alone. So the
    // second pass is a plain step on a vector that the noise moved, once the direction is known.
    let (eps, words, dims) = (0.5, [5, 9, 13], 20);
    let config = NetworkConfig::classifier(Cell::RnnTanh, 40, dims, 10, 4).with(|c| {
        c.encoder.dropouts.embedding = 0.4;
        c.seed = 8;
    });
    let chunk = Chunk {
        tokens: &words,
        lengths: &[1; 3],
        targets: Targets::Rows(&[0, 1, 2]),
        batch_sizes: &[3],
        ..Chunk::default()
    };
    let moved = |network: &Network, options: &StepOptions<'_>| -> Vec<Vec<f32>> {
        let before = weights(network);
        network.train_batches(&chunk, options).unwrap();
        let pairs = before.iter().zip(weights(network)).collect::<Vec<_>>();
        pairs.iter().map(|(a, b)| a.data.iter().zip(&b.data).map(|(a, b)| a - b).collect()).collect()
    };
    let fresh = || Network::new(config.clone()).unwrap();
    let vectors = weights(&fresh()).swap_remove(0).data;
    let clean = moved(&fresh(), &descent(0.0));
    let shifted = fresh();
    for word in words.map(|word| word as usize) {
        let (e, g) = (&vectors[word * dims..][..dims], &clean[0][word * dims..][..dims]);
        let norm = |x: &[f32]| x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let scale = eps * norm(e) / norm(g);
        let with: Vec<f32> = e.iter().zip(g).map(|(&e, &g)| (f64::from(e) + scale * f64::from(g)) as f32).collect();
        shifted.set_word_vectors(&[word as i32], &with).unwrap();
    }
    let noisy = moved(&shifted, &descent(0.0));
    let both = moved(&fresh(), &descent(eps));
    for ((clean, noisy), both) in clean.iter().zip(&noisy).zip(&both) {
        let sum: Vec<f32> = clean.iter().zip(noisy).map(|(a, b)| a + b).collect();
        assert!(difference(both, &sum) < 2e-6, "{}", difference(both, &sum));
    }
    // Only the gradients of the recurrent weights are zero: a single word has no previous state.
    let different = clean.iter().zip(&noisy).filter(|(clean, noisy)| difference(clean, noisy) > 1e-3).count();
    assert_eq!(different, both.len() - 1);
}

#[test]
fn noise_that_is_no_length_is_refused_before_anything_changes() {
    let texts = texts();
    let network = Network::new(config(Cell::Gru, Pooling::Max)).unwrap();
    let before = weights(&network);
    for adversarial in [-0.1, f64::NAN, f64::INFINITY] {
        let options = StepOptions { adversarial, ..StepOptions::default() };
        let error = network.train_batches(&texts.chunk(&[24]), &options).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().starts_with("adversarial must be a finite number of at least 0"), "{error}");
    }
    // Noise that overflows float32: the loss is not finite, and no step is made.
    let options = StepOptions { adversarial: 1e300, ..StepOptions::default() };
    let stats = network.train_batches(&texts.chunk(&[24]), &options).unwrap();
    assert_eq!((stats.non_finite_batch, stats.rows), (Some(0), 0));
    assert_eq!(weights(&network), before);
}
