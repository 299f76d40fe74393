//! Texts to token ids: UTF-16 in, numbers out, no string for any token. And words to features: what their characters say.
//!
//! This is the only reader of the built-in tokenizers, in training as in prediction. Property tests on the side of TypeScript
//! compare it with plain definitions for arbitrary text.

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
