//! One shard's work in a round: it reads some texts and updates its own copies of rows.

use pulp::{Simd, WithSimd};

use crate::corpus::Encoded;
use crate::error::{Result, filled, reserve};
use crate::kernels::{LANES, add, dot, exchange, logistic, scale};
use crate::options::{Kind, Options};
use crate::random::Random;
use crate::rows::Copies;
use crate::sampling::Negatives;
use crate::subwords::Subwords;

/// The loss is measured on one of this many word pairs, because logarithms are slow.
const MEASURED: u64 = 16;

/// The data that all shards read.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) texts: Encoded,
    pub(crate) subwords: Subwords,
    /// Probability to keep an occurrence of each word.
    pub(crate) kept: Vec<f32>,
    pub(crate) negatives: Negatives,
    /// Numbers per row, including padding.
    pub(crate) width: usize,
}

/// The tables at the start of a round.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'a> {
    pub(crate) input: &'a [f32],
    pub(crate) output: &'a [f32],
}

/// The texts of a shard, and its random numbers and learning rate.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// The first text and the exclusive end.
    pub(crate) texts: (usize, usize),
    /// Purpose of its random numbers.
    pub(crate) draw: [u64; 3],
    /// Learning rate of the first word, and its decrease per word.
    pub(crate) rate: f32,
    pub(crate) fall: f32,
}

/// Sum of the losses of the measured pairs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Loss {
    pub(crate) sum: f64,
    pub(crate) pairs: u64,
}

/// A shard: its copies of rows, and its buffers.
pub(crate) struct Shard {
    pub(crate) input: Copies,
    pub(crate) output: Copies,
    pub(crate) loss: Loss,
    hidden: Vec<f32>,
    gradient: Vec<f32>,
    line: Vec<u32>,
    inputs: Vec<usize>,
    targets: Vec<usize>,
    steps: Vec<[f32; LANES]>,
    pairs: u64,
}

/// A shard's work as a type that is compiled for each instruction set; a closure is not always specialised.
struct LearnTask<'a, const WIDTH: usize> {
    shard: &'a mut Shard,
    shared: &'a Shared,
    tables: Tables<'a>,
    part: Part,
}

impl<const WIDTH: usize> WithSimd for LearnTask<'_, WIDTH> {
    type Output = Result<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<()> {
        self.shard.read::<S, WIDTH>(simd, self.shared, self.tables, self.part)
    }
}

impl Shard {
    pub(crate) fn new(shared: &Shared) -> Result<Self> {
        let (width, negatives) = (shared.width, shared.options.negatives);
        Ok(Self {
            input: Copies::new(shared.subwords.len(), width)?,
            output: Copies::new(shared.texts.counts.len(), width)?,
            loss: Loss::default(),
            hidden: filled(0.0, width)?,
            gradient: filled(0.0, width)?,
            line: Vec::new(),
            inputs: Vec::new(),
            targets: filled(0, 1 + negatives)?,
            steps: filled([0.0; LANES], (1 + negatives).div_ceil(LANES))?,
            pairs: 0,
        })
    }

