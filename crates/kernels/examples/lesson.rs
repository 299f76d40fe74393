//! CPU time of the lesson's training step and of predictions, for profiling:
//! `cargo run --release -p recurra-kernels --example lesson -- [hidden] [batch] [threads] [tokens]`. On Linux it
//! reports the time on the processor, which other processes do not change, as well as the wall clock.

use std::time::Instant;

use recurra_core::Cell;
use recurra_core::random::SplitMix64;
use recurra_core::{Chunk, NetworkConfig, StepOptions, Targets};
use recurra_kernels::network::Network;

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1e-9
}

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let arg = |i: usize, default: usize| args.get(i).copied().unwrap_or(default);
    let (hidden, batch, threads, mean) = (arg(0, 32), arg(1, 16), arg(2, 1), arg(3, 44));
    let vocab = 95_812;
    let mut random = SplitMix64::new(88_172_645_463_325_252);
    let rows = (4096 * 32 / hidden).next_multiple_of(batch);
    let (mut tokens, mut lengths, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let length = ((mean as f64 * (0.6 + 0.8 * random.share())) as i32).max(1);
        lengths.push(length);
        labels.push((random.share() * 4.0) as i32);
        for _ in 0..length {
            let rank = f64::from(vocab).powf(random.share().powf(0.75)) - 1.0;
            tokens.push((rank as i32).clamp(0, vocab - 1));
        }
    }
    let config = NetworkConfig::classifier(Cell::Lstm, vocab as usize, 64, hidden, 4).with(|c| {
        c.encoder.padding_idx = Some(1);
        c.seed = 1;
        c.threads = threads;
    });
    let classifier = Network::new(config).expect("a valid configuration");
    let batch_sizes = vec![batch as i32; rows / batch];
    let chunk = Chunk {
        tokens: &tokens,
        lengths: &lengths,
        targets: Targets::Rows(&labels),
        batch_sizes: &batch_sizes,
        ..Chunk::default()
    };
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..12 {
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        classifier.train_batches(&chunk, &StepOptions::default()).expect("valid data");
        best = (best.0.min(wall.elapsed().as_secs_f64()), best.1.min(cpu_seconds() - cpu));
    }
    let n = rows as f64;
    println!("training: {:.0} samples/s by the clock, {:.0} by this thread's time", n / best.0, n / best.1);
    let one = &tokens[..44];
    for round in 0..3 {
        if round == 2 {
            classifier.predict(&tokens, &lengths).expect("valid data");
        }
        classifier.predict(one, &[44]).expect("valid data");
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        for _ in 0..2000 {
            classifier.predict(one, &[44]).expect("valid data");
        }
        let (wall, cpu) = (wall.elapsed().as_secs_f64() * 500.0, (cpu_seconds() - cpu) * 500.0);
        println!("one text: {wall:.1} us by the clock, {cpu:.1} us of this thread");
    }
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    for _ in 0..4 {
        classifier.predict(&tokens, &lengths).expect("valid data");
    }
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    println!("bulk: {:.0} texts/s by the clock, {:.0} by this thread's time", 4.0 * n / wall, 4.0 * n / cpu);
}
