//! CPU time of a language model's training step, for profiling: `cargo run --release -p recurra-kernels --example language --
//! [hidden] [layers] [units] [threads]`. 32 windows of 64 a step; on Linux the time on the processor, which other processes change little.

use std::time::Instant;

use recurra_core::random::SplitMix64;
use recurra_core::{
    AdamOptions, Algorithm, Cell, Chunk, Decoder, HeadConfig, Initial, NetworkConfig, StepOptions, TagsConfig, Targets,
};
use recurra_kernels::network::Network;

const STREAMS: usize = 32;
const WINDOW: usize = 64;
const WINDOWS: usize = 8;

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1e-9
}

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let arg = |i: usize, default: usize| args.get(i).copied().unwrap_or(default);
    let (hidden, layers, units, threads) = (arg(0, 128), arg(1, 2), arg(2, 67), arg(3, 1));
    let mut random = SplitMix64::new(88_172_645_463_325_252);
    let mut draw = || (random.draw() % units as u64) as i32;
    let total = STREAMS * WINDOW * WINDOWS;
    let tokens: Vec<i32> = (0..total).map(|_| draw()).collect();
    let targets: Vec<i32> = (0..total).map(|_| draw()).collect();
    let tags = TagsConfig { tags: units, decoder: Decoder::Softmax, forbidden: None };
    let config = NetworkConfig::classifier(Cell::Lstm, units, hidden, hidden, 1).with(|c| {
        c.head = HeadConfig::Tags(tags);
        c.encoder.num_layers = layers;
        c.threads = threads;
    });
    let network = Network::new(config).expect("a valid configuration");
    let chunk = Chunk {
        tokens: &tokens,
        lengths: &[WINDOW as i32; STREAMS * WINDOWS],
        targets: Targets::Tokens(&targets),
        batch_sizes: &[STREAMS as i32; WINDOWS],
        ..Chunk::default()
    };
    let options = StepOptions {
        learning_rates: &[4e-3],
        clip_norm: 1.0,
        algorithm: Algorithm::Adam(AdamOptions::default()),
        initial: Initial::Begin,
        ..StepOptions::default()
    };
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..12 {
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        network.train_batches(&chunk, &options).expect("valid data");
        best = (best.0.min(wall.elapsed().as_secs_f64()), best.1.min(cpu_seconds() - cpu));
    }
    let n = total as f64;
    println!("training: {:.0} units/s by the clock, {:.0} by this thread's time", n / best.0, n / best.1);
}
