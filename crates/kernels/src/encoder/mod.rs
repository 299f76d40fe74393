//! The encoder: the embedding and the recurrent layers, from word ids to a vector per token and final states.

pub(crate) mod bags;
#[cfg(feature = "training")]
pub(crate) mod embedding;
pub(crate) mod encoded;
pub(crate) mod frequent;
#[cfg(feature = "training")]
pub(crate) mod lookup;
pub(crate) mod made;
pub(crate) mod mean;
#[cfg(feature = "training")]
pub(crate) mod noise;
pub(crate) mod plan;
#[cfg(feature = "training")]
pub(crate) mod subwords;
pub(crate) mod table;
pub(crate) mod words;
