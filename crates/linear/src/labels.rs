//! The labels of the training rows.

use crate::error::{Error, ErrorCode, Result, invalid};

/// The labels of rows, as numbers from 0.
#[derive(Clone, Copy, Debug)]
pub enum Labels<'a> {
    /// One label per row.
    One(&'a [u32]),
    /// Any number of labels per row. Those of row `i` end at `ends[i]` and start where the previous row ends.
    Many {
        /// The labels of all rows, concatenated.
        labels: &'a [u32],
        /// End of each row's labels.
        ends: &'a [usize],
    },
}

impl Labels<'_> {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::One(labels) => labels.len(),
            Self::Many { ends, .. } => ends.len(),
        }
    }

    /// Whether a row may have several labels.
    #[must_use]
    pub fn several(&self) -> bool {
        matches!(self, Self::Many { .. })
    }

    /// The labels of a row.
    pub(crate) fn of(&self, row: usize) -> &[u32] {
        match self {
            Self::One(labels) => std::slice::from_ref(&labels[row]),
            Self::Many { labels, ends } => &labels[if row == 0 { 0 } else { ends[row - 1] }..ends[row]],
        }
    }

    pub(crate) fn validate(&self, rows: usize, classes: usize) -> Result<()> {
        if self.rows() != rows {
            return Err(invalid(format!("there are {rows} rows and labels for {}", self.rows())));
        }
        let all = match self {
            Self::One(labels) => labels,
            Self::Many { labels, ends } => {
                if !ends.is_sorted() || ends.last().copied().unwrap_or(0) != labels.len() {
                    return Err(invalid("the ends of the rows' labels must rise and end with the last label"));
                }
                labels
            }
        };
        match all.iter().find(|&&label| label as usize >= classes) {
            Some(label) => {
                Err(Error::new(ErrorCode::OutOfRange, format!("label {label} is outside the {classes} labels")))
            }
            None => Ok(()),
        }
    }
}

/// Number of scores of a model: one is enough for two exclusive labels.
pub(crate) fn outputs(classes: usize, several: bool) -> usize {
    if classes == 2 && !several { 1 } else { classes }
}
