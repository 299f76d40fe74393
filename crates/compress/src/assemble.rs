//! Builds the file of a choice.

use std::collections::HashMap;
use std::path::Path;

use recurra_codes::{Code, Coded};
use recurra_core::{Dtype, Error, ErrorCode, NamedArray, Result};
use recurra_files::pack_tokens;
use recurra_files::packed::{deflated, pack};
use recurra_files::safetensors::to_bytes;
use recurra_linear::Ranking;

use crate::model::{COMPRESSION, Choice, Source};
use crate::words::{Encoded, Matrix, contributions, encode, frequencies};

/// Suffix of the name of a network's word vectors.
const EMBEDDING: &str = "embedding.weight";
/// Suffix of the name of the subword vectors, which are as large as the word vectors.
const FEATURES: &str = "subwords.weight";

/// Smaller matrices are not coded.
const MIN_NUMBERS: usize = 256;

/// A model prepared for compression. What is the same in all candidate files is computed once.
pub(crate) struct Assembly<'a> {
    source: &'a Source<'a>,
    pub matrices: Vec<Matrix>,
    pub frequencies: Vec<f32>,
    /// All words in descending order of their contribution, after the pinned ones.
    pub order: Vec<u32>,
    pub contributions: Vec<f64>,
    /// The other arrays: matrices with 8 bits.
    dense: Vec<NamedArray>,
    /// The subword vectors.
    features: Vec<Matrix>,
    pub ranking: Option<Ranking>,
    encoded: HashMap<Code, Encoded>,
}

fn singles(array: &NamedArray) -> Result<Vec<f32>> {
    array.values().ok_or_else(|| {
        let message = format!(
            "{} is {}, not float32: a compressed model is not compressed again",
            array.name,
            array.dtype.name()
        );
        Error::new(ErrorCode::InvalidArgument, message)
    })
}

fn matrix(array: &NamedArray) -> Result<Matrix> {
    let dims = array.shape.get(1).copied().unwrap_or(1);
    Ok(Matrix { name: array.name.clone(), values: singles(array)?, dims })
}

fn is_of(array: &NamedArray, name: &str) -> bool {
    array.name.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

impl<'a> Assembly<'a> {
    pub fn new(source: &'a Source<'a>) -> Result<Self> {
        let (mut matrices, mut features, mut dense) = (Vec::new(), Vec::new(), Vec::new());
        let words = source.vocabulary.len();
        for array in &source.arrays {
            if is_of(array, EMBEDDING) {
                if array.shape.first() != Some(&words) {
                    let message =
                        format!("{} has the shape {:?}, the vocabulary {words} words", array.name, array.shape);
                    return Err(Error::new(ErrorCode::InvalidShape, message));
                }
                matrices.push(matrix(array)?);
            } else if is_of(array, FEATURES) {
                features.push(matrix(array)?);
            } else if array.dtype == Dtype::Float32 && array.shape.len() == 2 && array.count() >= MIN_NUMBERS {
                let Matrix { name, values, dims } = matrix(array)?;
                let coded = Coded::encode(&values, dims, Code::Int8, &vec![1.0; values.len() / dims])?;
                dense.extend(coded.to_arrays(&name));
            } else {
                dense.push(array.clone());
            }
        }
        let frequencies = frequencies(words, &source.pinned);
        let contributions = contributions(&matrices, &frequencies, source.unknown.map(|word| word as usize));
        let mut others: Vec<u32> =
            (0..words as u32).filter(|word| source.pinned.binary_search(word).is_err()).collect();
        others
            .sort_unstable_by(|&a, &b| contributions[b as usize].total_cmp(&contributions[a as usize]).then(a.cmp(&b)));
        let order = source.pinned.iter().copied().chain(others).collect();
        let ranking = source.linear.map(|linear| linear.ranking());
        Ok(Self {
            source,
            matrices,
            frequencies,
            order,
            contributions,
            dense,
            features,
            ranking,
            encoded: HashMap::new(),
        })
    }

    /// The codes of all words, computed once per code.
    pub fn encoded(&mut self, code: Code) -> Result<&Encoded> {
        if !self.encoded.contains_key(&code) {
            let made = encode(&self.matrices, &self.frequencies, code)?;
            self.encoded.insert(code, made);
        }
        self.encoded.get(&code).ok_or_else(|| Error::new(ErrorCode::Internal, "a code was not made"))
    }

    /// The first `count` words of the order, as stored in a file: the pinned ones, then the others sorted by bytes. If
    /// no word may be dropped, all words in their own order.
    pub fn kept(&self, count: usize) -> Vec<u32> {
        if self.source.unknown.is_none() {
            return (0..self.order.len() as u32).collect();
        }
        let pinned = self.source.pinned.len();
        let mut kept = self.order[..count.clamp(pinned, self.order.len())].to_vec();
        kept[pinned..].sort_unstable_by_key(|&word| self.source.vocabulary.token(word));
        kept
    }

    /// The array of the kept words' tokens.
    pub fn tokens(&self, kept: &[u32]) -> NamedArray {
        pack_tokens(kept.iter().map(|&word| self.source.vocabulary.token(word)))
    }

    /// Size in bytes of what no choice changes.
    pub fn base(&self) -> usize {
        let metadata: usize = self.source.metadata.iter().map(|(key, value)| key.len() + value.len() + 40).sum();
        metadata + self.dense.iter().map(stored).sum::<usize>() + 2_000
    }

    /// Size in bytes of the subword vectors in a code.
    pub fn features_bytes(&self, code: Code) -> Result<usize> {
        let arrays = self.features_arrays(code)?;
        Ok(arrays.iter().map(stored).sum())
    }

    fn features_arrays(&self, code: Code) -> Result<Vec<NamedArray>> {
        // A network reads means of these vectors, in which errors cancel out. There is no product code for them.
        let code = if code == Code::Int8 { Code::Int8 } else { Code::Int4 };
        let mut arrays = Vec::new();
        for Matrix { name, values, dims } in &self.features {
            arrays.extend(Coded::encode(values, *dims, code, &vec![1.0; values.len() / dims])?.to_arrays(name));
        }
        Ok(arrays)
    }

    /// The bytes of the file for a choice.
    pub fn bytes(&mut self, choice: &Choice) -> Result<Vec<u8>> {
        let kept = self.kept(choice.words);
        let mut arrays = vec![self.tokens(&kept)];
        arrays.extend(self.dense.iter().cloned());
        if let Some(code) = choice.code {
            arrays.extend(self.features_arrays(code)?);
            let coded =
                self.encoded(code)?.coded.iter().map(|coded| coded.rows_of(&kept)).collect::<Result<Vec<_>>>()?;
            for (coded, matrix) in coded.iter().zip(&self.matrices) {
                arrays.extend(coded.to_arrays(&matrix.name));
            }
        }
        if let (Some(linear), Some(ranking)) = (self.source.linear, &self.ranking) {
            arrays.extend(linear.compressed(ranking, choice.features, choice.levels).to_arrays());
        }
        let mut metadata = self.source.metadata.clone();
        metadata.insert(COMPRESSION.into(), choice.describe(kept.len()));
        pack(&mut metadata, &mut arrays);
        to_bytes(Path::new("the compressed model"), metadata, &arrays)
    }
}

/// Size in bytes of an array in a file.
pub(crate) fn stored(array: &NamedArray) -> usize {
    let packed = if array.dtype == Dtype::Float32 { None } else { deflated(&array.data) };
    packed.map_or(array.data.len(), |packed| packed.len()) + array.name.len() + 80
}
