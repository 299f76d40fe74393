//! What goes into training and prediction, checked once for every engine, and what comes out of a training. How it learns is in
//! [`crate::steps`].

use std::ops::Range;

use crate::error::{Error, ErrorCode, Result};
use crate::forms::Forms;
use crate::network::{EncoderConfig, HeadConfig, NetworkConfig};
use crate::rows::Rows;

/// Batches to train on, all rows one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chunk<'a> {
    /// Token ids of all rows; with `forms` the numbers of forms.
    pub tokens: &'a [i32],
    /// Number of tokens of each row, at least 1.
    pub lengths: &'a [i32],
    /// What the rows are trained towards.
    pub targets: Targets<'a>,
    /// Number of rows of each batch.
    pub batch_sizes: &'a [i32],
    /// What the tokens are, for a network with subwords and for no other.
    pub forms: Option<&'a Forms>,
}

/// Targets of rows.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a> {
    /// One output a row. `[rows]`.
    Rows(&'a [i32]),
    /// Any number of outputs a row.
    Sets {
        /// The outputs of all rows, one row after the other; those of a row rise.
        outputs: &'a [i32],
        /// Where those of each row begin in `outputs`, and at last how many there are. `[rows + 1]`.
        starts: &'a [u32],
    },
    /// One output a token, in the order of the chunk's tokens. `[tokens]`.
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
    /// Sum over the batches (before each one's step) of the mean loss times the number of answers; without weights of outputs the
    /// sum of the losses.
    pub loss: f64,
    /// Answers that were right: rows whose largest score was that of their target; with sets, rows whose targets are exactly the
    /// outputs with a probability above a half; with tags, tokens whose most probable tag was their target.
    pub correct: u64,
    /// Answers that were trained on: rows, or with tags tokens.
    pub answers: u64,
    /// Rows that were trained on.
    pub rows: u64,
    /// Number of the batch within the chunk whose loss (or, with clipping, gradient) was not finite. The weights are
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
    /// `InvalidShape` when counts do not agree or the targets are not of the head's kind, `OutOfRange` for a length, token id,
    /// target or batch size outside its range, `InvalidArgument` for a set whose outputs do not rise or tags with a forbidden
    /// transition.
    pub fn validate(&self, config: &NetworkConfig) -> Result<()> {
        self.validate_for(config, false)
    }

    /// As [`Chunk::validate`]; where there are other `ranks` a batch may be without rows: theirs have some.
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
        // Paths are cut out by the lengths, which are known to fit now.
        match (&config.head, self.targets) {
            (HeadConfig::Tags(head), Targets::Tokens(tags)) => head.check_paths(tags, self.lengths),
            _ => Ok(()),
        }
    }

    /// The rows without what they are trained towards.
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

    /// Checks that all batches are parts of the same streams: as many rows each, equally long within a batch. Batches without rows,
    /// where streams have ended before those of other ranks, do not count.
    ///
    /// # Errors
    /// `InvalidShape` where one is not.
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

    /// Some rows, with their tokens, as one batch; starts of sets stay those of the chunk.
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

    /// Rows and tokens of each batch.
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

/// Checks new vectors of words: `[words, embedding_dim]`, for words of the vocabulary but not the padding word, whose vector
/// stays zero.
///
/// # Errors
/// `OutOfRange` for a word outside the vocabulary or the padding word, `InvalidShape` when there is not one vector for each word.
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
