//! The data of training and prediction, checked once for every engine, and the statistics of training. The step options
//! are in [`crate::steps`].

use std::ops::Range;

use crate::error::{Error, ErrorCode, Result};
use crate::forms::Forms;
use crate::network::{EncoderConfig, HeadConfig, NetworkConfig};
use crate::rows::Rows;

/// Batches to train on, with all rows concatenated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chunk<'a> {
    /// Token ids of all rows; with `forms`, form numbers.
    pub tokens: &'a [i32],
    /// Number of tokens of each row, at least 1.
    pub lengths: &'a [i32],
    /// The targets of the rows.
    pub targets: Targets<'a>,
    /// Number of rows in each batch.
    pub batch_sizes: &'a [i32],
    /// The forms that the tokens refer to: required for a network with subwords, and `None` for others.
    pub forms: Option<&'a Forms>,
}

/// Targets of rows.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a> {
    /// One output per row. `[rows]`.
    Rows(&'a [i32]),
    /// Any number of outputs per row.
    Sets {
        /// The outputs of all rows, concatenated; ascending within a row.
        outputs: &'a [i32],
        /// Start of each row in `outputs`, followed by the total. `[rows + 1]`.
        starts: &'a [u32],
    },
    /// One output per token, in the order of the chunk's tokens. `[tokens]`.
    Tokens(&'a [i32]),
}

impl Default for Targets<'_> {
    fn default() -> Self {
        Self::Rows(&[])
    }
}

/// Sums over a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Sum over the batches of the mean loss (before the batch's step) times the number of answers. Without output
    /// weights, that is the sum of the losses.
    pub loss: f64,
    /// Number of correct answers: rows whose target has the largest score; with sets, rows whose targets are exactly
    /// the outputs with a probability above 0.5; with tags, tokens whose most probable tag is their target.
    pub correct: u64,
    /// Number of answers trained on: rows, or tokens with tags.
    pub answers: u64,
    /// Number of rows trained on.
    pub rows: u64,
    /// Index within the chunk of the batch whose loss (or, with clipping, gradient) was not finite. The weights are
    /// those before that batch.
    pub non_finite_batch: Option<usize>,
}

fn error(code: ErrorCode, message: String) -> Error {
    Error::new(code, message)
}

impl<'a> Chunk<'a> {
    /// Checks counts, ids and targets against the network.
    ///
    /// # Errors
    /// `InvalidShape` if counts do not agree or the targets do not fit the head. `OutOfRange` for a length, token id,
    /// target or batch size outside its range. `InvalidArgument` for a set whose outputs do not rise, or tags with a
    /// forbidden transition.
    pub fn validate(&self, config: &NetworkConfig) -> Result<()> {
        self.validate_for(config, false)
    }

    /// Like [`Chunk::validate`]. With other `ranks`, a batch may have no rows, because other ranks have some.
    ///
    /// # Errors
    /// As [`Chunk::validate`].
    pub fn validate_for(&self, config: &NetworkConfig, ranks: bool) -> Result<()> {
        self.check_targets(&config.head)?;
        let (least, expected) = if ranks { (0, "none or more") } else { (1, "at least one") };
        if let Some(batch) = self.batch_sizes.iter().position(|&size| size < least) {
            let message = format!("batch {batch} has {} rows: expected {expected}", self.batch_sizes[batch]);
            return Err(error(ErrorCode::OutOfRange, message));
        }
        let sum: usize = self.batch_sizes.iter().map(|&size| size as usize).sum();
        if sum != self.lengths.len() {
            let message = format!("the batch sizes add up to {sum} but there are {} rows", self.lengths.len());
            return Err(error(ErrorCode::InvalidShape, message));
        }
        self.rows().validate(&config.encoder)?;
        // The lengths, which split the paths, are valid at this point.
        match (&config.head, self.targets) {
            (HeadConfig::Tags(head), Targets::Tokens(tags)) => head.check_paths(tags, self.lengths),
            _ => Ok(()),
        }
    }

