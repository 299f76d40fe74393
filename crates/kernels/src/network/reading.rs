//! Predictions, side by side: what they read of the weights, and when that is made ready.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::model::Network;
use super::predict::{Frozen, Reader, Want};
use super::vectors::Vectors;
use super::weights::Weights;
use crate::encoder::frequent::FrequentWords;
use crate::encoder::table::WordTable;
use crate::heads::pass::Aim;
use recurra_core::{Chunk, Decoder, Error, ErrorCode, HeadConfig, Result, Rows, Targets};

impl Network {
    /// Probabilities `[rows, num_classes]`, rows in the order given; `lengths` has the number of tokens of each row. With tags
    /// `[tokens, 3]`: a token's tag, its probability there, and the probability that it and the next token's tag are both right
    /// (at the last token of a row the former once more). The tags are those of the most probable path. Once as
    /// many tokens were predicted as there are words, every word's input projection is computed and kept.
    ///
    /// # Errors
    /// `OutOfRange` for a length below 1 or a token id outside the vocabulary, `InvalidShape` when the lengths do not add
    /// up to the number of tokens.
    pub fn predict(&self, tokens: &[i32], lengths: &[i32]) -> Result<Vec<f32>> {
        self.predict_rows(Rows::new(tokens, lengths))
    }

    /// As [`Self::predict`], for rows of words or of forms. Forms have no table of projections: they come and go with the texts.
    ///
    /// # Errors
    /// As [`Rows::validate`].
    pub fn predict_rows(&self, rows: Rows<'_>) -> Result<Vec<f32>> {
        self.params.check(rows)?;
        let tokens = rows.tokens.len();
        let seen = self.read().predicted.fetch_add(tokens, Ordering::Relaxed).saturating_add(tokens);
        self.project_vocabulary(seen)?;
        self.with_reader(|reader| self.outputs(reader, rows, Aim::Answers))
    }

