//! Training data that is kept between chunks.

use super::packs::Packs;
use super::plan::PairFinders;
use super::space::Space;

/// Buffers that are kept between chunks.
#[derive(Default)]
pub(super) struct TrainSpace {
    pub space: Space,
    pub packs: Packs,
    pub finders: Vec<PairFinders>,
    pub losses: Vec<f64>,
    pub right: Vec<bool>,
    pub squares: Vec<f64>,
    pub units: Vec<u32>,
}
