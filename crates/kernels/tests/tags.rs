//! Compares networks for tags with PyTorch and pytorch-crf 0.7.2: loss, gradients and predictions, for any number of
//! threads.
#![cfg(feature = "training")]

mod common;

use common::{Golden, arrays, difference, fixtures, json, weights};
use recurra_core::{
    Algorithm, Cell, Chunk, Decoder, ErrorCode, Forbidden, HeadConfig, NamedArray, NetworkConfig, Rows, SgdOptions,
    StepOptions, TagsConfig, Targets,
};
use recurra_kernels::network::Network;
use serde_json::Value;

/// Absolute and relative, against float64.
const TOLERANCE: f32 = 3e-6;

fn integers(values: &Value) -> Vec<i32> {
    values.as_array().into_iter().flatten().map(|value| value.as_i64().unwrap() as i32).collect()
}

fn tags(tags: usize, decoder: Decoder) -> NetworkConfig {
    NetworkConfig::classifier(Cell::Lstm, 30, 7, 9, tags)
        .with(|c| c.head = HeadConfig::Tags(TagsConfig { tags, decoder, forbidden: None }))
}

/// A network of the golden file, with its weights.
fn network(sizes: &Value, case: &Value, golden: &Golden, threads: usize) -> Network {
    let (size, name) = (|of: &Value, key: &str| of[key].as_u64().unwrap() as usize, case["name"].as_str().unwrap());
    let never = |key: &str| integers(&case["allowed"][key]).iter().map(|&flag| flag == 0).collect();
    let forbidden = || Forbidden { start: never("start"), end: never("end"), between: never("between") };
    let cell = match case["cell"].as_str().unwrap() {
        "rnn" => Cell::RnnTanh,
        "lstm" => Cell::Lstm,
        _ => Cell::Gru,
    };
    let config = NetworkConfig::classifier(
        cell,
        size(sizes, "vocabSize"),
        size(sizes, "embeddingDim"),
        size(sizes, "hiddenSize"),
        1,
    )
    .with(|c| {
        c.encoder.num_layers = size(case, "numLayers");
        c.encoder.bidirectional = case["bidirectional"].as_bool().unwrap();
        c.encoder.padding_idx = Some(size(sizes, "paddingIdx") as u32);
        c.threads = threads;
        c.head = HeadConfig::Tags(TagsConfig {
            tags: size(case, "tags"),
            decoder: Decoder::parse(case["decoder"].as_str().unwrap()).unwrap(),
            forbidden: case["allowed"].is_object().then(forbidden),
        });
    });
    let network = Network::new(config).unwrap();
    let stored = |tensor: NamedArray<Vec<f32>>| {
        let data = golden.f32(&format!("{name}/{}", tensor.name));
        NamedArray { data, ..tensor }
    };
    let state: Vec<NamedArray<Vec<f32>>> = weights(&network).into_iter().map(stored).collect();
    network.load_state(&arrays(&state)).unwrap();
    network
}

