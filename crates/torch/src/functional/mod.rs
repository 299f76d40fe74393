//! Layers without state: linear, embeddings, dropout, cross entropy.

mod bag;
mod dropout;
mod embedding;
mod linear;
mod loss;
mod small;

pub use bag::{BagMode, embedding_bag};
pub use dropout::dropout;
pub use embedding::{KnownRange, Looked, embedding, embedding_later};
pub use linear::linear;
pub use loss::{count_correct, cross_entropy, cross_entropy_of};
