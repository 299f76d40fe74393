//! Tagging heads: how tags are decoded, and which tags may follow each other.

use crate::error::{Error, ErrorCode, Result};
use crate::sizes::{MAX_PARAMETERS, argument, check_linear};

/// Maximum number of tags. Predictions store a tag's number as a float32, which is exact up to this number.
pub const MOST_TAGS: usize = 1 << 24;

/// A head that scores the tags of each token with a linear layer on the encoder's outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct TagsConfig {
    /// Number of tags.
    pub tags: usize,
    /// How scores become tags and a loss.
    pub decoder: Decoder,
    /// Transitions that are never predicted; for a CRF only.
    pub forbidden: Option<Forbidden>,
}

/// How the scores of a row's tokens become tags and a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decoder {
    /// A linear-chain CRF: a path's score is the sum of the scores of its tags and transitions. The most probable path
    /// is predicted.
    Crf,
    /// Each token independently.
    Softmax,
    /// Each token independently, for many tags sorted by descending frequency: `torch.nn.AdaptiveLogSoftmaxWithLoss`
    /// with the cutoffs of [`adaptive_cutoffs`], `div_value=4` and `head_bias=True`.
    Adaptive,
}

/// Cutoffs of an adaptive softmax: its two tail clusters start after 1/16 and 1/4 of the tags.
pub const fn adaptive_cutoffs(tags: usize) -> [usize; 2] {
    [tags / 16, tags / 4]
}

/// Minimum number of tags of an adaptive softmax.
pub const LEAST_ADAPTIVE_TAGS: usize = 16;

impl Decoder {
    /// Every decoder.
    pub const ALL: [Self; 3] = [Self::Crf, Self::Softmax, Self::Adaptive];

    /// Name of the decoder in model options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crf => "crf",
            Self::Softmax => "softmax",
            Self::Adaptive => "adaptive",
        }
    }

    /// Looks up a decoder by its [`Decoder::name`].
    ///
    /// # Errors
    /// `InvalidArgument` for another name.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|decoder| decoder.name() == name);
        found.ok_or_else(|| argument("decoder", format!("there is no decoder '{name}'")))
    }
}

/// The transitions that no path of tags may have. At least one path of every length must remain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forbidden {
    /// Tags that must not be first, `[tags]`.
    pub start: Vec<bool>,
    /// Tags that must not be last, `[tags]`.
    pub end: Vec<bool>,
    /// Whether the tag `to` must not follow the tag `from`, `[from, to]`.
    pub between: Vec<bool>,
}

impl Forbidden {
    fn validate(&self, tags: usize) -> Result<()> {
        let sizes = [("start", self.start.len(), tags), ("end", self.end.len(), tags)];
        let between = ("between", self.between.len(), tags.saturating_mul(tags));
        for (name, length, expected) in sizes.into_iter().chain([between]) {
            if length != expected {
                let message = format!("forbidden.{name} has {length} values instead of {expected} for {tags} tags");
                return Err(argument("forbidden", message));
            }
        }
        if !(0..tags).any(|tag| !self.start[tag] && !self.end[tag]) {
            return Err(argument("forbidden", "forbidden leaves no tag for a row of one token".into()));
        }
        Ok(())
    }

    /// The first place with a forbidden transition; the path's length if its last tag must not be last.
    fn first_in(&self, path: &[i32], tags: usize) -> Option<usize> {
        let mut before = None;
        for (at, &tag) in path.iter().enumerate() {
            let tag = tag as usize;
            if before.map_or(self.start[tag], |before: usize| self.between[before * tags + tag]) {
                return Some(at);
            }
            before = Some(tag);
        }
        self.end[before?].then_some(path.len())
    }
}

impl TagsConfig {
    pub(crate) fn validate(&self, hidden_size: usize) -> Result<()> {
        check_linear("tags", self.tags, hidden_size)?;
        if self.tags > MOST_TAGS {
            return Err(argument("tags", format!("tags must be at most {MOST_TAGS} but is {}", self.tags)));
        }
        match (self.decoder, &self.forbidden) {
            (Decoder::Crf, _) if (self.tags as f64).powi(2) > MAX_PARAMETERS => {
                Err(argument("tags", format!("a CRF of {} tags has too many transitions for any computer", self.tags)))
            }
            (Decoder::Softmax | Decoder::Adaptive, Some(_)) => {
                let message =
                    format!("forbidden is for the decoder 'crf'; '{}' has no transitions", self.decoder.name());
                Err(argument("forbidden", message))
            }
            (Decoder::Adaptive, None) if self.tags < LEAST_ADAPTIVE_TAGS => {
                let message =
                    format!("an adaptive softmax needs at least {LEAST_ADAPTIVE_TAGS} tags but has {}", self.tags);
                Err(argument("tags", message))
            }
            (Decoder::Crf, Some(forbidden)) => forbidden.validate(self.tags),
            (_, None) => Ok(()),
        }
    }

    /// Checks the tags of rows for forbidden transitions. The tags must be in range and agree with the lengths.
    ///
    /// # Errors
    /// `InvalidArgument`, which names the row and the place.
    pub(crate) fn check_paths(&self, tags: &[i32], lengths: &[i32]) -> Result<()> {
        let Some(forbidden) = &self.forbidden else { return Ok(()) };
        let mut start = 0;
        for (row, &length) in lengths.iter().enumerate() {
            let path = &tags[start..start + length as usize];
            start += path.len();
            let Some(at) = forbidden.first_in(path, self.tags) else { continue };
            let message = if at == 0 {
                format!("tag {} must not be the first, as in row {row}", path[0])
            } else if at == path.len() {
                format!("tag {} must not be the last, as in row {row}", path[at - 1])
            } else {
                format!("tag {} must not follow tag {}, as at token {at} of row {row}", path[at], path[at - 1])
            };
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        Ok(())
    }
}
