//! Language models: compares truncated backpropagation through time with carried states with PyTorch's example, and
//! covers texts that are read piece by piece.
#![cfg(feature = "training")]

mod common;

use common::{Golden, arrays, difference, fixtures, json, weights};
use recurra_core::{
    AdamOptions, Algorithm, Cell, Chunk, Decoder, Dropouts, ErrorCode, HeadConfig, Initial, NamedArray, NetworkConfig,
    SgdOptions, StepOptions, TagsConfig, Targets,
};
use recurra_kernels::generate::{Beams, Found, Generation, Sampling, Search};
use recurra_kernels::network::{Network, Stream};
use serde_json::Value;

/// Absolute and relative, against float64, after twelve steps.
const TOLERANCE: f32 = 1e-5;

struct Case {
    name: String,
    golden: Golden,
    config: NetworkConfig,
    algorithm: Algorithm,
    rate: f64,
    clip: f64,
    rows: usize,
    windows: Vec<usize>,
}

fn size(of: &Value, key: &str) -> usize {
    of[key].as_u64().unwrap() as usize
}

fn config(cell: Cell, units: usize, embedding: usize, hidden: usize) -> NetworkConfig {
    let tags = TagsConfig { tags: units, decoder: Decoder::Softmax, forbidden: None };
    NetworkConfig::classifier(cell, units, embedding, hidden, 1).with(|c| c.head = HeadConfig::Tags(tags))
}

fn cases() -> Vec<Case> {
    let sizes = json(&fixtures().join("language.json"));
    let windows = sizes["windows"].as_array().unwrap().iter().map(|window| window.as_u64().unwrap() as usize);
    let windows: Vec<usize> = windows.collect();
    let case = |case: &Value| {
        let cell = match case["cell"].as_str().unwrap() {
            "rnn" => Cell::RnnTanh,
            "lstm" => Cell::Lstm,
            _ => Cell::Gru,
        };
        let sgd = case["optimizer"] == "sgd";
        Case {
            name: case["name"].as_str().unwrap().to_owned(),
            golden: Golden::open(&fixtures().join("language.safetensors")),
            config: config(cell, size(&sizes, "units"), size(&sizes, "embedding"), size(&sizes, "hidden")).with(|c| {
                c.encoder.num_layers = size(case, "layers");
                if case["adaptive"] == true {
                    let tags = size(&sizes["adaptive"], "units");
                    (c.encoder.vocab_size, c.encoder.hidden_size) = (tags, size(&sizes["adaptive"], "hidden"));
                    c.head = HeadConfig::Tags(TagsConfig { tags, decoder: Decoder::Adaptive, forbidden: None });
                }
                if case["tied"] == true {
                    (c.encoder.tied, c.encoder.embedding_dim) = (true, c.encoder.hidden_size);
                }
                if let Some(dropouts) = case["dropouts"].as_object() {
                    let share = |name: &str| dropouts[name].as_f64().unwrap();
                    c.encoder.dropouts = Dropouts {
                        words: 0.0,
                        embedding: share("embedding"),
                        features: 0.0,
                        layers: share("layers"),
                        outputs: Some(share("outputs")),
                        recurrent: share("recurrent"),
                    };
                }
            }),
            algorithm: if sgd {
                Algorithm::Sgd(SgdOptions::default())
            } else {
                Algorithm::Adam(AdamOptions::default())
            },
            rate: if sgd { 0.8 } else { 0.02 },
            clip: case["clip"].as_f64().unwrap(),
            rows: size(&sizes, "streams"),
            windows: windows.clone(),
        }
    };
    sizes["cases"].as_array().unwrap().iter().map(case).collect()
}

impl Case {
    fn get(&self, what: &str) -> Vec<f32> {
        self.golden.f32(&format!("{}/{what}", self.name))
    }

    fn streams(&self) -> Vec<i32> {
        self.golden.i64(&format!("{}/streams", self.name)).into_iter().map(|unit| unit as i32).collect()
    }

    fn network(&self, threads: usize, state: &str) -> Network {
        let network = Network::new(self.config.clone().with(|c| c.threads = threads)).unwrap();
        let stored = |tensor: NamedArray<Vec<f32>>| {
            let data = self.get(&format!("{state}.{}", tensor.name));
            NamedArray { data, ..tensor }
        };
        let state: Vec<NamedArray<Vec<f32>>> = weights(&network).into_iter().map(stored).collect();
        network.load_state(&arrays(&state)).unwrap();
        network
    }

