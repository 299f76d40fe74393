//! Searches for the combination with the smallest loss in a budget.

use recurra_codes::Code;
use recurra_core::Result;

use crate::assemble::{Assembly, stored};
use crate::model::{Budget, Choice, Plan, Source};

/// The largest integer weights to try for the linear model: 8, 6, 5 and 4 bits.
const LEVELS: [u8; 4] = [127, 31, 15, 7];

/// The codes to try for word vectors.
const CODES: [Code; 4] = [Code::Int8, Code::Int4, Code::Product { width: 4 }, Code::Product { width: 8 }];

/// Ratio between the numbers of words or n-grams to try.
const RATIO: f64 = 0.93;

/// Minimum numbers to try; going lower would save less than a kilobyte.
const MIN_WORDS: usize = 64;
const MIN_FEATURES: usize = 256;

/// An option for one part of the choice, with its size and loss.
struct PartOption<T> {
    what: T,
    bytes: f64,
    lost: f64,
}

/// An option for the word vectors: the code and the number of words.
type WordOption = PartOption<(Option<Code>, usize)>;

/// All options for both parts of a choice.
pub(crate) struct Search {
    words: Vec<WordOption>,
    linear: Vec<PartOption<(u8, usize)>>,
    base: f64,
    share: f64,
}

/// Numbers from `all` down to `least`, both included.
fn counts(all: usize, least: usize) -> Vec<usize> {
    let mut found = vec![all];
    let mut count = all as f64 * RATIO;
    while count as usize > least {
        found.push(count as usize);
        count *= RATIO;
    }
    if least < all {
        found.push(least);
    }
    found
}

impl Search {
    pub fn new(
        source: &Source<'_>,
        assembly: &mut Assembly<'_>,
        budget: &Budget,
        check: &dyn Fn() -> Result<()>,
    ) -> Result<Self> {
        let linear = linear_options(source, assembly, budget);
        check()?;
        let base = assembly.base() as f64;
        let least_linear = linear.iter().map(|option| option.bytes).fold(f64::INFINITY, f64::min);
        let room = budget.max_bytes.map(|most| most as f64 - base - if linear.is_empty() { 0.0 } else { least_linear });
        let words = word_options(source, assembly, budget, room, check)?;
        Ok(Self { words, linear, base, share: source.share })
    }

    /// The choice with the smallest loss in at most this many bytes.
    pub fn best(&self, bytes: f64) -> Option<Choice> {
        let mut best: Option<(f64, Choice)> = None;
        for words in &self.words {
            let room = bytes - self.base - words.bytes;
            let linear = self.linear.iter().filter(|linear| linear.bytes <= room);
            let linear = linear.min_by(|a, b| a.lost.total_cmp(&b.lost));
            if room < 0.0 || (linear.is_none() && !self.linear.is_empty()) {
                continue;
            }
            let choice = choice(words, linear);
            let lost = self.share * words.lost + (1.0 - self.share) * linear.map_or(0.0, |linear| linear.lost);
            if best.as_ref().is_none_or(|(least, _)| lost < *least) {
                best = Some((lost, choice));
            }
        }
        best.map(|(_, choice)| choice)
    }

    /// The smallest choice.
    pub fn least(&self) -> Choice {
        let words = self.words.iter().min_by(|a, b| a.bytes.total_cmp(&b.bytes));
        let linear = self.linear.iter().min_by(|a, b| a.bytes.total_cmp(&b.bytes));
        choice(words.unwrap_or(&NONE), linear)
    }

    /// The choice without a budget.
    pub fn whole(&self) -> Choice {
        choice(self.words.first().unwrap_or(&NONE), self.linear.first())
    }

    /// The loss of a choice.
    pub fn lost(&self, choice: &Choice) -> f64 {
        let words = self.words.iter().find(|option| option.what == (choice.code, choice.words));
        let linear = self.linear.iter().find(|option| option.what == (choice.levels, choice.features));
        let of = |lost: Option<f64>| lost.unwrap_or(0.0);
        self.share * of(words.map(|option| option.lost)) + (1.0 - self.share) * of(linear.map(|option| option.lost))
    }

    pub fn plan(&self, choice: &Choice) -> Plan {
        let &Choice { code, words, features, levels } = choice;
        Plan { code, words, features, levels, lost: self.lost(choice) }
    }
}

/// Stands for the word vectors if there are no options.
const NONE: WordOption = PartOption { what: (None, 0), bytes: 0.0, lost: 0.0 };

fn choice(words: &WordOption, linear: Option<&PartOption<(u8, usize)>>) -> Choice {
    let ((code, words), (levels, features)) = (words.what, linear.map_or((0, 0), |linear| linear.what));
    Choice { code, words, features, levels }
}

