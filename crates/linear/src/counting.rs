//! Counts the n-grams of the training texts. Each text is read once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError};

use crate::error::{Result, invalid};
use crate::featurizer::Featurizer;
use crate::options::FeatureOptions;
use crate::parallel;
use crate::rows::{Bag, CHUNK, Chunk, Rows};
use crate::table::Table;
use crate::text::{char_ngrams, counts, each_word_ngram, hash, lower_into, pad_into, stretches, words};
use crate::vocabulary::{Vocabulary, merge};

/// A hasher for keys that are already hashes.
#[derive(Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

type ByHash = HashMap<u64, u32, BuildHasherDefault<IdentityHasher>>;

/// Numbers n-grams in order of first occurrence and counts the rows with each.
#[derive(Default)]
struct NgramCounts {
    table: Option<Table>,
    prints: Vec<u32>,
    rows: Vec<u32>,
    /// The last row counted for each n-gram, plus one.
    last: Vec<u32>,
}

impl NgramCounts {
    fn number(&mut self, print: u32) -> u32 {
        let table = self.table.get_or_insert_with(|| Table::new(1024));
        let number = table.get_or_insert(print, self.prints.len() as u32);
        if number as usize == self.prints.len() {
            self.prints.push(print);
            self.rows.push(0);
            self.last.push(0);
        }
        number
    }

    fn count(&mut self, number: u32, row: u32) {
        let number = number as usize;
        if self.last[number] != row {
            self.last[number] = row;
            self.rows[number] += 1;
        }
    }
}

/// Concatenated lists of numbers.
struct Lists {
    ends: Vec<usize>,
    all: Vec<u32>,
}

impl Lists {
    const fn new() -> Self {
        Self { ends: Vec::new(), all: Vec::new() }
    }

    fn get(&self, number: u32) -> &[u32] {
        let number = number as usize;
        let from = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.all[from..self.ends[number]]
    }
}

/// The state of one thread. The n-grams of a stretch do not depend on its context, so they are computed once per
/// distinct stretch, and a row is a list of stretch numbers.
struct Part {
    options: FeatureOptions,
    stretches: ByHash,
    /// The character n-grams of each stretch, with repetitions.
    chars_of: Lists,
    /// The words of each stretch.
    words_of: Lists,
    words: ByHash,
    word_hashes: Vec<u64>,
    chars: NgramCounts,
    word_ngrams: NgramCounts,
    /// The last row with each stretch, plus one.
    last: Vec<u32>,
    rows: Lists,
    lower: String,
    padded: Vec<u32>,
    recent: Vec<u64>,
}

impl Part {
    fn new(options: FeatureOptions) -> Self {
        Self {
            options,
            stretches: ByHash::default(),
            chars_of: Lists::new(),
            words_of: Lists::new(),
            words: ByHash::default(),
            word_hashes: Vec::new(),
            chars: NgramCounts::default(),
            word_ngrams: NgramCounts::default(),
            last: Vec::new(),
            rows: Lists::new(),
            lower: String::new(),
            padded: Vec::new(),
            recent: Vec::new(),
        }
    }

    fn add(&mut self, text: &str) {
        let mut lower = std::mem::take(&mut self.lower);
        lower_into(text, &mut lower);
        let row = self.rows.ends.len() as u32 + 1;
        self.recent.clear();
        for (_, stretch) in stretches(&lower) {
            let key = hash(stretch);
            let number = match self.stretches.get(&key) {
                Some(&number) => number,
                None => self.add_stretch(key, stretch),
            };
            self.rows.all.push(number);
            if self.last[number as usize] != row {
                self.last[number as usize] = row;
                for &ngram in self.chars_of.get(number) {
                    self.chars.count(ngram, row);
                }
            }
            for &word in self.words_of.get(number) {
                self.recent.push(self.word_hashes[word as usize]);
            }
        }
        each_word_ngram(&self.recent, self.options.words, |_, _, print| {
            let number = self.word_ngrams.number(print);
            self.word_ngrams.count(number, row);
        });
        self.rows.ends.push(self.rows.all.len());
        self.lower = lower;
    }

    /// Computes the n-grams and words of a new stretch.
    fn add_stretch(&mut self, key: u64, stretch: &str) -> u32 {
        let number = self.last.len() as u32;
        self.stretches.insert(key, number);
        self.last.push(0);
        if self.options.chars.1 > 0 {
            pad_into(stretch, &mut self.padded);
            char_ngrams(&self.padded, self.options.chars, |_, _, print| {
                self.chars_of.all.push(self.chars.number(print));
            });
        }
        self.chars_of.ends.push(self.chars_of.all.len());
        if self.options.words > 0 {
            for (_, word) in words(stretch) {
                if counts(word, self.options.min_word) {
                    let key = hash(word);
                    let next = self.word_hashes.len() as u32;
                    let word = *self.words.entry(key).or_insert(next);
                    if word == next {
                        self.word_hashes.push(key);
                    }
                    self.words_of.all.push(word);
                }
            }
        }
        self.words_of.ends.push(self.words_of.all.len());
        number
    }
}

/// Reads the texts of a training once, in any number of calls. The texts are not kept.
///
/// The result depends only on the texts and their order, not on the calls or the number of threads.
pub struct Counter {
    options: FeatureOptions,
    parts: Vec<Part>,
    /// For each call and part: the part and its number of rows, in row order.
    order: Vec<(usize, usize)>,
    rows: usize,
}