    /// The rows without their targets.
    pub const fn rows(&self) -> Rows<'a> {
        Rows { tokens: self.tokens, lengths: self.lengths, forms: self.forms }
    }

    fn check_targets(&self, head: &HeadConfig) -> Result<()> {
        match (head, self.targets) {
            (HeadConfig::Tags(head), Targets::Tokens(tags)) => {
                if tags.len() != self.tokens.len() {
                    let message = format!("{} tokens but {} tags", self.tokens.len(), tags.len());
                    return Err(error(ErrorCode::InvalidShape, message));
                }
                match tags.iter().position(|&tag| tag < 0 || tag as usize >= head.tags) {
                    None => Ok(()),
                    Some(at) => {
                        let message = format!("tag {} of token {at} is outside the {} tags", tags[at], head.tags);
                        Err(error(ErrorCode::OutOfRange, message))
                    }
                }
            }
            (HeadConfig::Tags(_), _) => {
                Err(error(ErrorCode::InvalidShape, "a network for tags needs a tag for each token".into()))
            }
            (HeadConfig::Classes(_), Targets::Tokens(_)) => {
                Err(error(ErrorCode::InvalidShape, "tags of tokens are for a network for tags, not for classes".into()))
            }
            (HeadConfig::Classes(head), Targets::Rows(_)) if head.multi_label => {
                Err(error(ErrorCode::InvalidShape, "a multi-label network needs a set of labels for each row".into()))
            }
            (HeadConfig::Classes(head), Targets::Rows(labels)) => {
                if labels.len() != self.lengths.len() {
                    return Err(error(
                        ErrorCode::InvalidShape,
                        format!("{} rows but {} labels", self.lengths.len(), labels.len()),
                    ));
                }
                check_outputs(labels, head.classes, |at| at)
            }
            (HeadConfig::Classes(head), Targets::Sets { .. }) if !head.multi_label => {
                let message = "label offsets are for a multi-label network; this one has one class for each row";
                Err(error(ErrorCode::InvalidShape, message.into()))
            }
            (HeadConfig::Classes(head), Targets::Sets { outputs, starts }) => {
                check_starts(outputs, starts, self.lengths.len())?;
                check_outputs(outputs, head.classes, |at| starts.partition_point(|&start| start as usize <= at) - 1)?;
                check_rising(outputs, starts)
            }
        }
    }

    /// Checks that all batches are parts of the same streams: the same number of rows, with equal lengths within a
    /// batch. Batches without rows, whose streams ended before those of other ranks, are ignored.
    ///
    /// # Errors
    /// `InvalidShape` if one is not.
    pub fn validate_streams(&self) -> Result<()> {
        let fail = |message: String| Err(error(ErrorCode::InvalidShape, message));
        let Some(&streams) = self.batch_sizes.iter().find(|&&size| size > 0) else { return Ok(()) };
        for (batch, (rows, _)) in self.batches().enumerate().filter(|(_, (rows, _))| !rows.is_empty()) {
            if rows.len() != streams as usize {
                return fail(format!("batch {batch} has {} rows, but states are carried in {streams}", rows.len()));
            }
            let lengths = &self.lengths[rows];
            if let Some(row) = lengths.iter().position(|&length| length != lengths[0]) {
                return fail(format!(
                    "where states are carried, the rows of a batch are equally long, but in batch {batch} row {row} has {} tokens and row 0 has {}",
                    lengths[row], lengths[0]
                ));
            }
        }
        Ok(())
    }

    /// Some rows and their tokens as one batch. The starts of sets remain those of the chunk.
    pub fn batch(&self, rows: Range<usize>, tokens: Range<usize>) -> Self {
        let targets = match self.targets {
            Targets::Rows(labels) => Targets::Rows(&labels[rows.clone()]),
            Targets::Sets { outputs, starts } => Targets::Sets { outputs, starts: &starts[rows.start..rows.end + 1] },
            Targets::Tokens(tags) => Targets::Tokens(&tags[tokens.clone()]),
        };
        Self {
            tokens: &self.tokens[tokens],
            lengths: &self.lengths[rows],
            targets,
            batch_sizes: &[],
            forms: self.forms,
        }
    }

    /// Row range and token range of each batch.
    pub fn batches(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + use<'a> {
        let (lengths, mut row, mut token) = (self.lengths, 0, 0);
        self.batch_sizes.iter().map(move |&size| {
            let rows = row..row + size as usize;
            let count: usize = lengths[rows.clone()].iter().map(|&length| length as usize).sum();
            let tokens = token..token + count;
            (row, token) = (rows.end, tokens.end);
            (rows, tokens)
        })
    }
}

fn check_outputs(outputs: &[i32], count: usize, row_of: impl Fn(usize) -> usize) -> Result<()> {
    match outputs.iter().position(|&label| label < 0 || label as usize >= count) {
        None => Ok(()),
        Some(at) => Err(error(
            ErrorCode::OutOfRange,
            format!("label {} of row {} is outside the {count} classes", outputs[at], row_of(at)),
        )),
    }
}

pub(crate) fn check_starts(outputs: &[i32], starts: &[u32], rows: usize) -> Result<()> {
    let rises = starts.windows(2).all(|pair| pair[0] <= pair[1]);
    if starts.len() != rows + 1 || starts[0] != 0 || starts[rows] as usize != outputs.len() || !rises {
        let message = format!(
            "expected {} label offsets that rise from 0 to the {} labels but received {} for {rows} rows",
            rows + 1,
            outputs.len(),
            starts.len()
        );
        return Err(error(ErrorCode::InvalidShape, message));
    }
    Ok(())
}

fn check_rising(outputs: &[i32], starts: &[u32]) -> Result<()> {
    for (row, pair) in starts.windows(2).enumerate() {
        let labels = &outputs[pair[0] as usize..pair[1] as usize];
        if let Some(pair) = labels.windows(2).find(|pair| pair[0] >= pair[1]) {
            let message = format!(
                "the labels of a row must rise, each once, but in row {row} {} comes before {}",
                pair[0], pair[1]
            );
            return Err(error(ErrorCode::InvalidArgument, message));
        }
    }
    Ok(())
}

/// Checks new word vectors, `[words, embedding_dim]`. The words must be in the vocabulary and not the padding word,
/// whose vector stays zero.
///
/// # Errors
/// `OutOfRange` for a word outside the vocabulary or the padding word, `InvalidShape` unless there is one vector for
/// each word.
pub fn check_word_vectors(words: &[i32], vectors: &[f32], encoder: &EncoderConfig) -> Result<()> {
    let padding = encoder.padding_idx.map(i64::from);
    for &word in words {
        if word < 0 || word as usize >= encoder.vocab_size {
            let message = format!("word {word} is outside the vocabulary of {} words", encoder.vocab_size);
            return Err(error(ErrorCode::OutOfRange, message));
        }
        if padding == Some(i64::from(word)) {
            let message = format!("word {word} is the padding word, whose vector stays zero");
            return Err(error(ErrorCode::OutOfRange, message));
        }
    }
    let dims = encoder.embedding_dim;
    if vectors.len() != words.len() * dims {
        let message = format!(
            "expected {} vectors of {dims} values ({}) but received {} values",
            words.len(),
            words.len() * dims,
            vectors.len()
        );
        return Err(error(ErrorCode::InvalidShape, message));
    }
    Ok(())
}
