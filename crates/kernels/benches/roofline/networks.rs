//! Networks: training steps by part, and prediction.

use std::collections::HashSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use recurra_core::{Cell, Chunk, Decoder, HeadConfig, NetworkConfig, StepOptions, TagsConfig, Targets};
use recurra_kernels::network::Network;
use recurra_kernels::phases::{Phase, take};
use serde_json::Value;

use super::common::{Texts, texts};
use super::work::{Batch, Lstm, Work, batches, row, sum};

const VOCABULARY: usize = 95_812;
const EMBEDDING: usize = 64;
const CLASSES: usize = 4;

fn config(hidden: usize, threads: usize) -> NetworkConfig {
    NetworkConfig::classifier(Cell::Lstm, VOCABULARY, EMBEDDING, hidden, CLASSES).with(|c| {
        c.encoder.padding_idx = Some(1);
        c.seed = 1;
        c.threads = threads;
    })
}

fn lstm(hidden: usize) -> Lstm {
    let [embedding, vocabulary, classes] = [EMBEDDING, VOCABULARY, CLASSES].map(|n| n as f64);
    Lstm { embedding, hidden: hidden as f64, vocabulary, classes }
}

/// The least seconds of `work`, and the phases of that run.
fn least(seconds: f64, mut work: impl FnMut()) -> (f64, [Duration; Phase::COUNT]) {
    let begin = Instant::now();
    let mut best = (f64::INFINITY, [Duration::ZERO; Phase::COUNT]);
    let mut runs = 0;
    // The first run makes room.
    while runs < 3 || begin.elapsed().as_secs_f64() < seconds {
        take();
        let start = Instant::now();
        work();
        let (spent, phases) = (start.elapsed().as_secs_f64(), take());
        if spent < best.0 && runs > 0 {
            best = (spent, phases);
        }
        runs += 1;
    }
    best
}

/// Training steps of one shape: each part on one thread, and whole steps on one and on all.
fn training(name: &str, hidden: usize, batch: usize, rows: usize, threads: &[usize], seconds: f64) -> Vec<Value> {
    let Texts { tokens, lengths, labels } = &texts(rows, 44, VOCABULARY, 7);
    let batch_sizes = vec![batch as i32; rows / batch];
    let chunk =
        Chunk { tokens, lengths, targets: Targets::Rows(labels), batch_sizes: &batch_sizes, ..Chunk::default() };
    let (network, all) = (lstm(hidden), batches(tokens, lengths, batch));
    let over = |work: fn(&Lstm, &Batch) -> Work| sum(all.iter().map(|batch| work(&network, batch)));
    let each = |work: fn(&Lstm) -> Work| sum(all.iter().map(|_| work(&network)));
    let parts: [(&str, &[Phase], Option<Work>); 11] = [
        ("input projection", &[Phase::Project], Some(over(Lstm::projection))),
        ("recurrent product", &[Phase::Forward], Some(over(Lstm::product))),
        ("gates", &[Phase::Gates], Some(over(Lstm::gates_forward))),
        ("head", &[Phase::Head, Phase::HeadGrads], Some(over(Lstm::head))),
        ("gates backward", &[Phase::GatesBack], Some(over(Lstm::gates_backward))),
        ("recurrent product backward", &[Phase::Backward], Some(over(Lstm::product))),
        ("weight gradients", &[Phase::WeightGrads], Some(over(Lstm::weight_grads))),
        ("input gradients", &[Phase::InputGrads], Some(over(Lstm::input_grads))),
        ("words: embedding and late Adam", &[Phase::Words], Some(over(Lstm::words))),
        ("packing and Adam of the weights", &[Phase::Pack, Phase::Update], {
            Some(sum([each(Lstm::pack), each(Lstm::update)].into_iter()))
        }),
        ("planning and meetings", &[Phase::Other], None),
    ];
    let mut result = Vec::new();
    for &threads in threads {
        let network = Network::new(config(hidden, threads)).expect("a valid configuration");
        let (whole, phases) = least(seconds, || {
            black_box(network.train_batches(&chunk, &StepOptions::default()).expect("valid data"));
        });
        result.push(row("training step", name, "all", threads, whole, None));
        if threads == 1 {
            for (part, of, work) in &parts {
                let spent: Duration = of.iter().map(|&phase| phases[phase as usize]).sum();
                result.push(row("training step", name, part, 1, spent.as_secs_f64(), *work));
            }
        }
    }
    result
}