#[test]
fn losses_gradients_and_answers_are_those_of_pytorch() {
    let sizes = json(&fixtures().join("tags.json"));
    let golden = Golden::open(&fixtures().join("tags.safetensors"));
    let cases = sizes["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    let lengths = integers(&sizes["lengths"]);
    for (case, threads) in cases.iter().flat_map(|case| [(case, 1), (case, 3)]) {
        let name = case["name"].as_str().unwrap();
        let get = |what: &str| golden.f32(&format!("{name}/{what}"));
        let near = |what: &str, ours: &[f32], theirs: &[f32]| {
            let worst = difference(ours, theirs);
            assert!(worst <= TOLERANCE, "{name}, {threads} threads: {what} differs by {worst:e}");
        };
        let network = network(&sizes, case, &golden, threads);
        let (tokens, gold) = (integers(&case["tokens"]), integers(&case["gold"]));
        for prepared in [false, true] {
            if prepared {
                network.prepare().unwrap();
            }
            near("emissions", &network.logits(&tokens, &lengths).unwrap(), &get("emissions"));
            near("answers", &network.predict(&tokens, &lengths).unwrap(), &get("answers"));
        }
        let (answers, losses) = network.measure_rows(Rows::new(&tokens, &lengths), &gold).unwrap();
        near("measured answers", &answers, &get("answers"));
        assert_eq!(losses.len(), lengths.len());
        if case["weights"].as_array().is_none_or(Vec::is_empty) && case["smoothing"].as_f64() == Some(0.0) {
            let mean = losses.iter().sum::<f32>() / tokens.len() as f32;
            near("measured loss", &[mean], &[case["loss"].as_f64().unwrap() as f32]);
        }
        // Plain SGD with rate 1: the change of the weights is the gradient.
        let tag_weights: Vec<f32> =
            case["weights"].as_array().into_iter().flatten().map(|value| value.as_f64().unwrap() as f32).collect();
        let mut options = StepOptions {
            learning_rates: &[1.0],
            algorithm: Algorithm::Sgd(SgdOptions::default()),
            ..StepOptions::default()
        };
        options.loss.weights = &tag_weights;
        options.loss.smoothing = case["smoothing"].as_f64().unwrap();
        let targets = Targets::Tokens(&gold);
        let chunk = Chunk {
            tokens: &tokens,
            lengths: &lengths,
            targets,
            batch_sizes: &[lengths.len() as i32],
            ..Chunk::default()
        };
        let before = weights(&network);
        let stats = network.train_batches(&chunk, &options).unwrap();
        near("loss", &[(stats.loss / stats.answers as f64) as f32], &[case["loss"].as_f64().unwrap() as f32]);
        assert_eq!((stats.answers, stats.rows), (tokens.len() as u64, lengths.len() as u64), "{name}");
        assert_eq!(stats.correct, case["correct"].as_u64().unwrap(), "{name}");
        for (before, after) in before.iter().zip(weights(&network)) {
            let gradient: Vec<f32> =
                before.data.iter().zip(&after.data).map(|(before, after)| before - after).collect();
            near(&after.name, &gradient, &get(&format!("d.{}", after.name)));
        }
    }
}

/// Texts in which a tag depends on the word and the previous word.
fn texts() -> (Vec<i32>, Vec<i32>, Vec<i32>) {
    let lengths: Vec<i32> = (0..64).map(|row| 1 + row * 7 % 9).collect();
    let tokens: Vec<i32> = (0..lengths.iter().sum::<i32>()).map(|at| 2 + at * 11 % 17 * (at % 5) % 28).collect();
    let mut gold = Vec::new();
    for &length in &lengths {
        for at in gold.len()..gold.len() + length as usize {
            let before = if gold.len() == at || at == 0 { 0 } else { tokens[at - 1] };
            gold.push(if tokens[at] % 3 == 0 { 1 } else { i32::from(before % 2 == 0) * 2 });
        }
    }
    (tokens, lengths, gold)
}

#[test]
fn both_decoders_learn_and_a_resumed_training_is_the_same_to_the_bit() {
    let (tokens, lengths, gold) = texts();
    for decoder in [Decoder::Crf, Decoder::Softmax] {
        let config = tags(3, decoder).with(|c| {
            c.encoder.bidirectional = true;
            c.encoder.dropouts.layers = 0.2;
            c.encoder.dropouts.embedding = 0.1;
            c.threads = 2;
            c.seed = 4;
        });
        let chunk = Chunk {
            tokens: &tokens,
            lengths: &lengths,
            targets: Targets::Tokens(&gold),
            batch_sizes: &[16; 4],
            ..Chunk::default()
        };
        let options =
            StepOptions { learning_rates: &[0.02], clip_norm: 5.0, adversarial: 0.01, ..StepOptions::default() };
        let network = Network::new(config.clone()).unwrap();
        let first = network.train_batches(&chunk, &options).unwrap();
        for _ in 0..14 {
            network.train_batches(&chunk, &options).unwrap();
        }
        let resumed = Network::new(config).unwrap();
        resumed.restore(&network.training_state().unwrap()).unwrap();
        let last = network.train_batches(&chunk, &options).unwrap();
        assert!(last.loss < first.loss / 3.0, "{decoder:?}: {} {}", first.loss, last.loss);
        assert_eq!(resumed.train_batches(&chunk, &options).unwrap(), last);
        assert_eq!(resumed.training_state().unwrap(), network.training_state().unwrap());
        let answers = network.predict(&tokens, &lengths).unwrap();
        let right = answers.chunks(3).zip(&gold).filter(|(answer, gold)| answer[0] as i32 == **gold).count();
        assert!(right * 10 > gold.len() * 9, "{decoder:?}: {right} of {}", gold.len());
        for answer in answers.chunks(3) {
            assert!(answer[2] <= answer[1] && answer[1] <= 1.0 && answer[2] > 0.0, "{answer:?}");
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (tokens, lengths, gold) = texts();
    let chunk = Chunk {
        tokens: &tokens,
        lengths: &lengths,
        targets: Targets::Tokens(&gold),
        batch_sizes: &[16; 4],
        ..Chunk::default()
    };
    for (decoder, bidirectional) in [(Decoder::Crf, true), (Decoder::Crf, false), (Decoder::Softmax, false)] {
        let trained = |threads: usize| {
            let config = tags(20, decoder).with(|c| {
                c.encoder.bidirectional = bidirectional;
                c.encoder.dropouts.layers = 0.2;
                c.threads = threads;
            });
            let network = Network::new(config).unwrap();
            network.train_batches(&chunk, &StepOptions::default()).unwrap();
            (network.state().unwrap(), network.predict(&tokens, &lengths).unwrap())
        };
        let alone = trained(1);
        for threads in [2, 3, 5] {
            assert!(trained(threads) == alone, "{decoder:?}, {bidirectional}, {threads} threads");
        }
    }
}

/// The log-probability of a path by definition, in float64.
fn log_probability(state: &[NamedArray<Vec<f32>>], forbidden: &Forbidden, emissions: &[f32], path: &[usize]) -> f64 {
    let tags = forbidden.start.len();
    let values = |name: &str| &state.iter().find(|array| array.name == name).unwrap().data;
    let may = |value: f32, never: bool| if never { f64::NEG_INFINITY } else { f64::from(value) };
    let start = |tag: usize| may(values("crf.start_transitions")[tag], forbidden.start[tag]);
    let end = |tag: usize| may(values("crf.end_transitions")[tag], forbidden.end[tag]);
    let step = |a: usize, b: usize| may(values("crf.transitions")[a * tags + b], forbidden.between[a * tags + b]);
    let emission = |time: usize, tag: usize| f64::from(emissions[time * tags + tag]);
    let log_sum = |terms: Vec<f64>| {
        let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if most.is_finite() { most + terms.iter().map(|term| (term - most).exp()).sum::<f64>().ln() } else { most }
    };
    let mut alpha: Vec<f64> = (0..tags).map(|tag| start(tag) + emission(0, tag)).collect();
    let mut score = start(path[0]) + emission(0, path[0]);
    for time in 1..path.len() {
        alpha = (0..tags)
            .map(|tag| emission(time, tag) + log_sum((0..tags).map(|from| alpha[from] + step(from, tag)).collect()))
            .collect();
        score += step(path[time - 1], path[time]) + emission(time, path[time]);
    }
    score + end(path[path.len() - 1]) - log_sum((0..tags).map(|tag| alpha[tag] + end(tag)).collect())
}

/// Includes cases in which sums of products underflow in float32 and steps are taken in logarithms.
#[test]
fn the_numbers_of_a_row_multiply_to_the_probability_of_its_path() {
    let count = 19;
    // A chain in which every tag may be alone, and each tag has three successors.
    let between = (0..count * count).map(|cell| (cell % count + count - cell / count) % count > 2).collect();
    let forbidden = Forbidden { start: vec![false; count], end: vec![false; count], between };
    let head = TagsConfig { tags: count, decoder: Decoder::Crf, forbidden: Some(forbidden.clone()) };
    let network = Network::new(tags(count, Decoder::Crf).with(|c| c.head = HeadConfig::Tags(head))).unwrap();
    let fresh = weights(&network);
    let lengths: Vec<i32> = (1..12).collect();
    let tokens: Vec<i32> = (0..lengths.iter().sum::<i32>()).map(|at| at * 7 % 30).collect();
    for scale in [1.0, 30.0, 400.0] {
        let mut state = fresh.clone();
        for array in state.iter_mut().filter(|array| array.name.starts_with("fc") || array.name.starts_with("crf")) {
            array.data.iter_mut().for_each(|value| *value *= scale);
        }
        network.load_state(&arrays(&state)).unwrap();
        let (answers, raw) = (network.predict(&tokens, &lengths).unwrap(), network.logits(&tokens, &lengths).unwrap());
        let mut start = 0;
        for &length in &lengths {
            let own: Vec<&[f32]> = answers[3 * start..][..3 * length as usize].chunks(3).collect();
            let path: Vec<usize> = own.iter().map(|answer| answer[0] as usize).collect();
            assert!(path.windows(2).all(|pair| !forbidden.between[pair[0] * count + pair[1]]));
            let exact = log_probability(&state, &forbidden, &raw[count * start..], &path);
            let steps = own[..own.len() - 1].iter().map(|answer| f64::from(answer[2]).ln() - f64::from(answer[1]).ln());
            let ours = f64::from(own[0][1]).ln() + steps.sum::<f64>();
            assert!((ours - exact).abs() < 1e-5 * f64::from(length), "{scale}, {length}: {ours} {exact}");
            start += length as usize;
        }
    }
}

/// A sentence gets the same results alone, in a batch, and synchronously; also for a long one.
#[test]
fn a_loss_does_not_depend_on_the_company() {
    let (tokens, lengths, gold) = texts();
    for decoder in [Decoder::Crf, Decoder::Softmax] {
        let network = Network::new(tags(3, decoder).with(|c| c.threads = 3)).unwrap();
        let (tokens, lengths, gold) = (tokens.repeat(40), lengths.repeat(40), gold.repeat(40));
        let (_, all) = network.measure_rows(Rows::new(&tokens, &lengths), &gold).unwrap();
        let mut start = 0;
        for (row, &length) in lengths.iter().take(64).enumerate() {
            let own = start..start + length as usize;
            let lengths = [length];
            let rows = Rows::new(&tokens[own.clone()], &lengths);
            let (_, one) = network.measure_rows(rows, &gold[own.clone()]).unwrap();
            assert!(difference(&one, &all[row..=row]) < 1e-5 && one[0] > 0.0, "{row}: {one:?}");
            start = own.end;
        }
    }
}

#[test]
fn answers_do_not_depend_on_the_company() {
    for decoder in Decoder::ALL {
        let network = Network::new(tags(40, decoder).with(|c| c.threads = 2)).unwrap();
        let lengths: Vec<i32> = (0..150).map(|row| 1 + row * 13 % 31).chain([5000]).collect();
        let tokens: Vec<i32> = (0..lengths.iter().sum::<i32>()).map(|at| at * 7 % 30).collect();
        let (all, raw) = (network.predict(&tokens, &lengths).unwrap(), network.logits(&tokens, &lengths).unwrap());
        assert_eq!((all.len(), raw.len()), (3 * tokens.len(), 40 * tokens.len()));
        let mut start = 0;
        for &length in &lengths {
            let own = start..start + length as usize;
            start = own.end;
            let alone = network.predict_at_once(&tokens[own.clone()], &[length]).unwrap().unwrap();
            assert!(difference(&alone, &all[3 * own.start..3 * own.end]) < 1e-5, "{decoder:?} {length}");
            for (answer, scores) in alone.chunks(3).zip(raw[40 * own.start..40 * own.end].chunks(40)) {
                let best = scores.iter().copied().fold(f32::MIN, f32::max);
                assert!(decoder == Decoder::Crf || scores[answer[0] as usize] > best - 1e-5);
            }
        }
    }
}

#[test]
fn what_is_not_for_tags_is_refused() {
    let network = Network::new(tags(3, Decoder::Crf)).unwrap();
    assert_eq!(network.explain(&[1, 2], None).unwrap_err().code(), ErrorCode::InvalidArgument);
    let chunk =
        Chunk { tokens: &[1, 2], lengths: &[2], targets: Targets::Rows(&[1]), batch_sizes: &[1], ..Chunk::default() };
    let error = network.train_batches(&chunk, &StepOptions::default()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidShape);
    let without: Vec<NamedArray> =
        network.state().unwrap().into_iter().filter(|a| a.name != "crf.transitions").collect();
    assert!(network.load_state(&without).unwrap_err().message().contains("crf.transitions is missing"));
    assert!(network.predict(&[], &[]).unwrap().is_empty());
    assert!(network.measure_rows(Rows::new(&[], &[]), &[]).unwrap().1.is_empty());
    let wrong = |tags: &[i32]| network.measure_rows(Rows::new(&[1, 2], &[2]), tags).unwrap_err().code();
    assert_eq!((wrong(&[0]), wrong(&[0, 3])), (ErrorCode::InvalidShape, ErrorCode::OutOfRange));
    let classifier = Network::new(NetworkConfig::classifier(Cell::Gru, 5, 3, 4, 2)).unwrap();
    let refused = classifier.measure_rows(Rows::new(&[1], &[1]), &[0]).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidShape);
}
