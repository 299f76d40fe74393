//! Converts a model to named arrays, as stored in files, and back.
//!
//! | array | dtype, shape | contents |
//! |---|---|---|
//! | `linear.meta` | Uint32 \[10\] | version 1; longest n-gram of words; minimum word length; shortest and longest n-gram of characters; number of labels; 1 if multi-label; counted rows, low and high half; number of features |
//! | `linear.words.rows`, `linear.chars.rows` | Uint32 \[runs, 2\] | a row count, descending, and the number of features with that count |
//! | `linear.words.prints`, `linear.chars.prints` | Uint8 \[bytes\] | fingerprints, ascending within a run, each as the difference from the previous one in LEB128 |
//! | `linear.weights` | Int8 \[features, scores\] | weights times idf, in units of the score's scale |
//! | `linear.scales`, `linear.bias` | Float32 \[scores\] | scale and bias of each score |
//! | `linear.sharpness` | Float32 \[1\] | reciprocal of the temperature |

use recurra_core::{Element, NamedArray};

use crate::error::{Result, damaged};
use crate::featurizer::Featurizer;
use crate::labels::outputs;
use crate::model::{LinearModel, Weights};
use crate::options::FeatureOptions;
use crate::settings::MOST_LABELS;
use crate::vocabulary::Vocabulary;

/// Version of the arrays.
const VERSION: u32 = 1;

fn named<T: Element>(name: &str, shape: Vec<usize>, values: &[T]) -> NamedArray {
    NamedArray::of(format!("linear.{name}"), shape, values)
}

fn listed<T: Element>(name: &str, values: &[T]) -> NamedArray {
    named(name, vec![values.len()], values)
}

fn push_number(to: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn take_number(from: &mut &[u8]) -> Option<u32> {
    let mut number = 0u64;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return u32::try_from(number).ok();
        }
    }
    None
}

/// Packs a vocabulary into runs of equal row counts and LEB128 fingerprints.
fn pack(vocabulary: &Vocabulary) -> (Vec<u32>, Vec<u8>) {
    let (mut runs, mut prints, mut last) = (Vec::<u32>::new(), Vec::new(), 0);
    for (&print, &rows) in vocabulary.prints.iter().zip(&vocabulary.rows) {
        match runs.as_chunks_mut::<2>().0.last_mut() {
            Some([same, count]) if *same == rows => *count += 1,
            _ => {
                runs.extend([rows, 1]);
                last = 0;
            }
        }
        push_number(&mut prints, print.wrapping_sub(last));
        last = print;
    }
    (runs, prints)
}

fn unpack(name: &str, runs: &[u32], mut bytes: &[u8]) -> Result<Vocabulary> {
    let (mut prints, mut rows) = (Vec::new(), Vec::new());
    let mut before = None;
    for &[with, count] in runs.as_chunks::<2>().0 {
        // Row counts must descend strictly, because equal counts form one run. Each fingerprint takes at least one
        // byte, so the size of the array bounds the memory.
        if with == 0 || before.is_some_and(|before| with >= before) || count == 0 || count as usize > bytes.len() {
            return Err(damaged(format!("linear.{name}.rows is damaged: {count} features of {with} rows")));
        }
        before = Some(with);
        let mut print = 0u32;
        for at in 0..count {
            let step = take_number(&mut bytes).filter(|&step| at == 0 || step > 0);
            print = step
                .and_then(|step| print.checked_add(step))
                .ok_or_else(|| damaged(format!("linear.{name}.prints is damaged")))?;
            prints.push(print);
            rows.push(with);
        }
    }
    if !bytes.is_empty() {
        return Err(damaged(format!("linear.{name}.prints has more features than linear.{name}.rows")));
    }
    Ok(Vocabulary::new(prints, rows))
}

struct Arrays<'a>(&'a [NamedArray]);

impl<'a> Arrays<'a> {
    /// The array `linear.{name}`; checks its type and that its size matches its shape.
    fn get<T: Element>(&self, name: &str) -> Result<&'a NamedArray> {
        let name = format!("linear.{name}");
        let mut found = self.0.iter().filter(|array| array.name == name);
        let array = found.next().ok_or_else(|| damaged(format!("array {name} is missing")))?;
        if found.next().is_some() {
            return Err(damaged(format!("array {name} occurs twice")));
        }
        if array.dtype != T::DTYPE {
            return Err(damaged(format!("array {name} must be {}, not {}", T::DTYPE.name(), array.dtype.name())));
        }
        if array.numel().and_then(|count| count.checked_mul(array.dtype.size())) != Some(array.data.len()) {
            return Err(damaged(format!(
                "array {name} of shape {:?} has {} bytes, which do not fit",
                array.shape,
                array.data.len()
            )));
        }
        Ok(array)
    }

    fn values<T: Element>(&self, name: &str) -> Result<Vec<T>> {
        Ok(self.get::<T>(name)?.values().unwrap_or_default())
    }

    /// `count` finite numbers; with `positive`, above 0.
    fn f32s(&self, name: &str, count: usize, positive: bool) -> Result<Vec<f32>> {
        let values: Vec<f32> = self.values(name)?;
        if values.len() != count {
            return Err(damaged(format!("array linear.{name} must have {count} numbers, not {}", values.len())));
        }
        match values.iter().find(|&&value| value.is_nan() || value.abs() > 1e30 || positive && value < 0.0) {
            Some(value) => Err(damaged(format!("array linear.{name} has the number {value}"))),
            None => Ok(values),
        }
    }

    fn vocabulary(&self, name: &str) -> Result<Vocabulary> {
        let prints = self.get::<u8>(&format!("{name}.prints"))?;
        let runs: Vec<u32> = self.values(&format!("{name}.rows"))?;
        if !runs.len().is_multiple_of(2) {
            return Err(damaged(format!("array linear.{name}.rows must have pairs of numbers")));
        }
        unpack(name, &runs, &prints.data)
    }
}

