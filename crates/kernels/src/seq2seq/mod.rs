//! Sequence-to-sequence networks: an encoder, and a decoder with attention and input feeding.
//!
//! For a row of source units with embeddings `x`, target units `y_1 .. y_n` (the last one is the end unit) and `y_0`
//! the start unit:
//!
//! - the *memory* `a_s` is the sequence of the encoder's outputs: recurrent layers in one or two directions over `x`;
//! - the *bridge* initialises each layer of the decoder: `h = tanh(W f + b)`, where `f` are the final states of that
//!   layer of the encoder, both directions concatenated; an LSTM's second state likewise with its own weights;
//! - at step `t`, the decoder's layers read `[E y_{t-1} | g_{t-1}]` (`g_0 = 0`) and output `h_t`;
//! - the *score* of source unit `s` is `h_t . W a_s`, or `v . tanh(Q h_t + W a_s + b)` (see
//!   [`recurra_core::Attention`]); the weights are the softmax of the scores over the row's source units, and the
//!   context `c_t` is the weighted sum of the memory;
//! - the *attentional output* is `g_t = tanh(W [c_t; h_t] + b)`, with dropout in training; the scores of units are `F
//!   g_t + b`.
//!
//! Feeding `g` back as input is described in Luong, Pham and Manning, "Effective Approaches to Attention-based Neural
//! Machine Translation", 2015, section 3.3; the whole network is the "global attention" of OpenNMT. The loss is the
//! mean cross entropy of a batch's target units.

mod attention;
mod back;
mod decode;
mod decoder;
mod encoder;
mod frozen;
mod grads;
mod learning;
mod model;
mod packs;
mod params;
mod pass;
mod places;
mod plan;
mod reduce;
mod rows;
mod score;
mod search;
mod space;
mod state;
mod step;
mod train;

pub use decode::Decoded;
pub use model::Seq2Seq;