    fn options(&self, initial: Initial) -> StepOptions<'_> {
        let learning_rates = std::slice::from_ref(&self.rate);
        StepOptions {
            learning_rates,
            clip_norm: self.clip,
            algorithm: self.algorithm,
            initial,
            ..StepOptions::default()
        }
    }

    /// Trains on some windows of an epoch as one chunk. Returns the mean loss per unit.
    fn train(&self, network: &Network, windows: std::ops::Range<usize>) -> f64 {
        let streams = self.streams();
        let width = streams.len() / self.rows;
        let (mut tokens, mut targets, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for window in windows.clone() {
            let start: usize = self.windows[..window].iter().sum();
            for row in 0..self.rows {
                let units = &streams[row * width + start..][..self.windows[window] + 1];
                tokens.extend(&units[..units.len() - 1]);
                targets.extend(&units[1..]);
                lengths.push(units.len() as i32 - 1);
            }
        }
        let batch_sizes = vec![self.rows as i32; windows.len()];
        let chunk = Chunk {
            tokens: &tokens,
            lengths: &lengths,
            targets: Targets::Tokens(&targets),
            batch_sizes: &batch_sizes,
            ..Chunk::default()
        };
        let initial = if windows.start == 0 { Initial::Begin } else { Initial::Continue };
        let stats = network.train_batches(&chunk, &self.options(initial)).unwrap();
        assert_eq!(stats.non_finite_batch, None);
        stats.loss / tokens.len() as f64
    }
}

fn near(what: &str, ours: &[f32], theirs: &[f32]) {
    let worst = difference(ours, theirs);
    assert!(worst <= TOLERANCE, "{what} differs by {worst:e}");
}

#[test]
fn losses_of_windows_and_weights_are_those_of_pytorch() {
    for (case, threads) in cases().iter().flat_map(|case| [(case, 1), (case, 2)]) {
        let network = case.network(threads, "initial");
        let losses: Vec<f32> = (0..2)
            .flat_map(|_| (0..case.windows.len()).map(|window| case.train(&network, window..window + 1) as f32))
            .collect();
        near(&format!("{}: losses", case.name), &losses, &case.get("losses"));
        for tensor in weights(&network) {
            near(
                &format!("{}: {}", case.name, tensor.name),
                &tensor.data,
                &case.get(&format!("final.{}", tensor.name)),
            );
        }
    }
}

#[test]
fn chunks_of_several_windows_and_a_restored_training_make_the_same_steps() {
    for case in &cases() {
        let (single, many, before) =
            (case.network(2, "initial"), case.network(2, "initial"), case.network(2, "initial"));
        for window in 0..case.windows.len() {
            case.train(&single, window..window + 1);
        }
        case.train(&many, 0..case.windows.len());
        case.train(&before, 0..3);
        let resumed = case.network(2, "final");
        resumed.restore(&before.training_state().unwrap()).unwrap();
        case.train(&resumed, 3..case.windows.len());
        for ((a, b), c) in weights(&single).iter().zip(weights(&many)).zip(weights(&resumed)) {
            assert_eq!(a.data, b.data, "{}: {}", case.name, a.name);
            assert_eq!(a.data, c.data, "{}: {}", case.name, a.name);
        }
    }
}

#[test]
fn states_that_do_not_fit_are_refused_and_nothing_changes() {
    let case = &cases()[0];
    let network = case.network(1, "initial");
    let chunk = |lengths: &[i32], batch_sizes: &[i32], initial: Initial| {
        let total = lengths.iter().sum::<i32>() as usize;
        let (tokens, targets) = (vec![1; total], vec![2; total]);
        let chunk =
            Chunk { tokens: &tokens, lengths, targets: Targets::Tokens(&targets), batch_sizes, ..Chunk::default() };
        network.train_batches(&chunk, &case.options(initial)).map(|_| ())
    };
    let refused = |result: Result<(), recurra_core::Error>, part: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidShape);
        assert!(error.message().contains(part), "{error}");
    };
    refused(chunk(&[2, 2], &[2], Initial::Continue), "there are none");
    chunk(&[2, 2], &[2], Initial::Begin).unwrap();
    refused(chunk(&[2, 2, 2], &[3], Initial::Continue), "3 rows, but there are those of 2 rows");
    refused(chunk(&[2, 2, 2], &[2, 1], Initial::Continue), "batch 1 has 1 rows");
    refused(chunk(&[2, 3], &[2], Initial::Continue), "equally long");
    chunk(&[2, 2], &[2], Initial::Continue).unwrap();
    // Without streams, the rows start with zeros, and nothing is kept.
    chunk(&[2, 3], &[2], Initial::Zeros).unwrap();
    refused(chunk(&[2, 2], &[2], Initial::Continue), "there are none");
    let both = Network::new(case.config.clone().with(|c| c.encoder.bidirectional = true)).unwrap();
    let chunk =
        Chunk { tokens: &[1], lengths: &[1], targets: Targets::Tokens(&[1]), batch_sizes: &[1], ..Chunk::default() };
    let error = both.train_batches(&chunk, &case.options(Initial::Begin)).unwrap_err();
    assert_eq!((error.code(), error.option()), (ErrorCode::InvalidArgument, Some("bidirectional")));
}

