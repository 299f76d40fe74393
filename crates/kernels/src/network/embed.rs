//! One vector for a text: the mean of what the recurrent layers made of it.

use std::sync::atomic::Ordering;

use super::batches::BATCH_TOKENS;
use super::model::Network;
use super::stream::Stream;
use recurra_core::{Result, Rows};

impl Network {
    /// The mean of the last layer's outputs over the tokens of each row, `[rows, hidden_size]`: of a network of one direction whose head
    /// scores every token. A row that is longer than a batch is read piece by piece, so that its length takes no memory.
    ///
    /// # Errors
    /// As [`Rows::validate`]; `InvalidArgument` for another network.
    pub fn embed(&self, tokens: &[i32], lengths: &[i32]) -> Result<Vec<f32>> {
        let rows = Rows::new(tokens, lengths);
        let encoder = &self.params.config.encoder;
        self.params.check(rows)?;
        self.check_streams()?;
        let seen = self.read().predicted.fetch_add(tokens.len(), Ordering::Relaxed).saturating_add(tokens.len());
        self.project_vocabulary(seen)?;
        let width = encoder.hidden_size;
        self.with_reader(|reader| {
            if lengths.iter().all(|&length| length as usize <= BATCH_TOKENS) {
                return self.means(reader, rows);
            }
            let mut found = Vec::with_capacity(lengths.len() * width);
            let mut start = 0;
            for &length in lengths {
                let row = &tokens[start..start + length as usize];
                start += row.len();
                if row.len() <= BATCH_TOKENS {
                    found.extend(self.means(reader, Rows::new(row, &[length]))?);
                    continue;
                }
                let mut sums = vec![0.0; width];
                Stream::default().add_outputs(reader, row, &mut sums)?;
                found.extend(sums.iter().map(|sum| (sum / row.len() as f64) as f32));
            }
            Ok(found)
        })
    }
}
