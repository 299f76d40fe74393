//! Compares sequence-to-sequence networks with PyTorch: losses, gradients, trained weights, probabilities and searches.
#![cfg(feature = "training")]

mod common;

use std::sync::atomic::AtomicBool;

use common::{Golden, difference, fixtures, json};
use recurra_core::{
    AdamOptions, Algorithm, Attention, Cell, Chunk, DecodeOptions, ErrorCode, LossOptions, NamedArray, Seq2SeqConfig,
    SgdOptions, Stats, StepOptions, Targets,
};
use recurra_kernels::seq2seq::{Decoded, Seq2Seq};
use serde_json::Value;

/// Absolute and relative, against float64.
const TOLERANCE: f32 = 1e-5;

struct Case {
    name: String,
    golden: Golden,
    config: Seq2SeqConfig,
    algorithm: Algorithm,
    rate: f64,
    clip: f64,
    smoothing: f64,
    penalty: f64,
    longest: i32,
    steps: usize,
}

fn size(of: &Value, key: &str) -> usize {
    usize::try_from(of[key].as_u64().unwrap()).unwrap()
}

fn number(of: &Value, key: &str) -> f64 {
    of[key].as_f64().unwrap()
}

fn cases() -> Vec<Case> {
    let sizes = json(&fixtures().join("seq2seq.json"));
    let case = |case: &Value| {
        let cell = match case["cell"].as_str().unwrap() {
            "rnn" => Cell::RnnTanh,
            "lstm" => Cell::Lstm,
            _ => Cell::Gru,
        };
        let sgd = case["optimizer"] == "sgd";
        let (sources, targets) = (size(&sizes, "sources"), size(&sizes, "targets"));
        Case {
            name: case["name"].as_str().unwrap().to_owned(),
            golden: Golden::open(&fixtures().join("seq2seq.safetensors")),
            config: Seq2SeqConfig::new(cell, sources, targets, size(&sizes, "embedding"), size(&sizes, "hidden")).with(
                |c| {
                    c.encoder.num_layers = size(case, "layers");
                    c.encoder.bidirectional = case["bidirectional"] == true;
                    c.target_embedding_dim = size(&sizes, "target_embedding");
                    c.decoder_hidden = size(&sizes, "decoder");
                    c.decoder_layers = size(case, "decoder_layers");
                    c.attention = Attention::parse(case["attention"].as_str().unwrap()).unwrap();
                    c.start_unit = u32::try_from(size(&sizes, "start")).unwrap();
                    c.end_unit = u32::try_from(size(&sizes, "end")).unwrap();
                },
            ),
            algorithm: if sgd {
                Algorithm::Sgd(SgdOptions::default())
            } else {
                Algorithm::Adam(AdamOptions::default())
            },
            rate: if sgd { 0.5 } else { 0.02 },
            clip: number(case, "clip"),
            smoothing: number(case, "smoothing"),
            penalty: number(case, "penalty"),
            longest: i32::try_from(size(&sizes, "longest")).unwrap(),
            steps: size(&sizes, "steps"),
        }
    };
    sizes["cases"].as_array().unwrap().iter().map(case).collect()
}

/// Pairs of source and target units.
struct Pairs {
    tokens: Vec<i32>,
    lengths: Vec<i32>,
    targets: Vec<i32>,
    starts: Vec<u32>,
}

impl Pairs {
    fn new(tokens: Vec<i32>, lengths: Vec<i32>, targets: Vec<i32>, target_lengths: &[i32]) -> Self {
        let mut starts = vec![0];
        for &length in target_lengths {
            starts.push(starts[starts.len() - 1] + length.cast_unsigned());
        }
        Self { tokens, lengths, targets, starts }
    }