#[test]
fn a_text_that_is_read_in_pieces_has_the_scores_of_the_whole() {
    for case in &cases() {
        let network = case.network(1, "final");
        let units = case.config.head.outputs();
        let expected = case.get("scores");
        let text: Vec<i32> = case.streams()[..expected.len() / units].to_vec();
        for prepared in [false, true] {
            if prepared {
                network.prepare().unwrap();
            }
            for pieces in [1, 2, 5, 23] {
                let (mut stream, mut read) = (Stream::default(), 0);
                for piece in text.chunks(pieces) {
                    let mut scores = Vec::new();
                    network.read_on(&mut stream, piece, &mut scores).unwrap();
                    read += piece.len();
                    near(&format!("{}: scores", case.name), &scores, &expected[(read - 1) * units..read * units]);
                }
            }
            let targets: Vec<i32> = text.iter().map(|&unit| (unit * 7 + 3) % units as i32).collect();
            let mut stream = Stream::default();
            let mut found = network.log_probabilities(&mut stream, &text[..9], &targets[..9]).unwrap();
            found.extend(network.log_probabilities(&mut stream, &text[9..], &targets[9..]).unwrap());
            let log_softmax = |row: &[f32], target: usize| {
                let sum: f64 = row.iter().map(|&score| f64::from(score).exp()).sum();
                (f64::from(row[target]) - sum.ln()) as f32
            };
            let theirs: Vec<f32> =
                expected.chunks(units).zip(&targets).map(|(row, &target)| log_softmax(row, target as usize)).collect();
            near(&case.name, &found.iter().map(|&value| value as f32).collect::<Vec<_>>(), &theirs);
        }
    }
}

#[test]
fn a_long_text_is_read_as_a_whole_network_reads_it() {
    let network = Network::new(config(Cell::Lstm, 40, 20, 48).with(|c| c.encoder.num_layers = 2)).unwrap();
    let text: Vec<i32> = (0..700).map(|i| (i * i + 3 * i) % 40).collect();
    let whole = network.logits(&text, &[700]).unwrap();
    let mut scores = Vec::new();
    let mut stream = Stream::default();
    network.read_on(&mut stream, &text[..599], &mut scores).unwrap();
    near("in the middle", &scores, &whole[598 * 40..599 * 40]);
    network.read_on(&mut stream, &text[599..], &mut scores).unwrap();
    near("at the end", &scores, &whole[699 * 40..]);
    let error = network.read_on(&mut stream, &[], &mut scores).unwrap_err();
    assert_eq!(error.code(), ErrorCode::OutOfRange);
    let error = network.read_on(&mut stream, &[40], &mut scores).unwrap_err();
    assert_eq!(error.code(), ErrorCode::OutOfRange);
    let error = network.log_probabilities(&mut stream, &[1], &[40]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::OutOfRange);
    let rows = Network::new(NetworkConfig::classifier(Cell::Lstm, 40, 20, 48, 3)).unwrap();
    let error = rows.read_on(&mut Stream::default(), &[1], &mut scores).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
}

