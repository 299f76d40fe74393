//! Benchmarks of CRF chains.

use std::hint::black_box;

use recurra_core::layout::PackedLayout;
use recurra_kernels::heads::crf::Crf;
use recurra_kernels::threads::Pool;
use serde_json::Value;

use super::team::best;
use super::work::{Work, row};

/// Losses with gradients for 32 sentences of 20 tokens. Each token needs one vector-matrix product with the transitions
/// forward and one backward, and the expected transitions.
pub fn measure(seconds: f64) -> Vec<Value> {
    let layout = PackedLayout::new(&[20; 32], None).expect("valid lengths");
    let pool = Pool::new(1);
    let chain = |tags: usize| {
        let values = |n: usize| (0..n).map(|i| ((i * 7919) % 997) as f32 / 250.0 - 2.0).collect::<Vec<f32>>();
        let crf = Crf::new(tags, &values(tags), &values(tags), &values(tags * tags), None).expect("valid lengths");
        let emissions = values(layout.total() * tags);
        let gold: Vec<u32> = (0..layout.total()).map(|i| (i * 31 % tags) as u32).collect();
        let rate = best(seconds, || {
            black_box(crf.gradients(&pool, &layout, &emissions, &gold).expect("valid data"));
            1.0
        });
        let pairs = (layout.total() * tags * tags) as f64;
        let work = Work { flops: 6.0 * pairs, ..Work::default() };
        row("chain of tags (CRF)", &format!("{tags} tags, 640 tokens"), "loss and gradients", 1, 1.0 / rate, Some(work))
    };
    [20, 100].map(chain).into()
}