/// Options of the linear model. The sizes for fewer features are estimated from the full size, in proportion.
fn linear_options(source: &Source<'_>, assembly: &Assembly<'_>, budget: &Budget) -> Vec<PartOption<(u8, usize)>> {
    let (Some(linear), Some(ranking)) = (source.linear, &assembly.ranking) else { return Vec::new() };
    let levels: &[u8] = match (budget.max_bytes, budget.code) {
        (Some(_), _) => &LEVELS,
        (None, None | Some(Code::Int8)) => &[127],
        (None, Some(_)) => &[7],
    };
    let all = ranking.len();
    let sizes = if budget.max_bytes.is_some() { counts(all, MIN_FEATURES.min(all)) } else { vec![all] };
    let mut found = Vec::new();
    for &levels in levels {
        let arrays = linear.compressed(ranking, all, levels).to_arrays();
        let bytes: f64 = arrays.iter().map(stored).sum::<usize>() as f64;
        let off = if levels == 127 { 0.0 } else { linear.rounding(levels) };
        let fixed = 1_500.0;
        found.extend(sizes.iter().map(|&count| PartOption {
            what: (levels, count),
            bytes: fixed + (bytes - fixed).max(0.0) * count as f64 / all as f64,
            lost: ranking.lost(count) + off,
        }));
    }
    found
}

/// Options of the word vectors. `room` is their maximum size; codes that are not needed are not computed.
fn word_options(
    source: &Source<'_>,
    assembly: &mut Assembly<'_>,
    budget: &Budget,
    room: Option<f64>,
    check: &dyn Fn() -> Result<()>,
) -> Result<Vec<WordOption>> {
    let all = assembly.order.len();
    let most = if source.unknown.is_some() {
        budget.keep_words.unwrap_or(all).clamp(source.pinned.len().max(1), all)
    } else {
        all
    };
    let least = if source.unknown.is_some() && budget.keep_words.is_none() && room.is_some() {
        most.min(source.pinned.len() + MIN_WORDS)
    } else {
        most
    };
    let sizes = counts(most, least);
    let mut tokens = Vec::with_capacity(sizes.len());
    for &count in &sizes {
        tokens.push(stored(&assembly.tokens(&assembly.kept(count))) as f64);
        check()?;
    }
    if assembly.matrices.is_empty() {
        let one = |(&count, bytes)| PartOption { what: (None, count), bytes, lost: 0.0 };
        return Ok(sizes.iter().zip(tokens).map(one).collect());
    }
    let whole = crate::words::squares(&assembly.matrices, &assembly.frequencies);
    let given = budget.code.map(|code| [code]);
    let codes: &[Code] = match (&given, room) {
        (Some(given), _) => given,
        (None, Some(_)) => &CODES,
        (None, None) => &CODES[..1],
    };
    let mut found = Vec::new();
    for &code in codes {
        if let Code::Product { width } = code {
            let fits = assembly.matrices.iter().all(|matrix| matrix.dims.is_multiple_of(width));
            // Product codes take seconds to compute; if nearly all words fit, integer codes lose less.
            let tight = room.is_none_or(|room| smallest_lost(&found, room) > 0.02);
            if budget.code.is_none() && !(fits && tight) {
                continue;
            }
        }
        let features = assembly.features_bytes(code)? as f64;
        let encoded = assembly.encoded(code)?;
        check()?;
        let books = if let Code::Product { .. } = code {
            encoded.coded.iter().map(|coded| coded.dims() * 512 + 600).sum::<usize>() as f64
        } else {
            0.0
        };
        let arrays: Vec<_> = encoded.coded.iter().flat_map(|coded| coded.to_arrays("w")).collect();
        let rows = (arrays.iter().map(stored).sum::<usize>() as f64 - books).max(0.0) / all as f64;
        // Words are dropped from the end of the order.
        let lost = encoded.lost.clone();
        let mut sum: f64 = assembly.order[..most].iter().map(|&word| lost[word as usize]).sum();
        sum += assembly.order[most..].iter().map(|&word| assembly.contributions[word as usize]).sum::<f64>();
        let mut from = most;
        for (&count, tokens) in sizes.iter().zip(&tokens) {
            for &word in &assembly.order[count..from] {
                sum += assembly.contributions[word as usize] - lost[word as usize];
            }
            from = count;
            let bytes = books + features + rows * count as f64 + tokens;
            found.push(PartOption { what: (Some(code), count), bytes, lost: sum / whole });
        }
    }
    Ok(found)
}

/// The smallest loss of an option with at most `room` bytes.
fn smallest_lost(options: &[WordOption], room: f64) -> f64 {
    // About half of the room is usually needed by the linear model.
    options.iter().filter(|option| option.bytes <= 0.6 * room).map(|option| option.lost).fold(f64::INFINITY, f64::min)
}
