//! The lowest layer: types that every engine, file and binding shares. It knows neither Node nor libtorch, and computes
//! nothing.
//!
//! - [`error`]: one error type with stable codes, and how panics become errors;
//! - [`fault`]: fault injection for tests;
//! - [`mod@array`]: named arrays, as in states, files and checkpoints;
//! - [`cell`]: kinds of recurrent cells;
//! - [`network`], [`tags`], [`training`], [`steps`], [`algorithm`]: the configuration of a network, its training data
//!   and its optimizer, each with one check;
//! - [`seq2seq`]: the same for sequence-to-sequence networks;
//! - [`collective`]: a process group that one addon offers to another;
//! - [`forms`]: words as they are written, with their character features;
//! - [`rows`]: rows of tokens, as networks read them;
//! - [`layout`], [`distinct`]: sequences of different lengths without padding, and the distinct words in them;
//! - [`random`]: a random number generator with the same results on every platform.

pub mod algorithm;
pub mod array;
pub mod cell;
pub mod collective;
pub mod distinct;
pub mod error;
pub mod fault;
pub mod forms;
pub mod layout;
pub mod network;
pub mod random;
pub mod rows;
pub mod seq2seq;
mod sizes;
pub mod steps;
pub mod tags;
pub mod training;

pub use algorithm::{AdamOptions, Algorithm, OptimizerKind, SgdOptions};
pub use array::{Dtype, Element, NamedArray};
pub use cell::Cell;
pub use collective::{Collective, CollectiveTable};
pub use error::{Error, ErrorCode, Result, abandon, guard};
pub use forms::Forms;
pub use network::{ClassesConfig, Dropouts, EncoderConfig, HeadConfig, NetworkConfig, Pooling, SubwordsConfig};
pub use rows::Rows;
pub use seq2seq::{Attention, DecodeOptions, Seq2SeqConfig};
pub use steps::{Initial, LossOptions, StepOptions};
pub use tags::{Decoder, Forbidden, TagsConfig};
pub use training::{Chunk, Stats, Targets};
