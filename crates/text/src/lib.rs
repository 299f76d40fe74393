//! Converts texts to token ids and words to features: UTF-16 in, numbers out, without a string per token.
//!
//! Training and prediction use this same implementation of the built-in tokenizers. TypeScript property tests compare
//! it with plain definitions on arbitrary text.

mod basic_english;
mod builder;
mod characters;
mod encoder;
mod features;
mod lower;
mod reading;
mod subwords;
mod vocabulary;
mod wtf8;

pub use builder::{BuildOptions, Builder, Built, build};
pub use encoder::{Counts, Encoder};
pub use features::{FeatureRoom, Features};
pub use lower::needs_javascript;
pub use reading::{Reading, Room, Tokenizer, Truncation};
pub use subwords::{each_subword, hash};
pub use vocabulary::{Full, Taken, Vocabulary};
pub use wtf8::{push_units, units};