#[test]
fn texts_are_embedded_as_the_means_of_what_pytorch_scores() {
    // Scores of an adaptive softmax are not linear in the outputs.
    for case in cases().iter().filter(|case| !case.name.contains("adaptive")) {
        let units = case.config.head.outputs();
        let scores = case.get("scores");
        let text: Vec<i32> = case.streams()[..scores.len() / units].to_vec();
        let weight = if case.config.encoder.tied { "final.embedding.weight" } else { "final.fc.weight" };
        let (weight, bias) = (case.get(weight), case.get("final.fc.bias"));
        // The head is linear, so the mean of the scores is the score of the mean output.
        let expected: Vec<f32> =
            (0..units).map(|unit| scores.iter().skip(unit).step_by(units).sum::<f32>() / text.len() as f32).collect();
        let network = case.network(2, "final");
        let rows: Vec<i32> = text.iter().chain(&text[..3]).chain(&text).copied().collect();
        let lengths = [text.len() as i32, 3, text.len() as i32];
        let found = network.embed(&rows, &lengths).unwrap();
        let hidden = found.len() / 3;
        assert_eq!(found[..hidden], found[2 * hidden..]);
        let scored: Vec<f32> = weight
            .chunks(hidden)
            .zip(&bias)
            .map(|(row, bias)| row.iter().zip(&found).map(|(w, h)| w * h).sum::<f32>() + bias)
            .collect();
        near(&case.name, &scored, &expected);
    }
}

#[test]
fn a_long_text_is_embedded_piece_by_piece_as_it_would_be_as_a_whole() {
    let network = Network::new(config(Cell::Gru, 40, 20, 48).with(|c| c.encoder.num_layers = 2)).unwrap();
    let text: Vec<i32> = (0..9000).map(|i| (i * i + 3 * i) % 40).collect();
    let long = network.embed(&text, &[9000]).unwrap();
    // Its two halves are other texts, because each starts with zeros. But the mean of a text of one unit is its output.
    let parts = network.embed(&text[..4097], &[1, 4096]).unwrap();
    assert_eq!(network.embed(&text[..4097], &[4097]).unwrap().len(), 48);
    let three = network.embed(&[&text[..1], &text[..], &text[1..4097]].concat(), &[1, 9000, 4096]).unwrap();
    assert_eq!(three[48..96], long);
    near("short", &three[..48], &parts[..48]);
    near("a batch", &three[96..], &parts[48..]);
    // A longer text is processed in parts; the results must not jump at that length.
    let (whole, longer) =
        (network.embed(&text[..4096], &[4096]).unwrap(), network.embed(&text[..4097], &[4097]).unwrap());
    let worst = whole.iter().zip(&longer).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 2.0 / 4096.0 + TOLERANCE, "{worst}");
    let classes = Network::new(NetworkConfig::classifier(Cell::Lstm, 40, 20, 48, 3)).unwrap();
    assert_eq!(classes.embed(&[1], &[1]).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert_eq!(network.embed(&[40], &[1]).unwrap_err().code(), ErrorCode::OutOfRange);
}

#[test]
fn a_text_is_written_in_any_pieces_the_same_and_ends_with_its_last_unit() {
    let case = &cases()[0];
    let network = case.network(1, "final");
    let write = |pieces: &[usize], seed: u64, end: Option<u32>| {
        let mut text = Generation::new(Sampling { temperature: 1.3, ..Sampling::default() }, seed, end).unwrap();
        text.read(&network, &[3, 1, 4]).unwrap();
        let units: Vec<i32> = pieces.iter().flat_map(|&count| text.write(&network, count).unwrap()).collect();
        (units, text.ended())
    };
    let (units, ended) = write(&[40], 5, None);
    assert_eq!((units.len(), ended), (40, false));
    assert_eq!(write(&[1, 2, 30, 7], 5, None).0, units);
    assert_ne!(write(&[40], 6, None).0, units);
    let last = units[17] as u32;
    let first = units.iter().position(|&unit| unit as u32 == last).unwrap();
    assert_eq!(write(&[10, 30], 5, Some(last)), (units[..first].to_vec(), true));
    // Greedy: each unit has the largest score after all previous ones.
    let mut text = Generation::new(Sampling { temperature: 0.0, ..Sampling::default() }, 0, None).unwrap();
    text.read(&network, &[3, 1, 4]).unwrap();
    let mut all = vec![3, 1, 4];
    for unit in text.write(&network, 6).unwrap() {
        let scores = network.logits(&all, &[all.len() as i32]).unwrap();
        let row = &scores[scores.len() - 17..];
        assert!(row.iter().all(|&score| score <= row[unit as usize] + 1e-6));
        all.push(unit);
    }
}