    /// Rows of 1 to 9 source units, whose number of target units depends on the row number.
    fn random(rows: usize, sources: i32, targets: i32) -> Self {
        let mut state = 5_u64;
        let mut below = |n: i32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i32::try_from((state >> 33) % u64::from(n.cast_unsigned())).unwrap()
        };
        let (mut tokens, mut lengths, mut given, mut ends) = (vec![], vec![], vec![], vec![]);
        for _ in 0..rows {
            let (length, end) = (1 + below(9), below(7));
            tokens.extend((0..length).map(|_| below(sources)));
            given.extend((0..end).map(|_| 2 + below(targets - 2)));
            given.push(1);
            lengths.push(length);
            ends.push(end + 1);
        }
        Self::new(tokens, lengths, given, &ends)
    }

    fn chunk<'a>(&'a self, batch_sizes: &'a [i32]) -> Chunk<'a> {
        let Self { tokens, lengths, targets, starts } = self;
        let targets = Targets::Sets { outputs: targets, starts };
        Chunk { tokens, lengths, targets, batch_sizes, forms: None }
    }
}

fn values(network: &Seq2Seq) -> Vec<(String, Vec<f32>)> {
    network.state().unwrap().into_iter().map(|array| (array.name.clone(), array.values().unwrap())).collect()
}

impl Case {
    fn get(&self, what: &str) -> Vec<f32> {
        self.golden.f32(&format!("{}/{what}", self.name))
    }

    fn units(&self, what: &str) -> Vec<i32> {
        let units = self.golden.i64(&format!("{}/{what}", self.name));
        units.into_iter().map(|unit| i32::try_from(unit).unwrap()).collect()
    }

    fn pairs(&self) -> Pairs {
        let lengths = self.units("targets.lengths");
        Pairs::new(self.units("sources"), self.units("sources.lengths"), self.units("targets"), &lengths)
    }

    fn network(&self, threads: usize) -> Seq2Seq {
        let network = Seq2Seq::new(self.config.clone().with(|c| c.threads = threads)).unwrap();
        let stored = |array: NamedArray| {
            NamedArray::of(array.name.clone(), array.shape, &self.get(&format!("initial.{}", array.name)))
        };
        let state: Vec<NamedArray> = network.state().unwrap().into_iter().map(stored).collect();
        network.load_state(&state).unwrap();
        network
    }

    fn options(&self) -> StepOptions<'_> {
        StepOptions {
            learning_rates: std::slice::from_ref(&self.rate),
            clip_norm: self.clip,
            algorithm: self.algorithm,
            loss: LossOptions { smoothing: self.smoothing, ..LossOptions::default() },
            ..StepOptions::default()
        }
    }

    fn near(&self, what: &str, ours: &[f32], theirs: &[f32]) {
        let worst = difference(ours, theirs);
        assert!(worst <= TOLERANCE, "{}: {what} differs by {worst:e}", self.name);
    }

    fn decode(&self, network: &Seq2Seq, beam_size: usize) -> Decoded {
        let pairs = self.pairs();
        let max_lengths = vec![self.longest; pairs.lengths.len()];
        let options = DecodeOptions {
            beam_size,
            max_lengths: &max_lengths,
            length_penalty: self.penalty,
            best: beam_size,
            alignments: true,
        };
        network.decode(&pairs.tokens, &pairs.lengths, &options, None).unwrap()
    }
}

#[test]
fn losses_gradients_and_weights_are_those_of_pytorch() {
    for (case, threads) in cases().iter().flat_map(|case| [(case, 1), (case, 3)]) {
        let pairs = case.pairs();
        let batch = [i32::try_from(pairs.lengths.len()).unwrap()];
        let network = case.network(threads);
        let mut losses = Vec::new();
        for step in 0..case.steps {
            let stats = network.train_batches(&pairs.chunk(&batch), &case.options()).unwrap();
            assert_eq!((stats.answers, stats.rows), (pairs.targets.len() as u64, pairs.lengths.len() as u64));
            losses.push((stats.loss / pairs.targets.len() as f64) as f32);
            // With plain SGD, the change of the weights is the gradient.
            if step == 0 && matches!(case.algorithm, Algorithm::Sgd(_)) {
                for (name, now) in values(&network) {
                    let before = case.get(&format!("initial.{name}"));
                    let moved: Vec<f32> = before.iter().zip(&now).map(|(a, b)| (a - b) / case.rate as f32).collect();
                    case.near(&name, &moved, &case.get(&format!("gradient.{name}")));
                }
            }
        }
        case.near("losses", &losses, &case.get("losses"));
        for (name, now) in values(&network) {
            case.near(&name, &now, &case.get(&format!("final.{name}")));
        }
    }
}

