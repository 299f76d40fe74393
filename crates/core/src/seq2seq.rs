//! The configuration, training options and decoding options of a sequence-to-sequence network.

use crate::cell::Cell;
use crate::error::{Error, ErrorCode, Result};
use crate::network::{EncoderConfig, MAX_THREADS, check_recurrent_sizes};
use crate::rows::check_rows;
use crate::sizes::{argument, check_count, check_linear};
use crate::steps::{Initial, StepOptions};
use crate::training::{Chunk, Targets, check_starts};

/// The score of a source unit at a step of the decoder. `h` is the decoder's output and `a` the encoder's output for
/// the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// `h . W a`: the "general" score of Luong, Pham and Manning, "Effective Approaches to Attention-based Neural
    /// Machine Translation", 2015.
    Luong,
    /// `v . tanh(Q h + W a + b)`, after Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to
    /// Align and Translate", 2015. It uses the decoder's new output instead of the previous one.
    Bahdanau,
}

impl Attention {
    /// Name of the attention in model options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Luong => "luong",
            Self::Bahdanau => "bahdanau",
        }
    }

    /// Looks up an attention by its [`Attention::name`].
    ///
    /// # Errors
    /// `InvalidArgument` for another name.
    pub fn parse(name: &str) -> Result<Self> {
        let found = [Self::Luong, Self::Bahdanau].into_iter().find(|attention| attention.name() == name);
        found
            .ok_or_else(|| argument("attention", format!("there is no attention '{name}': expected luong or bahdanau")))
    }
}

/// An encoder, and a decoder that writes one unit at a time and attends to the encoder's outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Seq2SeqConfig {
    /// Turns source units into the vectors that the decoder attends to. The decoder has the same cell. The dropout
    /// rates for embedded units and between layers apply to both; `outputs` applies to the input of the layer that
    /// scores units. The recurrent weights have no dropout, and the embedding is not tied.
    pub encoder: EncoderConfig,
    /// Number of target units.
    pub target_size: usize,
    /// Size of a target unit's vector.
    pub target_embedding_dim: usize,
    /// Size of the decoder's hidden state.
    pub decoder_hidden: usize,
    /// Number of layers of the decoder. Each starts with the final states of the same layer of the encoder, or of its
    /// last layer if the encoder has fewer.
    pub decoder_layers: usize,
    /// How source units are scored.
    pub attention: Attention,
    /// The target unit that the decoder reads first. It is never written.
    pub start_unit: u32,
    /// The target unit that ends a row.
    pub end_unit: u32,
    /// Seed of initial weights, dropout and scheduled sampling.
    pub seed: u64,
    /// Threads for training and bulk decoding; 0 counts as 1. Results do not depend on it.
    pub threads: usize,
}

impl Seq2SeqConfig {
    /// One layer and one direction on each side with the same sizes, Luong attention, no dropout, seed 0, one thread.
    /// Units 0 and 1 start and end a row.
    pub const fn new(cell: Cell, source_size: usize, target_size: usize, embedding_dim: usize, hidden: usize) -> Self {
        Self {
            encoder: EncoderConfig::new(cell, source_size, embedding_dim, hidden),
            target_size,
            target_embedding_dim: embedding_dim,
            decoder_hidden: hidden,
            decoder_layers: 1,
            attention: Attention::Luong,
            start_unit: 0,
            end_unit: 1,
            seed: 0,
            threads: 1,
        }
    }

    /// The same configuration with changes.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The encoder's layer whose final states are the initial states of a decoder layer.
    pub fn bridged(&self, layer: usize) -> usize {
        layer.min(self.encoder.num_layers - 1)
    }

