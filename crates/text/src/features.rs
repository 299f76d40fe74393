//! Features of a word's characters: hashed character n-grams, and the word's shape.
//!
//! The numbers depend only on the characters and the options, on every platform. Model files depend on them, so they
//! must never change.

use crate::subwords::{each_subword, hash, more};
use crate::wtf8::push;

/// Options of the features of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    /// Number of buckets that the features are hashed into.
    pub buckets: u32,
    /// Shortest and longest character n-gram, including the borders of the word; a longest of 0 disables n-grams.
    pub runs: (u32, u32),
    /// Whether n-grams are taken from the lowercase word, by Unicode's rules for single characters.
    pub lower: bool,
    /// Whether the word's shape is a feature. In a shape, an upper-case letter is `X`, any other letter `x`, a digit
    /// `d`, and any other character itself; runs are cut at four.
    pub shape: bool,
    /// Share of the shape among a word's features, in `[0, 1)`. The shape is repeated `runs * share / (1 - share)`
    /// times, rounded, and at least once: in a mean over all features, a single one would have little weight.
    pub shape_share: f64,
}

/// Only this many characters at the start and at the end of a longer word have features.
const CHARACTERS: usize = 32;

/// Maximum run of one kind in a shape.
const SIDE_BY_SIDE: usize = 4;

/// Prefix of a shape before hashing. No character's bytes start with it, so a shape never equals an n-gram.
const SHAPE: [u8; 1] = [0xff];

/// Reusable buffers for the features of words.
#[derive(Default)]
pub struct FeatureRoom {
    word: Vec<u8>,
    lower: Vec<u8>,
    bordered: Vec<u8>,
}

impl Features {
    /// An upper bound of a word's number of features.
    #[must_use]
    pub fn most(&self, word: &[u8]) -> usize {
        // Lowercasing makes at most three characters of one.
        let characters = 3 * word.len().min(2 * CHARACTERS) + 2;
        let runs = characters * self.runs.1 as usize;
        runs + self.shapes(runs)
    }

    /// Number of repetitions of the shape for a number of n-grams.
    fn shapes(&self, runs: usize) -> usize {
        let beside = runs as f64 * self.shape_share / (1.0 - self.shape_share);
        if self.shape { (beside.round() as usize).max(1) } else { 0 }
    }

    /// Appends the features of a word in WTF-8, from [`crate::push_units`]. Repeated features are repeated.
    pub fn push(&self, word: &[u8], room: &mut FeatureRoom, to: &mut Vec<u32>) {
        let FeatureRoom { word: cut, lower, bordered } = room;
        let (word, first) = (ends(word, cut), to.len());
        let runs = if self.lower { lowered(word, lower) } else { word };
        each_subword(runs, self.runs, bordered, |hash| to.push(hash % self.buckets.max(1)));
        if self.shape {
            let shape = shape(word) % self.buckets.max(1);
            to.resize(to.len() + self.shapes(to.len() - first), shape);
        }
    }
}

/// The word without the characters between its first and its last ones.
fn ends<'a>(word: &'a [u8], room: &'a mut Vec<u8>) -> &'a [u8] {
    let begins = |&at: &usize| word[at] & 0xc0 != 0x80;
    // A word with few bytes has few characters; in a longer one, only the two ends are scanned.
    if word.len() <= 2 * CHARACTERS {
        return word;
    }
    let first = (0..word.len()).filter(begins).nth(CHARACTERS);
    let last = (0..word.len()).rev().filter(begins).nth(CHARACTERS - 1);
    match (first, last) {
        (Some(first), Some(last)) if first < last => {
            room.clear();
            room.extend_from_slice(&word[..first]);
            room.extend_from_slice(&word[last..]);
            room
        }
        _ => word,
    }
}

/// The code points of a word, with lone surrogates as they are.
fn points(word: &[u8]) -> impl Iterator<Item = u32> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = u32::from(*word.get(at)?);
        let (count, mut point) = match first {
            0..0x80 => (1, first),
            0x80..0xe0 => (2, first & 0x1f),
            0xe0..0xf0 => (3, first & 0xf),
            _ => (4, first & 7),
        };
        for &byte in word[at..].iter().take(count).skip(1) {
            point = point << 6 | u32::from(byte & 0x3f);
        }
        at += count;
        Some(point)
    })
}

fn lowered<'a>(word: &'a [u8], room: &'a mut Vec<u8>) -> &'a [u8] {
    room.clear();
    if word.is_ascii() {
        room.extend(word.iter().map(u8::to_ascii_lowercase));
        return room;
    }
    for point in points(word) {
        match char::from_u32(point) {
            Some(character) => character.to_lowercase().for_each(|character| push(room, u32::from(character))),
            None => push(room, point),
        }
    }
    room
}

