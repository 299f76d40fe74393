//! Forms: words as they are written, each with its vocabulary id and its character features.

use crate::error::{Error, ErrorCode, Result};
use crate::network::EncoderConfig;

/// A list of forms, each with its vocabulary id and the numbers of its features. A network with subwords reads form
/// numbers instead of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forms {
    words: Vec<u32>,
    /// End of each form's features.
    ends: Vec<u32>,
    features: Vec<u32>,
    /// The largest word id and feature number, each plus one; 0 if there are none.
    bounds: (u32, u32),
}

impl Forms {
    /// Creates forms from their words, `[forms]`, and features. The features of form `n` are
    /// `features[starts[n]..starts[n + 1]]`; a feature may occur more than once and counts as often.
    ///
    /// # Errors
    /// `OutOfRange` for a negative word. `InvalidShape` unless there is one more start than forms and the starts rise
    /// from 0 to the number of features.
    pub fn new(words: &[i32], starts: &[u32], features: &[u32]) -> Result<Self> {
        let rises = starts.is_sorted() && starts.first() == Some(&0);
        if starts.len() != words.len() + 1 || !rises || starts[words.len()] as usize != features.len() {
            let message = format!(
                "expected {} starts of forms that rise from 0 to the {} features but received {}",
                words.len() + 1,
                features.len(),
                starts.len()
            );
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        let mut forms = Self::default();
        for (&word, range) in words.iter().zip(starts.windows(2)) {
            let own = &features[range[0] as usize..range[1] as usize];
            forms.push(word, own.len(), |to| to.extend_from_slice(own))?;
        }
        Ok(forms)
    }

    /// Appends a form with its word. `features` appends the form's features, at most `most`, to the vector it is given
    /// and does not change the vector otherwise.
    ///
    /// # Errors
    /// `OutOfRange` for a negative word or more than 2^32 features in total, `OutOfMemory`. The form is not added then.
    pub fn push(&mut self, word: i32, most: usize, features: impl FnOnce(&mut Vec<u32>)) -> Result<()> {
        let form = self.words.len();
        let fail = |message: String| Err(Error::new(ErrorCode::OutOfRange, message));
        if word < 0 {
            return fail(format!("form {form} has the word {word}: expected an id of the vocabulary"));
        }
        let room = self.features.try_reserve(most).and_then(|()| self.words.try_reserve(1));
        if room.and_then(|()| self.ends.try_reserve(1)).is_err() {
            return Err(Error::new(ErrorCode::OutOfMemory, format!("the system refused memory for {form} forms")));
        }
        let start = self.features.len();
        features(&mut self.features);
        let Ok(end) = u32::try_from(self.features.len()) else {
            self.features.truncate(start);
            return fail(format!("form {form} has too many features: the limit is {} in total", u32::MAX));
        };
        let above = |value: u32| value.saturating_add(1);
        self.bounds.0 = self.bounds.0.max(above(word.cast_unsigned()));
        self.bounds.1 = self.features[start..].iter().copied().map(above).fold(self.bounds.1, u32::max);
        self.words.push(word.cast_unsigned());
        self.ends.push(end);
        Ok(())
    }

    /// Number of forms.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are no forms.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The vocabulary id of a form.
    #[inline]
    pub fn word(&self, form: usize) -> u32 {
        self.words[form]
    }

    /// The feature numbers of a form.
    #[inline]
    pub fn features(&self, form: usize) -> &[u32] {
        let start = if form == 0 { 0 } else { self.ends[form - 1] };
        &self.features[start as usize..self.ends[form] as usize]
    }

    /// Memory in use, in bytes.
    pub fn bytes(&self) -> usize {
        4 * (self.words.capacity() + self.ends.capacity() + self.features.capacity())
    }

    /// Checks that all words and features are in the range of a network.
    ///
    /// # Errors
    /// `OutOfRange` for a word outside the vocabulary or a feature outside the buckets.
    pub fn validate(&self, encoder: &EncoderConfig) -> Result<()> {
        let buckets = encoder.subwords.map_or(0, |subwords| subwords.buckets);
        let (words, features) = self.bounds;
        let fail = |message: String| Err(Error::new(ErrorCode::OutOfRange, message));
        if words as usize > encoder.vocab_size {
            let word = words - 1;
            return fail(format!("a form's word {word} is outside the vocabulary of {} words", encoder.vocab_size));
        }
        if features as usize > buckets {
            return fail(format!("a form's feature {} is outside the {buckets} buckets", features - 1));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cell;
    use crate::network::SubwordsConfig;

    #[test]
    fn forms_have_their_words_and_features_and_what_does_not_fit_is_refused() {
        let forms = Forms::new(&[3, 0, 3], &[0, 2, 2, 3], &[7, 7, 1]).unwrap();
        assert_eq!((forms.len(), forms.word(2), forms.features(0), forms.features(1)), (3, 3, &[7, 7][..], &[][..]));
        assert!(Forms::new(&[], &[0], &[]).unwrap().is_empty());
        for (words, starts, features, code) in [
            (&[1][..], &[0][..], &[][..], ErrorCode::InvalidShape),
            (&[1], &[1, 1], &[0], ErrorCode::InvalidShape),
            (&[1], &[0, 1], &[0, 0], ErrorCode::InvalidShape),
            (&[1, 1], &[0, 2, 1], &[0], ErrorCode::InvalidShape),
            (&[], &[], &[], ErrorCode::InvalidShape),
            (&[0, -1], &[0, 0, 0], &[], ErrorCode::OutOfRange),
        ] {
            assert_eq!(Forms::new(words, starts, features).unwrap_err().code(), code);
        }
        let encoder = |vocab_size, buckets| EncoderConfig {
            subwords: Some(SubwordsConfig { buckets, dim: 2 }),
            ..EncoderConfig::new(Cell::Lstm, vocab_size, 2, 2)
        };
        assert_eq!(forms.validate(&encoder(4, 8)), Ok(()));
        assert!(forms.validate(&encoder(3, 8)).unwrap_err().message().contains("word 3 is outside"));
        assert!(forms.validate(&encoder(4, 7)).unwrap_err().message().contains("feature 7 is outside the 7 buckets"));
    }
}