    /// Memory in use, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.input.bytes() + self.output.bytes()
    }

    /// Learns from a part of the texts, starting from the current tables.
    pub(crate) fn learn(&mut self, shared: &Shared, tables: Tables<'_>, part: Part) -> Result<()> {
        self.input.clear();
        self.output.clear();
        (self.loss, self.pairs) = (Loss::default(), 0);
        let shard = self;
        // A width known at compile time makes the most common one faster.
        match shared.width {
            64 => pulp::Arch::new().dispatch(LearnTask::<64> { shard, shared, tables, part }),
            _ => pulp::Arch::new().dispatch(LearnTask::<0> { shard, shared, tables, part }),
        }
    }

    #[inline(always)]
    fn read<S: Simd, const WIDTH: usize>(
        &mut self,
        s: S,
        shared: &Shared,
        tables: Tables<'_>,
        part: Part,
    ) -> Result<()> {
        let Shared { options, texts, .. } = shared;
        let mut random = Random::new(options.seed, part.draw);
        let mut read = 0;
        for text in part.texts.0..part.texts.1 {
            let start = if text == 0 { 0 } else { texts.ends[text - 1] };
            let words = &texts.numbers[start..texts.ends[text]];
            let mut line = std::mem::take(&mut self.line);
            line.clear();
            reserve(&mut line, words.len())?;
            line.extend(words.iter().filter(|&&word| {
                let kept = shared.kept[word as usize];
                kept >= 1.0 || random.share() < kept
            }));
            let rate = (part.rate - part.fall * read as f32).max(0.0);
            read += words.len();
            for at in 0..line.len() {
                let near = 1 + random.below(options.window) as usize;
                let around = at.saturating_sub(near)..(at + near + 1).min(line.len());
                self.inputs.clear();
                match options.kind {
                    Kind::SkipGram => {
                        self.add_input(shared, tables, line[at])?;
                        for other in around.filter(|&other| other != at) {
                            self.pair::<S, WIDTH>(s, shared, tables, line[other], rate, &mut random)?;
                        }
                    }
                    Kind::Cbow => {
                        for other in around.filter(|&other| other != at) {
                            self.add_input(shared, tables, line[other])?;
                        }
                        if !self.inputs.is_empty() {
                            self.pair::<S, WIDTH>(s, shared, tables, line[at], rate, &mut random)?;
                        }
                    }
                }
            }
            self.line = line;
        }
        Ok(())
    }

    /// Adds the rows of a word to the rows whose mean is the hidden vector.
    #[inline(always)]
    fn add_input(&mut self, shared: &Shared, tables: Tables<'_>, word: u32) -> Result<()> {
        let rows = shared.subwords.of(word);
        reserve(&mut self.inputs, rows.len())?;
        for &row in rows {
            let place = self.input.place(tables.input, row)?;
            self.inputs.push(place);
        }
        Ok(())
    }

    /// One update for the hidden vector: raises the score of `target` and lowers the scores of the drawn negatives.
    ///
    /// As in fastText, each input row is updated by the full gradient of the mean. All scores are computed before a row
    /// is updated.
    #[inline(always)]
    fn pair<S: Simd, const WIDTH: usize>(
        &mut self,
        s: S,
        shared: &Shared,
        tables: Tables<'_>,
        target: u32,
        rate: f32,
        random: &mut Random,
    ) -> Result<()> {
        self.targets[0] = self.output.place(tables.output, target)?;
        for at in 1..self.targets.len() {
            let negative = shared.negatives.draw(random, target);
            self.targets[at] = self.output.place(tables.output, negative)?;
        }
        self.update::<S, WIDTH>(s, rate);
        Ok(())
    }

    #[inline(always)]
    fn update<S: Simd, const WIDTH: usize>(&mut self, s: S, rate: f32) {
        let Self { input, output, hidden, gradient, inputs, targets, steps, loss, pairs, .. } = self;
        let (hidden, gradient) = if WIDTH == 0 {
            (&mut hidden[..], &mut gradient[..])
        } else {
            (&mut hidden[..WIDTH], &mut gradient[..WIDTH])
        };
        let cut = |row: usize| if WIDTH == 0 { row } else { WIDTH };
        let width = cut(hidden.len());
        let hidden = match inputs[..] {
            [place] => &input.at(place)[..width],
            _ => {
                hidden.fill(0.0);
                for &place in &*inputs {
                    add(s, hidden, &input.at(place)[..width]);
                }
                scale(s, hidden, 1.0 / inputs.len() as f32);
                &hidden[..]
            }
        };
        gradient.fill(0.0);
        let scores = steps.as_flattened_mut();
        for (score, &place) in scores.iter_mut().zip(&*targets) {
            *score = dot(s, hidden, &output.at(place)[..width]);
        }
        if *pairs % MEASURED == 0 {
            let cost = |(at, &score): (usize, &f32)| if at == 0 { softplus(-score) } else { softplus(score) };
            loss.sum += scores.iter().take(targets.len()).enumerate().map(cost).sum::<f64>();
            loss.pairs += 1;
        }
        *pairs += 1;
        for block in steps.iter_mut() {
            *block = logistic(block);
        }
        for (at, &place) in targets.iter().enumerate() {
            let label = if at == 0 { 1.0 } else { 0.0 };
            let step = rate * (label - steps[at / LANES][at % LANES]);
            exchange(s, step, &mut output.moved(place)[..width], hidden, gradient);
        }
        for &place in &*inputs {
            add(s, &mut input.moved(place)[..width], gradient);
        }
    }
}

