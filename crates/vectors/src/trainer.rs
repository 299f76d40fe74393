//! The training: rounds of shards over the texts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use recurra_core::guard;
use recurra_kernels::threads::Pool;

use crate::corpus::Corpus;
use crate::error::{Result, filled, reserve};
use crate::kernels::LANES;
use crate::learned::Learned;
use crate::merge::{Merging, merge};
use crate::options::Options;
use crate::random::Random;
use crate::rows::Copies;
use crate::sampling::{Negatives, kept};
use crate::shard::{Lesson, Loss, Part, Shard, Tables};
use crate::subwords::Subwords;

/// Most shards of a round, which is also the most threads that have something to do.
const SHARDS: usize = 8;

/// Words that a shard reads in a round, where the texts have enough.
const WORDS: usize = 10_000;

/// Rounds that an epoch has at least.
const ROUNDS: usize = 20;

/// Rows that are put together in one go.
const MERGED: usize = 4_096;

/// How far a training is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Words read so far, of all epochs.
    pub words: u64,
    /// Words that all epochs read.
    pub of: u64,
    /// Mean loss of a pair of words in the rounds since the last report, one pair in sixteen measured; NaN where none was.
    pub loss: f64,
}

/// A training under way.
pub struct Trainer {
    lesson: Lesson,
    pool: Pool,
    input: Vec<f32>,
    output: Vec<f32>,
    shards: Vec<Mutex<Shard>>,
    /// The parts of the texts that a shard reads in one round each: first text and the one behind the last, and words before.
    parts: Vec<(usize, usize)>,
    rounds: usize,
    epoch: u32,
    round: usize,
    words: u64,
    loss: Loss,
}

impl Trainer {
    /// Counts the words of the texts, and draws the first vectors.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for options out of range, and where fewer than two words are frequent enough; `OUT_OF_MEMORY`.
    pub fn new(corpus: Corpus, options: &Options) -> Result<Self> {
        options.validate()?;
        let texts = corpus.encode(options)?;
        let width = options.dim.next_multiple_of(LANES);
        let subwords = Subwords::new(&texts.words, options)?;
        let words = texts.counts.len();
        let mut keep = filled(1.0, words)?;
        for (keep, &count) in keep.iter_mut().zip(&texts.counts) {
            *keep = kept(count, texts.all, options.subsample);
        }
        let negatives = Negatives::new(&texts.counts)?;
        let input = first_vectors(subwords.len(), width, options)?;
        let output = filled(0.0, words * width)?;

        let size = texts.numbers.len();
        let env = |name: &str, default: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
        let most = env("SHARDS", SHARDS);
        let count = (size / (ROUNDS * 1_000)).clamp(1, most);
        let part = (size / (ROUNDS * count)).clamp(1, env("WORDS", WORDS));
        let parts = cut(&texts.ends, part)?;
        let rounds = parts.len().div_ceil(count);
        let lesson = Lesson { options: options.clone(), texts, subwords, kept: keep, negatives, width };
        let shards = (0..count).map(|_| Shard::new(&lesson).map(Mutex::new)).collect::<Result<_>>()?;
        Ok(Self {
            lesson,
            pool: Pool::new(options.threads.min(count)),
            input,
            output,
            shards,
            parts,
            rounds,
            epoch: 0,
            round: 0,
            words: 0,
            loss: Loss::default(),
        })
    }

    /// Whether all is done.
    #[must_use]
    pub fn done(&self) -> bool {
        self.epoch >= self.lesson.options.epochs
    }

    /// How far it is. The loss is that of the rounds since the last call.
    pub fn progress(&mut self) -> Progress {
        let Loss { sum, pairs } = std::mem::take(&mut self.loss);
        Progress { words: self.words, of: self.all_words(), loss: sum / pairs as f64 }
    }

    fn all_words(&self) -> u64 {
        self.lesson.texts.numbers.len() as u64 * u64::from(self.lesson.options.epochs)
    }

