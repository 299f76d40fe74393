//! Projections of the most frequent words, kept for inference if those of all words would take too much memory. Other
//! words are projected once per batch.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::made::MadeOnce;
use super::table::project;
use super::words::WordRows;
use crate::recurrent::packs::DirPacks;
use crate::recurrent::shape::Shape;
use crate::simd::Buf;
use crate::simd::gemm::Mat;
use crate::threads::Pool;

/// Maximum number of tokens after which the most frequent words are known; with fewer words, their number is enough.
const ENOUGH_TOKENS: usize = 65_536;

/// Marks a word without a kept projection.
const NONE: u16 = u16::MAX;

/// Counts words until the most frequent ones are chosen.
pub(crate) struct FrequentWords {
    seen: Vec<AtomicU32>,
    tokens: AtomicUsize,
    kept: MadeOnce<Kept>,
}

/// Projections of some words, for each direction.
pub(crate) struct Kept {
    /// The row of each word, or [`NONE`].
    places: Vec<u16>,
    rows: Vec<Buf>,
}

impl Kept {
    /// The row of a word, if it is kept.
    #[inline]
    pub fn place(&self, word: u32) -> Option<usize> {
        let place = self.places[word as usize];
        (place != NONE).then_some(usize::from(place))
    }

    /// The rows, a matrix for each direction.
    pub fn mats(&self, shape: &Shape) -> Vec<Mat> {
        self.rows.iter().map(|rows| Mat::of(rows, shape.gp)).collect()
    }
}

impl FrequentWords {
    /// Creates it for `words` words, with nothing counted.
    pub fn new(words: usize) -> Self {
        Self {
            seen: (0..words).map(|_| AtomicU32::new(0)).collect(),
            tokens: AtomicUsize::new(0),
            kept: MadeOnce::default(),
        }
    }

    /// The kept projections, once they exist. Another thread may add them at any time.
    pub fn get(&self) -> Option<&Kept> {
        self.kept.get()
    }

    /// Counts validated words until the projections exist.
    pub fn count(&self, words: &[u32]) {
        if self.kept.get().is_none() {
            words.iter().for_each(|&word| {
                self.seen[word as usize].fetch_add(1, Ordering::Relaxed);
            });
            self.tokens.fetch_add(words.len(), Ordering::Relaxed);
        }
    }

    /// Keeps the most frequent words if enough were counted, unless another thread is already doing so. The choice does
    /// not change results, only the time.
    pub fn make(&self, shape: &Shape, packs: &[DirPacks], words: WordRows<'_>, pool: &Pool) {
        let enough = self.seen.len().min(ENOUGH_TOKENS);
        if self.kept.get().is_some() || self.tokens.load(Ordering::Relaxed) < enough {
            return;
        }
        self.kept.make(|| {
            let room = words.most_bytes() / (shape.gp * shape.dirs * 4).max(1);
            let mut order: Vec<(u32, u32)> =
                (0u32..).zip(&self.seen).map(|(word, seen)| (seen.load(Ordering::Relaxed), word)).collect();
            // Of words that were seen as often, those with lower numbers: vocabularies have frequent words first.
            order.sort_unstable_by_key(|&(seen, word)| (std::cmp::Reverse(seen), word));
            order.truncate(room.min(usize::from(NONE)));
            let mut places = vec![NONE; self.seen.len()];
            order.iter().enumerate().for_each(|(place, &(_, word))| places[word as usize] = place as u16);
            let rows = project(shape, packs, words, order.len(), |place| order[place].1 as usize, pool);
            Kept { places, rows }
        });
    }
}