#[test]
fn probabilities_and_searches_are_those_of_pytorch() {
    for (case, threads) in cases().iter().flat_map(|case| [(case, 1), (case, 3)]) {
        let (pairs, network) = (case.pairs(), case.network(threads));
        let Pairs { tokens, lengths, targets, starts } = &pairs;
        let scores = network.score(tokens, lengths, targets, starts).unwrap();
        case.near("score", &scores, &case.get("score"));
        for beam in [1, 3] {
            let found = case.decode(&network, beam);
            let name = |what: &str| format!("beam{beam}.{what}");
            let ends: Vec<i32> = found.starts.windows(2).map(|pair| (pair[1] - pair[0]).cast_signed()).collect();
            assert_eq!(ends, case.units(&name("lengths")), "{} {beam}", case.name);
            assert_eq!(found.units, case.units(&name("units")), "{} {beam}", case.name);
            case.near("scores", &found.scores, &case.get(&name("scores")));
            case.near("alignments", &found.alignments, &case.get(&name("alignments")));
        }
    }
}

/// A network with two layers on each side and all training options.
fn rich(cell: Cell, attention: Attention, threads: usize) -> Seq2Seq {
    let config = Seq2SeqConfig::new(cell, 11, 9, 7, 18).with(|c| {
        (c.encoder.num_layers, c.decoder_layers, c.encoder.bidirectional) = (2, 2, true);
        (c.attention, c.threads, c.seed) = (attention, threads, 4);
        (c.encoder.dropouts.layers, c.encoder.dropouts.embedding, c.encoder.dropouts.words) = (0.2, 0.1, 0.1);
        c.encoder.dropouts.outputs = Some(0.3);
        (c.encoder.unknown_idx, c.encoder.padding_idx) = (Some(1), Some(0));
    });
    Seq2Seq::new(config).unwrap()
}

fn rich_options() -> StepOptions<'static> {
    StepOptions { clip_norm: 0.7, sampling: 0.3, ..StepOptions::default() }
}

#[test]
fn threads_change_no_bit_and_a_restored_training_makes_the_same_steps() {
    let pairs = Pairs::random(90, 11, 9);
    for (cell, attention) in [
        (Cell::Lstm, Attention::Luong),
        (Cell::Gru, Attention::Bahdanau),
        (Cell::MinGru, Attention::Luong),
        (Cell::RnnRelu, Attention::Bahdanau),
    ] {
        let train = |network: &Seq2Seq, batches: &[i32]| {
            let rows: i32 = batches.iter().sum();
            let n = usize::try_from(rows).unwrap();
            let end = pairs.starts[n] as usize;
            let tokens = pairs.lengths[..n].iter().sum::<i32>() as usize;
            let targets = Targets::Sets { outputs: &pairs.targets[..end], starts: &pairs.starts[..=n] };
            let chunk = Chunk {
                tokens: &pairs.tokens[..tokens],
                lengths: &pairs.lengths[..n],
                targets,
                batch_sizes: batches,
                forms: None,
            };
            network.train_batches(&chunk, &rich_options()).unwrap()
        };
        let whole = |network: &Seq2Seq| [train(network, &[30, 41, 19]), train(network, &[1, 60])];
        let one = rich(cell, attention, 1);
        let stats: [Stats; 2] = whole(&one);
        assert!(stats[0].loss.is_finite() && stats[0].non_finite_batch.is_none());
        for threads in [2, 3, 5] {
            let other = rich(cell, attention, threads);
            assert_eq!(whole(&other), stats, "{cell:?} {threads}");
            assert_eq!(values(&other), values(&one), "{cell:?} {threads}");
        }
        let before = rich(cell, attention, 2);
        train(&before, &[30, 41, 19]);
        let resumed = rich(cell, attention, 2);
        resumed.restore(&before.training_state().unwrap()).unwrap();
        assert_eq!(train(&resumed, &[1, 60]), stats[1]);
        assert_eq!(values(&resumed), values(&one), "{cell:?}");
        // The padding word's row stays zero.
        assert!(values(&one)[0].1[..7].iter().all(|&value| value == 0.0));
    }
}