    /// Checks sizes and options.
    ///
    /// # Errors
    /// `InvalidArgument` if a size is 0 or too large for any memory, or an option is outside its range.
    pub fn validate(&self) -> Result<()> {
        self.encoder.validate()?;
        let none = |option, what: &str| Err(argument(option, format!("a sequence-to-sequence network has no {what}")));
        if self.encoder.subwords.is_some() {
            return none("subwords", "subwords");
        }
        if self.encoder.tied {
            return none("tieWeights", "tied weights");
        }
        if self.encoder.dropouts.recurrent > 0.0 {
            return none("recurrentDropout", "dropout of recurrent weights");
        }
        check_count("targetSize", self.target_size)?;
        check_count("targetEmbeddingDim", self.target_embedding_dim)?;
        let inputs = self.target_embedding_dim.saturating_add(self.decoder_hidden);
        let name = "targetEmbeddingDim and decoderHidden";
        check_recurrent_sizes(self.encoder.cell, (name, inputs), self.decoder_hidden, self.decoder_layers, 1)?;
        check_linear("targetSize", self.target_size, self.decoder_hidden.max(self.target_embedding_dim))?;
        check_linear("decoderHidden", self.decoder_hidden, self.encoder.features())?;
        for (name, unit) in [("startUnit", self.start_unit), ("endUnit", self.end_unit)] {
            if unit as usize >= self.target_size {
                return Err(argument(name, format!("{name} {unit} is outside the {} target units", self.target_size)));
            }
        }
        if self.start_unit == self.end_unit {
            return Err(argument(
                "endUnit",
                format!("startUnit and endUnit must differ but both are {}", self.end_unit),
            ));
        }
        if self.threads > MAX_THREADS {
            return Err(argument("threads", format!("threads must be at most {MAX_THREADS} but is {}", self.threads)));
        }
        Ok(())
    }

