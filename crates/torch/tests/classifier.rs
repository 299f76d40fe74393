//! The classifier: PyTorch's initial values, learning, order of rows, reproducibility.

mod common;

use common::{assert_close, fixture, load, one_thread};
use recurra_core::{
    Algorithm, Cell, Chunk, Dtype, NamedArray, NetworkConfig, OptimizerKind, Pooling, StepOptions, Targets,
};
use recurra_torch::functional::{embedding, linear};
use recurra_torch::network::{Network, Place};
use recurra_torch::recurrent::{Options, Source, rnn};
use recurra_torch::tensor::create::from_bytes;
use recurra_torch::{Device, Kind, Tensor};

fn config() -> NetworkConfig {
    NetworkConfig::classifier(Cell::Lstm, 40, 8, 6, 3).with(|c| {
        c.encoder.bidirectional = true;
        c.classes_mut().pooling = Pooling::Max;
        c.encoder.padding_idx = Some(1);
        c.seed = 5;
    })
}

/// Adam with this learning rate in every batch.
fn options(lr: &f64) -> StepOptions<'_> {
    StepOptions { learning_rates: std::slice::from_ref(lr), ..StepOptions::default() }
}

#[derive(Default)]
struct Texts {
    tokens: Vec<i32>,
    lengths: Vec<i32>,
    labels: Vec<i32>,
    batch_sizes: Vec<i32>,
}

