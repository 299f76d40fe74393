//! The state of a compressed model: words' vectors stay in their codes, everything else becomes singles.

use std::ops::Deref;

use super::model::Network;
use super::params::{EMBEDDING_NAME, Params};
use super::vectors::Vectors;
use crate::simd::Buf;
use recurra_codes::{Coded, take, widened};
use recurra_core::{Error, ErrorCode, NamedArray, Result};

impl Params {
    /// Shape of the words' vectors in the network's state.
    fn state_words_shape(&self) -> [usize; 2] {
        let [rows, dims] = self.words_shape();
        [rows, if self.own.is_some() { self.config.encoder.inputs() } else { dims }]
    }
}

impl Network {
    /// Takes over the state of a compressed model; false, and nothing is changed, for one without codes.
    ///
    /// # Errors
    /// As [`Network::load_state`], and `InvalidFile` for codes that are not whole; nothing is changed then.
    pub(super) fn load_coded<D: Deref<Target = [u8]>>(&self, tensors: &[NamedArray<D>]) -> Result<bool> {
        let mut rest: Vec<_> = tensors.iter().map(NamedArray::borrowed).collect();
        // What is a weight of the head too is read by products of matrices, which know singles alone.
        let coded = if self.params.tied.is_some() { None } else { take(&mut rest, EMBEDDING_NAME)? };
        if let Some(coded) = &coded {
            check_shape(coded, self.params.state_words_shape())?;
        }
        let rest = widened(&rest)?;
        if coded.is_none() && rest.len() == tensors.len() {
            return Ok(false);
        }
        let mut guard = self.write();
        let weights = &mut *guard;
        weights.make_room(&self.params);
        let features = self.params.features_shape().filter(|_| self.params.own.is_none());
        let [rows, dims] = if coded.is_some() { [0, 0] } else { self.params.state_words_shape() };
        let words = if self.params.tied.is_some() { Buf::default() } else { Buf::zeros(rows * dims) };
        let features = features.map(|[rows, dims]| Buf::zeros(rows * dims)).unwrap_or_default();
        let mut vectors = Vectors { words, coded, features };
        if self.params.own.is_some() {
            self.params.import_stored(&rest, &mut vectors, &mut weights.flat)?;
        } else {
            self.params.import(&rest, &mut vectors, &mut weights.flat)?;
        }
        (weights.vectors, weights.settled, weights.compressed) = (vectors, self.params.own.is_some(), true);
        weights.replaced();
        Ok(true)
    }
}

fn check_shape(coded: &Coded, expected: [usize; 2]) -> Result<()> {
    let found = [coded.rows(), coded.dims()];
    if found == expected {
        return Ok(());
    }
    let message =
        format!("the state does not fit the network: {EMBEDDING_NAME} has shape {found:?} instead of {expected:?}");
    Err(Error::new(ErrorCode::StateMismatch, message))
}

#[cfg(all(test, feature = "training"))]
mod tests;