/// The hash of a word's shape.
fn shape(word: &[u8]) -> u32 {
    let mut sum = hash(&SHAPE);
    let (mut before, mut count) = (u32::MAX, 0);
    let mut bytes = Vec::new();
    for point in points(word) {
        let kind = match char::from_u32(point) {
            Some(character) if character.is_uppercase() => u32::from(b'X'),
            Some(character) if character.is_alphabetic() => u32::from(b'x'),
            Some(character) if character.is_numeric() => u32::from(b'd'),
            _ => point,
        };
        count = if kind == before { count + 1 } else { 1 };
        before = kind;
        if count <= SIDE_BY_SIDE {
            bytes.clear();
            push(&mut bytes, kind);
            sum = more(sum, &bytes);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{push_units, units};
    use proptest::prelude::*;

    const ALL: Features = Features { buckets: u32::MAX, runs: (2, 4), lower: true, shape: true, shape_share: 0.0 };

    fn of(word: &str, features: Features) -> Vec<u32> {
        let mut bytes = Vec::new();
        push_units(&mut bytes, &word.encode_utf16().collect::<Vec<_>>());
        let mut to = Vec::new();
        features.push(&bytes, &mut FeatureRoom::default(), &mut to);
        to
    }

    fn shape_of(word: &str) -> u32 {
        of(word, Features { runs: (1, 0), ..ALL })[0]
    }

    #[test]
    fn runs_have_borders_and_the_shape_comes_last() {
        let hashes: Vec<u32> =
            ["<a", "<ab", "<ab>", "ab", "ab>", "b>"].iter().map(|run| hash(run.as_bytes()) % u32::MAX).collect();
        assert_eq!(of("Ab", Features { shape: false, ..ALL }), hashes);
        assert_eq!(of("Ab", ALL)[..6], hashes);
        let kept: Vec<u32> = ["<A", "Ab", "b>"].iter().map(|run| hash(run.as_bytes()) % u32::MAX).collect();
        assert_eq!(of("Ab", Features { runs: (2, 2), lower: false, shape: false, ..ALL }), kept);
        assert_eq!(of("", ALL), [hash(b"<>"), hash(&SHAPE)]);
        assert_eq!(of("Ab", Features { runs: (1, 0), shape: false, ..ALL }), [0u32; 0]);
    }

    #[test]
    fn the_shape_has_its_share() {
        // "Ab" has six n-grams.
        for (shape_share, count) in [(0.0, 1), (0.1, 1), (0.25, 2), (0.5, 6), (0.6, 9), (0.9, 54)] {
            let features = of("Ab", Features { shape_share, ..ALL });
            assert_eq!(features[..6], of("Ab", ALL)[..6]);
            assert_eq!(features[6..], vec![shape_of("Ab"); count], "{shape_share}");
        }
        assert_eq!(of("Ab", Features { runs: (1, 0), shape_share: 0.5, ..ALL }), [shape_of("Ab")]);
    }

    #[test]
    fn words_of_one_shape_have_the_same_one() {
        assert_eq!(shape_of("Washington"), hash(b"\xffXxxxx"));
        assert_eq!(shape_of("Berlin"), shape_of("Washington"));
        assert_eq!(shape_of("Łódź"), hash(b"\xffXxxx"));
        assert_eq!(shape_of("A-12,000.5%"), hash(b"\xffX-dd,ddd.d%"));
        assert_eq!(shape_of("1234567"), hash(b"\xffdddd"));
        assert_eq!(shape_of("東京"), hash(b"\xffxx"));
        assert_ne!(shape_of("NASA"), shape_of("Nasa"));
    }

    /// Model files contain these numbers: they must never change. The expected values come from a few lines of Python.
    #[test]
    fn the_numbers_are_those_of_every_release() {
        let features = Features { buckets: 1000, runs: (2, 3), ..ALL };
        assert_eq!(of("Zoë", features), [275, 628, 374, 804, 748, 694, 359, 298]);
        assert_eq!(of("😀!", features), [818, 945, 467, 471, 630, 74]);
        assert_eq!(
            of("İstanbul", features),
            [798, 115, 61, 722, 165, 683, 922, 705, 518, 552, 518, 284, 969, 732, 136, 316, 564, 126, 687, 170]
        );
    }

    #[test]
    fn a_long_word_has_the_features_of_its_ends() {
        for (letter, bytes) in [("a", 1), ("ä", 2), ("語", 3), ("😀", 4)] {
            let [long, longer] = [1000, 1 << 20].map(|count| format!("x{}y", letter.repeat(count / bytes)));
            assert_eq!(of(&long, ALL), of(&longer, ALL));
            assert_eq!(of(&long, ALL), of(&format!("x{}y", letter.repeat(62)), ALL));
            assert_ne!(of(&long, ALL), of(&format!("x{}y", letter.repeat(61)), ALL));
        }
    }

    proptest! {
        #[test]
        fn any_word_has_features_within_the_buckets(
            text in prop::collection::vec(any::<u16>(), 0..100), buckets in 1u32..5000, shortest in 0u32..6, longest in 0u32..8,
            lower: bool, shape: bool, shape_share in 0.0..0.95
        ) {
            let mut bytes = Vec::new();
            push_units(&mut bytes, &text);
            let features = Features { buckets, runs: (shortest, longest), lower, shape, shape_share };
            let (mut first, mut again, mut room) = (vec![], vec![], FeatureRoom::default());
            features.push(&bytes, &mut room, &mut first);
            features.push(&bytes, &mut room, &mut again);
            prop_assert_eq!(&first, &again);
            prop_assert!(first.iter().all(|&feature| feature < buckets));
            prop_assert!(first.len() <= features.most(&bytes));
        }

        #[test]
        fn points_are_those_of_the_word(text in prop::collection::vec(any::<u16>(), 0..40)) {
            let mut bytes = Vec::new();
            push_units(&mut bytes, &text);
            let mut again = Vec::new();
            points(&bytes).for_each(|point| push(&mut again, point));
            prop_assert_eq!(units(&again), text);
        }

        #[test]
        fn lower_case_changes_runs_and_not_the_shape(word in "[A-Za-zÄÖÜäöüß]{1,20}") {
            let runs = Features { shape: false, ..ALL };
            // ß has no single upper-case character.
            let upper = word.replace('ß', "ss").to_uppercase();
            prop_assert_eq!(of(&upper, runs), of(&upper.to_lowercase(), runs));
            prop_assert_eq!(of(&upper, ALL).pop(), Some(shape_of(&upper)));
        }
    }
}
