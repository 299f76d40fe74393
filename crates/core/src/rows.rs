//! Rows of tokens: the input of a network in training and prediction.

use crate::error::{Error, ErrorCode, Result};
use crate::forms::Forms;
use crate::network::EncoderConfig;

/// Rows to predict, concatenated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rows<'a> {
    /// Token ids of all rows; with `forms`, form numbers.
    pub tokens: &'a [i32],
    /// Number of tokens of each row, at least 1.
    pub lengths: &'a [i32],
    /// The forms that the tokens refer to: required for a network with subwords, and `None` for others.
    pub forms: Option<&'a Forms>,
}

impl<'a> Rows<'a> {
    /// Rows of token ids.
    pub const fn new(tokens: &'a [i32], lengths: &'a [i32]) -> Self {
        Self { tokens, lengths, forms: None }
    }

    /// Rows of forms.
    pub const fn of_forms(tokens: &'a [i32], lengths: &'a [i32], forms: &'a Forms) -> Self {
        Self { tokens, lengths, forms: Some(forms) }
    }

    /// Checks the rows against an encoder, as [`check_rows`] does. There must be forms exactly if it has subwords.
    ///
    /// # Errors
    /// As [`check_rows`] and [`Forms::validate`]; `InvalidArgument` for missing or superfluous forms.
    pub fn validate(&self, encoder: &EncoderConfig) -> Result<()> {
        let fail = |message: &str| Err(Error::new(ErrorCode::InvalidArgument, message).about("forms"));
        match (self.forms, encoder.subwords) {
            (None, None) => check_rows(self.tokens, self.lengths, encoder.vocab_size),
            (Some(forms), Some(_)) => {
                forms.validate(encoder)?;
                check_lengths(self.tokens, self.lengths)?;
                check_tokens(self.tokens, forms.len(), |at, token| {
                    format!("form {token} at place {at} is outside the {} forms", forms.len())
                })
            }
            (None, Some(_)) => fail("this network has subwords: it needs the forms of its words, but received none"),
            (Some(_), None) => fail("this network has no subwords: it takes ids of words, but received forms"),
        }
    }
}

/// Checks that each row has at least one token and all tokens are in the vocabulary.
///
/// # Errors
/// `OutOfRange` for a length below 1 or a token id outside the vocabulary. `InvalidShape` if the lengths do not add up
/// to the number of tokens.
pub fn check_rows(tokens: &[i32], lengths: &[i32], vocab_size: usize) -> Result<()> {
    check_lengths(tokens, lengths)?;
    check_tokens(tokens, vocab_size, |at, token| {
        format!("token id {token} at place {at} is outside the vocabulary of {vocab_size} words")
    })
}

fn check_lengths(tokens: &[i32], lengths: &[i32]) -> Result<()> {
    let mut sum = 0usize;
    for (row, &length) in lengths.iter().enumerate() {
        if length < 1 {
            let message = format!("row {row} has length {length}: expected at least one token");
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        sum += length as usize;
    }
    if sum != tokens.len() {
        let message = format!("the lengths add up to {sum} but there are {} tokens", tokens.len());
        return Err(Error::new(ErrorCode::InvalidShape, message));
    }
    Ok(())
}

fn check_tokens(tokens: &[i32], count: usize, message: impl Fn(usize, i32) -> String) -> Result<()> {
    match tokens.iter().position(|&token| token < 0 || token as usize >= count) {
        None => Ok(()),
        Some(at) => Err(Error::new(ErrorCode::OutOfRange, message(at, tokens[at]))),
    }
}
