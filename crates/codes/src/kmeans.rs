//! Weighted k-means clustering by Lloyd's algorithm.

use recurra_core::random::SplitMix64;

/// Number of centres in a codebook: one byte's worth.
pub(crate) const CENTRES: usize = 256;

/// Maximum number of points that a codebook is learned from: 64 per centre, twice as many as in Faiss.
const MAX_POINTS: usize = 16_384;

const ROUNDS: usize = 12;

/// Points of `dims` numbers, each with a weight of at least 0.
#[derive(Clone, Copy)]
pub(crate) struct Points<'a> {
    pub values: &'a [f32],
    pub dims: usize,
    /// Distance between the starts of two points.
    pub stride: usize,
    pub weights: &'a [f32],
}

impl<'a> Points<'a> {
    pub fn row(&self, at: usize) -> &'a [f32] {
        &self.values[at * self.stride..][..self.dims]
    }

    fn len(&self) -> usize {
        self.weights.len()
    }
}

/// The nearest centre to a point; the first of equal ones. `centres` is `[dims, 256]`, `halves` contains half of their
/// squared norms.
pub(crate) fn nearest(point: &[f32], centres: &[f32], halves: &[f32; CENTRES]) -> u8 {
    // Half of the squared distance, without the point's own norm: a plain loop that the compiler vectorises.
    let mut scores = *halves;
    for (&value, column) in point.iter().zip(centres.as_chunks::<CENTRES>().0) {
        scores.iter_mut().zip(column).for_each(|(score, &centre)| *score -= value * centre);
    }
    let best = scores.iter().enumerate().fold(
        (0, f32::INFINITY),
        |best, (at, &score)| {
            if score < best.1 { (at, score) } else { best }
        },
    );
    best.0 as u8
}

/// Half of the squared norm of each centre.
pub(crate) fn halves(centres: &[f32]) -> [f32; CENTRES] {
    let mut halves = [0.0; CENTRES];
    for column in centres.as_chunks::<CENTRES>().0 {
        halves.iter_mut().zip(column).for_each(|(half, &centre)| *half += 0.5 * centre * centre);
    }
    halves
}

/// The centres of points, `[dims, 256]`. The result is deterministic.
pub(crate) fn centres(points: Points<'_>, seed: u64) -> Vec<f32> {
    let (dims, count) = (points.dims, points.len());
    let mut centres = vec![0.0; dims * CENTRES];
    if count == 0 {
        return centres;
    }
    let mut random = SplitMix64::new(seed);
    // Evenly spaced over the rows, which are sorted by frequency.
    let chosen: Vec<usize> = if count <= MAX_POINTS {
        (0..count).collect()
    } else {
        (0..MAX_POINTS).map(|at| (at as u64 * count as u64 / MAX_POINTS as u64) as usize).collect()
    };
    for centre in 0..CENTRES {
        let share = chosen.len() as u64;
        let at = (centre as u64 * share / CENTRES as u64 + random.draw() % share.div_ceil(CENTRES as u64)) % share;
        for (dim, &value) in points.row(chosen[at as usize]).iter().enumerate() {
            centres[dim * CENTRES + centre] = value;
        }
    }
    for _ in 0..ROUNDS {
        let halves = halves(&centres);
        let mut sums = vec![0.0f64; dims * CENTRES];
        let mut weights = [0.0f64; CENTRES];
        for &at in &chosen {
            let (row, weight) = (points.row(at), f64::from(points.weights[at]));
            let centre = usize::from(nearest(row, &centres, &halves));
            weights[centre] += weight;
            for (dim, &value) in row.iter().enumerate() {
                sums[dim * CENTRES + centre] += weight * f64::from(value);
            }
        }
        for (centre, &weight) in weights.iter().enumerate() {
            if weight > 0.0 {
                for dim in 0..dims {
                    centres[dim * CENTRES + centre] = (sums[dim * CENTRES + centre] / weight) as f32;
                }
            } else {
                // A centre without points restarts at a random point.
                let at = chosen[(random.draw() % chosen.len() as u64) as usize];
                for (dim, &value) in points.row(at).iter().enumerate() {
                    centres[dim * CENTRES + centre] = value;
                }
            }
        }
    }
    centres
}