    /// Checks a training chunk. With other `ranks`, a batch may have no rows, because other ranks have some.
    ///
    /// # Errors
    /// `InvalidShape` if counts do not agree or the targets are not sets of units. `OutOfRange` for a length, unit or
    /// batch size outside its range, or targets that do not end with the end unit.
    pub fn check_chunk(&self, chunk: &Chunk<'_>, ranks: bool) -> Result<()> {
        let (least, expected) = if ranks { (0, "none or more") } else { (1, "at least one") };
        if let Some(batch) = chunk.batch_sizes.iter().position(|&size| size < least) {
            let message = format!("batch {batch} has {} rows: expected {expected}", chunk.batch_sizes[batch]);
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        let sum: usize = chunk.batch_sizes.iter().map(|&size| size as usize).sum();
        if sum != chunk.lengths.len() {
            let message = format!("the batch sizes add up to {sum} but there are {} rows", chunk.lengths.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        let Targets::Sets { outputs, starts } = chunk.targets else {
            let message = "expected the target units of all rows with targetStarts, where those of each row begin";
            return Err(Error::new(ErrorCode::InvalidShape, message));
        };
        self.check_pairs(chunk.tokens, chunk.lengths, outputs, starts)
    }

    /// Checks source units and target units. The targets of each row must end with the end unit.
    ///
    /// # Errors
    /// As [`Seq2SeqConfig::check_chunk`].
    pub fn check_pairs(&self, tokens: &[i32], lengths: &[i32], targets: &[i32], starts: &[u32]) -> Result<()> {
        self.check_sources(tokens, lengths)?;
        check_starts(targets, starts, lengths.len())?;
        let fail = |message: String| Err(Error::new(ErrorCode::OutOfRange, message));
        if let Some(at) = targets.iter().position(|&unit| unit < 0 || unit as usize >= self.target_size) {
            let (unit, size) = (targets[at], self.target_size);
            return fail(format!("target unit {unit} at place {at} is outside the {size} target units"));
        }
        let end = self.end_unit as i32;
        for (row, pair) in starts.windows(2).enumerate() {
            let units = &targets[pair[0] as usize..pair[1] as usize];
            if units.last() != Some(&end) {
                return fail(format!("the target units of row {row} must end with the end unit {end}"));
            }
        }
        Ok(())
    }

    /// Checks source units.
    ///
    /// # Errors
    /// As [`check_rows`].
    pub fn check_sources(&self, tokens: &[i32], lengths: &[i32]) -> Result<()> {
        check_rows(tokens, lengths, self.encoder.vocab_size)
    }

    /// Checks the step options for a chunk of `batches` batches.
    ///
    /// # Errors
    /// `InvalidArgument` for a number of learning rates that does not fit, for a rate, norm, share or smoothing outside
    /// its range, and for options that such a network does not have: output weights, adversarial noise and carried
    /// states.
    pub fn check_options(&self, options: &StepOptions<'_>, batches: usize) -> Result<()> {
        options.check_rates(batches)?;
        let StepOptions { loss, sampling, .. } = options;
        for (name, share) in [("labelSmoothing", loss.smoothing), ("sampling", *sampling)] {
            // Check the float32 that the kernels use. Sampling may replace all inputs, but smoothing must leave a part
            // of the target.
            let fits = (0.0..1.0).contains(&(share as f32)) || (name == "sampling" && share == 1.0);
            if !fits {
                let most = if name == "sampling" { "at most 1" } else { "below 1" };
                return Err(argument(name, format!("{name} must be at least 0 and {most} but is {share}")));
            }
        }
        let none = "a sequence-to-sequence network has no";
        if !loss.weights.is_empty() {
            return Err(argument("classWeights", format!("{none} weights of outputs")));
        }
        if options.adversarial > 0.0 {
            return Err(argument("adversarial", format!("{none} adversarial noise")));
        }
        if options.initial != Initial::Zeros {
            return Err(argument("initial", format!("{none} states that are carried from batch to batch")));
        }
        options.algorithm.validate()
    }
}

/// Options of decoding: how target units are searched for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecodeOptions<'a> {
    /// Number of hypotheses kept at each step; 1 takes the most probable unit each time (greedy).
    pub beam_size: usize,
    /// Maximum number of units for each row, not counting the end unit; at least 1.
    pub max_lengths: &'a [i32],
    /// Hypotheses are ranked by log-probability divided by length (with the end unit) to this power; 0 disables
    /// normalisation. This is the simple form of Wu et al., "Google's Neural Machine Translation System", 2016, section
    /// 7.
    pub length_penalty: f64,
    /// Number of results per row, best first; at most `beam_size`.
    pub best: usize,
    /// Whether to return the attention weights of each written unit.
    pub alignments: bool,
}

/// Maximum beam size.
const MAX_BEAMS: usize = 1024;

/// Maximum length of a result.
const MAX_UNITS: i32 = 1 << 20;

impl DecodeOptions<'_> {
    /// Checks the options for a number of rows.
    ///
    /// # Errors
    /// `InvalidArgument` for a size or power outside its range, `InvalidShape` unless there is one length for each row.
    pub fn validate(&self, rows: usize) -> Result<()> {
        let Self { beam_size, best, length_penalty, max_lengths, .. } = *self;
        if !(1..=MAX_BEAMS).contains(&beam_size) {
            return Err(argument("beamSize", format!("beamSize must be between 1 and {MAX_BEAMS} but is {beam_size}")));
        }
        if !(1..=beam_size).contains(&best) {
            let message = format!("nBest must be between 1 and beamSize {beam_size} but is {best}");
            return Err(argument("nBest", message));
        }
        if !(length_penalty.is_finite() && length_penalty.abs() <= 100.0) {
            let message = format!("lengthPenalty must be between -100 and 100 but is {length_penalty}");
            return Err(argument("lengthPenalty", message));
        }
        if max_lengths.len() != rows {
            let message = format!("expected a maxLength for each of {rows} rows but received {}", max_lengths.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        match max_lengths.iter().position(|length| !(1..=MAX_UNITS).contains(length)) {
            None => Ok(()),
            Some(row) => {
                let length = max_lengths[row];
                let message = format!("maxLength must be between 1 and {MAX_UNITS} but is {length} for row {row}");
                Err(argument("maxLength", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Seq2SeqConfig {
        Seq2SeqConfig::new(Cell::Lstm, 10, 6, 4, 3)
    }

    fn refused(change: impl Fn(&mut Seq2SeqConfig), part: &str) {
        assert_eq!(config().validate(), Ok(()));
        let error = config().with(change).validate().unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains(part), "{error}");
    }

    #[test]
    fn what_is_outside_its_range_is_refused_by_name() {
        refused(|c| c.encoder.vocab_size = 0, "vocabSize");
        refused(|c| c.target_size = 0, "targetSize");
        refused(|c| c.target_embedding_dim = 0, "targetEmbeddingDim");
        refused(|c| c.decoder_hidden = 0, "hiddenSize");
        refused(|c| c.decoder_hidden = usize::MAX, "too large");
        refused(|c| c.decoder_layers = 0, "numLayers");
        refused(|c| c.start_unit = 6, "startUnit");
        refused(|c| c.end_unit = 0, "differ");
        refused(|c| c.threads = 1 << 20, "threads");
        refused(|c| c.encoder.dropouts.layers = 1.0, "dropout");
        refused(|c| c.encoder.dropouts.recurrent = 0.1, "recurrent");
        refused(|c| c.encoder.tied = true, "tied");
    }

    #[test]
    fn pairs_are_checked() {
        let check = |tokens: &[i32], lengths: &[i32], targets: &[i32], starts: &[u32]| {
            config().check_pairs(tokens, lengths, targets, starts).map_err(|error| error.code())
        };
        assert_eq!(check(&[1, 2, 3], &[2, 1], &[3, 1, 1], &[0, 2, 3]), Ok(()));
        assert_eq!(check(&[1, 2, 3], &[3, 0], &[3, 1, 1], &[0, 2, 3]), Err(ErrorCode::OutOfRange));
        assert_eq!(check(&[1, 2, 30], &[2, 1], &[3, 1, 1], &[0, 2, 3]), Err(ErrorCode::OutOfRange));
        assert_eq!(check(&[1, 2, 3], &[2, 1], &[3, 1, 3], &[0, 2, 3]), Err(ErrorCode::OutOfRange));
        assert_eq!(check(&[1, 2, 3], &[2, 1], &[3, 1, 1], &[0, 3, 3]), Err(ErrorCode::OutOfRange));
        assert_eq!(check(&[1, 2, 3], &[2, 1], &[6, 1, 1], &[0, 2, 3]), Err(ErrorCode::OutOfRange));
        assert_eq!(check(&[1, 2, 3], &[2, 1], &[3, 1, 1], &[0, 2]), Err(ErrorCode::InvalidShape));
    }

    #[test]
    fn options_are_checked() {
        let check = |change: fn(&mut StepOptions<'static>)| {
            let mut options = StepOptions::default();
            change(&mut options);
            config().check_options(&options, 2).map_err(|error| error.option())
        };
        assert_eq!(check(|_| {}), Ok(()));
        assert_eq!(check(|o| o.sampling = 1.0), Ok(()));
        assert_eq!(check(|o| o.sampling = 1.5), Err(Some("sampling")));
        assert_eq!(check(|o| o.loss.smoothing = 1.0), Err(Some("labelSmoothing")));
        assert_eq!(check(|o| o.loss.weights = &[1.0]), Err(Some("classWeights")));
        assert_eq!(check(|o| o.adversarial = 0.1), Err(Some("adversarial")));
        assert_eq!(check(|o| o.initial = Initial::Begin), Err(Some("initial")));
        assert_eq!(check(|o| o.learning_rates = &[0.1; 3]), Err(Some("lr")));
        let options = DecodeOptions { beam_size: 2, max_lengths: &[3], length_penalty: 1.0, best: 2, alignments: true };
        assert_eq!(options.validate(1), Ok(()));
        assert!(options.validate(2).is_err());
        for bad in [
            DecodeOptions { beam_size: 0, ..options },
            DecodeOptions { best: 3, ..options },
            DecodeOptions { best: 0, ..options },
            DecodeOptions { length_penalty: f64::NAN, ..options },
            DecodeOptions { max_lengths: &[0], ..options },
        ] {
            assert!(bad.validate(1).is_err(), "{bad:?}");
        }
    }
}