impl Counter {
    /// Creates a counter that uses `threads` threads (0 counts as 1).
    ///
    /// # Errors
    /// `InvalidArgument` for an option outside its range.
    pub fn new(options: FeatureOptions, threads: usize) -> Result<Self> {
        options.validate()?;
        let parts = (0..threads.max(1)).map(|_| Part::new(options)).collect();
        Ok(Self { options, parts, order: Vec::new(), rows: 0 })
    }

    /// Number of rows read so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Reads texts, one per row.
    ///
    /// # Errors
    /// `InvalidArgument` for more than 4,000,000,000 rows.
    pub fn add<T: AsRef<str> + Sync>(&mut self, texts: &[T]) -> Result<()> {
        if self.rows + texts.len() > 4_000_000_000 {
            return Err(invalid("a linear model can be trained on at most 4,000,000,000 rows"));
        }
        // Short batches use fewer threads: every part has its own dictionaries, which cost time to build.
        let parts = self.parts.len().min(texts.len().div_ceil(64)).max(1);
        let cut = |part: usize| texts.len() * part / parts;
        let members: Vec<Mutex<&mut Part>> = self.parts.iter_mut().take(parts).map(Mutex::new).collect();
        parallel::map(
            parts,
            parts,
            || (),
            |(), number| {
                let mut part = members[number].lock().unwrap_or_else(PoisonError::into_inner);
                texts[cut(number)..cut(number + 1)].iter().for_each(|text| part.add(text.as_ref()));
            },
        );
        drop(members);
        self.order.extend((0..parts).map(|part| (part, cut(part + 1) - cut(part))));
        self.rows += texts.len();
        Ok(())
    }

    /// Returns the featurizer and the features of every row.
    ///
    /// # Errors
    /// `InvalidArgument` if there are no rows or no n-gram remains.
    pub fn finish(self) -> Result<(Featurizer, Rows)> {
        if self.rows == 0 {
            return Err(invalid("a linear model needs at least one row"));
        }
        let merged = |met: fn(&Part) -> &NgramCounts| {
            let all =
                self.parts.iter().map(met).flat_map(|met| met.prints.iter().copied().zip(met.rows.iter().copied()));
            merge(all.collect(), self.options.min_rows)
        };
        let (mut word_ngrams, mut chars) = (merged(|part| &part.word_ngrams), merged(|part| &part.chars));
        keep_most(&mut word_ngrams, &mut chars, self.options.max_features);
        if word_ngrams.is_empty() && chars.is_empty() {
            return Err(invalid("no n-gram of the rows' texts counts: the texts are empty, or min_rows is too high"));
        }
        let listed = |list: Vec<(u32, u32)>| {
            let (prints, rows) = list.into_iter().unzip();
            Vocabulary::new(prints, rows)
        };
        let featurizer = Featurizer::new(self.options, self.rows as u64, listed(word_ngrams), listed(chars));
        let rows = self.rows_of(&featurizer);
        Ok((featurizer, rows))
    }

    /// The features of every row.
    fn rows_of(self, featurizer: &Featurizer) -> Rows {
        // Maps each part's numbers of character n-grams to those of the featurizer.
        let numbers: Vec<Vec<u32>> = self
            .parts
            .iter()
            .map(|part| {
                part.chars.prints.iter().map(|&print| featurizer.char_number(print).unwrap_or(u32::MAX)).collect()
            })
            .collect();
        // Part and index within it of every row.
        let mut places = Vec::with_capacity(self.rows);
        let mut read = vec![0; self.parts.len()];
        for &(part, count) in &self.order {
            places.extend((read[part]..read[part] + count).map(|row| (part as u32, row as u32)));
            read[part] += count;
        }
        let threads = self.parts.len();
        let parts = &self.parts;
        let state = || (Bag::new(featurizer.len()), Vec::new());
        let chunks = parallel::map(threads, self.rows.div_ceil(CHUNK), state, |(bag, recent), chunk| {
            let from = chunk * CHUNK;
            let mut made = Chunk::new();
            for &(part, row) in &places[from..(from + CHUNK).min(places.len())] {
                let (numbers, part) = (&numbers[part as usize], &parts[part as usize]);
                let stretches = part.rows.get(row);
                recent.clear();
                for &stretch in stretches {
                    recent.extend(part.words_of.get(stretch).iter().map(|&word| part.word_hashes[word as usize]));
                }
                each_word_ngram(recent, part.options.words, |_, _, print| {
                    if let Some(number) = featurizer.word_number(print) {
                        bag.add(number);
                    }
                });
                let words = bag.len();
                for &stretch in stretches {
                    for &number in part.chars_of.get(stretch) {
                        let number = numbers[number as usize];
                        if number != u32::MAX {
                            bag.add(number);
                        }
                    }
                }
                made.push(bag, words, featurizer.idf());
            }
            made
        });
        Rows::new(chunks, self.rows)
    }
}

/// Keeps only the `most` n-grams with the most rows, over both lists.
fn keep_most(words: &mut Vec<(u32, u32)>, chars: &mut Vec<(u32, u32)>, most: usize) {
    if words.len() + chars.len() <= most {
        return;
    }
    // Both lists are sorted in descending order, so the most frequent n-grams are a prefix of each.
    let (mut from_words, mut from_chars) = (0, 0);
    while from_words + from_chars < most {
        let rows = |list: &[(u32, u32)], at: usize| list.get(at).map_or(0, |(_, rows)| *rows);
        if rows(words, from_words) >= rows(chars, from_chars) {
            from_words += 1;
        } else {
            from_chars += 1;
        }
    }
    words.truncate(from_words);
    chars.truncate(from_chars);
}
