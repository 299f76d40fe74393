//! Weights in and out, under PyTorch's names.

use super::Classifier;
use crate::autograd::GradMode;
use crate::context::parse_dtype;
use crate::error::{IntoResult, range, shape};
use crate::tensor::convert::{to_bytes, to_device};
use crate::tensor::create::{from_bytes, from_i64};
use crate::tensor::dtype_name;
use crate::{Error, ErrorCode, Result};
use tch::Tensor;

/// A tensor with its name, as files hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArray {
    /// PyTorch's name of the parameter.
    pub name: String,
    /// The element type.
    pub dtype: String,
    /// The sizes of the dimensions.
    pub shape: Vec<i64>,
    /// The elements, little-endian, row by row.
    pub data: Vec<u8>,
}

impl Classifier {
    /// All weights.
    pub fn state(&self) -> Result<Vec<NamedArray>> {
        let array = |(name, tensor): &(String, Tensor)| {
            Ok(NamedArray {
                name: name.clone(),
                dtype: dtype_name(tensor.f_kind().torch()?),
                shape: tensor.size(),
                data: to_bytes(tensor)?,
            })
        };
        self.model.named.iter().map(array).collect()
    }

    /// Gives some words other vectors, row by row; refuses what does not fit, and the padding word.
    pub fn set_word_vectors(&mut self, words: &[i32], vectors: &[f32]) -> Result<()> {
        let config = &self.config;
        let wrong = |word: &i64| !(0..config.vocab_size).contains(word) || *word == config.padding_idx;
        let words: Vec<i64> = words.iter().map(|&word| i64::from(word)).collect();
        if let Some(word) = words.iter().copied().find(wrong) {
            return Err(range(format!("word {word} has no vector that can be set")));
        }
        if words.len() as i64 * config.embedding_dim != vectors.len() as i64 {
            return Err(shape(format!("{} values are no vectors of {} words", vectors.len(), words.len())));
        }
        let _mode = GradMode::new(false);
        let rows = Tensor::f_from_slice(vectors).torch()?.f_view([-1, config.embedding_dim]).torch()?;
        let to = |tensor: &Tensor| to_device(tensor, config.device);
        let mut embedding = self.model.named[0].1.shallow_clone();
        let index = to(&from_i64(&words)?)?;
        let _ = embedding.f_index_copy_(0, &index, &to(&rows)?).torch()?;
        Ok(())
    }

    /// Replaces all weights and forgets the optimizer's state, which belongs to the old ones. Every name, shape and dtype
    /// that differs is listed in one error, and then nothing has changed.
    pub fn load_state(&mut self, arrays: &[NamedArray]) -> Result<()> {
        let mut problems = Vec::new();
        let mut found: Vec<Option<&NamedArray>> = vec![None; self.model.named.len()];
        for array in arrays {
            match self.model.named.iter().position(|(name, _)| *name == array.name) {
                None => problems.push(format!("unexpected {}", array.name)),
                Some(index) if found[index].is_some() => problems.push(format!("{} is there twice", array.name)),
                Some(index) => found[index] = Some(array),
            }
        }
        let mut fresh = Vec::with_capacity(found.len());
        for ((name, tensor), array) in self.model.named.iter().zip(found) {
            let Some(array) = array else {
                problems.push(format!("{name} is missing"));
                continue;
            };
            let dtype = dtype_name(tensor.f_kind().torch()?);
            if array.dtype != dtype || array.shape != tensor.size() {
                problems.push(format!(
                    "{name} is {} {:?}, expected {dtype} {:?}",
                    array.dtype,
                    array.shape,
                    tensor.size()
                ));
                continue;
            }
            match from_bytes(&array.data, parse_dtype(&dtype)?, &array.shape) {
                Ok(values) => fresh.push(values),
                Err(error) => problems.push(format!("{name}: {}", error.message())),
            }
        }
        if !problems.is_empty() {
            return Err(Error::new(
                ErrorCode::StateMismatch,
                format!("the weights do not fit this classifier: {}", problems.join("; ")),
            ));
        }
        let _mode = GradMode::new(false);
        for ((_, tensor), values) in self.model.named.iter().zip(&fresh) {
            tensor.shallow_clone().f_copy_(values).torch()?;
        }
        self.optimizer = None;
        (self.steps.seen, self.steps.words) = (0, 0);
        Ok(())
    }
}
