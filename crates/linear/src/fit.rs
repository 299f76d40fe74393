//! Fits the weights of all labels: selects features and rounds the weights to 8 bits.

use crate::arrays::bytes_of;
use crate::blocks::{BlockTask, Shared, each_block, lanes};
use crate::error::Result;
use crate::featurizer::Featurizer;
use crate::math::Portable;
use crate::model::Weights;
use crate::scaling::Scaling;
use crate::solver::{Candidate, Solver};

/// The 8-bit weights of a block of labels, `L` per feature.
pub(crate) struct Fitted {
    pub(crate) values: Vec<i8>,
    pub(crate) scales: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) epochs: usize,
}

/// Rounds a block's weights to 8 bits.
struct Rounded;

impl BlockTask for Rounded {
    type Output = Fitted;

    fn run<const L: usize>(&self, solver: &Solver<'_, L>, epochs: usize) -> Fitted {
        let weights = solver.weights();
        let mut largest = [0.0f32; L];
        for values in weights {
            for lane in 0..L {
                largest[lane] = largest[lane].max(values[lane].abs());
            }
        }
        let scales = largest.map(|largest| largest / 127.0);
        let values = weights.iter().flat_map(|values| {
            std::array::from_fn::<i8, L, _>(|lane| {
                if scales[lane] > 0.0 { (values[lane] / scales[lane]).round() as i8 } else { 0 }
            })
        });
        Fitted { values: values.collect(), scales: scales.to_vec(), bias: solver.bias().to_vec(), epochs }
    }
}

/// Solves all labels.
pub(crate) fn fit(
    shared: &Shared<'_>,
    scaling: &Scaling,
    members: &[u32],
    candidate: Candidate,
) -> Result<Vec<Fitted>> {
    each_block(shared, scaling, members, candidate, &Rounded)
}

/// Joins the weights of all blocks, for the features that have a new number.
pub(crate) fn assemble(fitted: Vec<Fitted>, outputs: usize, features: usize, numbers: Option<&[u32]>) -> Weights {
    let lanes = lanes(outputs);
    let mut values = vec![0i8; features * outputs];
    let (mut scales, mut bias) = (Vec::new(), Vec::new());
    for (block, fitted) in fitted.into_iter().enumerate() {
        let count = lanes.min(outputs - block * lanes);
        for (old, from) in fitted.values.chunks_exact(lanes).enumerate() {
            let number = numbers.map_or(old, |numbers| numbers[old] as usize);
            if number < features {
                let at = number * outputs + block * lanes;
                values[at..at + count].copy_from_slice(&from[..count]);
            }
        }
        scales.extend_from_slice(&fitted.scales[..count]);
        bias.extend_from_slice(&fitted.bias[..count]);
    }
    Weights { values, scales, bias }
}

/// Sums the squared weights of each feature.
struct Squares;

impl BlockTask for Squares {
    type Output = Vec<f32>;

    fn run<const L: usize>(&self, solver: &Solver<'_, L>, _: usize) -> Vec<f32> {
        solver.weights().iter().map(|values| values.iter().map(|value| value * value).sum()).collect()
    }
}

/// All features, in descending order of their effect on the scores: squared weights times the number of rows with the
/// feature.
pub(crate) fn heaviest(
    shared: &Shared<'_>,
    scaling: &Scaling,
    members: &[u32],
    candidate: Candidate,
) -> Result<Vec<u32>> {
    let squares = each_block(shared, scaling, members, candidate, &Squares)?;
    let mut sums = vec![0.0f32; scaling.idf.len()];
    for block in squares {
        sums.iter_mut().zip(block).for_each(|(sum, square)| *sum += square);
    }
    // The number of rows with a feature follows from its idf.
    let all = members.len() as f32 + 1.0;
    for (sum, idf) in sums.iter_mut().zip(&scaling.idf) {
        *sum *= all * (1.0 - idf).portable_exp();
    }
    let mut order: Vec<u32> = (0..sums.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| sums[b as usize].total_cmp(&sums[a as usize]).then(a.cmp(&b)));
    Ok(order)
}

/// Selects the first features of a ranking so that the model fits in `most` bytes, but at least one. Returns the
/// smaller featurizer and the new number of each old feature (`u32::MAX` if it was removed).
pub(crate) fn cut(featurizer: &Featurizer, ranking: &[u32], outputs: usize, most: usize) -> (Featurizer, Vec<u32>) {
    let mut count = (most / (outputs + 2)).clamp(1, ranking.len());
    loop {
        let mut keep = vec![false; ranking.len()];
        ranking[..count].iter().for_each(|&number| keep[number as usize] = true);
        let (smaller, numbers) = featurizer.filtered(&keep);
        let bytes = bytes_of(&smaller, outputs);
        if bytes <= most || count == 1 {
            return (smaller, numbers);
        }
        // Slightly less than proportional, so that few iterations are needed.
        count = (count as f64 * most as f64 / bytes as f64 * 0.99) as usize;
        count = count.max(1);
    }
}
