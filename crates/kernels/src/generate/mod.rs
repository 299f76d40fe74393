//! What follows a text: the choice of the next unit by the scores of a network, and the text that comes of it.

mod beam;
mod generation;
mod sampling;

pub use beam::{Beams, Found, Search};
pub use generation::Generation;
pub use sampling::{REPETITION_WINDOW, Sampler, Sampling};
