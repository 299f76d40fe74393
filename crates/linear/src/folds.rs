//! Splits of the rows into training and held-out rows.

use crate::labels::Labels;
use crate::math::Random;
use crate::rows::Rows;
use crate::settings::HeldOut;

/// Rows to train on and rows to measure on.
pub(crate) struct Fold {
    pub(crate) members: Vec<u32>,
    pub(crate) held: Vec<u32>,
}

/// Maximum work of all folds together: features of all rows times scores.
const MAX_WORK: f64 = 1.5e8;

/// The folds: each holds out another part of the rows. Rows are sorted.
pub(crate) fn folds(all: &Rows, outputs: usize, held_out: &HeldOut<'_>, seed: u64) -> Vec<Fold> {
    let rows = all.len();
    if rows < 2 || !matches!(held_out, HeldOut::Automatic) {
        return Vec::new();
    }
    let (parts, used) = if rows <= 20_000 {
        // With few features and labels, more folds are used.
        let work = all.entries() as f64 * outputs as f64;
        (5.min(rows), ((MAX_WORK / work.max(1.0)) as usize).clamp(1, 5.min(rows)))
    } else {
        // The scores of the held-out rows stay below a few hundred megabytes.
        (20.max(rows * outputs / 20_000_000), 1)
    };
    let mut order: Vec<u32> = (0..rows as u32).collect();
    Random::new(seed ^ 0x5851_f42d_4c95_7f2d).shuffle(&mut order);
    let fold = |part: usize| {
        let held = rows * part / parts..rows * (part + 1) / parts;
        let sorted = |mut rows: Vec<u32>| {
            rows.sort_unstable();
            rows
        };
        let members = [&order[..held.start], &order[held.end..]].concat();
        Fold { members: sorted(members), held: sorted(order[held].to_vec()) }
    };
    (0..used).map(fold).collect()
}

/// The labels of some rows.
pub(crate) struct Owned {
    pub(crate) labels: Vec<u32>,
    pub(crate) ends: Option<Vec<usize>>,
}

impl Owned {
    pub(crate) fn of(all: Labels<'_>, rows: &[u32]) -> Self {
        let (mut labels, mut ends) = (Vec::new(), Vec::new());
        for &row in rows {
            labels.extend_from_slice(all.of(row as usize));
            ends.push(labels.len());
        }
        Self { labels, ends: all.several().then_some(ends) }
    }

    pub(crate) fn labels(&self) -> Labels<'_> {
        match &self.ends {
            None => Labels::One(&self.labels),
            Some(ends) => Labels::Many { labels: &self.labels, ends },
        }
    }
}
