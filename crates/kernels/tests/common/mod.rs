//! Reads the golden files: small ones from `test/fixtures/golden`, and all of them from the folder `golden` of
//! `RECURRA_DATA` or `../shared`, if it exists.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use recurra_core::{Chunk, NamedArray, Targets};
use recurra_kernels::network::Network;
use safetensors::SafeTensors;

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The fixtures of the repository.
pub fn fixtures() -> PathBuf {
    root().join("test/fixtures/golden")
}

/// The complete golden folder, which the repository does not contain.
pub fn shared() -> Option<PathBuf> {
    let data = std::env::var_os("RECURRA_DATA").map(PathBuf::from);
    let places = data.into_iter().flat_map(|d| [d.join("golden"), d.join("../golden")]);
    places.chain([root().join("../shared/golden")]).find(|dir| dir.join("index.json").is_file())
}

/// A JSON file.
pub fn json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A safetensors file.
pub struct Golden(Vec<u8>);

impl Golden {
    pub fn open(path: &Path) -> Self {
        Self(std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.0).expect("a safetensors file")
    }

    /// Values and shape of a float32 tensor.
    pub fn get(&self, name: &str) -> Option<(Vec<f32>, Vec<usize>)> {
        let tensors = self.tensors();
        let view = tensors.tensor(name).ok()?;
        let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Some((values, view.shape().to_vec()))
    }

    pub fn f32(&self, name: &str) -> Vec<f32> {
        self.get(name).unwrap_or_else(|| panic!("tensor {name} is missing")).0
    }

    pub fn i64(&self, name: &str) -> Vec<i64> {
        let tensors = self.tensors();
        let view = tensors.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        view.data().chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().expect("eight bytes"))).collect()
    }

    pub fn names(&self) -> Vec<String> {
        self.tensors().names().into_iter().map(ToString::to_string).collect()
    }
}

/// Largest `|a - b| / (1 + |b|)`, to compare with a tolerance that is both absolute and relative.
pub fn difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len(), "number of values");
    ours.iter()
        .zip(theirs)
        .map(|(a, b)| if a.is_nan() { f32::INFINITY } else { (a - b).abs() / (1.0 + b.abs()) })
        .fold(0.0, f32::max)
}

/// The weights of a classifier as float32 values.
pub fn weights(classifier: &Network) -> Vec<NamedArray<Vec<f32>>> {
    let numbers = |array: NamedArray| NamedArray {
        data: array.values().expect("float32"),
        name: array.name,
        dtype: array.dtype,
        shape: array.shape,
    };
    classifier.state().unwrap().into_iter().map(numbers).collect()
}

/// The inverse of [`weights`], to load into a classifier.
pub fn arrays(weights: &[NamedArray<Vec<f32>>]) -> Vec<NamedArray> {
    weights.iter().map(|array| NamedArray::of(array.name.clone(), array.shape.clone(), &array.data)).collect()
}

/// Texts with one label each, for small trainings.
pub struct Texts {
    pub tokens: Vec<i32>,
    pub lengths: Vec<i32>,
    pub labels: Vec<i32>,
}

impl Texts {
    /// 24 texts of 1 to 12 words from `words`, many of which occur more than once, with labels from 0 to 3.
    pub fn random(mut state: u64, words: std::ops::Range<i32>) -> Self {
        let mut below = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % n) as i32
        };
        let mut texts = Self { tokens: vec![], lengths: vec![], labels: vec![] };
        for _ in 0..24 {
            let length = 1 + below(12);
            texts.lengths.push(length);
            texts.labels.push(below(4));
            texts.tokens.extend((0..length).map(|_| words.start + below((words.end - words.start) as u64)));
        }
        texts
    }

    /// All texts, in batches of these sizes.
    pub fn chunk<'a>(&'a self, batch_sizes: &'a [i32]) -> Chunk<'a> {
        let targets = Targets::Rows(&self.labels);
        Chunk { tokens: &self.tokens, lengths: &self.lengths, targets, batch_sizes, ..Chunk::default() }
    }
}
