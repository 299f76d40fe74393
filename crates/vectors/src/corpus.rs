//! Texts as word numbers.

use recurra_text::{BuildOptions, Full, Reading, Room, Vocabulary, build};

use crate::error::{Error, ErrorCode, Result, invalid, reserve};
use crate::options::Options;

/// Maximum number of words in a text before it is split, as fastText splits lines. No word pair spans a split.
const LONGEST: usize = 1_024;

/// Texts as word numbers of four bytes, with the count of each word.
#[derive(Default)]
pub struct Corpus {
    tokens: Vocabulary,
    counts: Vec<u64>,
    /// The words of all texts, concatenated, and the end of each text.
    numbers: Vec<u32>,
    ends: Vec<usize>,
}

/// The texts, reduced to the words that get vectors.
pub(crate) struct Encoded {
    /// By descending frequency.
    pub(crate) words: Vocabulary,
    pub(crate) counts: Vec<u64>,
    pub(crate) numbers: Vec<u32>,
    pub(crate) ends: Vec<usize>,
    /// Number of all words in the texts, including those without a vector.
    pub(crate) all: u64,
}

fn full(_: Full) -> Error {
    Error::new(ErrorCode::OutOfRange, "the distinct words of the texts exceed 4 GiB in total")
}

impl Corpus {
    /// Adds a text, split according to `reading`.
    ///
    /// # Errors
    /// `OUT_OF_RANGE` if the distinct words exceed 4 GiB; `OUT_OF_MEMORY`.
    pub fn read(&mut self, reading: &Reading, text: &[u16], room: &mut Room) -> Result<()> {
        let mut result = Ok(());
        reading.each(text, room, |token| {
            if result.is_ok() {
                result = self.add(token);
            }
        });
        result?;
        self.end()
    }

    /// Adds a word in WTF-8 to the current text.
    ///
    /// # Errors
    /// As [`Corpus::read`].
    pub fn add(&mut self, token: &[u8]) -> Result<()> {
        let number = self.tokens.intern(token).map_err(full)?;
        reserve(&mut self.numbers, 1)?;
        self.numbers.push(number);
        match self.counts.get_mut(number as usize) {
            Some(count) => *count += 1,
            None => {
                reserve(&mut self.counts, 1)?;
                self.counts.push(1);
            }
        }
        Ok(())
    }

    /// Ends the current text.
    ///
    /// # Errors
    /// `OUT_OF_MEMORY`.
    pub fn end(&mut self) -> Result<()> {
        reserve(&mut self.ends, 1)?;
        self.ends.push(self.numbers.len());
        Ok(())
    }

    /// Number of texts so far.
    #[must_use]
    pub fn texts(&self) -> usize {
        self.ends.len()
    }

    /// Number of words so far.
    #[must_use]
    pub fn words(&self) -> usize {
        self.numbers.len()
    }

    /// Memory in use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tokens.bytes() + 8 * self.counts.capacity() + 4 * self.numbers.capacity() + 8 * self.ends.capacity()
    }

    /// Selects the words that get vectors and drops the others.
    pub(crate) fn encode(self, options: &Options) -> Result<Encoded> {
        let Self { tokens, counts: of_tokens, mut numbers, ends: of_texts } = self;
        let choice = BuildOptions {
            min_freq: options.min_count,
            max_tokens: usize::MAX,
            specials: Vec::new(),
            special_first: true,
        };
        let built = build(&tokens, &of_tokens, &choice).map_err(full)?;
        let words = built.vocabulary;
        if words.len() < 2 {
            let message = format!(
                "Expected at least two different words that occur {} times or more (minCount), but found {} in {} texts",
                options.min_count,
                words.len(),
                of_texts.len(),
            );
            return Err(invalid("minCount", message));
        }
        let all = numbers.len() as u64;
        let mut counts = Vec::new();
        reserve(&mut counts, words.len())?;
        counts.resize(words.len(), 0);
        for (&count, &index) in of_tokens.iter().zip(&built.indices) {
            if let Ok(index) = usize::try_from(index) {
                counts[index] = count;
            }
        }
        // In place: the write position never passes the read position.
        let mut ends = Vec::new();
        let (mut to, mut from) = (0, 0);
        for end in of_texts {
            let mut start = to;
            for at in from..end {
                if let Ok(index) = u32::try_from(built.indices[numbers[at] as usize]) {
                    numbers[to] = index;
                    to += 1;
                    if to - start == LONGEST {
                        reserve(&mut ends, 1)?;
                        ends.push(to);
                        start = to;
                    }
                }
            }
            // A single word has no neighbour.
            if to - start > 1 {
                reserve(&mut ends, 1)?;
                ends.push(to);
            } else {
                to = start;
            }
            from = end;
        }
        numbers.truncate(to);
        numbers.shrink_to_fit();
        if numbers.is_empty() {
            let message = "Expected texts with at least two words that get a vector, but none has two of them";
            return Err(invalid("minCount", message));
        }
        Ok(Encoded { words, counts, numbers, ends, all })
    }
}
