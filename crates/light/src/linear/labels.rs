//! Labels from JavaScript.

use napi::bindgen_prelude::Uint32Array;
use recurra_linear::Labels;

/// Labels of rows; with `ends`, any number per row.
pub(super) struct Owned {
    labels: Vec<u32>,
    ends: Option<Vec<usize>>,
}

impl Owned {
    pub(super) fn new(labels: &Uint32Array, ends: Option<&Uint32Array>) -> Self {
        let ends = ends.map(|ends| ends.iter().map(|&end| end as usize).collect());
        Self { labels: labels.to_vec(), ends }
    }

    pub(super) fn labels(&self) -> Labels<'_> {
        match &self.ends {
            Some(ends) => Labels::Many { labels: &self.labels, ends },
            None => Labels::One(&self.labels),
        }
    }
}
