//! Weights in and out, under PyTorch's names.

use super::Network;
use crate::autograd::GradMode;
use crate::context::parse_dtype;
use crate::error::IntoResult;
use crate::tensor::convert::{to_bytes, to_device};
use crate::tensor::create::{from_bytes, from_i64};
use crate::tensor::dtype_name;
use crate::{Error, ErrorCode, Result};
use recurra_core::training::check_word_vectors;
use recurra_core::{Dtype, NamedArray};
use std::ops::Deref;
use tch::Tensor;

/// A tensor as an array.
pub(super) fn array_of(name: String, tensor: &Tensor) -> Result<NamedArray> {
    Ok(NamedArray { name, dtype: dtype_of(tensor)?, shape: sizes_of(tensor), data: to_bytes(tensor)? })
}

/// An array as a tensor on the CPU.
pub(super) fn tensor_of<D: Deref<Target = [u8]>>(array: &NamedArray<D>) -> Result<Tensor> {
    let shape: Vec<i64> = array.shape.iter().map(|&size| size as i64).collect();
    from_bytes(&array.data, parse_dtype(array.dtype.name())?, &shape)
}

fn dtype_of(tensor: &Tensor) -> Result<Dtype> {
    Dtype::parse(&dtype_name(tensor.f_kind().torch()?))
}

fn sizes_of(tensor: &Tensor) -> Vec<usize> {
    tensor.size().into_iter().map(|size| size as usize).collect()
}

impl Network {
    /// All weights.
    pub fn state(&self) -> Result<Vec<NamedArray>> {
        self.model.named.iter().map(|(name, tensor)| array_of(name.clone(), tensor)).collect()
    }

    /// Gives some words other vectors, row by row; refuses what does not fit, and the padding word.
    pub fn set_word_vectors(&mut self, words: &[i32], vectors: &[f32]) -> Result<()> {
        let encoder = &self.config.encoder;
        check_word_vectors(words, vectors, encoder)?;
        let words: Vec<i64> = words.iter().map(|&word| i64::from(word)).collect();
        let _mode = GradMode::new(false);
        let rows = Tensor::f_from_slice(vectors).torch()?.f_view([-1, encoder.embedding_dim as i64]).torch()?;
        let to = |tensor: &Tensor| to_device(tensor, self.place.device);
        let mut embedding = self.model.named[0].1.shallow_clone();
        let index = to(&from_i64(&words)?)?;
        let _ = embedding.f_index_copy_(0, &index, &to(&rows)?).torch()?;
        Ok(())
    }

    /// Replaces all weights and forgets the optimizer's state, which belongs to the old ones. Every name, shape and dtype
    /// that differs is listed in one error, and then nothing has changed.
    pub fn load_state<D: Deref<Target = [u8]>>(&mut self, arrays: &[NamedArray<D>]) -> Result<()> {
        let mut problems = Vec::new();
        let mut found: Vec<Option<&NamedArray<D>>> = vec![None; self.model.named.len()];
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
            let (dtype, shape) = (dtype_of(tensor)?, sizes_of(tensor));
            if array.dtype != dtype || array.shape != shape {
                problems.push(format!(
                    "{name} is {} {:?}, expected {} {shape:?}",
                    array.dtype.name(),
                    array.shape,
                    dtype.name()
                ));
                continue;
            }
            match tensor_of(array) {
                Ok(values) => fresh.push(values),
                Err(error) => problems.push(format!("{name}: {}", error.message())),
            }
        }
        if !problems.is_empty() {
            return Err(Error::new(
                ErrorCode::StateMismatch,
                format!("the weights do not fit this network: {}", problems.join("; ")),
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
