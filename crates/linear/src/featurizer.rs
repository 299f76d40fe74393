//! Converts texts to TF-IDF features, as two of scikit-learn's `TfidfVectorizer` side by side.

use crate::math::Portable;
use crate::options::FeatureOptions;
use crate::parallel;
use crate::rows::{Bag, CHUNK, Chunk, Rows, unpack};
use crate::text::{char_ngrams, counts, each_word_ngram, hash, lower_into, pad_into, stretches, word_print, words};
use crate::vocabulary::Vocabulary;

/// Number of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// N-grams of words. Their numbers start at 0.
    pub words: usize,
    /// N-grams of characters. Their numbers follow those of the words.
    pub chars: usize,
}

/// Computes the features of texts: `(1 + ln(count)) * idf` for each known n-gram, where `idf` is `ln((1 + rows) / (1 +
/// rows with the n-gram)) + 1`. N-grams of words and of characters are normalised separately to an L2 norm of 1.
///
/// Texts are lowercased. N-grams are identified by 32-bit fingerprints; two n-grams with the same fingerprint are one
/// feature. With a million features, that affects about one in several thousand.
#[derive(Clone, Debug)]
pub struct Featurizer {
    options: FeatureOptions,
    rows: u64,
    words: Vocabulary,
    chars: Vocabulary,
    idf: Vec<f32>,
}

impl Featurizer {
    pub(crate) fn new(options: FeatureOptions, rows: u64, words: Vocabulary, chars: Vocabulary) -> Self {
        let idf = words.rows.iter().chain(&chars.rows);
        let idf = idf.map(|&with| (((1 + rows) as f64 / (1.0 + f64::from(with))).portable_ln() + 1.0) as f32).collect();
        Self { options, rows, words, chars, idf }
    }

    /// The feature options.
    #[must_use]
    pub fn options(&self) -> FeatureOptions {
        self.options
    }

    /// Number of features.
    #[must_use]
    pub fn len(&self) -> usize {
        self.idf.len()
    }

    /// Whether there are no features.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.idf.is_empty()
    }

    /// Number of features of each kind.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        Sizes { words: self.words.len(), chars: self.chars.len() }
    }

    /// The feature of an n-gram of lowercase words.
    #[must_use]
    pub fn word_feature(&self, words: &[&str]) -> Option<usize> {
        let hashes: Vec<u64> = words.iter().map(|word| hash(word)).collect();
        self.word_number(word_print(&hashes)).map(|number| number as usize)
    }

    /// The feature of an n-gram of lowercase characters.
    #[must_use]
    pub fn char_feature(&self, ngram: &str) -> Option<usize> {
        let points: Vec<u32> = ngram.chars().map(u32::from).collect();
        let mut found = None;
        char_ngrams(&points, (points.len(), points.len()), |_, _, print| found = self.char_number(print));
        found.map(|number| number as usize)
    }

    /// The features of a text with their values, in order of first occurrence.
    #[must_use]
    pub fn features(&self, text: &str) -> Vec<(usize, f32)> {
        let mut reader = Reader::new(self);
        let mut features = Vec::new();
        let (words, norms) = reader.read(self, text, |number, weight| features.push((number as usize, weight)));
        for (at, (number, value)) in features.iter_mut().enumerate() {
            *value *= norms[usize::from(at >= words)] * self.idf[*number];
        }
        features
    }

    /// The features of texts that were not counted, such as validation rows.
    #[must_use]
    pub fn rows_of<T: AsRef<str> + Sync>(&self, texts: &[T], threads: usize) -> Rows {
        let chunks = parallel::map(
            threads,
            texts.len().div_ceil(CHUNK),
            || Reader::new(self),
            |reader, chunk| {
                let mut made = Chunk::new();
                for text in texts.iter().skip(chunk * CHUNK).take(CHUNK) {
                    let words = reader.count(self, text.as_ref());
                    made.push(&mut reader.bag, words, &self.idf);
                }
                made
            },
        );
        Rows::new(chunks, texts.len())
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn vocabularies(&self) -> [&Vocabulary; 2] {
        [&self.words, &self.chars]
    }

    pub(crate) fn idf(&self) -> &[f32] {
        &self.idf
    }

    #[inline]
    pub(crate) fn word_number(&self, print: u32) -> Option<u32> {
        self.words.get(print)
    }

    #[inline]
    pub(crate) fn char_number(&self, print: u32) -> Option<u32> {
        self.chars.get(print).map(|number| number + self.words.len() as u32)
    }

    /// The featurizer with only the features in `keep`, and the new number of each old feature (`u32::MAX` if it was
    /// removed).
    pub(crate) fn filtered(&self, keep: &[bool]) -> (Self, Vec<u32>) {
        let (words, chars) = keep.split_at(self.words.len());
        let filtered =
            Self::new(self.options, self.rows, self.words.filter(|at| words[at]), self.chars.filter(|at| chars[at]));
        let mut next = 0;
        let numbers = keep.iter().map(|&kept| {
            next += u32::from(kept);
            if kept { next - 1 } else { u32::MAX }
        });
        (filtered, numbers.collect())
    }
}

