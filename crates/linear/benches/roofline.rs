//! Time and work of the linear model's epochs, as a row for `npm run bench -- roofline`.

use std::hint::black_box;
use std::time::Instant;

use recurra_core::random::SplitMix64;
use recurra_linear::{Candidate, Counter, FeatureOptions, HeldOut, Labels, LinearModel, Loss, TrainOptions};
use serde_json::json;

const ROWS: usize = 4_000;
const LABELS: usize = 4;
const EPOCHS: usize = 5;

/// Texts of 44 words. Words with low numbers are more frequent.
fn texts() -> Vec<String> {
    let mut random = SplitMix64::new(7);
    let mut word = || {
        let mut rank = 20_000f64.powf(random.share().powf(0.75)) as usize;
        let mut letters = String::new();
        for _ in 0..6 {
            letters.push(char::from(b'a' + (rank % 26) as u8));
            rank = rank / 26 * 7 + rank % 5;
        }
        letters
    };
    (0..ROWS).map(|_| (0..44).map(|_| word()).collect::<Vec<_>>().join(" ")).collect()
}

fn main() {
    let texts = texts();
    let mut counter = Counter::new(FeatureOptions::default(), 1).expect("valid options");
    counter.add(&texts).expect("valid texts");
    let (featurizer, rows) = counter.finish().expect("valid texts");
    let labels: Vec<u32> = (0..ROWS as u32).map(|row| row * 7919 % LABELS as u32).collect();
    // The settings keep every row changing in every epoch.
    let options = TrainOptions {
        candidates: &[Candidate { loss: Loss::Logistic, cost: 5.0 }],
        held_out: HeldOut::Nothing,
        tolerance: 1e-9,
        max_epochs: EPOCHS,
        max_bytes: Some(usize::MAX),
        ..TrainOptions::default()
    };
    let mut seconds = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        let (_, report) = black_box(LinearModel::train(&featurizer, &rows, Labels::One(&labels), LABELS, &options))
            .expect("valid rows");
        assert_eq!(report.epochs, EPOCHS, "the formula counts on it");
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    let entries = (rows.entries() * EPOCHS) as f64;
    let (lanes, features) = (LABELS as f64, featurizer.len() as f64);
    let row = json!({
        "kernel": "linear expert",
        "shape": format!("{ROWS} rows of {} features, {LABELS} labels", rows.entries() / ROWS),
        "part": format!("{EPOCHS} epochs"), "threads": 1, "seconds": seconds,
        // A feature's weights for all labels fill one cache line, which the score reads and the step writes.
        "work": {
            "flops": 4.0 * entries * lanes, "divisions": 0.0, "reads": 4.0 * entries, "writes": 4.0 * lanes * entries,
            "lines": 64.0 * entries, "set": 4.0 * lanes * features,
        },
    });
    println!("{}", json!({ "kernels": [row] }));
}
