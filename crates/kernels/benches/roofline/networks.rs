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

/// Layers, and whether they run in both directions.
type Stack = (usize, bool);

const PLAIN: Stack = (1, false);

fn config(hidden: usize, (layers, bidirectional): Stack, threads: usize) -> NetworkConfig {
    NetworkConfig::classifier(Cell::Lstm, VOCABULARY, EMBEDDING, hidden, CLASSES).with(|c| {
        c.encoder.padding_idx = Some(1);
        (c.encoder.num_layers, c.encoder.bidirectional) = (layers, bidirectional);
        c.seed = 1;
        c.threads = threads;
    })
}

fn lstm(hidden: usize, (layers, bidirectional): Stack) -> Lstm {
    let [embedding, hidden, vocabulary, classes, layers] =
        [EMBEDDING, hidden, VOCABULARY, CLASSES, layers].map(|n| n as f64);
    Lstm { embedding, hidden, layers, directions: if bidirectional { 2.0 } else { 1.0 }, vocabulary, classes }
}

/// Texts of similar length follow each other, as a classifier's training puts them into its batches.
fn by_length(texts: &Texts) -> Texts {
    let mut rest = &texts.tokens[..];
    let mut rows: Vec<(&[i32], i32)> = Vec::new();
    for (&length, &label) in texts.lengths.iter().zip(&texts.labels) {
        let (own, others) = rest.split_at(length as usize);
        rest = others;
        rows.push((own, label));
    }
    rows.sort_by_key(|(tokens, _)| tokens.len());
    Texts {
        tokens: rows.iter().flat_map(|(tokens, _)| *tokens).copied().collect(),
        lengths: rows.iter().map(|(tokens, _)| tokens.len() as i32).collect(),
        labels: rows.iter().map(|&(_, label)| label).collect(),
    }
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

fn shape_name(hidden: usize, (layers, bidirectional): Stack, batch: usize) -> String {
    let layers = if layers > 1 { format!("{layers} layers, ") } else { String::new() };
    let directions = if bidirectional { "bidirectional, " } else { "" };
    format!("LSTM {EMBEDDING} -> {hidden}, {layers}{directions}batch {batch}")
}

/// Training steps of one shape, whole and by part. On several threads the parts are those of one of them, with what it waits for
/// the others.
fn training(
    kernel: &str,
    (hidden, stack, batch, rows): (usize, Stack, usize, usize),
    threads: &[usize],
    seconds: f64,
) -> Vec<Value> {
    let name = &shape_name(hidden, stack, batch);
    let Texts { tokens, lengths, labels } = &by_length(&texts(rows, 44, VOCABULARY, 7));
    let batch_sizes = vec![batch as i32; rows / batch];
    let chunk =
        Chunk { tokens, lengths, targets: Targets::Rows(labels), batch_sizes: &batch_sizes, ..Chunk::default() };
    let (network, all) = (lstm(hidden, stack), batches(tokens, lengths, batch));
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
        let network = Network::new(config(hidden, stack, threads)).expect("a valid configuration");
        let (whole, phases) = least(seconds, || {
            black_box(network.train_batches(&chunk, &StepOptions::default()).expect("valid data"));
        });
        result.push(row(kernel, name, "all", threads, whole, None));
        for (part, of, work) in &parts {
            let spent: Duration = of.iter().map(|&phase| phases[phase as usize]).sum();
            result.push(row(kernel, name, part, threads, spent.as_secs_f64(), *work));
        }
    }
    result
}

/// Bulk prediction.
fn prediction(name: &str, hidden: usize, rows: usize, threads: usize, seconds: f64) -> Value {
    let Texts { tokens, lengths, .. } = &texts(rows, 44, VOCABULARY, 5);
    let network = Network::new(config(hidden, PLAIN, threads)).expect("a valid configuration");
    let (spent, _) = least(seconds, || {
        black_box(network.predict(tokens, lengths).expect("valid data"));
    });
    let words = tokens.iter().collect::<HashSet<_>>().len();
    // Weights beyond the first-level cache go with inputs that are not projected.
    let work = lstm(hidden, PLAIN).inference(tokens.len() as f64, words as f64, hidden > 64);
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

/// Shapes of training steps: units, layers and directions, rows of a batch, and rows of the measurement.
const STEPS: [(usize, Stack, usize, usize); 5] =
    [(32, PLAIN, 16, 1024), (256, PLAIN, 16, 128), (256, PLAIN, 64, 256), (512, PLAIN, 16, 64), (512, PLAIN, 64, 128)];

/// The same with 256 and 512 units, on all threads. A measurement is short, so that others of the machine leave some of them alone.
const WIDE: [(usize, Stack, usize, usize); 14] = [
    (256, PLAIN, 16, 32),
    (256, PLAIN, 64, 128),
    (256, PLAIN, 256, 256),
    (256, (2, false), 16, 32),
    (256, (2, false), 64, 64),
    (256, (1, true), 16, 32),
    (256, (1, true), 64, 64),
    (512, PLAIN, 16, 32),
    (512, PLAIN, 64, 64),
    (512, PLAIN, 256, 256),
    (512, (2, false), 16, 32),
    (512, (2, false), 64, 64),
    (512, (1, true), 16, 32),
    (512, (1, true), 64, 64),
];

/// Wide training steps on all threads.
pub fn wide(threads: usize, seconds: f64) -> Vec<Value> {
    WIDE.iter().flat_map(|&shape| training("wide training step", shape, &[threads], seconds)).collect()
}

/// All other rows of networks.
pub fn measure(threads: &[usize], seconds: f64) -> Vec<Value> {
    let steps = STEPS.iter().flat_map(|&shape| training("training step", shape, threads, seconds));
    let mut rows: Vec<Value> = steps.collect();
    for &threads in threads {
        rows.push(prediction("LSTM 64 -> 32", 32, 7600, threads, seconds));
        rows.push(prediction("LSTM 64 -> 256", 256, 1024, threads, seconds));
    }
    rows.extend(softmax(10_000, 200, seconds));
    rows
}
