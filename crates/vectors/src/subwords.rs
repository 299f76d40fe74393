//! The rows of words and subwords, by fastText's rules.

use recurra_text::{Vocabulary, each_subword as each};

use crate::error::{Result, reserve};
use crate::options::Options;

/// The input rows of each word: its own row and those of its subwords. Buckets that no word uses have no row.
pub(crate) struct Subwords {
    lengths: (u32, u32),
    buckets: u32,
    /// The buckets with a row, ascending. Their rows follow those of the words.
    used: Vec<u32>,
    /// The rows of each word, its own first, concatenated, and their ends.
    rows: Vec<u32>,
    ends: Vec<usize>,
}

impl Subwords {
    pub(crate) fn new(words: &Vocabulary, options: &Options) -> Result<Self> {
        let (lengths, buckets) = (options.subwords, options.buckets);
        let (mut rows, mut ends, mut room) = (Vec::new(), Vec::new(), Vec::new());
        reserve(&mut ends, words.len())?;
        let mut used = Vec::new();
        for word in 0..words.len() as u32 {
            let token = words.token(word);
            reserve(&mut rows, 1 + (token.len() + 2) * lengths.1 as usize)?;
            rows.push(word);
            each(token, lengths, &mut room, |hash| rows.push(hash % buckets));
            ends.push(rows.len());
        }
        let mut start = 0;
        reserve(&mut used, rows.len() - ends.len())?;
        for &end in &ends {
            used.extend_from_slice(&rows[start + 1..end]);
            start = end;
        }
        used.sort_unstable();
        used.dedup();
        used.shrink_to_fit();
        let mut this = Self { lengths, buckets, used, rows, ends };
        let mut start = 0;
        for word in 0..this.ends.len() {
            for at in start + 1..this.ends[word] {
                this.rows[at] = this.row(this.rows[at]).unwrap_or_default();
            }
            start = this.ends[word];
        }
        Ok(this)
    }

    /// The row of a bucket, if it has one.
    fn row(&self, bucket: u32) -> Option<u32> {
        self.used.binary_search(&bucket).ok().map(|place| (self.ends.len() + place) as u32)
    }

    /// Number of rows of words and buckets.
    pub(crate) fn len(&self) -> usize {
        self.ends.len() + self.used.len()
    }

    /// The rows of a word, its own first.
    #[inline(always)]
    pub(crate) fn of(&self, word: u32) -> &[u32] {
        let word = word as usize;
        let start = if word == 0 { 0 } else { self.ends[word - 1] };
        &self.rows[start..self.ends[word]]
    }

    /// The rows of an unknown word: those of its subwords that occur in the vocabulary.
    pub(crate) fn of_unknown(&self, word: &[u8]) -> Vec<u32> {
        let mut rows = Vec::new();
        each(word, self.lengths, &mut Vec::new(), |hash| rows.extend(self.row(hash % self.buckets)));
        rows
    }

    /// Memory in use, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        4 * (self.used.capacity() + self.rows.capacity()) + size_of::<usize>() * self.ends.capacity()
    }

    /// Drops the rows of words, which only training needs.
    pub(crate) fn finish(&mut self) {
        self.rows = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn subwords_are_those_of_fasttext() {
        let golden: Value = serde_json::from_str(include_str!("../tests/golden.jsonl")).unwrap();
        let cases = golden["subwords"].as_array().unwrap();
        for case in cases {
            let number = |name: &str| case[name].as_u64().unwrap() as u32;
            let mut given = Vec::new();
            let lengths = (number("minn"), number("maxn"));
            each(case["word"].as_str().unwrap().as_bytes(), lengths, &mut Vec::new(), |hash| {
                given.push(u64::from(hash % number("buckets")));
            });
            let expected: Vec<u64> = case["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect();
            assert_eq!(given, expected, "{case}");
        }
        assert_eq!(cases.len(), 24);
    }

    #[test]
    fn rows_are_a_words_own_then_those_of_its_subwords() {
        let mut words = Vocabulary::default();
        for word in ["ab", "abc"] {
            words.add(word.as_bytes()).unwrap();
        }
        let options = Options { subwords: (3, 3), ..Options::default() };
        // <ab ab> | <ab abc bc>
        let mut subwords = Subwords::new(&words, &options).unwrap();
        assert_eq!(subwords.len(), 2 + 4);
        let (first, second) = (subwords.of(0).to_vec(), subwords.of(1).to_vec());
        assert_eq!((first.len(), second.len(), first[0], second[0]), (3, 4, 0, 1));
        assert_eq!(first[1], second[1]);
        subwords.finish();
        assert_eq!(subwords.of_unknown(b"ab"), &first[1..]);
        assert_eq!(subwords.of_unknown(b"xab"), &first[2..]);
    }
}
