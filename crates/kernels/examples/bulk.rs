//! Bulk prediction of the kernels alone, for the shapes of the comparison with PyTorch: microseconds of a text.
//! `cargo run --release -p recurra-kernels --example bulk [-- THREADS [PATTERN]]`.

use std::time::Instant;

use recurra_core::random::SplitMix64;
use recurra_core::{Cell, NetworkConfig};
use recurra_kernels::network::Network;

const TOKENS: usize = 200_000;

fn texts(mean: usize, spread: f64, vocab: usize) -> (Vec<i32>, Vec<i32>) {
    let mut random = SplitMix64::new(77);
    let (mut tokens, mut lengths) = (Vec::new(), Vec::new());
    while tokens.len() < TOKENS.max(vocab / 8) {
        let normal: f64 = (0..12).map(|_| random.share()).sum::<f64>() - 6.0;
        let length = ((mean as f64 * (spread * normal - spread * spread / 2.0).exp()) as i32).clamp(1, 5 * mean as i32);
        lengths.push(length);
        for _ in 0..length {
            let rank = (vocab as f64).powf(random.share().powf(0.75)) - 1.0;
            tokens.push((rank as i32).clamp(0, vocab as i32 - 1));
        }
    }
    (tokens, lengths)
}

fn main() {
    let threads = std::env::args().nth(1).map_or(1, |text| text.parse().expect("a number of threads"));
    let only = std::env::args().nth(2).unwrap_or_default();
    for (name, cell, hidden, layers, mean, spread, vocab) in [
        ("LSTM 32", Cell::Lstm, 32, 1, 44, 0.28, 95_812),
        ("LSTM 256", Cell::Lstm, 256, 1, 44, 0.28, 95_812),
        ("RNN 32", Cell::RnnTanh, 32, 1, 44, 0.28, 95_812),
        ("GRU 32", Cell::Gru, 32, 1, 44, 0.28, 95_812),
        ("GRU 128", Cell::Gru, 128, 1, 44, 0.28, 95_812),
        ("LSTM 32, 2 layers, bidirectional", Cell::Lstm, 32, 2, 44, 0.28, 95_812),
        ("LSTM 32, 10 tokens", Cell::Lstm, 32, 1, 10, 0.0, 95_812),
        ("LSTM 32, 200 tokens uneven", Cell::Lstm, 32, 1, 200, 1.0, 95_812),
        ("LSTM 32, vocabulary 500000", Cell::Lstm, 32, 1, 44, 0.28, 500_000),
    ] {
        if !name.contains(&only) {
            continue;
        }
        let (tokens, lengths) = texts(mean, spread, vocab);
        let config = NetworkConfig::classifier(cell, vocab, 64, hidden, 4).with(|c| {
            c.encoder.num_layers = layers;
            c.encoder.bidirectional = layers > 1;
            c.threads = threads;
        });
        let network = Network::new(config).expect("a valid configuration");
        let mut times: Vec<f64> = (0..6)
            .map(|_| {
                let start = Instant::now();
                network.predict(&tokens, &lengths).expect("valid data");
                start.elapsed().as_secs_f64()
            })
            .skip(1)
            .collect();
        times.sort_by(f64::total_cmp);
        let (text, token) = (times[2] / lengths.len() as f64, times[2] / tokens.len() as f64);
        println!("{name:36} {:8.2} us a text, {:8.1} ns a token, {:9.0} texts/s", text * 1e6, token * 1e9, 1.0 / text);
    }
}