    /// Memory in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let Lesson { texts, subwords, kept, .. } = &self.lesson;
        let shard = |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).bytes();
        let words = texts.words.bytes() + 20 * kept.len() + subwords.bytes();
        words
            + 4 * (texts.numbers.capacity() + self.input.capacity() + self.output.capacity())
            + 8 * texts.ends.capacity()
            + self.shards.iter().map(shard).sum::<usize>()
    }

    /// One round: each shard reads one part of the texts.
    ///
    /// # Errors
    /// `OUT_OF_MEMORY`, after which the training is of no more use.
    pub fn step(&mut self) -> Result<()> {
        if self.done() {
            return Ok(());
        }
        let all = self.all_words() as f64;
        let rate = |words: u64| (f64::from(self.lesson.options.rate) * (1.0 - words as f64 / all)).max(0.0) as f32;
        // As fastText's threads do, the shards begin at places that lie evenly in the texts.
        let part_of = |shard: usize| Some(shard * self.rounds + self.round).filter(|&part| part < self.parts.len());
        let fall = f64::from(self.lesson.options.rate) * self.shards.len() as f64 / all;
        let tables = Tables { input: &self.input, output: &self.output };
        let failed = Mutex::new(None);
        let next = AtomicUsize::new(0);
        let start = rate(self.words);
        self.pool.run(|_| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(shard) = self.shards.get(number) else { break };
                let shard = &mut *shard.lock().unwrap_or_else(PoisonError::into_inner);
                let part = part_of(number).map_or((0, 0), |part| self.parts[part]);
                let draw = [u64::from(self.epoch), self.round as u64, number as u64];
                let part = Part { texts: part, draw, rate: start, fall: fall as f32 };
                if let Err(error) = guard(|| shard.learn(&self.lesson, tables, part)) {
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            }
        });
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        for part in (0..self.shards.len()).filter_map(part_of) {
            let (first, end) = self.parts[part];
            let ends = &self.lesson.texts.ends;
            let start = if first == 0 { 0 } else { ends[first - 1] };
            self.words += (ends[end - 1] - start) as u64;
        }
        self.merge(start);
        self.round += 1;
        if self.round == self.rounds {
            (self.epoch, self.round) = (self.epoch + 1, 0);
        }
        Ok(())
    }

    /// Puts together what the shards learned.
    fn merge(&mut self, rate: f32) {
        let width = self.lesson.width;
        let Self { shards, input, output, pool, loss, .. } = self;
        let shards: Vec<&Shard> =
            shards.iter_mut().map(|shard| &*shard.get_mut().unwrap_or_else(PoisonError::into_inner)).collect();
        for shard in &shards {
            loss.sum += shard.loss.sum;
            loss.pairs += shard.loss.pairs;
        }
        let inputs: Vec<&Copies> = shards.iter().map(|shard| &shard.input).collect();
        let outputs: Vec<&Copies> = shards.iter().map(|shard| &shard.output).collect();
        for (table, copies) in [(input, inputs), (output, outputs)] {
            let parts = table.len().div_ceil(width * MERGED).min(pool.size() * 4).max(1);
            let rows = (table.len() / width).div_ceil(parts);
            let parts: Vec<_> = table.chunks_mut(rows * width).map(Mutex::new).collect();
            let next = AtomicUsize::new(0);
            pool.run(|_| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(part) = parts.get(number) else { break };
                    let part = &mut *part.lock().unwrap_or_else(PoisonError::into_inner);
                    merge(Merging { table: part, width, first: number * rows, shards: &copies, rate });
                }
            });
        }
    }

    /// The words and their vectors as they are now.
    ///
    /// # Errors
    /// `OUT_OF_MEMORY`.
    pub fn finish(self) -> Result<Learned> {
        let Self { lesson: Lesson { options, texts, subwords, width, .. }, input, output, shards, .. } = self;
        drop((output, shards));
        Learned::new(texts.words, texts.counts, subwords, (input, width), options.dim)
    }
}

/// Cuts texts into parts of at least so many words.
fn cut(ends: &[usize], words: usize) -> Result<Vec<(usize, usize)>> {
    let mut parts = Vec::new();
    let (mut first, mut start) = (0, 0);
    for (text, &end) in ends.iter().enumerate() {
        if end - start >= words || text + 1 == ends.len() {
            reserve(&mut parts, 1)?;
            parts.push((first, text + 1));
            (first, start) = (text + 1, end);
        }
    }
    Ok(parts)
}

/// Numbers between `-1 / dim` and `1 / dim`, as fastText begins; what fills up the rows is zero.
fn first_vectors(rows: usize, width: usize, options: &Options) -> Result<Vec<f32>> {
    let mut vectors = filled(0.0, rows * width)?;
    let mut random = Random::new(options.seed, [u64::MAX, 0, 0]);
    for row in vectors.chunks_exact_mut(width) {
        for value in &mut row[..options.dim] {
            *value = (2.0 * random.share() - 1.0) / options.dim as f32;
        }
    }
    Ok(vectors)
}