/// `ln(1 + exp(x))` without overflow.
fn softplus(x: f32) -> f64 {
    let x = f64::from(x);
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Corpus;
    use serde_json::Value;

    /// One update with the given numbers.
    struct Update<'a>(&'a mut Shard, f32);

    impl WithSimd for Update<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, s: S) {
            match self.0.hidden.len() {
                64 => self.0.update::<S, 64>(s, self.1),
                _ => self.0.update::<S, 0>(s, self.1),
            }
        }
    }

    fn rows(value: &Value) -> Vec<Vec<f64>> {
        let row = |row: &Value| row.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect();
        value.as_array().unwrap().iter().map(row).collect()
    }

    /// A shard with some rows for an update.
    fn shard(dim: usize, inputs: &[Vec<f64>], outputs: &[Vec<f64>]) -> Shard {
        let width = dim.next_multiple_of(LANES);
        let table = |rows: &[Vec<f64>]| -> Vec<f32> {
            let padded =
                |row: &Vec<f64>| row.iter().map(|&v| v as f32).chain(vec![0.0; width - dim]).collect::<Vec<_>>();
            rows.iter().flat_map(padded).collect()
        };
        let mut corpus = Corpus::default();
        ["a", "b", "a", "b"].iter().for_each(|word| corpus.add(word.as_bytes()).unwrap());
        corpus.end().unwrap();
        let options = Options { dim, negatives: outputs.len() - 1, min_count: 1, ..Options::default() };
        let texts = corpus.encode(&options).unwrap();
        let subwords = Subwords::new(&texts.words, &options).unwrap();
        let negatives = Negatives::new(&texts.counts).unwrap();
        let mut shard = Shard::new(&Shared { options, texts, subwords, kept: Vec::new(), negatives, width }).unwrap();
        (shard.input, shard.output) =
            (Copies::new(inputs.len(), width).unwrap(), Copies::new(outputs.len(), width).unwrap());
        for row in 0..inputs.len() as u32 {
            let place = shard.input.place(&table(inputs), row).unwrap();
            shard.inputs.push(place);
        }
        for row in 0..outputs.len() as u32 {
            shard.targets[row as usize] = shard.output.place(&table(outputs), row).unwrap();
        }
        shard
    }

    #[test]
    fn an_update_is_that_of_numpy() {
        let golden: Value = serde_json::from_str(include_str!("../tests/golden.jsonl")).unwrap();
        let cases = golden["updates"].as_array().unwrap();
        assert_eq!(cases.len(), 4);
        for case in cases {
            let dim = case["dim"].as_u64().unwrap() as usize;
            let mut shard = shard(dim, &rows(&case["inputs"]), &rows(&case["outputs"]));
            pulp::Arch::new().dispatch(Update(&mut shard, case["rate"].as_f64().unwrap() as f32));
            let loss = case["loss"].as_f64().unwrap();
            assert!((shard.loss.sum - loss).abs() < 2e-6 * loss, "{} {loss}", shard.loss.sum);
            for (copies, expected) in [(&shard.input, &case["new_inputs"]), (&shard.output, &case["new_outputs"])] {
                for (row, expected) in rows(expected).iter().enumerate() {
                    let (given, moves) = copies.get(row as u32).unwrap();
                    assert_eq!(moves, 1);
                    for (given, expected) in given.iter().zip(expected) {
                        assert!((f64::from(*given) - expected).abs() < 1e-6, "{dim}: {given} {expected}");
                    }
                    assert!(given[dim..].iter().all(|&filling| filling == 0.0));
                }
            }
        }
    }
}
