//! Benchmarks of the kernels alone. `cargo bench -p recurra-kernels` (`-- lesson` for the lesson's shape only).

#[path = "common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recurra_core::Cell;
use recurra_core::layout::PackedLayout;
use recurra_core::{Chunk, Decoder, HeadConfig, NetworkConfig, StepOptions, TagsConfig, Targets};
use recurra_kernels::heads::crf::Crf;
use recurra_kernels::network::Network;
use recurra_kernels::threads::Pool;

use common::{Texts, texts};

const VOCAB: usize = 95_812;

fn config(cell: Cell, hidden: usize, threads: usize) -> NetworkConfig {
    NetworkConfig::classifier(cell, VOCAB, 64, hidden, 4).with(|c| {
        c.encoder.padding_idx = Some(1);
        c.seed = 1;
        c.threads = threads;
    })
}

fn training(c: &mut Criterion) {
    let mut group = c.benchmark_group("training");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for (name, cell, hidden, batch, rows) in [
        ("lesson", Cell::Lstm, 32, 16, 4096),
        ("lesson gru", Cell::Gru, 32, 16, 4096),
        ("lesson rnn", Cell::RnnTanh, 32, 16, 4096),
        ("hidden 128", Cell::Lstm, 128, 64, 1024),
        ("hidden 256", Cell::Lstm, 256, 64, 512),
        ("hidden 512", Cell::Lstm, 512, 64, 256),
    ] {
        for threads in [1, 2] {
            let texts = texts(rows, 44, VOCAB, 7);
            let classifier = Network::new(config(cell, hidden, threads)).expect("a valid configuration");
            let batch_sizes = vec![batch; rows / batch as usize];
            let Texts { tokens, lengths, labels } = &texts;
            let chunk = Chunk {
                tokens,
                lengths,
                targets: Targets::Rows(labels),
                batch_sizes: &batch_sizes,
                ..Chunk::default()
            };
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::new(name, format!("{threads} threads")), |b| {
                b.iter(|| black_box(classifier.train_batches(&chunk, &StepOptions::default()).expect("valid data")));
            });
        }
    }
    group.finish();
}

fn prediction(c: &mut Criterion) {
    let mut group = c.benchmark_group("prediction");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    let one = texts(1, 44, VOCAB, 9);
    let (one, length) = (&texts(8, 80, VOCAB, 9).tokens[..44], one.lengths.len());
    for table in [false, true] {
        let classifier = Network::new(config(Cell::Lstm, 32, 1)).expect("a valid configuration");
        if table {
            let many = texts(4096, 44, VOCAB, 3);
            classifier.predict(&many.tokens, &many.lengths).expect("valid data");
        }
        let name = if table { "one text, projected vocabulary" } else { "one text" };
        // Fresh classifiers, so that the calls do not build up a projected vocabulary.
        group.bench_function(name, |b| {
            b.iter_custom(|n| {
                let mut time = Duration::ZERO;
                let mut classifier_now = Network::new(config(Cell::Lstm, 32, 1)).expect("a valid configuration");
                for i in 0..n {
                    let target = if table { &classifier } else { &classifier_now };
                    let start = Instant::now();
                    black_box(target.predict(one, &[44; 1][..length]).expect("valid data"));
                    time += start.elapsed();
                    if !table && i % 2000 == 1999 {
                        classifier_now = Network::new(config(Cell::Lstm, 32, 1)).expect("a valid configuration");
                        classifier_now.predict(one, &[44]).expect("valid data");
                    }
                }
                time
            });
        });
    }
    for threads in [1, 2] {
        let many = texts(7600, 44, VOCAB, 5);
        let classifier = Network::new(config(Cell::Lstm, 32, threads)).expect("a valid configuration");
        group.throughput(Throughput::Elements(7600));
        group.bench_function(BenchmarkId::new("bulk", format!("{threads} threads")), |b| {
            b.iter(|| black_box(classifier.predict(&many.tokens, &many.lengths).expect("valid data")));
        });
    }
    group.finish();
}

