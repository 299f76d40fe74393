//! The classifier's fused step against the same step put together from the layers and dense optimizers.

mod common;

use common::{arrays, difference, weights};
use recurra_core::layout::PackedLayout;
use recurra_core::{AdamOptions, Algorithm, SgdOptions};
use recurra_core::{Cell, Dtype, ErrorCode, NamedArray};
use recurra_core::{Chunk, NetworkConfig, Pooling, StepOptions, Targets};
use recurra_kernels::network::Network;
use recurra_kernels::optim::Dense;
use recurra_kernels::recurrent::{Input, Mode, RecurrentConfig, backward, forward};
use recurra_kernels::threads::Pool;

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

/// Batches of 7 rows whose class shows in their words.
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

/// The same training, layer by layer.
struct Reference {
    config: NetworkConfig,
    params: Vec<NamedArray<Vec<f32>>>,
    optimizers: Vec<Dense>,
}

impl Reference {
    fn new(config: &NetworkConfig, params: Vec<NamedArray<Vec<f32>>>, algorithm: Algorithm) -> Self {
        let optimizers = params.iter().map(|p| Dense::new(algorithm, p.data.len()).unwrap()).collect();
        Self { config: config.clone(), params, optimizers }
    }

    /// Loss (sum over rows), number of right rows and all gradients of the mean loss.
    fn gradients(&self, tokens: &[i32], lengths: &[i32], labels: &[i32]) -> (f64, u64, Vec<Vec<f32>>) {
        let c = &self.config;
        let layout = PackedLayout::new(lengths, None).unwrap();
        let mut starts = vec![0usize];
        lengths.iter().for_each(|&l| starts.push(starts[starts.len() - 1] + l as usize));
        let words: Vec<usize> = (0..layout.total())
            .map(|position| {
                let (row, time) = layout.row_and_time(position).unwrap();
                tokens[starts[layout.sorted_indices()[row] as usize] + time] as usize
            })
            .collect();
        let dim = c.encoder.embedding_dim;
        let x: Vec<f32> = words.iter().flat_map(|&w| self.params[0].data[w * dim..][..dim].to_vec()).collect();
        let n = self.params.len();
        let rnn: Vec<&[f32]> = self.params[1..n - 2].iter().map(|p| p.data.as_slice()).collect();
        let pool = Pool::new(1);
        let (out, saved) = forward(
            &pool,
            &RecurrentConfig::from(&c.encoder),
            &layout,
            Input::Rows(&x),
            (None, None),
            &rnn,
            Mode::Eval,
        )
        .unwrap();
        let (hidden, dirs) = (c.encoder.hidden_size, RecurrentConfig::from(&c.encoder).directions());
        let (features, rows) = (hidden * dirs, lengths.len());
        let first = (c.encoder.num_layers - 1) * dirs;
        let mut d_output = vec![0.0f32; out.output.len()];
        let mut d_hn = vec![0.0f32; out.hn.len()];
        let (weight, bias) = (&self.params[n - 2].data, &self.params[n - 1].data);
        let (mut d_weight, mut d_bias) = (vec![0.0f32; weight.len()], vec![0.0f32; bias.len()]);
        let (mut loss, mut correct) = (0.0, 0);
        for row in 0..rows {
            let at = |time: usize| layout.position(row, time).unwrap() * features;
            let length = layout.lengths()[row] as usize;
            let mut times = vec![0usize; features];
            let feature: Vec<f32> = (0..features)
                .map(|i| match c.classes().unwrap().pooling {
                    Pooling::Last => out.hn[((first + i / hidden) * rows + row) * hidden + i % hidden],
                    Pooling::Mean => (0..length).map(|t| out.output[at(t) + i]).sum::<f32>() / length as f32,
                    Pooling::Max => {
                        times[i] = (0..length)
                            .fold(0, |b, t| if out.output[at(t) + i] > out.output[at(b) + i] { t } else { b });
                        out.output[at(times[i]) + i]
                    }
                    Pooling::Attention => unreachable!("compared with PyTorch's own"),
                })
                .collect();
            let logits: Vec<f32> = (0..c.head.outputs())
                .map(|k| bias[k] + (0..features).map(|i| weight[k * features + i] * feature[i]).sum::<f32>())
                .collect();
            let label = labels[layout.sorted_indices()[row] as usize] as usize;
            let top = logits.iter().copied().fold(f32::MIN, f32::max);
            let sum: f32 = logits.iter().map(|l| (l - top).exp()).sum();
            loss += f64::from(top + sum.ln() - logits[label]);
            correct += u64::from(logits.iter().position(|&l| l == top) == Some(label));
            for k in 0..c.head.outputs() {
                let d = ((logits[k] - top).exp() / sum - f32::from(u8::from(k == label))) / rows as f32;
                d_bias[k] += d;
                for i in 0..features {
                    d_weight[k * features + i] += d * feature[i];
                    let d = d * weight[k * features + i];
                    match c.classes().unwrap().pooling {
                        Pooling::Last => d_hn[((first + i / hidden) * rows + row) * hidden + i % hidden] += d,
                        Pooling::Mean => (0..length).for_each(|t| d_output[at(t) + i] += d / length as f32),
                        Pooling::Max => d_output[at(times[i]) + i] += d,
                        Pooling::Attention => unreachable!("compared with PyTorch's own"),
                    }
                }
            }
        }
        let grads = backward(&pool, &mut saved.unwrap(), Some(&d_output), Some(&d_hn), None).unwrap();
        let mut d_embedding = vec![0.0f32; self.params[0].data.len()];
        for (&word, d) in words.iter().zip(grads.input.chunks_exact(dim)) {
            if c.encoder.padding_idx != Some(word as u32) {
                d_embedding[word * dim..][..dim].iter_mut().zip(d).for_each(|(sum, d)| *sum += d);
            }
        }
        let mut all = vec![d_embedding];
        all.extend(grads.params);
        all.extend([d_weight, d_bias]);
        (loss, correct, all)
    }

    fn step(&mut self, tokens: &[i32], lengths: &[i32], labels: &[i32], options: &StepOptions<'_>) -> (f64, u64) {
        let (loss, correct, grads) = self.gradients(tokens, lengths, labels);
        let norm = grads.iter().flatten().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt();
        let scale = if options.clip_norm > 0.0 { (options.clip_norm / (norm + 1e-6)).min(1.0) as f32 } else { 1.0 };
        for ((param, optimizer), grad) in self.params.iter_mut().zip(&mut self.optimizers).zip(&grads) {
            optimizer.step(&mut param.data, grad, options.learning_rates[0], scale).unwrap();
        }
        (loss, correct)
    }
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
                // Adam divides by the gradient's size, so rounding of tiny gradients shows in the first steps' weights.
                let d = difference(&ours.data, &theirs.data);
                assert!(d < 2e-4, "{what}: batch {batch}: {} differs by {d:e}", ours.name);
            }
        }
    }
    // All at once, with other threads, is the same again.
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
    // Plain SGD with rate 1: the weights move by the gradient.
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
fn initial_values_are_distributed_as_in_pytorch() {
    let config = config(Cell::Lstm, Pooling::Last).with(|c| {
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

#[test]
fn sizes_that_no_computer_can_hold_are_refused() {
    let base = || config(Cell::Lstm, Pooling::Max);
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
    // Memory is taken by what needs the weights first.
    let large = Network::new(large).unwrap();
    let error = recurra_core::guard(|| large.state()).expect_err("a typed error");
    assert_eq!(error.code(), ErrorCode::OutOfMemory);
}