/// One occurrence of a feature in a text.
pub(crate) struct Occurrence {
    pub(crate) number: u32,
    /// Byte range in the lowercase text, without the blanks that surround a stretch.
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// Reusable buffers for reading texts.
pub(crate) struct Reader {
    pub(crate) bag: Bag,
    lower: String,
    padded: Vec<u32>,
    hashes: Vec<u64>,
    prints: Vec<u32>,
}

impl Reader {
    pub(crate) fn new(featurizer: &Featurizer) -> Self {
        Self {
            bag: Bag::new(featurizer.len()),
            lower: String::new(),
            padded: Vec::new(),
            hashes: Vec::new(),
            prints: Vec::new(),
        }
    }

    /// Calls `each` with the packed features of a text and the weights of their counts. Returns the number of word
    /// features and the reciprocals of both norms.
    #[inline]
    pub(crate) fn read(
        &mut self,
        featurizer: &Featurizer,
        text: &str,
        mut each: impl FnMut(u32, f32),
    ) -> (usize, [f32; 2]) {
        let words = self.count(featurizer, text);
        let norms = self.bag.take(words, &featurizer.idf, |entry, weight| each(unpack(entry).0 as u32, weight));
        (words, norms)
    }

    /// Counts a text's features in the bag. Returns the number of word features.
    #[inline]
    fn count(&mut self, featurizer: &Featurizer, text: &str) -> usize {
        let options = featurizer.options;
        lower_into(text, &mut self.lower);
        self.hashes.clear();
        self.prints.clear();
        for (_, stretch) in stretches(&self.lower) {
            if options.words > 0 {
                let counted = words(stretch).filter(|(_, word)| counts(word, options.min_word));
                self.hashes.extend(counted.map(|(_, word)| hash(word)));
            }
            if options.chars.1 > 0 {
                pad_into(stretch, &mut self.padded);
                char_ngrams(&self.padded, options.chars, |_, _, print| self.prints.push(print));
            }
        }
        let bag = &mut self.bag;
        each_word_ngram(&self.hashes, options.words, |_, _, print| {
            if let Some(number) = featurizer.word_number(print) {
                bag.add(number);
            }
        });
        let word_count = bag.len();
        for &print in &self.prints {
            if let Some(number) = featurizer.char_number(print) {
                bag.add(number);
            }
        }
        word_count
    }

    /// Every occurrence of a feature in a lowercase text.
    pub(crate) fn occurrences(&mut self, featurizer: &Featurizer, lower: &str) -> Vec<Occurrence> {
        let options = featurizer.options;
        let mut found = Vec::new();
        let mut places = Vec::new();
        self.hashes.clear();
        if options.words > 0 {
            for (at, word) in
                stretches(lower).flat_map(|(at, part)| words(part).map(move |(from, word)| (at + from, word)))
            {
                if counts(word, options.min_word) {
                    self.hashes.push(hash(word));
                    places.push((at, at + word.len()));
                }
            }
        }
        each_word_ngram(&self.hashes, options.words, |first, length, print| {
            if let Some(number) = featurizer.word_number(print) {
                found.push(Occurrence { number, from: places[first].0, to: places[first + length - 1].1 });
            }
        });
        if options.chars.1 > 0 {
            for (at, stretch) in stretches(lower) {
                // Start byte of each padded character; the two blanks have length 0.
                let mut begins = vec![at];
                begins.extend(stretch.char_indices().map(|(from, _)| at + from));
                begins.extend([at + stretch.len(); 2]);
                pad_into(stretch, &mut self.padded);
                char_ngrams(&self.padded, options.chars, |from, to, print| {
                    if let Some(number) = featurizer.char_number(print) {
                        found.push(Occurrence { number, from: begins[from], to: begins[to] });
                    }
                });
            }
        }
        found
    }
}