impl Texts {
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

/// Texts whose class is told by most of their words.
fn chunk(rows: usize, batch: i32) -> Texts {
    let mut chunk = Texts::default();
    let mut seed = 12_345_u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..rows {
        let (label, length) = (draw(3), 1 + draw(12));
        for _ in 0..length {
            let id = if draw(4) > 0 { 2 + label * 12 + draw(12) } else { 2 + draw(38) };
            chunk.tokens.push(id as i32);
        }
        chunk.lengths.push(length as i32);
        chunk.labels.push(label as i32);
    }
    let mut left = rows as i32;
    while left > 0 {
        chunk.batch_sizes.push(batch.min(left));
        left -= batch;
    }
    chunk
}

fn tensor(state: &[NamedArray], name: &str) -> Tensor {
    let array = state.iter().find(|array| array.name == name).unwrap_or_else(|| panic!("no {name}"));
    from_bytes(&array.data, Kind::Float, &array.shape.iter().map(|&size| size as i64).collect::<Vec<_>>()).unwrap()
}

#[test]
fn initial_values_are_those_of_pytorch() {
    one_thread();
    let golden = load(&fixture("initial_weights.safetensors"));
    let config = config().with(|c| {
        c.encoder.vocab_size = 30;
        c.encoder.embedding_dim = 8;
        c.encoder.hidden_size = 4;
        c.encoder.bidirectional = false;
        c.encoder.padding_idx = None;
        c.classes_mut().classes = 3;
        c.seed = 3;
    });
    let state = Network::new(config, Place::default()).unwrap().state().unwrap();
    let theirs: Vec<_> = golden.iter().filter_map(|(name, value)| Some((name.strip_prefix("net.")?, value))).collect();
    assert_eq!(theirs.len(), state.len());
    for (name, value) in theirs {
        assert_close(name, &tensor(&state, name), value, 0.0);
    }
}

#[test]
fn the_padding_row_starts_at_zero_and_stays() {
    one_thread();
    let mut classifier = Network::new(config(), Place::default()).unwrap();
    let mut chunk = chunk(64, 16);
    // Also where a text contains the padding word itself.
    chunk.tokens[0] = 1;
    classifier.train_batches(&chunk.chunk(), &options(&0.01)).unwrap();
    let row = tensor(&classifier.state().unwrap(), "embedding.weight").get(1);
    assert_close("padding row", &row, &row.zeros_like(), 0.0);
}

#[test]
fn every_cell_and_pooling_learns() {
    one_thread();
    for cell in [Cell::RnnTanh, Cell::Lstm, Cell::Gru] {
        for pooling in [Pooling::Last, Pooling::Mean, Pooling::Max, Pooling::Attention] {
            let config = config().with(|c| {
                c.encoder.cell = cell;
                c.classes_mut().pooling = pooling;
                c.encoder.num_layers = 2;
                c.encoder.dropouts.layers = 0.2;
            });
            let mut classifier = Network::new(config, Place::default()).unwrap();
            let chunk = chunk(256, 32);
            let first = classifier.train_batches(&chunk.chunk(), &options(&0.01)).unwrap();
            assert_eq!((first.rows, first.non_finite_batch), (256, None));
            let mut last = first;
            for _ in 0..12 {
                last = classifier.train_batches(&chunk.chunk(), &options(&0.01)).unwrap();
            }
            assert!(last.loss < 0.6 * first.loss, "{cell:?} {pooling:?}: {} after {}", last.loss, first.loss);
            assert!(last.correct > 200, "{cell:?} {pooling:?}: {} of 256", last.correct);
        }
    }
}

#[test]
fn predictions_come_in_the_order_given_and_do_not_depend_on_company() {
    one_thread();
    for pooling in [Pooling::Last, Pooling::Mean, Pooling::Max, Pooling::Attention] {
        let config = config().with(|c| {
            c.classes_mut().pooling = pooling;
            c.encoder.num_layers = 2;
            c.encoder.dropouts.embedding = 0.2;
            c.encoder.dropouts.layers = 0.5;
        });
        let mut classifier = Network::new(config, Place::default()).unwrap();
        let chunk = chunk(600, 600);
        let together = classifier.predict(&chunk.tokens, &chunk.lengths).unwrap();
        assert_eq!(together.len(), 600 * 3);
        let mut start = 0;
        for (row, &length) in chunk.lengths.iter().enumerate() {
            let tokens = &chunk.tokens[start..start + length as usize];
            start += length as usize;
            let alone = classifier.predict(tokens, &[length]).unwrap();
            assert!((alone.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            for (a, b) in alone.iter().zip(&together[row * 3..]) {
                assert!((a - b).abs() < 1e-5, "{pooling:?} row {row}: {a} and {b}");
            }
        }
    }
    let mut classifier = Network::new(config(), Place::default()).unwrap();
    assert!(classifier.predict(&[], &[]).unwrap().is_empty());
    // Longer than what is predicted together.
    assert_eq!(classifier.predict(&vec![2; 40_000], &[40_000]).unwrap().len(), 3);
}

#[test]
fn a_prediction_equals_the_layers_put_together_by_hand() {
    one_thread();
    let mut classifier =
        Network::new(config().with(|c| c.classes_mut().pooling = Pooling::Last), Place::default()).unwrap();
    let state = classifier.state().unwrap();
    let tokens = [7_i32, 2, 30, 11];
    let ids = Tensor::from_slice(&tokens).to_kind(Kind::Int64).view([1, 4]);
    let embedded = embedding(&tensor(&state, "embedding.weight"), &ids, 1).unwrap();
    let weights: Vec<Tensor> =
        state.iter().filter(|a| a.name.starts_with("rnn.")).map(|a| tensor(&state, &a.name)).collect();
    let options = Options {
        cell: Cell::Lstm,
        has_biases: true,
        num_layers: 1,
        dropout: 0.0,
        train: false,
        bidirectional: true,
        batch_first: true,
    };
    let zeros = Tensor::zeros([2, 1, 6], (Kind::Float, Device::Cpu));
    let outputs =
        rnn(Source::Tensor(&embedded), None, &[&zeros, &zeros], &weights.iter().collect::<Vec<_>>(), &options).unwrap();
    let both = Tensor::cat(&[outputs[1].get(0), outputs[1].get(1)], 1);
    let logits = linear(&both, &tensor(&state, "fc.weight"), Some(&tensor(&state, "fc.bias"))).unwrap();
    let ours = classifier.predict(&tokens, &[4]).unwrap();
    assert_close("probabilities", &Tensor::from_slice(&ours).view([1, 3]), &logits.softmax(1, Kind::Float), 1e-6);
}

#[test]
fn the_same_seed_gives_the_same_training_whatever_others_draw() {
    one_thread();
    let train = |seed| {
        let config = config().with(|c| {
            c.encoder.dropouts.embedding = 0.1;
            c.encoder.dropouts.layers = 0.3;
            c.encoder.num_layers = 2;
            c.seed = seed;
        });
        let mut classifier = Network::new(config, Place::default()).unwrap();
        // The global generator is another.
        let _ = Tensor::rand([100], (Kind::Float, Device::Cpu));
        classifier.train_batches(&chunk(96, 32).chunk(), &options(&0.01)).unwrap();
        classifier.state().unwrap()
    };
    assert_eq!(train(9), train(9));
    assert_ne!(train(9), train(10));
}

#[test]
fn a_loss_that_is_not_finite_stops_before_the_weights_move() {
    one_thread();
    for poisoned in ["fc.bias", "embedding.weight"] {
        let mut classifier = Network::new(config(), Place::default()).unwrap();
        let mut state = classifier.state().unwrap();
        let array = state.iter_mut().find(|array| array.name == poisoned).unwrap();
        // Of the embedding only the word 39 is poisoned, which the second batch has first.
        let from = if poisoned == "fc.bias" { 0 } else { 39 * 8 * 4 };
        for value in array.data[from..].chunks_exact_mut(4) {
            value.copy_from_slice(&f32::NAN.to_le_bytes());
        }
        classifier.load_state(&state).unwrap();
        let chunk =
            Texts { tokens: vec![2, 3, 4, 39], lengths: vec![2, 2], labels: vec![0, 1], batch_sizes: vec![1, 1] };
        let stats = classifier.train_batches(&chunk.chunk(), &options(&0.1)).unwrap();
        let at = usize::from(poisoned != "fc.bias");
        assert_eq!((stats.non_finite_batch, stats.rows), (Some(at), at as u64));
        assert!(stats.loss.is_finite());
        let after = classifier.state().unwrap();
        let moved = state[1].data != after[1].data;
        assert_eq!(moved, at == 1, "only the first batch moved the weights");
        assert_close(
            "no NaN spread",
            &tensor(&after, "fc.weight").isfinite().to_kind(Kind::Float),
            &tensor(&after, "fc.weight").ones_like(),
            0.0,
        );
    }
}

#[test]
fn mixed_precision_learns_the_same_with_weights_in_float32() {
    one_thread();
    for pooling in [Pooling::Last, Pooling::Mean, Pooling::Max, Pooling::Attention] {
        let train = |mixed| {
            let config = config().with(|c| {
                c.classes_mut().pooling = pooling;
                c.encoder.num_layers = 2;
            });
            let mut classifier = Network::new(config, Place { mixed, ..Place::default() }).unwrap();
            let losses: Vec<f64> = (0..15)
                .map(|_| classifier.train_batches(&chunk(64, 32).chunk(), &options(&0.02)).unwrap().loss / 64.0)
                .collect();
            assert!(classifier.state().unwrap().iter().all(|array| array.dtype == Dtype::Float32));
            losses
        };
        let (exact, mixed) = (train(false), train(true));
        assert_ne!(exact, mixed, "{pooling:?} was computed in float32");
        assert!((exact[0] - mixed[0]).abs() < 0.01, "{pooling:?}: {exact:?} {mixed:?}");
        assert!(mixed[14] < 0.5 * mixed[0], "{pooling:?}: {mixed:?}");
    }
}

/// The same network on the kernels.
fn kernels() -> recurra_kernels::network::Network {
    recurra_kernels::network::Network::new(config().with(|c| c.seed = 99)).unwrap()
}

/// An interrupted training continues here, on the kernels, and back here.
#[test]
fn a_training_goes_on_from_its_state_here_and_on_the_kernels() {
    one_thread();
    let rules = [
        (OptimizerKind::Adam, 0.0, 0.0),
        (OptimizerKind::Adam, 0.01, 0.0),
        (OptimizerKind::AdamW, 0.01, 0.0),
        (OptimizerKind::Sgd, 0.0, 0.0),
        (OptimizerKind::Sgd, 0.0, 0.9),
    ];
    for (optimizer, decay, momentum) in rules {
        let step = StepOptions { algorithm: Algorithm::new(optimizer, decay, momentum), ..options(&0.02) };
        let chunk = chunk(64, 16);
        let mut classifier = Network::new(config(), Place::default()).unwrap();
        classifier.train_batches(&chunk.chunk(), &step).unwrap();
        let kept = classifier.training_state().unwrap();

        let mut again = Network::new(config().with(|c| c.seed = 77), Place::default()).unwrap();
        again.restore(&kept).unwrap();
        let differs = again.training_state().unwrap().into_iter().zip(&kept).find(|(here, there)| here != *there);
        assert_eq!(differs.map(|(here, _)| here.name), None, "{optimizer:?} {decay} {momentum}");

        let other = kernels();
        other.restore(&kept).unwrap();
        other.train_batches(&chunk.chunk(), &step).unwrap();
        // All rows catch up.
        other.state().unwrap();
        let back = other.training_state().unwrap();

        again.train_batches(&chunk.chunk(), &step).unwrap();
        let mut third = Network::new(config(), Place::default()).unwrap();
        third.restore(&back).unwrap();
        for step_more in [false, true] {
            if step_more {
                again.train_batches(&chunk.chunk(), &step).unwrap();
                third.train_batches(&chunk.chunk(), &step).unwrap();
            }
            let (here, there) = (again.state().unwrap(), third.state().unwrap());
            for array in &here {
                let (a, b) = (tensor(&here, &array.name), tensor(&there, &array.name));
                assert_close(&format!("{optimizer:?} {decay} {momentum} {}", array.name), &a, &b, 2e-4);
            }
        }
    }
}

#[test]
fn clipping_and_other_optimizers_work_and_a_state_can_be_restored() {
    one_thread();
    for optimizer in [OptimizerKind::Adam, OptimizerKind::AdamW, OptimizerKind::Sgd] {
        let mut classifier = Network::new(config(), Place::default()).unwrap();
        let start = classifier.state().unwrap();
        let chunk = chunk(64, 32);
        let algorithm = Algorithm::new(optimizer, if optimizer == OptimizerKind::AdamW { 0.01 } else { 0.0 }, 0.0);
        let step = StepOptions { clip_norm: 0.5, algorithm, learning_rates: &[0.1, 0.0], ..StepOptions::default() };
        let first = classifier.train_batches(&chunk.chunk(), &step).unwrap();
        let trained = classifier.state().unwrap();
        assert_ne!(start, trained);
        let predicted = classifier.predict(&chunk.tokens, &chunk.lengths).unwrap();
        classifier.load_state(&start).unwrap();
        assert_eq!(classifier.train_batches(&chunk.chunk(), &step).unwrap(), first);
        let mut other = Network::new(config().with(|c| c.seed = 77), Place::default()).unwrap();
        other.load_state(&trained).unwrap();
        assert_eq!(other.predict(&chunk.tokens, &chunk.lengths).unwrap(), predicted);
    }
}

/// PyTorch's optimizers keep their state when the options of a parameter group change; both engines do the same.
#[test]
fn other_options_of_an_optimizer_keep_its_state_here_and_on_the_kernels() {
    use OptimizerKind::{Adam, AdamW, Sgd};
    one_thread();
    // The second rule, and whether the state of the first is kept.
    for (before, then, kept) in [
        ((Adam, 0.0, 0.0), (Adam, 0.05, 0.0), true),
        ((Adam, 0.05, 0.0), (Adam, 0.0, 0.0), true),
        ((AdamW, 0.0, 0.0), (AdamW, 0.1, 0.0), true),
        ((Sgd, 0.0, 0.9), (Sgd, 0.05, 0.5), true),
        ((Sgd, 0.05, 0.5), (Sgd, 0.0, 0.9), true),
        ((Sgd, 0.0, 0.0), (Sgd, 0.0, 0.9), false),
        ((Sgd, 0.0, 0.9), (Sgd, 0.0, 0.0), false),
        ((Adam, 0.0, 0.0), (AdamW, 0.0, 0.0), false),
    ] {
        let texts = chunk(64, 16);
        let mut here = Network::new(config(), Place::default()).unwrap();
        let there = kernels();
        there.load_state(&here.state().unwrap()).unwrap();
        for (kind, decay, momentum) in [before, then] {
            let step = StepOptions { algorithm: Algorithm::new(kind, decay, momentum), ..options(&0.02) };
            here.train_batches(&texts.chunk(), &step).unwrap();
            there.train_batches(&texts.chunk(), &step).unwrap();
        }
        let (ours, theirs) = (here.state().unwrap(), there.state().unwrap());
        for array in &ours {
            let (a, b) = (tensor(&ours, &array.name), tensor(&theirs, &array.name));
            assert_close(&format!("{before:?} {then:?} {}", array.name), &a, &b, 2e-4);
        }
        let steps = |state: Vec<NamedArray>| {
            state.iter().find(|array| array.name == "training.steps").unwrap().values::<f64>().unwrap()
        };
        let counted = if kept { 8.0 } else { 4.0 };
        assert_eq!(steps(here.training_state().unwrap()), [8.0, counted, counted], "{before:?} {then:?}");
        assert_eq!(steps(there.training_state().unwrap()), [8.0, counted, counted], "{before:?} {then:?}");
    }
}
