//! From word numbers to a vector for each token and final states: the embedding under the recurrent layers.

pub(crate) mod bags;
pub(crate) mod embedding;
pub(crate) mod encoded;
pub(crate) mod lookup;
pub(crate) mod noise;
pub(crate) mod plan;
pub(crate) mod table;
