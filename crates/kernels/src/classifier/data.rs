//! What goes into training and prediction, checked.

use std::ops::Range;

use super::config::ClassifierConfig;
use recurra_core::{Error, ErrorCode, Result};

/// Batches to train on, all rows one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chunk<'a> {
    /// Word numbers of all rows.
    pub tokens: &'a [i32],
    /// Number of words of each row, at least 1.
    pub lengths: &'a [i32],
    /// Class of each row; of a multi-label classifier the classes of all rows one after the other.
    pub labels: &'a [i32],
    /// Of a multi-label classifier: where the classes of each row begin, and at last how many there are. Else empty.
    pub label_offsets: &'a [u32],
    /// Number of rows of each batch.
    pub batch_sizes: &'a [i32],
}

/// What a chunk of training gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Sum over the batches (before each one's step) of the mean loss times the number of rows; without class weights the
    /// sum of the rows' losses.
    pub loss: f64,
    /// Rows whose most probable class was right; of a multi-label classifier rows whose classes are exactly those with a
    /// probability above a half.
    pub correct: u64,
    /// Rows that were trained on.
    pub rows: u64,
    /// Number of the batch within the chunk whose loss (or, with clipping, gradient) was not finite. The weights are
    /// those before that batch.
    pub non_finite_batch: Option<usize>,
}

impl Chunk<'_> {
    /// # Errors
    /// `InvalidShape` when counts do not agree, `OutOfRange` for a length, token id, label or batch size outside its range,
    /// `InvalidArgument` for a row of a multi-label classifier whose labels do not rise.
    pub fn validate(&self, config: &ClassifierConfig) -> Result<()> {
        let classes = config.num_classes;
        if config.multi_label {
            self.validate_label_offsets()?;
        } else if self.lengths.len() != self.labels.len() || !self.label_offsets.is_empty() {
            let message = if self.label_offsets.is_empty() {
                format!("{} rows but {} labels", self.lengths.len(), self.labels.len())
            } else {
                "label offsets are for a multi-label classifier; this one has one class for each row".into()
            };
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        if let Some(at) = self.labels.iter().position(|&label| label < 0 || label as usize >= classes) {
            let row = if config.multi_label {
                self.label_offsets.partition_point(|&offset| offset as usize <= at) - 1
            } else {
                at
            };
            let message = format!("label {} of row {row} is outside the {classes} classes", self.labels[at]);
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        if config.multi_label {
            self.validate_rising_labels()?;
        }
        if let Some(batch) = self.batch_sizes.iter().position(|&size| size < 1) {
            let message = format!("batch {batch} has {} rows: expected at least one", self.batch_sizes[batch]);
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        let sum: usize = self.batch_sizes.iter().map(|&size| size as usize).sum();
        if sum != self.lengths.len() {
            let message = format!("the batch sizes add up to {sum} but there are {} rows", self.lengths.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        check_rows(self.tokens, self.lengths, config.vocab_size)
    }

    /// One batch; its label offsets stay those of the chunk.
    pub(super) fn batch(&self, rows: Range<usize>, tokens: Range<usize>) -> Self {
        let multi_label = !self.label_offsets.is_empty();
        Self {
            tokens: &self.tokens[tokens],
            lengths: &self.lengths[rows.clone()],
            labels: if multi_label { self.labels } else { &self.labels[rows.clone()] },
            label_offsets: if multi_label { &self.label_offsets[rows.start..rows.end + 1] } else { &[] },
            batch_sizes: &[],
        }
    }

    fn validate_label_offsets(&self) -> Result<()> {
        let (offsets, rows) = (self.label_offsets, self.lengths.len());
        let rises = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
        if offsets.len() != rows + 1 || offsets[0] != 0 || offsets[rows] as usize != self.labels.len() || !rises {
            let message = format!(
                "expected {} label offsets that rise from 0 to the {} labels but received {} for {rows} rows",
                rows + 1,
                self.labels.len(),
                offsets.len()
            );
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        Ok(())
    }

    fn validate_rising_labels(&self) -> Result<()> {
        for (row, pair) in self.label_offsets.windows(2).enumerate() {
            let labels = &self.labels[pair[0] as usize..pair[1] as usize];
            if let Some(pair) = labels.windows(2).find(|pair| pair[0] >= pair[1]) {
                let message = format!(
                    "the labels of a row must rise, each once, but in row {row} {} comes before {}",
                    pair[0], pair[1]
                );
                return Err(Error::new(ErrorCode::InvalidArgument, message));
            }
        }
        Ok(())
    }
}

/// Checks rows: each has at least one word, and all words are inside the vocabulary.
pub(super) fn check_rows(tokens: &[i32], lengths: &[i32], vocab_size: usize) -> Result<()> {
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
    match tokens.iter().position(|&id| id < 0 || id as usize >= vocab_size) {
        None => Ok(()),
        Some(at) => Err(Error::new(
            ErrorCode::OutOfRange,
            format!("token id {} at place {at} is outside the vocabulary of {vocab_size} words", tokens[at]),
        )),
    }
}

/// Checks that words are in the vocabulary, and that none is the padding word, whose vector stays zero.
pub(super) fn check_words(words: &[i32], config: &ClassifierConfig) -> Result<()> {
    let padding = config.padding_idx.map(i64::from);
    for &word in words {
        if word < 0 || word as usize >= config.vocab_size {
            let message = format!("word {word} is outside the vocabulary of {} words", config.vocab_size);
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        if padding == Some(i64::from(word)) {
            let message = format!("word {word} is the padding word, whose vector stays zero");
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
    }
    Ok(())
}
