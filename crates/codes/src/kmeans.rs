//! Centres of weighted points, by Lloyd's algorithm.

use recurra_core::random::SplitMix64;

/// Centres of a codebook: as many as a byte tells apart.
pub(crate) const CENTRES: usize = 256;

/// Points that a codebook is learned from, at most; 64 a centre, as in Faiss twice over.
const MOST_POINTS: usize = 16_384;

const ROUNDS: usize = 12;

/// Rows of `dims` numbers, each with a weight from 0 on.
#[derive(Clone, Copy)]
pub(crate) struct Points<'a> {
    pub values: &'a [f32],
    pub dims: usize,
    /// Numbers from one row to the next.
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

/// The centre that is nearest to a point, the first of equal ones. `centres` is `[dims, 256]`, `halves` half of their squared lengths.
pub(crate) fn nearest(point: &[f32], centres: &[f32], halves: &[f32; CENTRES]) -> u8 {
    // Half of the squared distance without the point's own length: a plain loop that the compiler vectorises.
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

/// Half of the squared length of each centre.
pub(crate) fn halves(centres: &[f32]) -> [f32; CENTRES] {
    let mut halves = [0.0; CENTRES];
    for column in centres.as_chunks::<CENTRES>().0 {
        halves.iter_mut().zip(column).for_each(|(half, &centre)| *half += 0.5 * centre * centre);
    }
    halves
}

/// The centres `[dims, 256]` of points. The same points give the same ones.
pub(crate) fn centres(points: Points<'_>, seed: u64) -> Vec<f32> {
    let (dims, count) = (points.dims, points.len());
    let mut centres = vec![0.0; dims * CENTRES];
    if count == 0 {
        return centres;
    }
    let mut random = SplitMix64::new(seed);
    // Drawn evenly over the rows, whose order falls with their frequency.
    let chosen: Vec<usize> = if count <= MOST_POINTS {
        (0..count).collect()
    } else {
        (0..MOST_POINTS).map(|at| (at as u64 * count as u64 / MOST_POINTS as u64) as usize).collect()
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
                // A centre without points begins again at one of them.
                let at = chosen[(random.draw() % chosen.len() as u64) as usize];
                for (dim, &value) in points.row(at).iter().enumerate() {
                    centres[dim * CENTRES + centre] = value;
                }
            }
        }
    }
    centres
}
