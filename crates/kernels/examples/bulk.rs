//! Bulk prediction of the kernels alone, for the shapes of the comparison with PyTorch: microseconds of a text.
//! `cargo run --release -p recurra-kernels --example bulk [-- THREADS [PATTERN [int8]]]`; with `int8` also with recurrent weights in
//! eight bits, in turns.

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
    let int8 = std::env::args().nth(3).is_some_and(|way| way == "int8");
    for (name, cell, hidden, layers, mean, spread, vocab) in [
        ("LSTM 32", Cell::Lstm, 32, 1, 44, 0.28, 95_812),
        ("LSTM 256", Cell::Lstm, 256, 1, 44, 0.28, 95_812),
        ("RNN 32", Cell::RnnTanh, 32, 1, 44, 0.28, 95_812),
        ("GRU 32", Cell::Gru, 32, 1, 44, 0.28, 95_812),
        ("GRU 128", Cell::Gru, 128, 1, 44, 0.28, 95_812),
        ("LSTM 64", Cell::Lstm, 64, 1, 44, 0.28, 95_812),
        ("LSTM 128", Cell::Lstm, 128, 1, 44, 0.28, 95_812),
        ("LSTM 512", Cell::Lstm, 512, 1, 44, 0.28, 95_812),
        ("GRU 64", Cell::Gru, 64, 1, 44, 0.28, 95_812),
        ("GRU 256", Cell::Gru, 256, 1, 44, 0.28, 95_812),
        ("RNN 128", Cell::RnnTanh, 128, 1, 44, 0.28, 95_812),
        ("RNN 256", Cell::RnnTanh, 256, 1, 44, 0.28, 95_812),
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
        let ways = if int8 { 2 } else { 1 };
        let networks: Vec<Network> = (0..ways)
            .map(|way| {
                let network = Network::new(config.clone()).expect("a valid configuration");
                network.set_int8_recurrent(way == 1).expect("a cell with bounded states");
                network
            })
            .collect();
        let mut times = vec![Vec::new(); ways];
        for round in 0..6 {
            for (network, times) in networks.iter().zip(&mut times) {
                let start = Instant::now();
                network.predict(&tokens, &lengths).expect("valid data");
                if round > 0 {
                    times.push(start.elapsed().as_secs_f64());
                }
            }
        }
        times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
        for (times, way) in times.iter().zip(["", ", int8"]) {
            let (text, token) = (times[2] / lengths.len() as f64, times[2] / tokens.len() as f64);
            let name = format!("{name}{way}");
            println!(
                "{name:36} {:8.2} us a text, {:8.1} ns a token, {:9.0} texts/s",
                text * 1e6,
                token * 1e9,
                1.0 / text
            );
        }
        if int8 {
            println!("{:36} {:.2} times as fast", "", times[0][2] / times[1][2]);
        }
    }
}
