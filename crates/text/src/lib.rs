//! Texts to token ids, as JavaScript's side does it: UTF-16 in, numbers out, no string for any token.
//!
//! What is here equals its TypeScript namesakes in `src/text`; property tests on that side
//! compare them for arbitrary text.

mod basic_english;
mod encoder;
mod lower;
mod model_json;
mod vocabulary;
mod wtf8;

pub use basic_english::basic_english;
pub use encoder::{Counts, Encoder, Truncation};
pub use lower::needs_javascript;
pub use model_json::take_vocabulary;
pub use vocabulary::{Taken, Vocabulary};
pub use wtf8::{push_units, units};
