//! Texts waiting to be counted or predicted.

use napi::Env;
use napi::bindgen_prelude::Array;
use recurra_core::{Error, ErrorCode, Result};

use crate::strings::utf8;

/// Concatenated UTF-8 texts.
#[derive(Default)]
pub(super) struct Store {
    text: String,
    ends: Vec<usize>,
}

impl Store {
    fn get(&self, row: usize) -> Option<&str> {
        let end = *self.ends.get(row)?;
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// The texts of some rows, or of all.
    pub(super) fn some(&self, rows: Option<&[u32]>) -> Result<Vec<&str>> {
        let text = |row: usize| {
            let outside = || Error::new(ErrorCode::OutOfRange, format!("there is no row {row} of {}", self.ends.len()));
            self.get(row).ok_or_else(outside)
        };
        match rows {
            Some(rows) => rows.iter().map(|&row| text(row as usize)).collect(),
            None => (0..self.ends.len()).map(text).collect(),
        }
    }

    pub(super) fn push(&mut self, env: Env, texts: &Array<'_>) -> napi::Result<()> {
        utf8(env, texts, |text| {
            self.text.push_str(text);
            self.ends.push(self.text.len());
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<usize>()
    }
}