/// All continuations of a text with their log-probabilities, by enumeration.
fn all_texts(network: &Network, prompt: &[i32], length: usize, end: i32, never: i32) -> Vec<(Vec<i32>, f64)> {
    let outputs = network.config().head.outputs();
    let mut open: Vec<(Vec<i32>, f64)> = vec![(Vec::new(), 0.0)];
    let mut found = Vec::new();
    for _ in 0..length {
        let before = std::mem::take(&mut open);
        for (units, sum) in before {
            let text: Vec<i32> = prompt.iter().chain(&units).copied().collect();
            let scores = network.logits(&text, &[text.len() as i32]).unwrap();
            let row = &scores[scores.len() - outputs..];
            let all: f64 = row.iter().map(|&score| f64::from(score).exp()).sum();
            for (unit, &score) in (0..).zip(row).filter(|&(unit, _)| unit != never) {
                let sum = sum + f64::from(score) - all.ln();
                if unit == end {
                    found.push((units.clone(), sum));
                } else {
                    open.push((units.iter().copied().chain([unit]).collect(), sum));
                }
            }
        }
    }
    found.into_iter().chain(open).collect()
}

#[test]
fn a_wide_search_finds_the_best_of_all_texts_and_a_narrow_one_is_greedy() {
    let network =
        Network::new(config(Cell::Lstm, 6, 5, 8).with(|c| (c.seed, c.encoder.embedding_std) = (3, 3.0))).unwrap();
    let (prompt, never, end) = ([2, 4, 1], 0, 5);
    let search = |width: usize, length_penalty: f64, pieces: &[usize]| {
        let options = Search { width, length_penalty, never: vec![never as u32], end: Some(end as u32) };
        let mut beams = Beams::new(options).unwrap();
        beams.read(&network, &prompt[..1]).unwrap();
        beams.read(&network, &prompt[1..]).unwrap();
        pieces.iter().for_each(|&count| beams.search(&network, count).unwrap());
        assert_eq!(beams.read(&network, &[1]).unwrap_err().code(), ErrorCode::InvalidArgument);
        beams.best()
    };
    for length_penalty in [0.0, 1.0] {
        let Found { units, log_probability, score } = search(500, length_penalty, &[4]);
        let length = |units: &[i32]| (if units.len() < 4 { units.len() + 1 } else { 4 }) as f64;
        let all = all_texts(&network, &prompt, 4, end, never);
        let best = all.iter().map(|(units, sum)| (units, sum, sum / length(units).powf(length_penalty)));
        let best = best.reduce(|best, next| if next.2 > best.2 { next } else { best }).unwrap();
        assert_eq!(units, *best.0);
        assert!((log_probability - best.1).abs() < 1e-5 && (score - best.2).abs() < 1e-5, "{score} {}", best.2);
        assert_eq!(search(500, length_penalty, &[1, 3]), search(500, length_penalty, &[4]));
    }
    // The sum equals the network's log-probability of the text.
    let Found { units, log_probability, .. } = search(3, 1.0, &[12]);
    let text: Vec<i32> = prompt.iter().chain(&units).copied().collect();
    let targets: Vec<i32> = text[1..].iter().copied().chain([end]).collect();
    let logs = network.log_probabilities(&mut Stream::default(), &text, &targets).unwrap();
    let whole: f64 = logs[2..].iter().sum();
    let without_end: f64 = logs[2..logs.len() - 1].iter().sum();
    assert!((log_probability - whole).abs().min((log_probability - without_end).abs()) < 1e-6);
    let mut greedy =
        Generation::new(Sampling { temperature: 0.0, never: vec![0], ..Sampling::default() }, 0, None).unwrap();
    greedy.read(&network, &prompt).unwrap();
    let mut beams = Beams::new(Search { width: 1, length_penalty: 0.0, never: vec![0], end: None }).unwrap();
    beams.read(&network, &prompt).unwrap();
    beams.search(&network, 9).unwrap();
    assert_eq!(beams.best().units, greedy.write(&network, 9).unwrap());
    for (width, length_penalty, option) in
        [(0, 1.0, "beamSize"), (2, -1.0, "lengthPenalty"), (2, f64::NAN, "lengthPenalty")]
    {
        let error = Beams::new(Search { width, length_penalty, never: vec![], end: None }).map(|_| ()).unwrap_err();
        assert_eq!((error.code(), error.option()), (ErrorCode::InvalidArgument, Some(option)));
    }
}
