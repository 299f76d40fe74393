//! Texts for all benches. Word frequencies follow Zipf's law, with the lesson's share of repeated words: 702 tokens per
//! batch, about 475 of them distinct.

use recurra_core::random::SplitMix64;

pub struct Texts {
    pub tokens: Vec<i32>,
    pub lengths: Vec<i32>,
    pub labels: Vec<i32>,
}

/// Texts of about `mean` tokens each.
pub fn texts(rows: usize, mean: usize, vocab: usize, seed: u64) -> Texts {
    let mut random = SplitMix64::new(seed);
    let mut texts = Texts { tokens: Vec::new(), lengths: Vec::new(), labels: Vec::new() };
    for _ in 0..rows {
        let length = (mean as f64 * (0.6 + 0.8 * random.share())) as i32;
        texts.lengths.push(length.max(1));
        texts.labels.push((random.share() * 4.0) as i32);
        for _ in 0..length.max(1) {
            let rank = (vocab as f64).powf(random.share().powf(0.75)) - 1.0;
            texts.tokens.push((rank as i32).clamp(0, vocab as i32 - 1));
        }
    }
    texts
}
