//! Networks that read words of their own vocabulary by their characters too: the forms are those words, and are known once and for all.
//!
//! Tokens stay ids of words. What such a network reads of a word, its vector followed by that of its characters, is
//! then a row of one matrix: the embedding of a network without subwords, which predicts the same. That matrix is what
//! prediction reads and what the network's state holds.

use super::params::Params;
use super::vectors::Vectors;
use super::weights::Weights;
use crate::encoder::mean::mean;
use crate::simd::Buf;
#[cfg(feature = "training")]
use recurra_core::Chunk;
use recurra_core::{EncoderConfig, Error, ErrorCode, Forms, Result, Rows, rows::check_rows};

/// Checks that form `n` is word `n` of the vocabulary, and that the network has all features.
pub(super) fn check_own(forms: &Forms, encoder: &EncoderConfig) -> Result<()> {
    let fail = |message: String| Err(Error::new(ErrorCode::InvalidArgument, message).about("forms"));
    if encoder.subwords.is_none() {
        return fail("this network has no subwords: it has no use for the forms of its words".into());
    }
    if forms.len() != encoder.vocab_size {
        return fail(format!(
            "expected a form for each of the {} words but received {}",
            encoder.vocab_size,
            forms.len()
        ));
    }
    if let Some(at) = (0..forms.len()).find(|&at| forms.word(at) as usize != at) {
        return fail(format!("expected the word {at} for form {at} but received {}", forms.word(at)));
    }
    forms.validate(encoder)
}

fn needless() -> Error {
    let message = "this network has the forms of its words: it takes ids of words, but received forms";
    Error::new(ErrorCode::InvalidArgument, message).about("forms")
}

impl Params {
    /// Checks rows to be answered.
    ///
    /// # Errors
    /// As [`Rows::validate`]; a network with its own forms counts as one without subwords.
    pub fn check(&self, rows: Rows<'_>) -> Result<()> {
        match (&self.own, rows.forms) {
            (None, _) => rows.validate(&self.config.encoder),
            (Some(_), None) => check_rows(rows.tokens, rows.lengths, self.config.encoder.vocab_size),
            (Some(_), Some(_)) => Err(needless()),
        }
    }

    /// The chunk with the network's own forms, where it has some.
    ///
    /// # Errors
    /// `InvalidArgument` where forms are given to a network that has its own.
    #[cfg(feature = "training")]
    pub fn with_own<'a>(&'a self, chunk: &Chunk<'a>) -> Result<Chunk<'a>> {
        match (&self.own, chunk.forms) {
            (None, _) => Ok(*chunk),
            (Some(own), None) => Ok(Chunk { forms: Some(own), ..*chunk }),
            (Some(_), Some(_)) => Err(needless()),
        }
    }

    /// What the network reads of each word, `[vocab_size, inputs]`; `None` without its own forms.
    pub fn folded(&self, words: &[f32], features: &[f32]) -> Option<Buf> {
        let (own, dims, width) = (self.own.as_ref()?, self.config.encoder.embedding_dim, self.config.encoder.inputs());
        let mut inputs = Buf::zeros(own.len() * width);
        for (number, row) in inputs.chunks_exact_mut(width).enumerate() {
            let (word, behind) = row.split_at_mut(dims);
            word.copy_from_slice(&words[number * dims..][..dims]);
            // SAFETY: the features of the network's own forms were checked when it was made.
            unsafe { mean(features.as_ptr(), own.features(number), behind) };
        }
        Some(inputs)
    }

    /// Room for vectors as the network's state has them.
    pub fn stored(&self) -> Vectors {
        let words = self.config.encoder.vocab_size * self.config.encoder.inputs();
        Vectors { words: Buf::zeros(words), ..Vectors::default() }
    }
}

impl Weights {
    /// Refuses what needs the vectors of words and features apart.
    pub fn check_apart(&self) -> Result<()> {
        if self.compressed {
            let message = "this network has the weights of a compressed model, which only predicts; train from the model that it was \
                           made of";
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        if !self.settled {
            return Ok(());
        }
        let message = "this network has the weights of a finished training, in which words and their characters are one: it predicts, \
                       and can only be trained from a training's state";
        Err(Error::new(ErrorCode::InvalidArgument, message))
    }
}
