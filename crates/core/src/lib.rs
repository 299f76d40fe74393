//! The ground floor: what every engine, file and binding calls by the same name. It knows neither Node nor libtorch, and
//! computes nothing.
//!
//! - [`error`]: one error type with stable codes, and how panics become errors;
//! - [`fault`]: faults on purpose, for tests;
//! - [`mod@array`]: an array with a name, as states, files and checkpoints hold it;
//! - [`cell`]: kinds of recurrent cells;
//! - [`network`], [`tags`], [`training`], [`steps`], [`algorithm`]: what a network is, what it is trained with and by which rule, each with its
//!   one check;
//! - [`seq2seq`]: the same for a network from one sequence to another;
//! - [`collective`]: a group of processes, as one addon offers it to another;
//! - [`forms`]: words as they are written, with the features of their characters;
//! - [`rows`]: rows of tokens, as networks read them;
//! - [`layout`], [`distinct`]: sequences of unequal length without padding, and the different words among them;
//! - [`random`]: a generator that is the same everywhere.

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