    /// The linear layer's outputs for texts, `[rows, outputs]`, or with tags `[tokens, outputs]`: what [`Self::predict`] makes its
    /// answers of, in the same order.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn logits(&self, tokens: &[i32], lengths: &[i32]) -> Result<Vec<f32>> {
        self.logits_of_rows(Rows::new(tokens, lengths))
    }

    /// As [`Self::logits`], for rows of words or of forms.
    ///
    /// # Errors
    /// As [`Rows::validate`].
    pub fn logits_of_rows(&self, rows: Rows<'_>) -> Result<Vec<f32>> {
        self.params.check(rows)?;
        self.with_reader(|reader| self.outputs(reader, rows, Aim::Scores))
    }

    /// Like [`Self::predict_rows`] for a network for tags, with the loss of each row: the negative logarithm of the
    /// probability of its right tags, in nats, without any dropout. `tags` has the right tag of each token.
    ///
    /// # Errors
    /// As [`Chunk::validate`]; `InvalidArgument` for an adaptive softmax.
    pub fn measure_rows(&self, rows: Rows<'_>, tags: &[i32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let Rows { tokens, lengths, forms } = rows;
        let all = [lengths.len() as i32];
        let batch_sizes = if lengths.is_empty() { &[][..] } else { &all[..] };
        Chunk { tokens, lengths, targets: Targets::Tokens(tags), batch_sizes, forms }.validate(&self.params.config)?;
        if matches!(&self.params.config.head, HeadConfig::Tags(tags) if tags.decoder == Decoder::Adaptive) {
            let message = "an adaptive softmax is measured by the log-probabilities of a stream";
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        self.freeze()?;
        self.with_reader(|reader| self.outputs_with(reader, rows, Some(tags), Aim::Answers))
    }

    /// As [`Self::predict`], for callers that must not wait: `None` where the weights are being changed, or are to be made
    /// ready for prediction first.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn predict_at_once(&self, tokens: &[i32], lengths: &[i32]) -> Result<Option<Vec<f32>>> {
        self.predict_rows_at_once(Rows::new(tokens, lengths))
    }

    /// As [`Self::predict_at_once`], for rows of words or of forms.
    ///
    /// # Errors
    /// As [`Rows::validate`].
    pub fn predict_rows_at_once(&self, rows: Rows<'_>) -> Result<Option<Vec<f32>>> {
        self.params.check(rows)?;
        // Fails also where a change waits for other readers: the lock lets no further ones in then.
        let Ok(weights) = self.weights.try_read() else { return Ok(None) };
        let Some(reader) = self.reader(&weights) else { return Ok(None) };
        self.outputs(&reader, rows, Aim::Answers).map(Some)
    }

    pub(super) fn outputs(&self, reader: &Reader<'_>, rows: Rows<'_>, aim: Aim) -> Result<Vec<f32>> {
        self.outputs_with(reader, rows, None, aim).map(|(values, _)| values)
    }

    fn outputs_with(
        &self,
        reader: &Reader<'_>,
        rows: Rows<'_>,
        gold: Option<&[i32]>,
        aim: Aim,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let lock = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let take = || lock().pop().unwrap_or_default();
        reader.predict(rows, gold, Want::Head(aim), &self.pool, take, |scratch| lock().push(scratch))
    }

    /// The means of validated rows' outputs.
    pub(super) fn means(&self, reader: &Reader<'_>, rows: Rows<'_>) -> Result<Vec<f32>> {
        let lock = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let take = || lock().pop().unwrap_or_default();
        reader.predict(rows, None, Want::Mean, &self.pool, take, |scratch| lock().push(scratch)).map(|(means, _)| means)
    }

    /// The weights as prediction reads them; `None` if they are not ready.
    fn reader<'a>(&'a self, weights: &'a Weights) -> Option<Reader<'a>> {
        let frozen = weights.frozen.as_ref()?;
        let vectors = weights.inputs(&self.params, frozen);
        Some(Reader { params: &self.params, vectors, flat: &weights.flat, frozen })
    }

    /// Reads the packed weights, shared with other readers.
    pub(super) fn with_reader<T>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T>) -> Result<T> {
        loop {
            let weights = self.read();
            if let Some(reader) = self.reader(&weights) {
                return read(&reader);
            }
            drop(weights);
            self.freeze()?;
        }
    }

    /// Gets ready for many predictions: all rows current, weights packed, every word's input projection computed where
    /// the table is not too large.
    ///
    /// # Errors
    /// Only for a fault of this library.
    pub fn prepare(&self) -> Result<()> {
        self.project_vocabulary(usize::MAX)
    }

    /// Whether the projections of the most frequent words are kept.
    #[cfg(test)]
    pub(super) fn keeps_frequent_words(&self) -> bool {
        let weights = self.read();
        let frequent = weights.frozen.as_ref().and_then(|frozen| frozen.frequent.as_ref());
        frequent.is_some_and(|frequent| frequent.get().is_some())
    }

    /// Makes all rows current and packs the weights for prediction.
    pub(super) fn freeze(&self) -> Result<()> {
        if self.read().frozen.is_some() {
            return Ok(());
        }
        let mut guard = self.write();
        let weights = &mut *guard;
        if weights.frozen.is_none() {
            weights.draw(&self.params)?;
            if let Some(optimizer) = &mut weights.optimizer {
                optimizer.flush(&mut weights.vectors)?;
            }
            let Vectors { words, features, .. } = &weights.vectors;
            let inputs = if weights.settled { None } else { self.params.folded(words, features) };
            let mut frozen = Frozen { inputs, ..Frozen::new(&self.params, &weights.flat, weights.codes) };
            let words = weights.inputs(&self.params, &frozen).words;
            // Where forms come with the texts, a word's row is not all of an input.
            let whole = words.dims == self.params.config.encoder.inputs();
            if whole && !WordTable::fits(&self.params.shape, words) {
                frozen.frequent = Some(FrequentWords::new(words.rows));
            }
            weights.frozen = Some(frozen);
        }
        Ok(())
    }

    /// Makes the table of all words if it is worth it after `seen` predicted tokens. Predictions continue while it is made: it
    /// is put in its place without a lock that they wait for.
    pub(super) fn project_vocabulary(&self, seen: usize) -> Result<()> {
        self.freeze()?;
        let weights = self.read();
        if let Some(frozen) = &weights.frozen {
            frozen.project(&self.params, weights.inputs(&self.params, frozen).words, &self.pool, seen);
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "training"))]
mod tests;
