//! Time and work of skip-gram's word pairs, as a row for `npm run bench -- roofline`.

use std::time::Instant;

use recurra_core::random::SplitMix64;
use recurra_vectors::{Corpus, Options, Trainer};
use serde_json::json;

const TEXTS: usize = 5_000;
const WORDS: usize = 40;
const VOCABULARY: f64 = 20_000.0;

fn main() {
    let mut random = SplitMix64::new(7);
    let mut corpus = Corpus::default();
    for _ in 0..TEXTS {
        for _ in 0..WORDS {
            let rank = VOCABULARY.powf(random.share().powf(0.75)) as u32;
            corpus.add(format!("w{rank}").as_bytes()).expect("few words");
        }
        corpus.end().expect("few words");
    }
    // No word is dropped, so the number of pairs is known up to the random windows.
    let options = Options { epochs: 1, min_count: 1, subsample: 0.0, ..Options::default() };
    let mut trainer = Trainer::new(corpus, &options).expect("valid options");
    let start = Instant::now();
    while !trainer.done() {
        trainer.step().expect("a small rate");
    }
    let seconds = start.elapsed().as_secs_f64();
    let learned = trainer.finish().expect("enough memory");

    let window = options.window as usize;
    let near = |at: usize, reach: usize| at.min(reach) + (WORDS - 1 - at).min(reach);
    let of_text: usize = (0..WORDS).map(|at| (1..=window).map(|reach| near(at, reach)).sum::<usize>()).sum();
    let pairs = (TEXTS * of_text) as f64 / window as f64;
    let (targets, dim) = ((1 + options.negatives) as f64, options.dim as f64);
    let row = json!({
        "kernel": "skip-gram vectors",
        "shape": format!("{} words, {} numbers, {} negatives", learned.words().len(), options.dim, options.negatives),
        "part": format!("{:.1} million pairs", pairs * 1e-6), "threads": 1, "seconds": seconds,
        // Each target's row enters a product, is added to the gradient and is updated: three multiply-adds per number,
        // and one logistic function.
        "work": {
            "flops": 6.0 * pairs * targets * dim, "divisions": pairs * targets, "reads": 0.0,
            "writes": 4.0 * pairs * targets * dim, "rows": 4.0 * pairs * targets * dim,
            "set": 4.0 * dim * learned.words().len() as f64,
        },
    });
    println!("{}", json!({ "kernels": [row] }));
}