/// Bulk prediction.
fn prediction(name: &str, hidden: usize, rows: usize, threads: usize, seconds: f64) -> Value {
    let Texts { tokens, lengths, .. } = &texts(rows, 44, VOCABULARY, 5);
    let network = Network::new(config(hidden, threads)).expect("a valid configuration");
    let (spent, _) = least(seconds, || {
        black_box(network.predict(tokens, lengths).expect("valid data"));
    });
    let words = tokens.iter().collect::<HashSet<_>>().len();
    // Weights beyond the first-level cache go with inputs that are not projected.
    let work = lstm(hidden).inference(tokens.len() as f64, words as f64, hidden > 64);
    row("prediction", name, "all", threads, spent, Some(work))
}

/// The softmax of a language model: scores of all words for each token, and both gradients.
fn softmax(words: usize, hidden: usize, seconds: f64) -> Vec<Value> {
    let Texts { tokens, lengths, .. } = &texts(20, 35, words, 7);
    let gold: Vec<i32> = tokens.iter().map(|id| id * 31 % words as i32).collect();
    let chunk = Chunk { tokens, lengths, targets: Targets::Tokens(&gold), batch_sizes: &[20], ..Chunk::default() };
    let head = TagsConfig { tags: words, decoder: Decoder::Softmax, forbidden: None };
    let config =
        NetworkConfig::classifier(Cell::Lstm, words, hidden, hidden, 1).with(|c| c.head = HeadConfig::Tags(head));
    let network = Network::new(config).expect("a valid configuration");
    let (_, phases) = least(seconds, || {
        black_box(network.train_batches(&chunk, &StepOptions::default()).expect("valid data"));
    });
    let (scores, weights) = ((tokens.len() * words) as f64, 4.0 * (words * hidden) as f64);
    let product = |count: f64| Work {
        flops: 2.0 * count * scores * hidden as f64,
        reads: count * weights,
        set: weights,
        ..Work::default()
    };
    let name = format!("{words} words, LSTM {hidden}, {} tokens", tokens.len());
    let part = |part: &str, phase: Phase, work: Work| {
        row("language model's softmax", &name, part, 1, phases[phase as usize].as_secs_f64(), Some(work))
    };
    vec![
        part("scores, loss and way back", Phase::Head, product(2.0)),
        part("weight gradients", Phase::HeadGrads, product(1.0)),
    ]
}

/// All rows of networks.
pub fn measure(threads: &[usize], seconds: f64) -> Vec<Value> {
    let shapes = [
        ("LSTM 64 -> 32, batch 16", 32, 16, 1024),
        ("LSTM 64 -> 256, batch 16", 256, 16, 128),
        ("LSTM 64 -> 256, batch 64", 256, 64, 256),
        ("LSTM 64 -> 512, batch 16", 512, 16, 64),
        ("LSTM 64 -> 512, batch 64", 512, 64, 128),
    ];
    let mut rows: Vec<Value> = shapes
        .into_iter()
        .flat_map(|(name, hidden, batch, rows)| training(name, hidden, batch, rows, threads, seconds))
        .collect();
    for &threads in threads {
        rows.push(prediction("LSTM 64 -> 32", 32, 7600, threads, seconds));
        rows.push(prediction("LSTM 64 -> 256", 256, 1024, threads, seconds));
    }
    rows.extend(softmax(10_000, 200, seconds));
    rows
}
