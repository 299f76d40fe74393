//! Text generation: chooses next units by a network's scores.

mod beam;
mod generation;
mod sampling;

pub use beam::{Beams, Found, Search};
pub use generation::Generation;
pub use sampling::{REPETITION_WINDOW, Sampler, Sampling};