/// Size in bytes of the arrays of a model with this number of scores.
pub(crate) fn bytes_of(featurizer: &Featurizer, outputs: usize) -> usize {
    let listed = featurizer.vocabularies().map(|vocabulary| {
        let (runs, prints) = pack(vocabulary);
        4 * runs.len() + prints.len()
    });
    let meta = 10 * 4 + 4;
    listed.iter().sum::<usize>() + (featurizer.len() + 8) * outputs + meta
}

impl LinearModel {
    /// Converts the model to arrays in a fixed order. Equal models give equal bytes.
    #[must_use]
    pub fn to_arrays(&self) -> Vec<NamedArray> {
        let options = self.featurizer.options();
        let rows = self.featurizer.rows();
        let meta = [
            VERSION,
            options.words as u32,
            options.min_word as u32,
            options.chars.0 as u32,
            options.chars.1 as u32,
            self.classes as u32,
            u32::from(self.several),
            rows as u32,
            (rows >> 32) as u32,
            self.featurizer.len() as u32,
        ];
        let outputs = self.outputs();
        let mut arrays = vec![listed("meta", &meta)];
        for (name, vocabulary) in ["words", "chars"].iter().zip(self.featurizer.vocabularies()) {
            let (runs, prints) = pack(vocabulary);
            arrays.push(named(&format!("{name}.rows"), vec![runs.len() / 2, 2], &runs));
            arrays.push(listed(&format!("{name}.prints"), &prints));
        }
        arrays.push(named("weights", vec![self.featurizer.len(), outputs], &self.weights.values));
        arrays.push(listed("scales", &self.weights.scales));
        arrays.push(listed("bias", &self.weights.bias));
        arrays.push(listed("sharpness", &[self.sharpness]));
        arrays
    }

    /// Size in bytes of [`LinearModel::to_arrays`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        bytes_of(&self.featurizer, self.outputs())
    }

    /// Reads a model from the arrays of [`LinearModel::to_arrays`]. Other arrays are ignored.
    ///
    /// # Errors
    /// `InvalidFile` for a newer version, for arrays that are missing, truncated or of another dtype or shape, and for
    /// invalid values.
    pub fn from_arrays(arrays: &[NamedArray]) -> Result<Self> {
        let arrays = Arrays(arrays);
        let meta: Vec<u32> = arrays.values("meta")?;
        if let Some(&version) = meta.first().filter(|&&version| version > VERSION) {
            return Err(damaged(format!("the linear model has version {version}; this release reads up to {VERSION}")));
        }
        let Ok([_, words, min_word, min, max, classes, several @ 0..=1, low, high, features]) =
            <[u32; 10]>::try_from(meta)
        else {
            return Err(damaged("array linear.meta must have 10 numbers, the seventh 0 or 1"));
        };
        let options = FeatureOptions {
            words: words as usize,
            min_word: min_word as usize,
            chars: (min as usize, max as usize),
            ..FeatureOptions::default()
        };
        options.validate().map_err(|error| damaged(format!("array linear.meta: {}", error.message())))?;
        let (classes, several) = (classes as usize, several == 1);
        if !(if several { 1 } else { 2 }..=MOST_LABELS).contains(&classes) {
            return Err(damaged(format!("array linear.meta names {classes} labels")));
        }
        let outputs = outputs(classes, several);
        let vocabularies = [arrays.vocabulary("words")?, arrays.vocabulary("chars")?];
        let count: usize = vocabularies.iter().map(Vocabulary::len).sum();
        if count != features as usize || count > FeatureOptions::MOST {
            return Err(damaged(format!("the linear model names {features} features and lists {count}")));
        }
        let rows = u64::from(high) << 32 | u64::from(low);
        if vocabularies.iter().flat_map(|vocabulary| &vocabulary.rows).any(|&with| u64::from(with) > rows) {
            return Err(damaged("the linear model has features of more rows than were counted"));
        }
        let weights = arrays.get::<i8>("weights")?;
        let shape = &weights.shape;
        if *shape != [count, outputs] {
            return Err(damaged(format!(
                "array linear.weights must have the shape [{count}, {outputs}], not {shape:?}"
            )));
        }
        let weights = Weights {
            values: weights.values().unwrap_or_default(),
            scales: arrays.f32s("scales", outputs, true)?,
            bias: arrays.f32s("bias", outputs, false)?,
        };
        let sharpness = arrays.f32s("sharpness", 1, true)?[0];
        let [words, chars] = vocabularies;
        let featurizer = Featurizer::new(options, rows, words, chars);
        Ok(Self::new(featurizer, weights, classes, several, sharpness))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_as_many_rows_are_one_run() {
        assert_eq!(unpack("words", &[2, 1, 1, 1], &[7, 5]).unwrap().prints, [7, 5]);
        let error = unpack("words", &[2, 1, 2, 1], &[7, 5]).unwrap_err();
        assert_eq!(error.message(), "linear.words.rows is damaged: 1 features of 2 rows");
    }
}
