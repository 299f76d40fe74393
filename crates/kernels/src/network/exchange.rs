//! What joins the networks of several processes that train as one.

use std::sync::Arc;

use super::model::Network;
use recurra_core::Result;

/// The ranks of a group, each of which has a network of the same configuration and its own share of the rows.
///
/// All ranks make the same calls in the same order; each call blocks until all have made it, or fails.
pub trait Exchange: Send + Sync {
    /// This process's number in the group, from 0.
    fn rank(&self) -> usize;

    /// Processes in the group.
    fn size(&self) -> usize;

    /// Sums the values of all ranks in place; every rank gets the same bits.
    ///
    /// # Errors
    /// `Distributed` where a rank is lost or silent.
    fn all_reduce(&self, values: &mut [f32]) -> Result<()>;

    /// The bytes of all ranks, rank by rank.
    ///
    /// # Errors
    /// As [`Exchange::all_reduce`].
    fn all_gather(&self, bytes: &[u8]) -> Result<Vec<Vec<u8>>>;
}

impl Network {
    /// Trains with the other ranks from now on, or with `None` alone again: a step of [`Network::train_batches`] is one step on the rows that all ranks have in
    /// that batch, and its result is the same on all of them, bit by bit. The ranks' networks must have the same weights. Each
    /// rank's dropout has masks of its own; those of rank 0 are what they are without a group.
    pub fn distribute(&self, exchange: Option<Arc<dyn Exchange>>) {
        self.write().exchange = exchange;
    }
}

/// The seed of the dropout masks of a rank.
pub(super) fn dropout_seed(seed: u64, exchange: Option<&dyn Exchange>) -> u64 {
    // An odd constant (the golden ratio's) takes different ranks to seeds that are far apart; rank 0 keeps the network's own.
    seed ^ (exchange.map_or(0, Exchange::rank) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