#[test]
fn searches_depend_neither_on_threads_nor_on_other_rows() {
    let pairs = Pairs::random(150, 11, 9);
    let max_lengths: Vec<i32> = (0..150).map(|row| 1 + row % 12).collect();
    for (beam_size, best) in [(1, 1), (4, 2)] {
        let options =
            |max_lengths| DecodeOptions { beam_size, max_lengths, length_penalty: 0.8, best, alignments: true };
        let all = |threads| {
            rich(Cell::Lstm, Attention::Luong, threads)
                .decode(&pairs.tokens, &pairs.lengths, &options(&max_lengths), None)
                .unwrap()
        };
        let one = all(1);
        assert_eq!(all(3), one);
        let network = rich(Cell::Lstm, Attention::Luong, 2);
        let (mut start, mut result) = (0, 0);
        for (row, &length) in pairs.lengths.iter().enumerate() {
            let tokens = &pairs.tokens[start..start + usize::try_from(length).unwrap()];
            start += tokens.len();
            let alone = network.decode(tokens, &[length], &options(&max_lengths[row..=row]), None).unwrap();
            let place = |result: usize| one.starts[result] as usize;
            assert_eq!(alone.units, one.units[place(result)..place(result + best)], "row {row}");
            assert_eq!(alone.scores, one.scores[result..result + best]);
            assert!(alone.units.len() <= best * usize::try_from(max_lengths[row]).unwrap());
            // The attention weights of each unit add up to 1.
            assert_eq!(alone.alignments.len(), alone.units.len() * tokens.len());
            assert!(alone.alignments.chunks(tokens.len()).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
            result += best;
        }
    }
}

#[test]
fn training_learns_to_reverse_also_with_its_own_units() {
    // Rows and their reverse.
    let random = Pairs::random(640, 6, 8);
    let (mut targets, mut ends, mut start) = (Vec::new(), Vec::new(), 0);
    for &length in &random.lengths {
        let row = &random.tokens[start..start + usize::try_from(length).unwrap()];
        start += row.len();
        targets.extend(row.iter().rev().map(|unit| unit + 2));
        targets.push(1);
        ends.push(length + 1);
    }
    let pairs = Pairs::new(random.tokens, random.lengths, targets, &ends);
    let batches = [64; 10];
    for sampling in [0.0, 0.25] {
        let config = Seq2SeqConfig::new(Cell::Gru, 6, 8, 12, 24).with(|c| {
            (c.encoder.bidirectional, c.threads) = (true, 2);
        });
        let network = Seq2Seq::new(config).unwrap();
        let options = StepOptions { learning_rates: &[0.01], clip_norm: 2.0, sampling, ..StepOptions::default() };
        let mut share = 0.0;
        for _ in 0..25 {
            let stats = network.train_batches(&pairs.chunk(&batches), &options).unwrap();
            share = stats.correct as f64 / stats.answers as f64;
        }
        assert!(share > 0.97, "sampling {sampling}: {share} of the units are right");
        let max_lengths = vec![12; pairs.lengths.len()];
        let options =
            DecodeOptions { beam_size: 1, max_lengths: &max_lengths, length_penalty: 0.0, best: 1, alignments: false };
        let found = network.decode(&pairs.tokens, &pairs.lengths, &options, None).unwrap();
        let right = (0..pairs.lengths.len())
            .filter(|&row| {
                let (a, b) = (found.starts[row] as usize, found.starts[row + 1] as usize);
                let (c, d) = (pairs.starts[row] as usize, pairs.starts[row + 1] as usize);
                found.units[a..b] == pairs.targets[c..d - 1]
            })
            .count();
        assert!(right > 560, "{right} of 640 rows are right");
        // Scoring given units yields the same sum as finding them.
        let units = &found.units[..found.starts[1] as usize];
        let given: Vec<i32> = units.iter().copied().chain([1]).collect();
        let (n, ends) = (usize::try_from(pairs.lengths[0]).unwrap(), [0, u32::try_from(given.len()).unwrap()]);
        let score: f32 = network.score(&pairs.tokens[..n], &pairs.lengths[..1], &given, &ends).unwrap().iter().sum();
        assert!((score - found.scores[0]).abs() < 1e-4, "{score} {}", found.scores[0]);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_changes() {
    let network = rich(Cell::Lstm, Attention::Luong, 2);
    let before = values(&network);
    let code = |result: recurra_core::Result<()>| result.unwrap_err().code();
    let pairs = Pairs::random(4, 11, 9);
    let chunk = pairs.chunk(&[3]);
    assert_eq!(code(network.train_batches(&chunk, &rich_options()).map(drop)), ErrorCode::InvalidShape);
    let chunk = Chunk { targets: Targets::Rows(&[0; 4]), ..pairs.chunk(&[4]) };
    assert_eq!(code(network.train_batches(&chunk, &rich_options()).map(drop)), ErrorCode::InvalidShape);
    let options = StepOptions { sampling: -0.5, ..rich_options() };
    let chunk = pairs.chunk(&[4]);
    assert_eq!(code(network.train_batches(&chunk, &options).map(drop)), ErrorCode::InvalidArgument);
    let mut state = network.state().unwrap();
    state[3].shape[0] += 1;
    assert_eq!(code(network.load_state(&state)), ErrorCode::StateMismatch);
    let mut state = network.training_state().unwrap();
    state.pop();
    assert_eq!(code(network.restore(&state)), ErrorCode::StateMismatch);
    let options = DecodeOptions { beam_size: 2, max_lengths: &[3], length_penalty: 1.0, best: 1, alignments: false };
    assert_eq!(code(network.decode(&[1], &[2], &options, None).map(drop)), ErrorCode::InvalidShape);
    assert_eq!(code(network.decode(&[99], &[1], &options, None).map(drop)), ErrorCode::OutOfRange);
    assert_eq!(network.decode_at_once(&[1], &[1], &options).unwrap(), None);
    let found = network.decode(&[1], &[1], &options, None).unwrap();
    assert_eq!(network.decode_at_once(&[1], &[1], &options).unwrap(), Some(found));
    let stopped = AtomicBool::new(true);
    assert_eq!(code(network.decode(&[1], &[1], &options, Some(&stopped)).map(drop)), ErrorCode::Aborted);
    assert_eq!(network.decode(&[], &[], &DecodeOptions { max_lengths: &[], ..options }, None).unwrap().starts, [0]);
    assert_eq!(values(&network), before);
}

#[test]
fn a_loss_that_is_not_finite_is_told_and_the_weights_stay() {
    let network = rich(Cell::Lstm, Attention::Bahdanau, 2);
    let pairs = Pairs::random(8, 11, 9);
    let mut state = network.state().unwrap();
    let last = state.len() - 1;
    state[last] = NamedArray::of("fc.bias", vec![9], &[f32::NAN; 9]);
    network.load_state(&state).unwrap();
    let before = format!("{:?}", values(&network));
    let stats = network.train_batches(&pairs.chunk(&[4, 4]), &rich_options()).unwrap();
    assert_eq!((stats.non_finite_batch, stats.answers), (Some(0), 0));
    assert_eq!(format!("{:?}", values(&network)), before);
}

#[test]
fn frozen_embeddings_stay_and_all_else_moves() {
    let network = rich(Cell::Gru, Attention::Luong, 3);
    let before = values(&network);
    let pairs = Pairs::random(20, 11, 9);
    let options = StepOptions { freeze_embedding: true, ..rich_options() };
    network.train_batches(&pairs.chunk(&[20]), &options).unwrap();
    for ((name, old), (_, new)) in before.iter().zip(values(&network)) {
        assert_eq!(*old == new, name.contains("embedding"), "{name}");
    }
}