/// Losses with gradients, and best paths, of 32 sentences of 20 tokens, in tokens per second.
fn crf(c: &mut Criterion) {
    let mut group = c.benchmark_group("crf");
    group.sample_size(10).measurement_time(Duration::from_secs(1));
    let layout = PackedLayout::new(&[20; 32], None).expect("valid lengths");
    group.throughput(Throughput::Elements(layout.total() as u64));
    let pool = Pool::new(1);
    for tags in [5, 20, 100] {
        let values = |n: usize| (0..n).map(|i| ((i * 7919) % 997) as f32 / 250.0 - 2.0).collect::<Vec<f32>>();
        let crf = Crf::new(tags, &values(tags), &values(tags), &values(tags * tags), None).expect("valid lengths");
        let emissions = values(layout.total() * tags);
        let gold: Vec<u32> = (0..layout.total()).map(|i| (i * 31 % tags) as u32).collect();
        group.bench_function(BenchmarkId::new("gradients", tags), |b| {
            b.iter(|| black_box(crf.gradients(&pool, &layout, &emissions, &gold).expect("valid data")));
        });
        group.bench_function(BenchmarkId::new("decode", tags), |b| {
            b.iter(|| black_box(crf.decode(&pool, &layout, &emissions).expect("valid data")));
        });
    }
    group.finish();
}

/// Whether the command line selects what is measured without Criterion: its filters are the arguments that are not
/// options.
fn wanted(name: &str) -> bool {
    let mut filters = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    filters.peek().is_none() || filters.any(|filter| name.contains(&filter))
}

/// The cost of a CRF compared with a softmax, measured alternately, best times: training steps of 32 sentences of 20
/// tokens, and one such sentence.
fn tags(_: &mut Criterion) {
    if !wanted("tags") {
        return;
    }
    let texts = texts(32, 20, VOCAB, 7);
    let Texts { tokens, lengths, .. } = &texts;
    for tags in [20, 100] {
        let gold: Vec<i32> = tokens.iter().map(|id| id * 31 % tags as i32).collect();
        let chunk = Chunk { tokens, lengths, targets: Targets::Tokens(&gold), batch_sizes: &[32], ..Chunk::default() };
        let network = |decoder| {
            let head = HeadConfig::Tags(TagsConfig { tags, decoder, forbidden: None });
            let config = config(Cell::Lstm, 100, 1).with(|c| (c.head, c.encoder.bidirectional) = (head, true));
            Network::new(config).expect("a valid configuration")
        };
        let networks = [network(Decoder::Softmax), network(Decoder::Crf)];
        let least = |work: &dyn Fn(&Network)| -> [f64; 2] {
            let mut least = [f64::INFINITY; 2];
            for _ in 0..100 {
                for (network, least) in networks.iter().zip(&mut least) {
                    let start = Instant::now();
                    work(network);
                    *least = least.min(start.elapsed().as_secs_f64() * 1e6);
                }
            }
            least
        };
        let [softmax, crf] = least(&|network| {
            black_box(network.train_batches(&chunk, &StepOptions::default()).expect("valid data"));
        });
        println!("tags/{tags}: a step takes {softmax:.0} us with a softmax, {crf:.0} us with a chain");
        println!("tags/{tags}: {:.1} % of the latter is the chain", 100.0 * (1.0 - softmax / crf));
        let [softmax, crf] = least(&|network| {
            black_box(network.predict(&tokens[..20], &[20]).expect("valid data"));
        });
        println!("tags/{tags}: one sentence takes {softmax:.0} us with a softmax, {crf:.0} us with a chain");
    }
}

/// Best times of training steps of a language model, whose tags are the next words.
fn words(_: &mut Criterion) {
    if !wanted("words") {
        return;
    }
    let texts = texts(20, 35, 10_000, 7);
    let Texts { tokens, lengths, .. } = &texts;
    for outputs in [64, 2_000, 10_000] {
        let gold: Vec<i32> = tokens.iter().map(|id| id * 31 % outputs as i32).collect();
        let chunk = Chunk { tokens, lengths, targets: Targets::Tokens(&gold), batch_sizes: &[20], ..Chunk::default() };
        let head = TagsConfig { tags: outputs, decoder: Decoder::Softmax, forbidden: None };
        let config =
            NetworkConfig::classifier(Cell::Lstm, 10_000, 200, 200, 1).with(|c| c.head = HeadConfig::Tags(head));
        let network = Network::new(config).expect("a valid configuration");
        let mut least = f64::INFINITY;
        for _ in 0..20 {
            let start = Instant::now();
            black_box(network.train_batches(&chunk, &StepOptions::default()).expect("valid data"));
            least = least.min(start.elapsed().as_secs_f64() * 1e3);
        }
        let work = 6.0 * tokens.len() as f64 * outputs as f64 * 200.0 * 1e-9;
        println!(
            "words/{outputs}: a step of {} tokens takes {least:.1} ms; {work:.1} GFLOP of the linear layer",
            tokens.len()
        );
    }
}

criterion_group!(benches, training, prediction, crf, tags, words);
criterion_main!(benches);
